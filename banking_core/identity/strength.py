"""Whether a new password is strong enough, and, if not, why, in one Chinese sentence.

What can be guessed is judged by zxcvbn: common words, names, dates, keyboard rows, repetitions and what the bank
knows of the customer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from zxcvbn import zxcvbn

from banking_core.customers.models import Customer
from banking_core.identity.errors import PasswordTooWeak

LENGTH_MIN = 8
LENGTH_MAX = 64
SCORE_MIN = 3  # of 0..4: at least 10^8 guesses, safe behind a slow hash
KINDS = (r"[A-Za-z]", r"[0-9]", r"[^A-Za-z0-9\s]")
# What customers of this bank are likely to choose, besides zxcvbn's own lists.
LOCAL_WORDS = ("yinhang", "woaini", "mima", "wodemima", "qianbao", "facai", "zhongguo", "5201314")


def check_strength(password: str, customer: Customer) -> None:
    """Raises PasswordTooWeak saying what is wrong."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise _weak("length", f"密码要{LENGTH_MIN}到{LENGTH_MAX}位，请重新设置。")
    if not all(re.search(kind, password) for kind in KINDS) or not password.isprintable():
        raise _weak("kinds", "密码要同时有字母、数字和符号，请重新设置。")
    personal = personal_words(customer)
    lowered = password.lower()
    if any(word in lowered for word in personal):
        raise _weak("personal", "密码里不要有手机号、生日、姓名或证件号码，请重新设置。")
    judged = zxcvbn(password, user_inputs=[*personal, *LOCAL_WORDS], max_length=LENGTH_MAX)
    if judged["score"] < SCORE_MIN:
        raise _weak("guessable", "这个密码太容易被猜到（常见词、连续或重复的字符），请换一个。")


def personal_words(customer: Customer) -> Sequence[str]:
    """What a stranger may know of the customer, in lower case."""
    born = customer.birth_date
    return [
        customer.phone,
        customer.phone[-8:],
        customer.name.lower(),
        customer.id_number[-6:].lower(),
        born.strftime("%Y%m%d"),
        born.strftime("%y%m%d"),
    ]


def _weak(rule: str, sentence: str) -> PasswordTooWeak:
    return PasswordTooWeak(f"password rule: {rule}", field="password", customer_text=sentence)
