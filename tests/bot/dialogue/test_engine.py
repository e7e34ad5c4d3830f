"""What the engine promises in every skill: digress and return, cancel, repeat, help, two tries, time-out."""

from __future__ import annotations

import pytest

from bot.dialogue.reply import Reply
from bot.dialogue.skill import Done, HandOver, Manner, Skill, Turn
from bot.dialogue.state import STACK_MAX, Frame
from bot.dialogue.understanding import NOTHING_HEARD, SERVICE_DOWN, Understanding
from tests.bot.dialogue.counter import SKILLS, PaySkill, Talk, hear


async def test_a_question_in_the_middle_is_answered_and_the_skill_goes_on() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    said = await talk.say("转账手续费多少")
    assert "行内转账免费" in said and "接着刚才的转账：转多少钱" in said
    await talk.say("五百")
    assert talk.top.values == {"payee": "张三", "amount": 50_000}


async def test_a_question_at_the_read_back_brings_the_read_back_to_mind() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    said = await talk.say("网点几点开门")
    assert "九点" in said and "收款人张三，金额500.00元。要办吗" in said
    await talk.say("确认")
    assert len(talk.orders.executed) == 1


async def test_another_skill_in_the_middle_is_done_and_the_first_one_goes_on() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    said = await talk.say("查余额")
    assert "1,234.00" in said and "接着刚才的转账：转多少钱" in said


async def test_a_skill_with_slots_can_interrupt_another_and_both_end_well() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    await talk.say("给13800001234充话费50元")
    assert talk.top.skill == "topup"
    said = await talk.say("确认")
    assert "充话费成功" in said and "接着刚才的转账：转多少钱" in said
    await talk.say("五百")
    await talk.say("确认")
    assert len(talk.orders.executed) == 2 and talk.state.stack == []


async def test_a_code_is_asked_for_again_when_another_skill_came_between() -> None:
    talk = Talk()
    await talk.say("给张三转5000")
    await talk.say("确认")
    await talk.say("充话费")
    await talk.say("取消")
    assert talk.top.skill == "pay" and talk.top.phase == "confirm"
    await talk.say("确认")
    assert talk.top.phase == "step_up"
    assert "转账成功" in await talk.prove()


async def test_a_code_stays_good_when_something_was_only_looked_up() -> None:
    talk = Talk()
    await talk.say("给张三转5000")
    await talk.say("确认")
    assert "验证码" in await talk.say("查余额")
    assert talk.top.phase == "step_up"
    assert "转账成功" in await talk.prove()


async def test_saying_a_skill_again_that_waits_below_continues_it() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    await talk.say("充话费")
    await talk.say("转账给李四")
    assert [frame.skill for frame in talk.state.stack] == ["topup", "pay"]
    assert talk.top.values == {"payee": "李四"}


async def test_the_stack_never_grows_beyond_its_limit_and_the_oldest_draft_is_given_up() -> None:
    names = ["甲业务", "乙业务", "丙业务", "丁业务", "戊业务"]
    skills = [type(f"S{i}", (PaySkill,), {"intent": f"s{i}", "title": n})() for i, n in enumerate(names)]
    talk = Talk([*SKILLS, *skills])
    await talk.say("给张三转500", Understanding("", "s0", 0.99))
    first = talk.top.order_id
    for i in range(1, 5):
        await talk.say("办点别的", Understanding("", f"s{i}", 0.99))
    assert [frame.skill for frame in talk.state.stack] == ["s1", "s2", "s3", "s4"]
    assert len(talk.state.stack) == STACK_MAX
    assert first is not None and talk.orders.status[first] == "cancelled"


@pytest.mark.parametrize("words", ["取消", "算了", "不办了", "算了不转了"])
@pytest.mark.parametrize("before", [["我要转账"], ["给张三转账"], ["给张三转500"], ["给张三转5000", "确认"]])
async def test_cancel_works_at_every_stage_and_moves_nothing(words: str, before: list[str]) -> None:
    talk = Talk()
    for text in before:
        await talk.say(text)
    assert "转账已取消，没有动您的钱" in await talk.say(words)
    assert talk.state.stack == [] and talk.orders.executed == []
    assert set(talk.orders.status.values()) <= {"cancelled"}


