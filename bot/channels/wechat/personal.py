"""What the WeChat channel holds about a customer."""

from __future__ import annotations

from sqlalchemy import false

from banking_core.notices import Notice
from banking_core.privacy.holding import Holding
from banking_core.privacy.holdings import through
from bot.channels.wechat.models import (
    WechatAlert,
    WechatContact,
    WechatMedium,
    WechatReceived,
    WechatToken,
    WechatVisit,
)

WECHAT_HOLDINGS = (
    Holding(
        "微信页面",
        WechatVisit,
        {},
        owned=through(WechatVisit, "contact_id", WechatContact),
        on_erase="delete",
    ),
    Holding(
        "微信消息",
        WechatReceived,
        {},
        owned=through(WechatReceived, "contact_id", WechatContact),
        on_erase="delete",
    ),
    Holding(
        "微信图片",
        WechatMedium,
        {},
        owned=through(WechatMedium, "contact_id", WechatContact),
        on_erase="delete",
    ),
    Holding("微信提醒", WechatAlert, {}, owned=through(WechatAlert, "notice_id", Notice), on_erase="delete"),
    Holding(
        "微信绑定",
        WechatContact,
        {
            "openid": "微信标识",
            "bound_at": "绑定时间",
            "following": "是否关注",
            "created_at": "首次联系",
            "seen_at": "最近联系",
        },
        on_erase="delete",
    ),
    Holding("微信接口凭证", WechatToken, {}, owned=lambda _customer_id: false()),  # the bank's own
)
