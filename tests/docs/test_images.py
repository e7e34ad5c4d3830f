"""The pictures that the READMEs show are there, light enough, and none lies about unused."""

from __future__ import annotations

import re

import pytest

from bot.settings import ROOT

SHOWN = re.compile(r'<img src="(docs/images/[^"]+)" alt="([^"]+)"')
IN_DOCS = re.compile(r"!\[([^]]+)\]\((images/[^)]+)\)")
BYTES_MAX = 200_000


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_both_pages_show_the_same_pictures_and_say_what_is_on_them(page: str) -> None:
    shown = dict(SHOWN.findall((ROOT / page).read_text(encoding="utf-8")))
    assert set(shown) == {"docs/images/chat.png", "docs/images/desk.png"}
    assert all(len(words) > 10 for words in shown.values())


def test_every_picture_is_shown_somewhere_and_every_shown_one_is_there() -> None:
    shown: dict[str, str] = {}
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        shown |= dict(SHOWN.findall(text))
        shown |= {f"docs/{path}": words for words, path in IN_DOCS.findall(text)}
    drawn = {f"docs/images/{path.name}" for path in (ROOT / "docs" / "images").iterdir()}
    assert set(shown) == drawn
    assert all(len(words) > 10 for words in shown.values())


def test_a_picture_is_a_png_a_slow_line_can_bear() -> None:
    for path in (ROOT / "docs" / "images").glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < BYTES_MAX, path.name
