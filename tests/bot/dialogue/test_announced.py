"""A skill that is only announced is explained honestly, and never begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.dialogue.announced import Announced, load_announced
from bot.dialogue.errors import MalformedAnnouncement
from bot.dialogue.skill import HandOver
from bot.dialogue.understanding import Understanding
from desk.reasons import reason_text
from tests.bot.dialogue.counter import Talk

FUNDS = Announced("fund_buy", "买基金", "买基金目前请到网点办理。", ("hours", "gone"), moves_money=True)


def wants_a_fund(text: str, sure: float = 0.9) -> Understanding:
    return Understanding(text, "fund_buy", sure, ranking=(("fund_buy", sure),))


async def test_what_cannot_be_done_yet_is_said_with_what_can_be_done_today() -> None:
    talk = Talk(announced=[FUNDS])
    said = await talk.say("帮我买五千块基金", wants_a_fund("帮我买五千块基金"))
    assert said == FUNDS.today and talk.state.stack == []
    assert [choice.label for choice in talk.out.replies[-1].choices] == ["几点开门", "转人工"]
    assert talk.out.action == "announce:fund_buy"


async def test_a_question_about_its_rules_is_answered() -> None:
    talk = Talk(announced=[FUNDS])
    assert "九点" in await talk.say("基金几点能买吗", wants_a_fund("基金几点能买吗"))


async def test_a_skill_under_way_goes_on_afterwards() -> None:
    talk = Talk(announced=[FUNDS])
    await talk.say("给张三转账")
    said = await talk.say("我想买基金", wants_a_fund("我想买基金"))
    assert FUNDS.today in said and "接着刚才的转账" in said


async def test_where_only_a_human_can_do_it_one_is_fetched_with_the_reason() -> None:
    row = Announced("complaint_file", "投诉", "很抱歉让您不愉快，投诉由同事登记。", hand_over="complaint")
    talk = Talk(announced=[row])
    said = await talk.say("我要投诉", Understanding("我要投诉", "complaint_file", 0.9))
    assert row.today in said
    assert talk.out.effects == [HandOver("complaint")] and reason_text("complaint") == "投诉"


async def test_asked_back_with_a_yes_it_is_explained() -> None:
    talk = Talk(announced=[FUNDS])
    assert "您是想办“买基金”吗" in await talk.say("基金", wants_a_fund("基金", 0.3))
    assert await talk.say("是的") == FUNDS.today


def test_a_skill_that_is_there_is_announced_no_more() -> None:
    talk = Talk(announced=[Announced("pay", "转账", "还不能转账。")])
    registry = talk.engine.registry
    assert registry.announced("pay") is None and registry.title("pay") == "转账"
    assert Talk(announced=[FUNDS]).engine.registry.moves_money() >= {"fund_buy"}


@pytest.mark.parametrize(
    "text",
    [
        "[a, b]",
        "fund_buy: 买基金",
        "fund_buy: {name: 买基金}",
        "fund_buy: {name: 买基金, today: 请到网点办理这项业务。, price: 3}",
        "fund_buy: {name: '', today: 请到网点办理这项业务。}",
        "fund_buy: {name: 买基金, today: 短}",
        "\tx: [",
        "1: {name: 买基金, today: 请到网点办理这项业务。}",
    ],
)
def test_a_malformed_announcement_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "funds.yml").write_text(text, encoding="utf-8")
    with pytest.raises(MalformedAnnouncement, match=r"funds\.yml"):
        load_announced(tmp_path)


def test_a_skill_is_announced_once(tmp_path: Path) -> None:
    row = "fund_buy: {name: 买基金, today: 请到网点办理这项业务。}\n"
    (tmp_path / "a.yml").write_text(row, encoding="utf-8")
    (tmp_path / "b.yml").write_text(row, encoding="utf-8")
    with pytest.raises(MalformedAnnouncement, match="twice"):
        load_announced(tmp_path)


def test_no_announcements_are_fine(tmp_path: Path) -> None:
    (tmp_path / "empty.yml").write_text("# nothing yet\n", encoding="utf-8")
    assert load_announced(tmp_path) == () and load_announced(tmp_path / "nowhere") == ()
