"""How a conversation went, as counts for the risk area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from banking_core.risk.context import Signals
from banking_core.risk.phrases import packaged_phrases
from bot.conversation.circumstances import Line, signals
from bot.conversation.redaction import BLOT

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


def lines(*said: tuple[str, str, str, float]) -> list[Line]:
    """(sender, text, action, seconds before now), in order."""
    return [
        Line(sender, text, action, NOW - timedelta(seconds=ago_s)) for sender, text, action, ago_s in said
    ]


def counted(log: Sequence[Line]) -> dict[str, Any]:
    return signals(log, packaged_phrases(), NOW)


def test_an_empty_log_says_nothing() -> None:
    assert Signals.read(counted([])) == Signals()


def test_every_count_is_one_the_risk_area_knows() -> None:
    found = counted(lines(("customer", "给李四转五百", "start:transfer_make", 0)))
    assert set(found) <= {field.name for field in fields(Signals)}


def test_hesitation_and_corrections_are_counted() -> None:
    found = counted(
        lines(
            ("customer", "给李四转五百", "start:transfer_make", 200),
            ("bot", "请您核对", "", 200),
            ("customer", "不对，是六百", "correct:amount", 190),
            ("bot", "请您核对", "", 190),
            ("customer", "换成王小明", "correct:payee,amount", 110),
            ("bot", "请您核对", "", 110),
            ("customer", "手续费多少", "answer:transfers.fee", 90),
            ("bot", "免费", "", 90),
            ("customer", "嗯？", "clarify", 80),
        )
    )
    assert (found["turns"], found["corrections"]) == (5, 2)
    assert (found["amount_corrections"], found["payee_corrections"]) == (2, 1)
    assert (found["digressions"], found["clarifications"]) == (1, 1)
    assert (found["silences"], found["answer_s_max"], found["answer_s_last"]) == (1, 80, 10)
    assert found["answer_s_mean"] == (10 + 80 + 20 + 10) / 4


def test_waiting_for_a_text_message_is_no_hesitation() -> None:
    found = counted(
        lines(
            ("bot", "验证码已发到您的手机", "", 55),
            ("customer", BLOT, "secret", 5),
            ("bot", "验证码不对", "", 5),
            ("customer", "重发", "resend", 0),
        )
    )
    assert (found["code_failures"], found["code_resends"]) == (1, 1)
    assert found["answer_s_max"] == 5


def test_a_voice_that_was_not_had_counts_like_a_wrong_code() -> None:
    tried = [("customer", BLOT, action, 5) for action in ("unproved:suspicious", "unproved:unclear")]
    assert counted(lines(*tried, ("customer", "用验证码", "unproved:declined", 0)))["code_failures"] == 2


def test_a_long_pause_begins_anew_but_a_story_is_remembered() -> None:
    found = counted(
        lines(
            ("customer", "要我把钱转到安全账户", "", 3600),
            ("customer", "不对，是六百", "correct:amount", 3590),
            ("customer", "给李四转五百", "", 10),
        )
    )
    assert (found["turns"], found["corrections"], found["elapsed_s"]) == (1, 0, 10)
    assert found["phrases"] == {"safe_account": 1}


def test_what_an_agent_has_talked_about_is_settled() -> None:
    told = ("customer", "要我把钱转到安全账户", "", 600.0)
    agent = ("agent", "已经和您核实过了", "", 300.0)
    notice = ("system", "小王为您服务。", "", 400.0)
    assert counted(lines(told, agent))["phrases"] == {}
    assert counted(lines(told, notice))["phrases"] == {"safe_account": 1}
    assert counted(lines(agent, (*told[:3], 100.0)))["phrases"] == {"safe_account": 1}


def test_a_question_about_swindles_counts_apart() -> None:
    found = counted(lines(("customer", "什么是刷单", "answer:safety.part_time", 10)))
    assert (found["phrases"], found["enquiries"]) == ({}, 1)


def test_no_word_of_the_customer_leaves() -> None:
    found = counted(lines(("customer", "要我把钱转到安全账户", "", 10)))
    assert "安全账户" not in str(found)
