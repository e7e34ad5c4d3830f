"""Draws a QR picture: square, with the bank's coin in its middle, as large as a phone shows it.

There are no words in it: no font that knows Chinese comes with the product.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import ImageDraw

SIDE_MAX: Final = 720
FRAME, ROUND = 10, 40  # the coloured line around it, and its corners
QUIET: Final = 4  # modules of white that readers need around a code
PAPER, INK, BRAND, GOLD = "#ffffff", "#16302a", "#0b6b4f", "#f2c14e"
COIN: Final = 0.2  # of the code's side; the error correction makes good for it
ERROR_CORRECTION: Final = "H"
KEPT: Final = 256


@lru_cache(maxsize=KEPT)
def code_png(content: str) -> bytes:
    """A PNG; the same content gives the same bytes."""
    import zxingcpp
    from PIL import Image, ImageDraw

    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level=ERROR_CORRECTION)
    drawn = code.to_image(scale=1, add_quiet_zones=False)
    modules = memoryview(drawn)  # type: ignore[arg-type]  # it is a buffer; its stub does not say so
    count = len(modules)
    size = (SIDE_MAX - 2 * FRAME) // (count + 2 * QUIET)
    at = FRAME + QUIET * size
    end = 2 * at + count * size - 1
    image = Image.new("RGB", (end + 1, end + 1), PAPER)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, end, end), ROUND, fill=BRAND)
    pen.rounded_rectangle((FRAME, FRAME, end - FRAME, end - FRAME), ROUND - FRAME, fill=PAPER)
    for row in range(count):
        for column in range(count):
            if modules[row, column] == 0:
                left, top = at + column * size, at + row * size
                pen.rectangle((left, top, left + size - 1, top + size - 1), fill=INK)
    _coin(pen, end // 2, int(count * size * COIN / 2), size)
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _coin(pen: ImageDraw.ImageDraw, middle: int, radius: int, edge: int) -> None:
    """A round coin with a square hole, on white."""
    for reach, colour in (
        (radius + edge // 2, PAPER),
        (radius, BRAND),
        (radius - radius // 6, GOLD),
        (radius - radius // 4, BRAND),
    ):
        pen.ellipse((middle - reach, middle - reach, middle + reach, middle + reach), fill=colour)
    for reach, colour in ((radius // 3, GOLD), (radius // 4, PAPER)):
        pen.rectangle((middle - reach, middle - reach, middle + reach, middle + reach), fill=colour)