async def test_cancelling_the_upper_skill_brings_the_lower_one_to_mind() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    await talk.say("充话费")
    said = await talk.say("取消")
    assert "充话费已取消" in said and "接着刚才的转账：转多少钱" in said


async def test_repeat_says_the_last_turn_again_word_for_word() -> None:
    talk = Talk()
    first = await talk.say("给张三转500")
    order_id = talk.top.order_id
    assert await talk.say("再说一遍") == first
    assert talk.out.replies[0].card is not None
    assert talk.top.order_id == order_id


async def test_go_back_asks_for_what_was_given_last() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    assert "转给谁" in await talk.say("上一步")


async def test_not_knowing_gives_a_hint_and_then_a_human() -> None:
    talk = Talk()
    await talk.say("我要转账")
    assert "收款人本里有" in await talk.say("我不知道")
    await talk.say("不清楚")
    assert "同事" in await talk.say("我不知道")
    await talk.say("好的")
    assert talk.out.effects == [HandOver("clarification_failed")]


async def test_at_most_two_clarifications_in_a_skill_and_then_a_human_is_offered() -> None:
    talk = Talk()
    await talk.say("我要转账")
    said = [await talk.say("咕噜咕噜") for _ in range(3)]
    assert all("转给谁" in text for text in said[:2])
    assert "请我的同事" in said[2] and "转给谁" not in said[2]
    assert "转给谁" in await talk.say("不用")


async def test_at_most_two_clarifications_of_an_opening_and_then_a_human_is_offered() -> None:
    talk = Talk()
    said = [await talk.say("咕噜咕噜") for _ in range(3)]
    assert all("没太听明白" in text for text in said[:2])
    assert "请我的同事" in said[2]


async def test_a_refused_value_counts_as_a_clarification() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    said = [await talk.say("几百块") for _ in range(3)]
    assert "请我的同事" in said[2]


async def test_a_question_without_an_answer_is_admitted_and_a_human_offered() -> None:
    talk = Talk()
    assert "不知道准确答案" in await talk.say("月球上有网点吗")
    await talk.say("好的")
    assert talk.out.effects == [HandOver("clarification_failed")]


async def test_the_nearest_question_is_named_as_no_more_than_that_before_a_human_is_offered() -> None:
    talk = Talk()
    said = [await talk.say("月球上停车方便不方便") for _ in range(3)]
    assert all("我拿不准" in text for text in said[:2])
    assert "请我的同事" in said[2]
    talk = Talk()
    await talk.say("月球上停车方便不方便")
    assert [choice.label for choice in talk.out.replies[0].choices] == ["网点能停车吗", "转人工"]


async def test_an_answer_that_is_not_sure_says_which_question_it_answers() -> None:
    talk = Talk()
    assert await talk.say("存折在停车场行不行") == "如果您问的是“存折还能用吗”：能用。"
    assert [choice.label for choice in talk.out.replies[0].choices] == ["网点能停车吗", "转人工"]
    assert "如果您问的是" not in await talk.say("转账手续费多少")


async def test_a_weak_guess_at_a_skill_stands_beside_the_nearest_question() -> None:
    talk = Talk()
    guess = Understanding("停车", "topup", 0.3, ranking=(("topup", 0.3),))
    await talk.say("停车", heard=guess)
    assert [choice.label for choice in talk.out.replies[0].choices] == ["网点能停车吗", "充话费", "转人工"]


