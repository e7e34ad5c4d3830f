"""A forgotten password over HTTP: a code, the papers, a new password. The steps are those of `identity.recoveries`."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from banking_core.clock import BANK_ZONE
from banking_core.days import wait_words
from banking_core.identity import Origin, Papers, RecoveryOutcome, RecoveryStale
from bot.channels.web.dependencies import WebDependencies
from bot.channels.web.errors import RecoveryRefused
from bot.channels.web.login import PASSWORD_CHARS_MAX
from bot.surfaces.bodies import is_storable
from bot.surfaces.errors import BadRequest

FIELD_CHARS_MAX = 64
_ID = re.compile(r"[0-9a-f]{32}")


class RecoveryService:
    """The three steps."""

    def __init__(self, deps: WebDependencies) -> None:
        self._deps = deps
        self._recoveries = deps.bank.identity.recoveries

    async def start(self, body: dict[str, Any], origin: Origin) -> dict[str, Any]:
        """Sends a code if the number is a customer's, and answers the same if it is not; raises a BankError."""
        phone = re.sub(r"[\s-]", "", _text(body, "phone", "请输入11位手机号。"))
        async with self._deps.db.transaction() as session:
            sent = await self._recoveries.start(session, phone, origin=origin)
        return {
            "recovery_id": sent.recovery_id,
            "masked_phone": sent.masked_phone,
            "expires_at": sent.expires_at.isoformat(),
            "resend_after_s": sent.resend_after_s,
        }

    async def prove(self, body: dict[str, Any], origin: Origin) -> dict[str, Any]:
        """One try with code and papers; raises RecoveryRefused, BadRequest or a BankError."""
        recovery_id, code = _recovery_id(body), _text(body, "code", "请输入6位数字验证码。")
        papers = Papers(_text(body, "name", "请输入姓名。"), _text(body, "id_number", "请输入身份证号码。"))
        outcome = await self._recoveries.prove(self._deps.db, recovery_id, code, papers, origin=origin)
        if outcome.kind != "ok":
            raise refusal(outcome, self._deps.clock.now())
        return {"proved": True}

    async def finish(self, body: dict[str, Any], origin: Origin) -> dict[str, Any]:
        """Sets the new password; raises BadRequest or a BankError (password_too_weak says what is missing)."""
        recovery_id = _recovery_id(body)
        password = _text(body, "password", "请输入新密码。", chars_max=PASSWORD_CHARS_MAX)
        async with self._deps.db.transaction() as session:
            until = await self._recoveries.finish(session, recovery_id, password, origin=origin)
        at = until.astimezone(BANK_ZONE)
        text = f"密码已重设，请用新密码登录。{at.month}月{at.day}日{at:%H:%M}前只能办理小额转账缴费。"
        return {"until": until.isoformat(), "text": text}


def refusal(outcome: RecoveryOutcome, now: datetime) -> RecoveryRefused:
    """What the page is told; which of the two was wrong is not."""
    if outcome.kind == "locked" and outcome.locked_until is not None:
        wait = wait_words(max(1, math.ceil((outcome.locked_until - now).total_seconds())))
        text = f"核对不上的次数太多，请{wait}后再试，或者带身份证到网点办理。"
        return RecoveryRefused(text, locked_until=outcome.locked_until.isoformat())
    text = f"验证码、姓名或身份证号码对不上，还可以再试{outcome.tries_left}次。"
    return RecoveryRefused(text, tries_left=outcome.tries_left)


def _recovery_id(body: dict[str, Any]) -> str:
    recovery_id = body.get("recovery_id")
    if not isinstance(recovery_id, str) or not _ID.fullmatch(recovery_id):
        raise RecoveryStale("no recovery named")
    return recovery_id


def _text(body: dict[str, Any], field: str, missing: str, *, chars_max: int = FIELD_CHARS_MAX) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= chars_max or not is_storable(value):
        raise BadRequest(missing, field=field)
    return value
