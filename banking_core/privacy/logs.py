"""No phone, identity or card number leaves through the log, whoever wrote the record.

The finished line is masked, traceback included: an exception's text may quote what a customer sent.
"""

from __future__ import annotations

import logging
import re

_EDGE, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_IDENTITY = re.compile(rf"{_EDGE}[1-9][0-9]{{16}}[0-9Xx]{_END}")
_PHONE = re.compile(rf"{_EDGE}(\+?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{{4}}){{2}}{_END}")
_CARD = re.compile(
    rf"{_EDGE}(?:[0-9]{{12,19}}|[0-9]{{4}}(?:[ -][0-9]{{4}}){{2,3}}(?:[ -][0-9]{{1,4}})?){_END}"
)


def mask_log_text(text: str) -> str:
    """Masks phone, identity and card numbers; the last four digits stay, so that an operator can match them."""
    for pattern in (_IDENTITY, _CARD, _PHONE):
        text = pattern.sub(lambda match: "****" + match.group()[-4:], text)
    return text


class MaskingFormatter(logging.Formatter):
    """Formats as the formatter it is given does, then masks the line."""

    def __init__(self, inner: logging.Formatter | None = None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """The masked line."""
        return mask_log_text(self._inner.format(record))


def mask_logs(logger: logging.Logger | None = None) -> None:
    """Masks what the handlers of `logger` (default: the root) write; safe to call again."""
    for handler in (logger or logging.getLogger()).handlers:
        if not isinstance(handler.formatter, MaskingFormatter):
            handler.setFormatter(MaskingFormatter(handler.formatter))
