"""QR pictures: drawn for those who show them, read for those who photograph them."""

from bot.surfaces.codes.drawing import code_png
from bot.surfaces.codes.reading import BYTES_MAX, CodeReader, PictureRefused

__all__ = ["BYTES_MAX", "CodeReader", "PictureRefused", "code_png"]
