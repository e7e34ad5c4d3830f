"""How the customer spoke: hesitation, corrections, digressions, silence, and phrases that swindlers teach.

Counts only; the words themselves never come here.
"""

from __future__ import annotations

from collections.abc import Callable

from banking_core.risk.context import PHRASE_CATEGORIES
from banking_core.risk.features.feature import Feature, Unit, flag
from banking_core.risk.features.moment import Moment, ratio

PHRASE_WORDS = {
    "safe_account": "提到“安全账户”",
    "officials": "提到自称公检法的人",
    "brushing": "提到刷单返利",
    "screen_share": "提到屏幕共享或远程控制",
    "code_sharing": "提到把验证码给别人",
    "refund": "提到“客服”退款或理赔",
    "boss": "提到领导急要转账",
    "loan_fee": "提到贷款先交费",
    "investment": "提到稳赚的投资群",
    "relative": "提到亲友出事急用钱",
    "romance": "提到网上认识的人要钱",
    "secrecy": "提到有人要求保密",
    "coaching": "提到有人在教怎么操作",
}
assert tuple(PHRASE_WORDS) == PHRASE_CATEGORIES


def _said(category: str) -> Feature:
    return Feature(
        f"said_{category}",
        "conversation",
        "count",
        f"{PHRASE_WORDS[category]}的次数",
        lambda m: m.signals.phrases.get(category, 0.0),
    )


def _signal(name: str, unit: Unit, words: str, read: Callable[[Moment], float]) -> Feature:
    return Feature(name, "conversation", unit, words, read)


FEATURES = (
    *(_said(category) for category in PHRASE_CATEGORIES),
    _signal("said_any", "count", "提到骗局说法的总次数", lambda m: m.phrases),
    _signal(
        "said_kinds",
        "count",
        "提到几类骗局说法",
        lambda m: sum(1 for n in m.signals.phrases.values() if n > 0),
    ),
    flag(
        "said_and_first_payee",
        "conversation",
        "提到骗局说法，收款人又是第一次",
        lambda m: m.phrases > 0 and bool(m.payee_key) and m.paid_count_to_payee == 0,
    ),
    _signal("scam_enquiries", "count", "问过怎样防骗", lambda m: m.signals.enquiries),
    _signal("turns", "count", "对话轮数", lambda m: m.signals.turns),
    _signal("corrections", "count", "更正次数", lambda m: m.signals.corrections),
    _signal("amount_corrections", "count", "改金额次数", lambda m: m.signals.amount_corrections),
    _signal("payee_corrections", "count", "改收款人次数", lambda m: m.signals.payee_corrections),
    _signal(
        "correction_share",
        "share",
        "更正占轮数的份额",
        lambda m: ratio(m.signals.corrections, m.signals.turns, 1),
    ),
    _signal("digressions", "count", "岔开话题次数", lambda m: m.signals.digressions),
    _signal("clarifications", "count", "没听明白次数", lambda m: m.signals.clarifications),
    _signal("silences", "count", "一分钟以上不答的次数", lambda m: m.signals.silences),
    _signal("answer_s_mean", "s", "平均答话时间", lambda m: m.signals.answer_s_mean),
    _signal("answer_s_max", "s", "最久的答话时间", lambda m: m.signals.answer_s_max),
    _signal("answer_s_last", "s", "最近一次答话时间", lambda m: m.signals.answer_s_last),
    _signal(
        "hesitation",
        "ratio",
        "最近一次答话比平均慢几倍",
        lambda m: ratio(m.signals.answer_s_last, m.signals.answer_s_mean, 100),
    ),
    _signal("typing_cps", "cps", "每秒打字数", lambda m: m.signals.typing_cps),
    flag("typing_pasted", "conversation", "像是粘贴的（每秒20字以上）", lambda m: m.signals.typing_cps > 20),
    _signal("chars_mean", "count", "平均每句字数", lambda m: m.signals.chars_mean),
    _signal("talk_s", "s", "对话至今的时间", lambda m: m.signals.elapsed_s),
    _signal("cancelled", "count", "取消过几次", lambda m: m.signals.cancelled),
    _signal("human_asked", "count", "要过几次人工", lambda m: m.signals.human_asked),
    _signal("code_failures", "count", "验证码输错次数", lambda m: m.signals.code_failures),
    _signal("code_resends", "count", "重发验证码次数", lambda m: m.signals.code_resends),
)
