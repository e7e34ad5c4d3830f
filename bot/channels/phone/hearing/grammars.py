"""What may be said in a state of the conversation: phrases for the recogniser, and what its result may be."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.channels.phone.hearing.spelling import UNKNOWN
from bot.channels.phone.loop import Expect
from bot.channels.phone.spoken import spoken
from bot.dialogue.reading.billers import read_bill_type

DIGITS: Final = tuple("零一二三四五六七八九幺")
SPOKEN_DIGITS: Final = 8
YES_NO: Final = tuple(
    "是 是的 对 对的 对对 好 好的 行 可以 没错 没问题 确认 确定 同意 嗯 要 需要 就这样 "
    "不 不是 不对 不要 不行 不用 不同意 不需要 错了 取消 算了 改一下 修改 说错了".split()
)
STEERING: Final = tuple(
    "取消 算了 返回 上一步 再说一遍 重复 慢一点 快一点 转人工 人工 人工服务 人工客服 找人工 等一下 等等 继续 帮助 "
    "不知道 没有了 不用了 谢谢 再见 重发 重新发送 没收到 换手机号".split()
)
SERVICES: Final = tuple(
    (
        "查余额 查询余额 余额 我的余额 账户余额 余额多少 还有多少钱 转账 我要转账 汇款 打钱 查明细 "
        "交易明细 查账单 账单 交电费 交水费 交燃气费 交话费 充话费 话费 电费 水费 燃气费 物业费 "
        "宽带费 缴费 生活缴费 还信用卡 信用卡还款 信用卡账单 最低还款 全额还款 挂失 我要挂失 "
        "银行卡挂失 卡丢了 冻结 解冻 贷款 我要贷款 还贷款 理财 买理财 基金 存款 定期存款 存定期 "
        "办卡 开卡 改密码 修改密码 忘记密码 限额 修改限额 网点 附近网点 预约 汇率 换汇 黄金 积分 "
        "保险 投诉 进度 查进度 本人 他行 本行 全部 一半 第一个 第二个 第三个 第四个 第五个 今天 "
        "明天 后天 昨天 本月 这个月 上个月 下个月 每月 社保 公积金 工资 收款人 添加收款人 绑卡 "
        "通知 消费记录 开通声纹 取消声纹 重录声纹 声纹 声纹安全吗 声纹是什么"
    ).split()
)
WHOLE: Final = frozenset((*SERVICES, *STEERING, *YES_NO))  # says all by itself: no name is looked for in it
HESITATION: Final = tuple("嗯 呃 啊 哦 嗯嗯 喂".split())  # heard as what they are, they are no digit
_CARRIERS: Final = (
    "给{0}转",
    "给{0}转账",
    "转给{0}",
    "给{0}汇",
    "我要给{0}转",
    "帮我给{0}转",
    "向{0}转",
    "{0}",
)
_WITH_AMOUNT: Final = ("给{0}转{1}", "转{1}给{0}", "给{0}汇{1}", "转账{1}给{0}", "我要给{0}转{1}")
_BILL_CARRIERS: Final = ("交{0}", "查{0}", "{0}多少", "{0}交了吗")
_ASKS_OR_PAYS: Final = tuple("交缴查付还充")
_ALONE: Final = tuple("{0} {0} 转{0} 转账{0} 改成{0} 不对是{0} 是{0} 充{0} 还{0} 存{0} 取{0} 交{0}".split())
_STRANGER: Final = (f"给 {UNKNOWN} 转", f"给 {UNKNOWN} 转账")  # a name nobody has told us
_TO_STRANGERS: Final = 20
_AMOUNTS: Final = 160
_PHRASES_MAX: Final = 72  # of one caller; more would slow every turn down
_DIGIT_WEIGHT: Final = 30  # one sound in a string of digits that is none makes the whole string useless
_CLOSED_WEIGHT: Final = 6  # a closed answer is likelier than anything else


@dataclass(frozen=True, slots=True)
class Grammar:
    """`lines` are what may be said, a line as often as it is likely.

    `strict` holds the only texts a result may be; empty where sentences are free. `digits`: only digits are.
    `near` are texts whose sound may stand for them: this caller's payees, the choices offered.
    """

    lines: tuple[str, ...]
    strict: frozenset[str] = frozenset()
    digits: bool = False
    near: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def grammar(expect: Expect, phrases: tuple[str, ...] = ()) -> Grammar:
    """For what is expected and the words that may come with it."""
    phrases = tuple(dict.fromkeys(phrase for phrase in phrases if phrase.strip()))[:_PHRASES_MAX]
    if expect is Expect.SPOKEN:
        ways_out = (*STEERING, *phrases)
        return Grammar((*_digit_lines(expect), *ways_out, UNKNOWN), frozenset(ways_out), digits=True)
    if expect.secret:
        return Grammar((*_digit_lines(expect), *STEERING, UNKNOWN), frozenset(STEERING), digits=True)
    lines = [*SERVICES, *STEERING, *HESITATION * 4, *phrases, *phrases, *_amount_lines(), *_date_lines()]
    lines += [*_STRANGER, *(f"{_STRANGER[0]}{amount}" for amount in _amounts()[:_TO_STRANGERS])]
    for at, phrase in enumerate(phrases):
        lines += _said_of_bill(phrase) if read_bill_type(phrase) else _said_of_payee(phrase, at)
    if expect is Expect.YES_NO:
        lines += YES_NO * _CLOSED_WEIGHT
    else:
        lines += [*YES_NO, *_digit_lines(expect)]
    return Grammar((*lines, UNKNOWN), near=phrases)


def _said_of_payee(name: str, at: int) -> list[str]:
    """Orders for somebody; `at` varies the amounts."""
    amounts = _amounts()
    paid = [form.format(name, amounts[(at * 7 + n) % _AMOUNTS]) for n, form in enumerate(_WITH_AMOUNT)]
    return [*(carrier.format(name) for carrier in _CARRIERS), *paid]


def _said_of_bill(words: str) -> list[str]:
    """What is asked of a bill or its biller, unless the words do so themselves."""
    if words.startswith(_ASKS_OR_PAYS):
        return []
    return [carrier.format(words) for carrier in _BILL_CARRIERS]


def closed(phrases: tuple[str, ...]) -> Grammar:
    """Nothing but these phrases, alone or one after another, as a menu or a test gives them."""
    digits = bool(phrases) and all(phrase in DIGITS for phrase in phrases if phrase != UNKNOWN)
    texts = frozenset(phrase.replace(" ", "") for phrase in phrases if phrase != UNKNOWN)
    lines = tuple(phrases) + tuple(phrase for phrase in phrases if phrase != UNKNOWN) * (
        _DIGIT_WEIGHT if digits else 0
    )
    return Grammar(lines, frozenset() if digits else texts, digits=digits, near=tuple(sorted(texts)))


def _digit_lines(expect: Expect) -> list[str]:
    if expect is Expect.SPOKEN:
        return digit_lines((SPOKEN_DIGITS,))
    return digit_lines((expect.length,) if expect.length is not None else (4, 6, 11))


def digit_lines(lengths: tuple[int, ...]) -> list[str]:
    """Strings of digits of these lengths, as random as numbers are."""
    rng = random.Random(11)
    return [" ".join(rng.choice(DIGITS) for _ in range(rng.choice(lengths))) for _ in range(60)]


@lru_cache(maxsize=1)
def _amounts() -> tuple[str, ...]:
    """Amounts as they are said, round ones most."""
    rng = random.Random(5)
    found = []
    for _ in range(_AMOUNTS):
        value = rng.choice(
            (rng.randint(1, 9), rng.randint(1, 99), rng.randint(100, 999))
        ) * 10 ** rng.randint(0, 3)
        words = spoken(f"{value}元").removesuffix("元")
        if rng.random() < 0.4:
            words = words.replace("二百", "两百").replace("二千", "两千").replace("二万", "两万")
        found.append(words + rng.choice(("", "元", "块", "块钱", "块五", "点五元", "元整")))
    return tuple(found)


@lru_cache(maxsize=1)
def _amount_lines() -> tuple[str, ...]:
    return tuple(_ALONE[at % len(_ALONE)].format(amount) for at, amount in enumerate(_amounts()))


@lru_cache(maxsize=1)
def _date_lines() -> tuple[str, ...]:
    days = [spoken(f"{at}元").removesuffix("元") for at in range(1, 32)]
    months = [f"{days[at]}月" for at in range(12)]
    dates = [f"{months[(at * 5) % 12]}{day}{'号' if at % 2 else '日'}" for at, day in enumerate(days)]
    return (*months, *[f"{day}号" for day in days], *dates, *[f"下个月{day}号" for day in days[::4]])
