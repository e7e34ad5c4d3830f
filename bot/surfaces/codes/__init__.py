"""QR pictures: drawn for those who show them."""

from bot.surfaces.codes.drawing import code_png

__all__ = ["code_png"]
