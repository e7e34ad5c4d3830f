from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.risk.expressions import ExpressionError, compile_expression

INDEX = {"amount": 0, "count": 1, "fresh": 2}
FLAGS = frozenset({"fresh"})


def holds(source: str, amount: float = 0.0, count: float = 0.0, fresh: float = 0.0) -> bool:
    return compile_expression(source, INDEX, FLAGS).holds([amount, count, fresh])


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("fresh", True),
        ("not fresh", False),
        ("amount >= 100 and fresh", True),
        ("amount > 100 or count == 3", True),
        ("amount + count * 2 == 106", True),
        ("(amount + count) * 2 == 206", True),
        ("-amount < 0", True),
        ("amount - 1 - 1 == 98", True),
        ("not amount >= 100 or fresh and count != 3", False),
    ],
)
def test_conditions_mean_what_they_say(source: str, wanted: bool) -> None:
    assert holds(source, 100, 3, 1) is wanted


@pytest.mark.parametrize(
    "source",
    [
        "",
        "amount",
        "fresh + 1 > 0",
        "amount and fresh",
        "not amount",
        "unknown >= 1",
        "amount >= 1 >= 0",
        "amount / 2 > 1",
        "__import__('os')",
        "amount.real > 1",
        "(fresh",
        "fresh fresh",
        "and fresh",
        "(" * 60 + "fresh" + ")" * 60,
        "not " * 60 + "fresh",
        "fresh or " * 200 + "fresh",
    ],
)
def test_everything_else_is_refused_when_it_is_read(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(source, INDEX, FLAGS)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="amountfresh cnd()+-*<>=!.0123456789", max_size=80))
def test_no_text_makes_it_fail_in_another_way(source: str) -> None:
    try:
        condition = compile_expression(source, INDEX, FLAGS)
    except ExpressionError:
        return
    assert condition.holds([1.0, 2.0, 1.0]) in (True, False)
