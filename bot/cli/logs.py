"""The operator's log, on stderr."""

from __future__ import annotations

import logging

QUIET = ("alembic", "apscheduler")  # their routine is nobody's news


def start_logging(level: str) -> None:
    """One line a record: time, level, logger, text."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
