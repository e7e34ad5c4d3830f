"""Several slots from one sentence, in any order; corrections of any slot at any time."""

from __future__ import annotations

import itertools

import pytest

from tests.bot.dialogue.counter import Talk


@pytest.mark.parametrize(
    "sentence",
    ["给张三转500", "转500块给张三", "转账五百给张三", "我要转账给张三，500元", "500块，转给张三"],
)
async def test_one_sentence_fills_every_slot_it_names(sentence: str) -> None:
    talk = Talk()
    said = await talk.say(sentence)
    assert "收款人张三，金额500.00元" in said
    assert talk.top.phase == "confirm"


@pytest.mark.parametrize("order", list(itertools.permutations(["给张三", "转账", "五百块"])))
async def test_words_in_any_order_and_any_number_of_turns_end_in_the_same_read_back(
    order: tuple[str, ...],
) -> None:
    talk = Talk()
    await talk.say("我要转账")
    for words in order:
        if words != "转账":
            await talk.say(words)
    assert talk.top.values == {"payee": "张三", "amount": 50_000}
    assert talk.top.phase == "confirm"


async def test_missing_slots_are_asked_for_one_at_a_time_and_never_again() -> None:
    talk = Talk()
    assert "转给谁" in await talk.say("我要转账")
    assert "转多少钱" in await talk.say("张三")
    said = await talk.say("五百")
    assert "转给谁" not in said and "请您核对" in said


CORRECTIONS = [
    ("不对，是六百", {"payee": "张三", "amount": 60_000}),
    ("不是五百，是六百", {"payee": "张三", "amount": 60_000}),
    ("金额改成六百", {"payee": "张三", "amount": 60_000}),
    ("转给李四", {"payee": "李四", "amount": 50_000}),
    ("不是张三，是李四", {"payee": "李四", "amount": 50_000}),
    ("改成给李四转八百", {"payee": "李四", "amount": 80_000}),
    ("收款人换成王小明", {"payee": "王小明", "amount": 50_000}),
]


@pytest.mark.parametrize(("sentence", "values"), CORRECTIONS)
async def test_any_slot_can_be_corrected_at_the_read_back(sentence: str, values: dict[str, object]) -> None:
    talk = Talk()
    await talk.say("给张三转500")
    first = talk.top.order_id
    said = await talk.say(sentence)
    assert "请您核对" in said
    assert talk.top.values == values
    assert talk.top.order_id != first
    assert first is not None and talk.orders.status[first] == "cancelled"


@pytest.mark.parametrize(("sentence", "values"), CORRECTIONS)
async def test_any_slot_can_be_corrected_while_the_code_is_awaited(
    sentence: str, values: dict[str, object]
) -> None:
    talk = Talk()
    await talk.say("给张三转5000")
    await talk.say("确认")
    assert talk.top.phase == "step_up"
    said = await talk.say(sentence)
    assert "请您核对" in said and talk.top.phase == "confirm"
    assert talk.orders.executed == []


async def test_a_slot_can_be_corrected_while_another_is_asked_for() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    said = await talk.say("不对，转给李四")
    assert talk.top.values == {"payee": "李四"}
    assert "转多少钱" in said


@pytest.mark.parametrize(
    ("sentence", "asked"), [("改金额", "转多少钱"), ("金额不对", "转多少钱"), ("收款人错了", "转给谁")]
)
async def test_a_slot_named_without_a_value_is_asked_for_again(sentence: str, asked: str) -> None:
    talk = Talk()
    await talk.say("给张三转500")
    assert asked in await talk.say(sentence)
    assert talk.top.phase == "collect"


async def test_no_at_the_read_back_asks_what_to_change() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    said = await talk.say("不对")
    assert "哪里要改" in said
    assert [choice.say for choice in talk.out.replies[-1].choices] == ["改收款人", "改金额", "取消"]


