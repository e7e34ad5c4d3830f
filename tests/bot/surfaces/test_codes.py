"""The picture of a code is read again as what was drawn, also small, blurred and on a dark page."""

from __future__ import annotations

from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from bot.surfaces.codes import code_png
from bot.surfaces.codes.drawing import SIDE_MAX

LINK = "https://bank.example/?pay=" + "bcdfghjklmnpqrstwxyzbcdfgh"


def read(image: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image.convert("L"))]


@pytest.mark.parametrize("side", [SIDE_MAX, 300, 150])
@pytest.mark.parametrize(
    "link", [LINK, LINK.replace("bank.example", "a-long-name.of-a-bank.example.com:8443")]
)
def test_what_was_drawn_is_read(link: str, side: int) -> None:
    image = Image.open(BytesIO(code_png(link)))
    assert max(image.size) <= SIDE_MAX and image.width == image.height
    small = BytesIO()
    image.resize((side, side)).save(small, "JPEG", quality=60)
    on_dark = Image.new("RGB", (side + 80, side + 80), "#111111")
    on_dark.paste(Image.open(small), (40, 40))
    assert read(on_dark) == [link]


def test_the_same_code_is_the_same_picture() -> None:
    assert code_png(LINK) == code_png(LINK) != code_png(LINK[:-1] + "a")
