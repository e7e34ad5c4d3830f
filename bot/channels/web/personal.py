"""What the web channel holds about a customer."""

from __future__ import annotations

from banking_core.identity import BankSession
from banking_core.privacy.holding import Holding
from banking_core.privacy.holdings import through
from bot.channels.web.models import WebVisit

WEB_HOLDINGS = (
    Holding("网页", WebVisit, {}, owned=through(WebVisit, "session_id", BankSession), on_erase="delete"),
)
