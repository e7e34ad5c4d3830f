"""Draws a card as a picture: a QR code, or what money went for, as bars in the order of the card's rows.

There are no words in it: no font that knows Chinese comes with the product. The numbers are those that the text beside
the picture gives its rows.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from bot.surfaces.codes import code_png

WIDTH: Final = 720
ROW: Final = 56
EDGE: Final = 28
BAR_FROM, BAR_TO = 84, 580
LETTERS: Final = 26
PAPER, INK, PALE, BAR = "#ffffff", "#333333", "#eef2f5", "#0b7a75"
DRAWN: Final = frozenset({"spending"})


def is_drawn(card: dict[str, Any] | None) -> bool:
    """Whether a card of the log has a picture."""
    return card is not None and (bool(card.get("code")) or has_bars(card))


def has_bars(card: dict[str, Any]) -> bool:
    """Whether the picture's bars are those of the card's rows."""
    return card["kind"] in DRAWN and bool(card["rows"])


def drawn(card: dict[str, Any]) -> bytes:
    """A PNG; the same card gives the same bytes."""
    return code_png(card["code"]) if card.get("code") else _bars(card)


def _bars(card: dict[str, Any]) -> bytes:
    """The last cell of a row is its share: "32.1%"."""
    from PIL import Image, ImageDraw, ImageFont

    shares = [str(row[-1]) for row in card["rows"]]
    image = Image.new("RGB", (WIDTH, 2 * EDGE + ROW * len(shares)), PAPER)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(LETTERS)
    for number, share in enumerate(shares, 1):
        top = EDGE + ROW * (number - 1)
        middle, bottom = top + ROW // 2, top + ROW - 16
        part = min(1.0, float(share.removesuffix("%")) / 100)
        pen.rectangle((BAR_FROM, top + 6, BAR_TO, bottom), fill=PALE)
        pen.rectangle(
            (BAR_FROM, top + 6, BAR_FROM + max(2, round(part * (BAR_TO - BAR_FROM))), bottom), fill=BAR
        )
        pen.text((EDGE, middle - 5), f"{number}.", fill=INK, font=font, anchor="lm")
        pen.text((WIDTH - EDGE, middle - 5), share, fill=INK, font=font, anchor="rm")
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
