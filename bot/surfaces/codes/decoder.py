"""A program of its own: finds the QR codes in a picture on its input, and writes their texts as a JSON list.

What strangers photographed is opened nowhere else. It imports nothing of ours; `bot/surfaces/apart.py` runs it.
"""

from __future__ import annotations

import json
import sys
from io import BytesIO

PIXELS_MAX = 50_000_000  # what the cameras of phones make
SIDE = 2400  # a larger photograph is opened at a fraction of its size, as far as JPEG can
CODES_MAX, TEXT_CHARS_MAX = 4, 1000
REFUSED = 3


def texts(data: bytes) -> list[str]:
    """What the codes of a JPEG or PNG say. Raises ValueError, OSError, SyntaxError or MemoryError for what is none."""
    import zxingcpp
    from PIL import Image

    picture: Image.Image = Image.open(BytesIO(data), formats=("JPEG", "PNG"))
    if picture.width * picture.height > PIXELS_MAX:
        raise ValueError("too large")
    picture.draft("L", (SIDE, SIDE))
    if "A" in picture.getbands() or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        picture = Image.new("RGBA", clear.size, "white")
        picture.alpha_composite(clear)
    codes = zxingcpp.read_barcodes(
        picture.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    return [code.text[:TEXT_CHARS_MAX] for code in codes if code.valid][:CODES_MAX]


def main() -> int:
    """Reads, looks, writes."""
    try:
        found = texts(sys.stdin.buffer.read())
    except Exception:  # whatever it is, it is no picture that can be read
        return REFUSED
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