async def test_who_only_hears_is_told_the_keys_of_what_may_have_been_meant_and_nothing_to_tap() -> None:
    talk = Talk(channel="phone")
    assert await talk.say("月球上停车方便不方便") == "您说的我拿不准，也许是想问：网点能停车吗，请按1。"
    guess = Understanding("停车", "topup", 0.3, ranking=(("topup", 0.3),))
    said = await talk.say("停车", heard=guess)
    assert said == "您是不是想问：网点能停车吗，请按1。充话费，请按2。"
    several = Understanding("办一下", "topup", 0.3, ranking=(("topup", 0.3), ("pay", 0.28)))
    said = await talk.say("办一下", heard=several)
    assert said == "您是想办哪一件？充话费，请按1。转账，请按2。都不是，请按3。"


async def test_help_is_short_for_who_only_hears_it() -> None:
    asked = Understanding("你能干什么", "service_help", 0.95, ranking=(("service_help", 0.95),))
    said = await Talk(channel="phone").say("你能干什么", heard=asked)
    assert "\n" not in said and said.endswith("您要办什么？") and len(said) < 60


async def test_who_names_a_bank_is_never_told_that_it_is_off_the_topic() -> None:
    talk = Talk()
    for text in ("神农架的农业银行代码", "你们银行的股票怎么买", "存款在哪家好"):
        off = Understanding(text, "out_of_scope", 0.95, ranking=(("out_of_scope", 0.95),))
        assert "不在我的本行" not in await talk.say(text, heard=off), text
    joke = Understanding("讲个笑话", "out_of_scope", 0.95, ranking=(("out_of_scope", 0.95),))
    assert "不在我的本行" in await talk.say("讲个笑话", heard=joke)


@pytest.mark.parametrize("before", [[], ["我要转账"], ["给张三转500"], ["给张三转5000", "确认"]])
async def test_a_human_can_be_asked_for_at_every_stage(before: list[str]) -> None:
    talk = Talk()
    for text in before:
        await talk.say(text)
    await talk.say("转人工")
    assert talk.out.effects == [HandOver("asked")]


async def test_a_stale_skill_is_put_aside_and_its_draft_given_up() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    order_id = talk.top.order_id
    talk.wait(901)
    said = await talk.say("确认")
    assert "放到一边了" in said
    assert talk.orders.executed == []
    assert order_id is not None and talk.orders.status[order_id] == "cancelled"
    assert "请您核对" in await talk.say("接着刚才的转账")
    await talk.say("确认")
    assert len(talk.orders.executed) == 1


async def test_a_stale_read_back_is_not_repeated() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    talk.wait(901)
    assert "请您核对" not in await talk.say("再说一遍")


async def test_what_was_put_aside_is_forgotten_after_a_day() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    talk.wait(901)
    await talk.say("你好")
    talk.wait(90_000)
    assert "没有找到没办完的业务" in await talk.say("接着刚才的转账")


async def test_of_who_has_left_no_draft_stays_whether_on_top_below_or_put_aside() -> None:
    talk = Talk()
    await talk.say("给13800001234充话费50元")
    talk.wait(901)
    await talk.say("给张三转500")
    assert talk.state.shelved is not None
    await talk.say("给13900001234充话费30元")
    assert len(talk.state.stack) == 2 and len(talk.orders.status) == 3
    await talk.leave()
    assert set(talk.orders.status.values()) == {"cancelled"}


async def test_saying_yes_twice_pays_once() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    await talk.say("确认")
    assert "已经办好了" in await talk.say("确认")
    assert len(talk.orders.executed) == 1


async def test_logging_in_comes_first_and_the_first_sentence_is_not_asked_for_again() -> None:
    talk = Talk(customer_id=None)
    said = await talk.say("给张三转500")
    assert "先登录" in said and "手机号" in said
    assert "密码" in await talk.say("13800001234")
    said = await talk.prove()
    assert "登录成功" in said and "收款人张三，金额500.00元" in said


async def test_one_log_in_serves_everything_that_waited_for_it() -> None:
    talk = Talk(customer_id=None)
    await talk.say("给张三转500")
    await talk.say("查余额")
    await talk.say("13800001234")
    said = await talk.prove()
    assert "1,234.00" in said and "收款人张三" in said
    assert [frame.skill for frame in talk.state.stack] == ["pay"]


