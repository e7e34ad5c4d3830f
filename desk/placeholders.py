"""Words in braces that a canned reply may hold, and what stands in their place once it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from banking_core.clock import BANK_ZONE
from bot.surfaces.errors import BadRequest

AGENT: Final = "坐席"
PLACEHOLDERS: Final = MappingProxyType(
    {
        AGENT: "自己的名字",
        "称呼": "尊敬的客户，金卡和贵宾客户带级别",
        "业务": "客户正在办的业务",
        "问候": "早上好、上午好、下午好……",
    }
)
_ADDRESS = {"gold": "尊敬的金卡客户", "vip": "尊敬的贵宾客户"}
_GREETINGS = ((5, "晚上好"), (9, "早上好"), (12, "上午好"), (14, "中午好"), (18, "下午好"), (24, "晚上好"))
_IN_BRACES = re.compile(r"\{([^{}]*)\}")


def check_placeholders(text: str) -> None:
    """Raises BadRequest on a word in braces that nothing is known for, and on a brace without its partner."""
    strange = next((name for name in _IN_BRACES.findall(text) if name not in PLACEHOLDERS), None)
    known = "、".join(f"{{{name}}}" for name in PLACEHOLDERS)
    if strange is not None:
        raise BadRequest(f"不认识{{{strange}}}，可以用{known}。")
    if set("{}") & set(_IN_BRACES.sub("", text)):
        raise BadRequest(f"花括号要成对，里面只能写{known}。")


def with_agent(text: str, display_name: str) -> str:
    """The text with the agent's name in it; everything else depends on the customer."""
    return text.replace(f"{{{AGENT}}}", display_name)


def fillings(level: str, business: str, now: datetime) -> Mapping[str, str]:
    """What stands for each placeholder but the agent's, by the customer's level, their business and the hour."""
    hour = now.astimezone(BANK_ZONE).hour
    return {
        "称呼": _ADDRESS.get(level, "尊敬的客户"),
        "业务": business or "您要办的业务",
        "问候": next(words for until, words in _GREETINGS if hour < until),
    }
