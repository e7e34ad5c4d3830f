"""Dialogue state survives JSON, upgrades and damage; a conversation is never stuck on what it remembers."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.state import STACK_MAX, DialogueState, Frame, Pending, state_from_json
from tests.bot.dialogue.counter import NOON, SKILLS, Talk

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = st.sampled_from(["stack", "shelved", "pending", "misses", "last_replies", "finished"])
FRAME_FIELDS = st.sampled_from([field.name for field in fields(Frame)])
FRAMES = st.builds(
    Frame,
    skill=st.sampled_from(["pay", "topup", "gone"]),
    phase=st.sampled_from(["collect", "confirm", "step_up"]),
    values=st.dictionaries(st.sampled_from(["payee", "amount"]), st.integers() | st.text(max_size=4)),
    asking=st.none() | st.sampled_from(["payee", "amount"]),
    misses=st.integers(0, 3),
    order_id=st.none() | st.text(max_size=4),
    touched_at=st.just("") | st.just(NOON.isoformat()),
)
STATES = st.builds(
    DialogueState,
    stack=st.lists(FRAMES, max_size=STACK_MAX),
    shelved=st.none() | FRAMES,
    pending=st.none() | st.builds(Pending, kind=st.sampled_from(["human", "did_you_mean", "ticket"])),
    misses=st.integers(0, 3),
    finished=st.none() | st.just({"skill": "pay", "order_id": "1", "at": "x"}),
)


@given(STATES)
def test_a_state_written_as_json_text_reads_back_equal(state: DialogueState) -> None:
    assert state_from_json(json.loads(json.dumps(state.to_json()))) == state


@given(JSON_VALUES)
def test_any_json_at_all_reads_as_some_state(data: Any) -> None:
    assert isinstance(state_from_json(data), DialogueState)


@given(
    st.dictionaries(FIELDS, JSON_VALUES | st.lists(st.dictionaries(FRAME_FIELDS, JSON_VALUES), max_size=2))
)
def test_fields_of_any_shape_read_as_some_state(data: dict[str, Any]) -> None:
    state = state_from_json(data)
    assert len(state.stack) <= STACK_MAX
    for frame in state.stack:
        frame.idle_s(NOON)


DAMAGED: list[Any] = [
    None,
    [],
    "garbage",
    7,
    {"stack": "garbage"},
    {"stack": [None, 1, "x", {}]},
    {"stack": [{"skill": "removed_in_this_version", "phase": "confirm", "order_id": "o"}]},
    {"stack": [{"skill": "pay", "phase": "not_a_phase"}]},
    {"stack": [{"skill": "pay", "asking": "a_slot_that_is_gone"}]},
    {"stack": [{"skill": "pay", "values": {"a_slot_that_is_gone": 1}}]},
    {"stack": [{"skill": "pay", "options": [{"slot": "gone", "value": 1, "shown": "1"}]}]},
    {"stack": [{"skill": "pay", "options": [{"strange": 1}]}]},
    {"stack": [{"skill": "pay", "touched_at": "yesterday"}]},
    {"stack": [{"skill": "pay", "touched_at": "2026-01-01T00:00:00"}]},
    {"stack": [{"skill": "pay", "a_field_of_a_later_version": True}]},
    {"shelved": {"skill": "removed_in_this_version"}},
    {"pending": {"kind": "did_you_mean", "options": ["removed_in_this_version"], "text": "x"}},
    {"pending": {"kind": "a_kind_of_a_later_version"}},
    {"last_replies": [{"text": "an old form"}], "finished": "garbage", "misses": "many"},
    {"last_replies": "garbage"},
]


@pytest.mark.parametrize("damaged", DAMAGED, ids=repr)
@pytest.mark.parametrize(
    "first", ["给李四转500", "确认", "再说一遍", "接着刚才的转账", "取消", "是的", "上一步"]
)
async def test_with_any_old_or_damaged_state_the_customer_can_pay_within_three_turns(
    damaged: Any, first: str
) -> None:
    talk = Talk()
    talk.stored = json.dumps(damaged)
    assert (await talk.say(first)).strip()
    assert talk.orders.executed == []
    await talk.say("给李四转500")
    await talk.say("确认")
    assert len(talk.orders.executed) == 1


async def test_a_skill_that_an_upgrade_removed_is_admitted() -> None:
    talk = Talk()
    await talk.say("给张三转500")
    upgraded = Talk([skill for skill in SKILLS if skill.intent != "pay"])
    upgraded.stored = talk.stored
    assert "接不上了，没有办理" in await upgraded.say("确认")
    assert upgraded.state.stack == []


async def test_a_code_for_a_skill_that_is_gone_is_not_met_with_silence() -> None:
    talk = Talk()
    await talk.say("给张三转5000")
    await talk.say("确认")
    upgraded = Talk([skill for skill in SKILLS if skill.intent != "pay"])
    upgraded.stored = talk.stored
    assert (await upgraded.prove()).strip()


async def test_the_state_stays_small_however_long_the_conversation() -> None:
    talk = Talk()
    sizes = []
    for _ in range(30):
        for text in ("给张三转500", "查余额", "不对，是六百", "确认", "咕噜", "充话费", "取消"):
            await talk.say(text)
        sizes.append(len(talk.stored))
    assert max(sizes[5:]) == min(sizes[5:])