async def test_two_people_of_that_name_are_asked_about_and_picked_by_place_or_name() -> None:
    for pick, name in (("第二个", "王建国"), ("王小明", "王小明"), ("2", "王建国"), ("建国那个", "王建国")):
        talk = Talk()
        said = await talk.say("给老王转500")
        assert "1. 王小明" in said and "2. 王建国" in said
        await talk.say(pick)
        assert talk.top.values == {"payee": name, "amount": 50_000}


async def test_an_amount_with_two_readings_is_asked_about() -> None:
    talk = Talk()
    await talk.say("给李四转账")
    said = await talk.say("1，200")
    assert "1. 1,200.00元" in said and "2. 200.00元" in said
    await talk.say("第一个")
    assert talk.top.values["amount"] == 120_000


@pytest.mark.parametrize(
    ("said", "first", "second"),
    [
        ("五六百", 50_000, 60_000),
        ("一千块五", 100_050, 150_000),
        ("5。2", 520, 200),
        ("一两万块吧", 1_000_000, 2_000_000),
    ],
)
async def test_what_may_be_two_amounts_is_asked_about_and_never_drafted(
    said: str, first: int, second: int
) -> None:
    for pick, amount_fen in (("第一个", first), ("第二个", second)):
        talk = Talk()
        await talk.say("给李四转账")
        assert "金额是哪一个" in await talk.say(said)
        assert talk.orders.bodies == {}
        await talk.say(pick)
        assert talk.top.values["amount"] == amount_fen


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("100美元", "只按人民币"),
        ("一百块港币", "只按人民币"),
        ("12.345", "最多到分"),
        ("两个五百", "准数"),
        ("五百以内", "准数"),
        ("多转一百", "准数"),
        ("-¥500.00", "大于零"),
    ],
)
async def test_no_sum_is_made_of_what_is_none(said: str, why: str) -> None:
    talk = Talk()
    await talk.say("给李四转账")
    assert why in await talk.say(said)
    assert talk.orders.bodies == {} and "amount" not in talk.top.values


async def test_a_short_number_and_an_amount_are_not_joined_to_a_phone_number() -> None:
    talk = Talk()
    await talk.say("充话费")
    assert "11位" in await talk.say("138001380，50")
    assert "phone" not in talk.top.values


async def test_a_value_that_cannot_be_used_says_why_and_is_asked_for_again() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    assert "大于零" in await talk.say("转-5块") or "至少" in talk.text
    assert "准数" in await talk.say("几百块吧")
    assert talk.top.asking == "amount"


async def test_a_stranger_is_refused_before_any_order_exists() -> None:
    talk = Talk()
    assert "没有“赵六”" in await talk.say("给赵六转500")
    assert talk.orders.bodies == {}
    assert talk.top.values == {"amount": 50_000}


async def test_a_yes_after_a_refused_correction_does_not_confirm_the_old_order() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    await talk.say("改成几百块")
    await talk.say("好")
    assert talk.orders.executed == []
    assert "请您核对" in await talk.say("六百")
    assert talk.top.values["amount"] == 60_000


async def test_a_yes_after_an_ambiguous_correction_does_not_confirm_the_old_order() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    await talk.say("转给老王")
    await talk.say("好的")
    assert talk.orders.executed == []
    await talk.say("第一个")
    assert talk.top.values == {"payee": "王小明", "amount": 50_000}


async def test_what_the_bank_refuses_is_asked_for_again() -> None:
    talk = Talk()
    assert "最多5万" in await talk.say("给张三转六万")
    assert talk.top.asking == "amount"
    assert "请您核对" in await talk.say("三百")


async def test_day_choice_and_free_words_fill_a_skill_too() -> None:
    talk = Talk(customer_id=None)
    said = await talk.say("预约明天对公业务")
    assert "备注" in said
    assert "2026-11-05对公业务约好了，备注：取消订单的事" in await talk.say("取消订单的事")


async def test_free_words_may_be_anything_but_a_way_out() -> None:
    talk = Talk(customer_id=None)
    await talk.say("预约明天对公业务")
    assert "已取消" in await talk.say("取消")
    assert talk.state.stack == []
