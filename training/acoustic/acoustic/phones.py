"""Mandarin phones: initials and finals without tone, from pinyin or from characters."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pypinyin import Style, lazy_pinyin

SIL: Final = "SIL"
INITIALS: Final = "b p m f d t n l g k h j q x zh ch sh r z c s".split()
FINALS: Final = (
    "a o e ai ei ao ou an en ang eng er i ii ih ia ie iao iu ian in iang ing iong "
    "u ua uo uai ui uan un uang ong v ve van vn"
).split()
PHONES: Final = [SIL, *INITIALS, *FINALS]
INDEX: Final = {phone: at for at, phone in enumerate(PHONES)}

_WHOLE: Final = dict(
    one.split()
    for one in (
        "yi i; ya ia; ye ie; yao iao; you iu; yan ian; yin in; yang iang; ying ing; yong iong; yo o; "
        "yai ai; wu u; wa ua; wo uo; wai uai; wei ui; wan uan; wen un; wang uang; weng ong; n en; ng en; "
        "m en; hm en; hng en; yu v; yue ve; yuan van; yun vn; "
    ).split("; ")
    if one
)
_AFTER_JQX: Final = {"u": "v", "ue": "ve", "uan": "van", "un": "vn"}
_OTHER: Final = {"iou": "iu", "uei": "ui", "uen": "un", "ueng": "ong", "v": "v", "ue": "ve", "r": "er"}
_SYLLABLE: Final = re.compile(r"^(zh|ch|sh|[bpmfdtnlgkhjqxrzcs])?([a-z]+)$")
_HANZI: Final = re.compile(r"^[一-鿿〇]+$")


def bare(syllable: str) -> str:
    """Without tone, with v for the umlaut: "lü4" and "lv4" give "lv"."""
    return re.sub(r"[0-9]", "", syllable.lower().replace("ü", "v").replace("u:", "v"))


@lru_cache(maxsize=4096)
def of_syllable(syllable: str) -> tuple[str, ...]:
    """The one or two phones of a pinyin syllable. Raises KeyError for what is none."""
    name = bare(syllable)
    if name in _WHOLE:
        return (_WHOLE[name],)
    match = _SYLLABLE.match(name)
    if match is None:
        raise KeyError(syllable)
    initial, final = match[1] or "", match[2]
    if initial in ("j", "q", "x"):
        final = _AFTER_JQX.get(final, final)
    final = _OTHER.get(final, final)
    if final == "i" and initial in ("zh", "ch", "sh", "r"):
        final = "ih"
    elif final == "i" and initial in ("z", "c", "s"):
        final = "ii"
    if final not in FINALS:
        raise KeyError(syllable)
    return (initial, final) if initial else (final,)


def syllables(text: str) -> list[str] | None:
    """The toneless pinyin of characters, or None where there is anything else among them."""
    if not _HANZI.match(text):
        return None
    return [bare(one) for one in lazy_pinyin(text, style=Style.NORMAL, v_to_u=False)]


def indices(names: list[str]) -> list[int]:
    """Phone numbers of a list of syllables. Raises KeyError."""
    return [INDEX[phone] for name in names for phone in of_syllable(name)]
