"""What the web channel holds about a customer."""

from __future__ import annotations

from banking_core.privacy.holding import Holding
from bot.channels.web.models import WebSession

WEB_HOLDINGS = (
    Holding(
        "网页会话",
        WebSession,
        {"created_at": "开始时间", "authenticated_at": "登录时间", "expires_at": "到期时间"},
        on_erase="delete",
        order_by="created_at",
    ),
)
