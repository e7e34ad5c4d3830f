"""Running a skill's frame: ask, read back, prove, finish, put aside, bring back."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from bot.dialogue import filling, phrases
from bot.dialogue.outcome import Outcome, Policy
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.reply import Reply
from bot.dialogue.skill import (
    SECRETS_ELSEWHERE,
    Done,
    HandOver,
    Held,
    Prove,
    ReadBack,
    Skill,
    SkillRefused,
    Slot,
    Step,
    Turn,
)
from bot.dialogue.state import DialogueState, Frame, Pending

T = TypeVar("T")
LOGIN = "identity_login"


async def guarded(turn: Turn, work: Awaitable[T]) -> T:
    """Runs a skill inside a savepoint, so that a refusal half-way leaves nothing behind."""
    async with turn.session.begin_nested():
        return await work


class FrameRunner:
    """Moves the frame on top of the stack forward until it needs the customer again."""

    def __init__(self, registry: SkillRegistry, policy: Policy) -> None:
        self.registry = registry
        self.policy = policy

    def skill_of(self, frame: Frame) -> Skill:
        """The frame's skill. Raises UnknownSkill after an upgrade that removed it."""
        return self.registry.get(frame.skill)

    def knows(self, frame: Frame) -> bool:
        """False for a frame that this version could not go on with: its skill or one of its slots is gone."""
        if frame.skill not in self.registry:
            return False
        slots = {slot.name for slot in self.skill_of(frame).slots}
        named = {*frame.values, *frame.shown, *frame.filled, *([frame.asking] if frame.asking else [])}
        options = all({"slot", "value", "shown"} <= option.keys() for option in frame.options)
        return options and named | {option["slot"] for option in frame.options} <= slots

    async def push(self, turn: Turn, state: DialogueState, frame: Frame) -> None:
        """Puts a frame on top; the oldest one is given up when there are too many."""
        dropped = state.push(frame)
        if dropped is not None:
            await self._abandon(turn, dropped)

    async def start(self, turn: Turn, state: DialogueState, intent: str, out: Outcome) -> None:
        """Begins a skill with whatever the sentence already says; one that is already under way comes to the top."""
        skill = self.registry.get(intent)
        if turn.aloud and skill.manner.on_screen:
            out.action = f"start:{intent}"
            out.say(skill.manner.on_screen)
            await self.remind(turn, state, out)
            return
        frame = next((frame for frame in state.stack if frame.skill == intent), None)
        if frame is None:
            frame = Frame(skill=intent)
            await self.push(turn, state, frame)
        else:
            state.stack.remove(frame)
            state.stack.append(frame)
        state.misses = 0
        out.action = f"start:{intent}"
        if skill.manner.needs_login and turn.customer_id is None:
            frame.said, frame.said_by_ear = turn.text, turn.heard_as
            await self.advance(turn, state, out)
            return
        await self.fill(turn, state, await filling.find(turn, skill, frame), out)

    async def fill(self, turn: Turn, state: DialogueState, found: list[filling.Found], out: Outcome) -> None:
        """Applies findings to the top frame, then goes on: asks, or reads back anew if something changed."""
        frame = state.stack[-1]
        frame.touched_at = turn.now.isoformat()
        known = set(frame.values)
        filled = await filling.apply(turn, frame, found)
        corrected = [name for name in filled.changed if name in known]
        if corrected and out.action == "fill":
            out.action = f"correct:{','.join(corrected)}"
        await self.after_fill(turn, state, filled, out)

    async def after_fill(
        self, turn: Turn, state: DialogueState, filled: filling.Filled, out: Outcome
    ) -> None:
        """Refusals are said, ambiguity is asked, a change withdraws the old read-back."""
        frame = state.stack[-1]
        if (filled.changed or filled.which or filled.refusals) and (
            frame.phase != "collect" or frame.order_id
        ):
            await self.withdraw(turn, frame)  # a yes after this must not confirm what was read back before
        if filled.which is not None:
            out.say(filling.which_one_reply(frame, *filled.which))
            return
        if filled.refusals:
            await self._refused(turn, state, filled.refusals[0], out)
            return
        if filled.changed:
            frame.misses, frame.options = 0, []
        await self.advance(turn, state, out)

    async def _refused(
        self, turn: Turn, state: DialogueState, refusal: tuple[str, str], out: Outcome
    ) -> None:
        frame = state.stack[-1]
        frame.clear(refusal[0])
        frame.asking, frame.options = refusal[0], []
        frame.misses += 1
        if frame.misses > self.policy.clarifications_max:
            self.offer_human(state, out)
            return
        question = await self.skill_of(frame).slot(refusal[0]).ask(turn, frame)
        out.say(Reply(refusal[1], choices=question.choices))

    async def advance(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """Asks for the next missing slot, or runs the skill; a log-in that is needed first goes on top."""
        while state.stack:
            frame = state.stack[-1]
            frame.touched_at = turn.now.isoformat()
            skill = self.skill_of(frame)
            if skill.manner.needs_login and turn.customer_id is None:
                first = f"办理{skill.title}要先确认是您本人，请先登录。"
                out.say("先确认是您本人。" if turn.aloud else first)
                state.stack = [waiting for waiting in state.stack if waiting.skill != LOGIN]
                await self.push(turn, state, Frame(skill=LOGIN))
                continue
            if frame.said:
                turn = replace(turn, text=frame.said, by_ear=frame.said_by_ear)
                frame.said, frame.said_by_ear = "", None
                await self.fill(turn, state, await filling.find(turn, skill, frame), out)
                return
            await self._ask_or_run(turn, state, skill, frame, out)
            return

    async def _ask_or_run(
        self, turn: Turn, state: DialogueState, skill: Skill, frame: Frame, out: Outcome
    ) -> None:
        try:
            missing = await self._missing(turn, skill, frame)
            if missing is not None:
                frame.asking = missing.name
                out.say(await missing.ask(turn, frame))
                return
        except SkillRefused as refusal:
            await self._skill_refused(turn, state, refusal, out)
            return
        frame.asking = None
        await self.step(turn, state, skill.run(turn, frame), out)

    async def _missing(self, turn: Turn, skill: Skill, frame: Frame) -> Slot[object] | None:
        for slot in skill.slots:
            if slot.name in frame.values:
                continue
            default = await slot.default(turn, frame)
            if default is None:
                return slot
            frame.values[slot.name], frame.shown[slot.name] = default.value, default.shown
        return None

    async def step(
        self, turn: Turn, state: DialogueState, work: Awaitable[Step], out: Outcome, *, fetch: bool = True
    ) -> None:
        """Carries out one step of the top frame; without `fetch` no person is called for what still waits for one."""
        frame = state.stack[-1]
        try:
            result = await guarded(turn, work)
        except SkillRefused as refusal:
            await self._skill_refused(turn, state, refusal, out)
            return
        if isinstance(result, ReadBack):
            frame.phase, frame.order_id = "confirm", result.order_id
            out.say(result.reply)
        elif isinstance(result, Prove):
            frame.phase, frame.awaits = "step_up", result.secret.kind
            if result.reply.text:
                out.say(result.reply)
            out.effects.append(result.secret)
        elif isinstance(result, Held):
            frame.phase, frame.order_id = "held", result.order_id
            out.say(result.reply if fetch else phrases.still_held(self.skill_of(frame)))
            if fetch:
                out.effects.append(HandOver(result.reason))
        else:
            await self.finish(turn, state, result, out)

    async def _skill_refused(
        self, turn: Turn, state: DialogueState, refusal: SkillRefused, out: Outcome
    ) -> None:
        frame = state.stack[-1]
        await self.withdraw(turn, frame)
        if refusal.slot is not None:
            frame.clear(refusal.slot)
            frame.asking = refusal.slot
            question = await self.skill_of(frame).slot(refusal.slot).ask(turn, frame)
            out.say(Reply(refusal.customer_text, choices=refusal.choices or question.choices))
            return
        out.say(Reply(refusal.customer_text, choices=refusal.choices))
        state.stack.pop()
        await self.remind(turn, state, out)

    async def finish(self, turn: Turn, state: DialogueState, done: Done, out: Outcome) -> None:
        """The top frame is done; what was waiting below is brought to mind."""
        frame = state.stack.pop()
        out.say(done.reply)
        out.effects.extend(done.effects)
        if done.order_id:
            state.finished = {"skill": frame.skill, "order_id": done.order_id, "at": turn.now.isoformat()}
        waiting = state.top
        if frame.skill == LOGIN:
            await self.advance(turn, state, out)
        elif done.order_id and waiting is not None and waiting.phase == "confirm":
            await self.withdraw(turn, waiting)  # what was read back may no longer hold: it is read back anew
            out.say(f"接着刚才的{self.skill_of(waiting).title}。")
            await self.advance(turn, state, out)
        else:
            await self.remind(turn, state, out)

    async def remind(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """After a digression: asks the waiting question again."""
        frame = state.top
        if frame is None:
            return
        frame.touched_at = turn.now.isoformat()
        skill = self.skill_of(frame)
        if frame.phase == "confirm":
            out.say(phrases.confirm_reminder(skill, self._summary(skill, frame)))
        elif frame.phase == "step_up":
            elsewhere = turn.channel in SECRETS_ELSEWHERE
            out.say(phrases.waiting(frame.awaits, login=frame.skill == LOGIN, elsewhere=elsewhere))
        elif frame.phase == "held":
            await self.step(turn, state, skill.run(turn, frame), out, fetch=False)
        elif frame.options:
            out.say(Reply(f"接着刚才的{skill.title}：请选一个。\n" + _numbered(frame)))
        elif frame.asking is not None:
            question = await skill.slot(frame.asking).ask(turn, frame)
            out.say(Reply(f"接着刚才的{skill.title}：{question.text}", question.card, question.choices))
        else:
            out.say(f"接着刚才的{skill.title}。")
            await self.advance(turn, state, out)

    @staticmethod
    def _summary(skill: Skill, frame: Frame) -> list[str]:
        return [f"{slot.label}{frame.shown[slot.name]}" for slot in skill.slots if slot.name in frame.shown]

    async def ask_again(self, turn: Turn, state: DialogueState, slot: str, out: Outcome) -> None:
        """The customer wants to change this slot but has not said to what."""
        frame = state.stack[-1]
        await self.withdraw(turn, frame)
        frame.clear(slot)
        frame.asking, frame.options = slot, []
        out.say(await self.skill_of(frame).slot(slot).ask(turn, frame))

    async def withdraw(self, turn: Turn, frame: Frame) -> None:
        """Takes back a drafted order, so that the next read-back makes a new one."""
        if frame.phase != "collect" or frame.order_id:
            await self._abandon(turn, frame)
        frame.phase, frame.order_id = "collect", None
        frame.revision += 1

    async def cancel(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """Gives up the top frame; a log-in takes along the skill that asked for it."""
        frame = state.stack.pop()
        await self._abandon(turn, frame)
        if frame.skill == LOGIN and state.stack:
            frame = state.stack.pop()
            await self._abandon(turn, frame)
        out.say(phrases.cancelled(self.skill_of(frame)))
        await self.remind(turn, state, out)

    async def shelve_stale(self, turn: Turn, state: DialogueState, out: Outcome) -> bool:
        """Puts the whole stack aside when nobody spoke for long; the newest real skill can be brought back."""
        top = state.top
        if top is None or top.idle_s(turn.now) <= self.policy.stale_s:
            return False
        for frame in state.stack:
            await self._abandon(turn, frame)
            frame.phase, frame.order_id, frame.asking = "collect", None, None
            frame.revision += 1
        kept = [frame for frame in state.stack if frame.skill != LOGIN]
        state.shelved = kept[-1] if kept else None
        state.stack, state.pending = [], None
        return state.shelved is not None

    async def resume(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """接着刚才的…: a frame put aside comes back and reads itself back anew; a waiting one is asked again."""
        shelved, state.shelved = state.shelved, None
        if shelved is not None and self._fresh(shelved, turn.now):
            await self.push(turn, state, shelved)
            await self.advance(turn, state, out)
        elif state.stack:
            await self.remind(turn, state, out)
        else:
            out.say(phrases.NOTHING_TO_RESUME)

    def _fresh(self, frame: Frame, now: datetime) -> bool:
        return frame.idle_s(now) <= self.policy.shelf_life_s

    def offer_human(self, state: DialogueState, out: Outcome) -> None:
        """Two clarifications were not enough."""
        state.pending = Pending("human")
        out.action = "offer_human"
        out.say(phrases.offer_human())

    async def _abandon(self, turn: Turn, frame: Frame) -> None:
        await guarded(turn, self.skill_of(frame).abandon(turn, frame))


def _numbered(frame: Frame) -> str:
    return "\n".join(f"{i}. {option['shown']}" for i, option in enumerate(frame.options, start=1))
