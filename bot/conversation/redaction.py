"""Keeps secrets out of the log, the NLU service and every screen.

Two grades: `without_secrets` is what the dialogue engine may read (card numbers stay, a payee needs one), `for_log` is
what is stored, shown and sent to the NLU service (card and identity numbers keep their last four digits).

Digits count however they are written: a recogniser writes 二四六八幺零. So every pattern looks at a copy in which each
numeral is an ASCII digit, character for character, and what it finds is taken out of the original.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from bot.dialogue.reading.numerals import DIGITS
from bot.dialogue.reading.pay_codes import without_pay_codes

BLOT: Final = "••••••"
ANY: Final = "any"  # awaited: whichever secret there is, where nobody knows (a human listens)

_NUMERALS: Final = "".join(DIGITS) + "〇○壹贰叁肆伍陆柒捌玖"
_AS_DIGITS: Final = str.maketrans(
    {numeral: str(value) for numeral, value in DIGITS.items()}
    | dict(zip("壹贰叁肆伍陆柒捌玖", "123456789", strict=True))
    | {chr(ord("０") + value): str(value) for value in range(10)}
    | {"〇": "0", "○": "0", "叉": "X"}
)
_TIMES: Final = re.compile(rf"(?<=[{_NUMERALS}])个(?=[{_NUMERALS}])")  # 三个八, within a number
_NAME: Final = r"(?:密码|口令|密碼|验证码|驗證碼|校验码|动态码|安全码|PIN码?|CVV2?|password|code)"
_FILLER: Final = r"[就是为设成改了收到我的呢嘛啊呀吧应该好像有上写新:：=，,\s]"

_SECRET_AFTER_NAME: Final = re.compile(
    rf"{_NAME}\s*(?:就是|改成|设成|设为|是|为|:|：|=)?\s*"
    r"(?P<out>[A-Za-z0-9!@#$%^&*_+\-=?.,~]{3,}|(?:[0-9][ \-]{1,2}){2,}[0-9](?![0-9]))",
    re.IGNORECASE,
)
_DIGITS_NEAR_NAME: Final = re.compile(
    rf"{_NAME}{_FILLER}{{0,10}}(?P<out>(?<![0-9])(?:[0-9][ \-]?){{3,7}}[0-9](?![0-9]))", re.IGNORECASE
)
_LONG_NUMBER: Final = re.compile(r"(?P<out>(?<![0-9A-Za-z])(?:[0-9][ \-]{0,2}){11,18}[0-9Xx](?![0-9A-Za-z]))")
_CJK: Final = re.compile(r"[\u3400-\u9fff]")
_CODE: Final = re.compile(r"(?P<out>(?<![0-9])(?:[0-9][ \-，、]?){5}[0-9](?![0-9]))")
_ID_TAIL: Final = re.compile(r"(?P<out>(?<![0-9])[0-9]{3}[0-9Xx](?![0-9A-Za-z]))")
# Said digit by digit: a code of which a digit was not heard, or one too many. Nobody says an amount that way.
_SPOKEN_CODE: Final = re.compile(r"(?P<out>(?<![0-9])(?:[0-9][ \-，、]?){4,7}[0-9](?![0-9]))")
_SPOKEN_SECRET: Final = re.compile(r"(?P<out>(?<![0-9])(?:[0-9][ \-，、]?){3,7}[0-9Xx](?![0-9A-Za-z年]))")


def without_secrets(text: str, *, awaited: str = "") -> str:
    """Blots out what follows 密码/验证码 and what looks like the secret that is awaited.

    `awaited` is the kind of the pending challenge, `ANY` where a human listens, "" for none: every run of six digits,
    with id_tail also of four; of digits said one by one also runs of other lengths that a code may be heard as.
    """
    clean = _replaced(_SECRET_AFTER_NAME, text, _blotted)
    clean = _replaced(_DIGITS_NEAR_NAME, clean, _blotted)
    if not awaited:
        return clean
    if awaited == "id_tail":
        clean = _replaced(_ID_TAIL, clean, _blotted)
    clean = _replaced(_CODE, clean, _blotted)
    spoken = _SPOKEN_SECRET if awaited in ("id_tail", ANY) else _SPOKEN_CODE
    return _replaced(spoken, clean, _blotted_if_spoken)


def for_log(text: str, *, awaited: str = "") -> str:
    """As `without_secrets`; card and identity numbers keep only their last four characters, receiving codes nothing."""
    text = without_pay_codes(text)
    return _replaced(_LONG_NUMBER, without_secrets(text, awaited=awaited), _tail_only)


def _replaced(pattern: re.Pattern[str], text: str, instead: Callable[[str], str]) -> str:
    """The text with what `pattern` finds as `out` in its copy in digits replaced."""
    parts, at = [], 0
    for match in pattern.finditer(in_digits(text)):
        start, end = match.span("out")
        parts += [text[at:start], instead(text[start:end])]
        at = end
    return "".join((*parts, text[at:]))


def in_digits(text: str) -> str:
    """A copy of the same length with every numeral as an ASCII digit."""
    return _TIMES.sub("-", text).translate(_AS_DIGITS)


def _blotted(_: str) -> str:
    return BLOT


def _blotted_if_spoken(found: str) -> str:
    return BLOT if has_chinese(found) else found


def _tail_only(found: str) -> str:
    if "个" in found:  # 三个八: its last characters are not its last digits
        return "****"
    digits = re.sub(r"[ \-]", "", in_digits(found))
    return f"****{digits[-4:]}"


def has_chinese(text: str) -> bool:
    """True when the text holds a Chinese character, so that it cannot be a password."""
    return _CJK.search(text) is not None


def looks_like_code(text: str) -> bool:
    """True for a bare message of six digits, written or said: a late one-time code more likely than anything else."""
    return re.fullmatch(r"\s*(?:[0-9] ?){6}\s*", in_digits(text)) is not None
