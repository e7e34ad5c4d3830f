"""Keeps secrets out of the log, the NLU service and every screen.

Two grades: `without_secrets` is what the dialogue engine may read (card numbers stay, a payee needs one), `for_log` is
what is stored, shown and sent to the NLU service (card and identity numbers keep their last four digits).
"""

from __future__ import annotations

import re

BLOT = "••••••"

_SECRET_AFTER_WORD = re.compile(
    r"((?:密码|口令|密碼|验证码|驗證碼|校验码|动态码|安全码|PIN码?|CVV2?|password|code)\s*(?:就是|改成|设成|设为|是|为|:|：|=)?\s*)"
    r"([A-Za-z0-9!@#$%^&*_+\-=?.,~]{3,})",
    re.IGNORECASE,
)
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:[0-9][ \-]?){11,18}[0-9Xx](?![0-9A-Za-z])")
_CODE = re.compile(r"(?<![0-9])(?:[0-9][ \-]?){5}[0-9](?![0-9])")
_ID_TAIL = re.compile(r"(?<![0-9])[0-9]{3}[0-9Xx](?![0-9A-Za-z])")
_CJK = re.compile(r"[\u3400-\u9fff]")


def without_secrets(text: str, *, awaited: str = "") -> str:
    """Blots out what follows 密码/验证码 and what looks like the secret that is awaited.

    `awaited` is the kind of the pending challenge, "" for none: every run of six digits, with id_tail also of four.
    """
    clean = _SECRET_AFTER_WORD.sub(lambda match: match.group(1) + BLOT, text)
    if awaited == "id_tail":
        clean = _ID_TAIL.sub(BLOT, clean)
    return _CODE.sub(BLOT, clean) if awaited else clean


def for_log(text: str, *, awaited: str = "") -> str:
    """As `without_secrets`, and card and identity numbers keep only their last four characters."""
    return _LONG_NUMBER.sub(_tail_only, without_secrets(text, awaited=awaited))


def _tail_only(match: re.Match[str]) -> str:
    digits = re.sub(r"[ \-]", "", match.group(0))
    return f"****{digits[-4:]}"


def has_chinese(text: str) -> bool:
    """True when the text holds a Chinese character, so that it cannot be a password."""
    return _CJK.search(text) is not None


def looks_like_code(text: str) -> bool:
    """True for a bare six-digit message: a late one-time code more likely than anything else."""
    return re.fullmatch(r"\s*[0-9]{6}\s*", text) is not None
