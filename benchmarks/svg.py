"""Pieces of the pictures in `docs/charts`: words, lines and bars as SVG text. The same figures give the same text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

INK, GRID, GOOD, BAD = "#1f2933", "#d9dee4", "#3b7dd8", "#d64545"
FONT = "font-family='Helvetica, Arial, sans-serif'"


def picture(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    """A whole SVG file on white; `label` is what a screen reader says."""
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' role='img' aria-label='{escape(label, quote=True)}'>"
    )
    return (
        "\n".join([head, f"<rect width='{width}' height='{height}' fill='#ffffff'/>", *parts, "</svg>"])
        + "\n"
    )


def words(x: float, y: float, text: str, *, size: int = 11, anchor: str = "start") -> str:
    """One line of text; `y` is its baseline in px."""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{INK}' text-anchor='{anchor}' {FONT}>"
        f"{escape(text)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    """A straight line, px."""
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}'/>"


def bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled rectangle, px."""
    return f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' fill='{colour}'/>"


def dot(x: float, y: float, radius: float, colour: str) -> str:
    """A filled circle, px."""
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius:.1f}' fill='{colour}'/>"


def curve(points: Iterable[tuple[float, float]], colour: str) -> str:
    """A line through points, px."""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline points='{joined}' fill='none' stroke='{colour}' stroke-width='2'/>"
