"""The operator's log, on stderr."""

from __future__ import annotations

import logging

from banking_core.privacy import mask_logs

QUIET = ("alembic", "apscheduler")  # their routine is nobody's news


def start_logging(level: str) -> None:
    """One line a record: time, level, logger, text; phone, identity and card numbers masked."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    mask_logs()
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