async def test_giving_up_the_log_in_gives_up_what_asked_for_it() -> None:
    talk = Talk(customer_id=None)
    await talk.say("给张三转500")
    assert "转账已取消" in await talk.say("取消")
    assert talk.state.stack == []


async def test_an_uncertain_wish_to_move_money_is_asked_back() -> None:
    talk = Talk()
    unsure = Understanding("给张三转500", "pay", 0.5, ranking=(("pay", 0.5), ("topup", 0.3)))
    said = await talk.say("给张三转500", unsure)
    assert "您是想办下面哪一件" in said and talk.state.stack == []
    await talk.say("转账", NOTHING_HEARD)
    assert talk.top.values == {"payee": "张三", "amount": 50_000}


LONG = "今天看我农行的网银上写的卡状态是异常，没办法转账"


@pytest.mark.parametrize("intent", ["correct", "affirm", "deny"])
async def test_a_long_complaint_out_of_the_blue_is_a_question_and_no_steering_word(intent: str) -> None:
    talk = Talk()
    said = await talk.say(LONG, Understanding(LONG, intent, 0.97, ranking=((intent, 0.97),)))
    assert talk.out.action == "not_known" and "不知道准确答案" in said
    assert talk.state.pending is not None  # a colleague is offered


async def test_a_noise_that_sounds_like_a_yes_counts_as_not_understood() -> None:
    talk = Talk()
    for _ in range(2):
        said = await talk.say("哔啵哔啵", Understanding("哔啵哔啵", "affirm", 0.9))
        assert "换个说法" in said
    assert "同事" in await talk.say("哔啵哔啵", Understanding("哔啵哔啵", "affirm", 0.9))


async def test_with_the_understanding_service_down_the_customer_is_told_and_keeps_every_way_out() -> None:
    talk = Talk()
    for _ in range(4):  # it is nobody's misunderstanding, so it never counts as one
        assert "故障" in await talk.say("帮我办个业务", SERVICE_DOWN)
    assert "九点" in await talk.say("网点几点开门", SERVICE_DOWN)
    await talk.say("给张三转账")
    assert "请您核对" in await talk.say("五百", SERVICE_DOWN)
    said = await talk.say("咕噜咕噜", SERVICE_DOWN)
    assert "故障" in said and "要办吗" in said
    await talk.say("确认", SERVICE_DOWN)
    assert len(talk.orders.executed) == 1
    await talk.say("给张三转账")
    assert "已取消" in await talk.say("取消", SERVICE_DOWN)
    await talk.say("转人工", SERVICE_DOWN)
    assert talk.out.effects == [HandOver("asked")]


async def test_small_talk_in_the_middle_does_not_lose_the_thread() -> None:
    talk = Talk()
    await talk.say("给张三转账")
    said = await talk.say("你好")
    assert "您好" in said and "接着刚才的转账" in said


async def test_every_turn_says_something() -> None:
    talk = Talk()
    for text in ("", " ", "？", "。。。", "😀", "a" * 400, "确认", "不", "改金额", "第一个", "500", "等一下"):
        assert (await talk.say(text, hear(text))).strip() or talk.out.effects, text


class Shown(Skill):
    """Something that can only be seen."""

    intent, title, manner = "shown", "看图", Manner(example="看图", on_screen="电话里没法给您看。")

    async def run(self, turn: Turn, frame: Frame) -> Done:
        return Done(Reply("这是图。"))


async def test_who_only_hears_is_told_so_and_is_not_made_to_log_in_first() -> None:
    heard = Understanding("看图", "shown", 0.99, ranking=(("shown", 0.99),))
    said = await Talk([Shown()], channel="phone", customer_id=None).say("看图", heard=heard)
    assert said == "电话里没法给您看。"
    assert await Talk([Shown()], channel="web").say("看图", heard=heard) == "这是图。"
