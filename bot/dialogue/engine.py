"""One turn of the dialogue.

Order of precedence, each a method below:
    1. a frame nobody touched for long is put aside;
    2. distress and anger fetch a human (see `moods`), the engine's own open question (did you mean / a human?) is
       answered;
    3. words that steer the conversation (取消, 上一步, 再说一遍, 转人工 ...);
    4. the skill under way: fill, correct, confirm, or digress;
    5. otherwise the message opens something new (see `opening`).
"""

from __future__ import annotations

from bot.dialogue import filling, phrases
from bot.dialogue.commands import ANSWERS, Command, plain, recognise, recognise_by_rule
from bot.dialogue.frames import FrameRunner
from bot.dialogue.moods import Mood, Moods, packaged_moods
from bot.dialogue.opening import FAQ, Opening
from bot.dialogue.outcome import DEFAULT_POLICY, Outcome, Policy
from bot.dialogue.reading.choices import read_choice
from bot.dialogue.reasons import Reason
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.reply import reply_from_json
from bot.dialogue.skill import Accepted, HandOver, Turn, Unproved
from bot.dialogue.state import DialogueState, Frame, Pending
from bot.dialogue.understanding import NOTHING_HEARD, Knowledge

TICKET_SKILL = "ticket_leave"
UNCLEAR = ("fallback", "not_known", "ask_back", "suggest", "offer_human")


class DialogueEngine:
    """Stateless; all memory is in the DialogueState given to each call, which it changes in place."""

    def __init__(
        self,
        registry: SkillRegistry,
        knowledge: Knowledge,
        policy: Policy = DEFAULT_POLICY,
        moods: Moods | None = None,
    ) -> None:
        self.registry = registry
        self.policy = policy
        self.moods = moods or packaged_moods()
        self.runner = FrameRunner(registry, policy)
        self.opening = Opening(self.runner, knowledge)

    async def turn(self, turn: Turn, state: DialogueState) -> Outcome:
        """Handles one understood message. The caller owns the transaction of `turn.session`."""
        out = Outcome(intent=turn.heard.intent)
        if self._forget_unknown(state):
            out.say(phrases.LOST)
        stale = await self.runner.shelve_stale(turn, state, out)
        command = recognise(turn.text, turn.heard)
        if command is Command.REPEAT and not stale and not out.replies and self._repeat(state, out):
            return out
        if stale and command is not Command.RESUME and state.shelved is not None:
            out.say(phrases.shelved(self.runner.skill_of(state.shelved)))
        mood = self.moods.hear(turn.text)
        if mood is not None and self._needs_human(mood, turn, state, command):
            state.pending = None
            self._comfort(mood, state, out)
        elif not await self._pending(turn, state, command, out):
            await self._dispatch(turn, state, command, out)
            if mood is not None and not out.effects:
                self._offer_comfort(mood, state, out)
        await self._settle(turn, state, out)
        if not out.action.startswith("answer:"):
            state.topic = None
        return out

    async def _settle(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """The end of every turn: what waited its turn begins, codes lapse, and what was said is kept."""
        await self._next_wish(turn, state, out)
        self._codes_lapse(state)
        state.last_replies = [reply.to_json() for reply in out.replies]

    async def _next_wish(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """What was asked for in the same breath follows by itself; after a cancel the customer is asked first."""
        if any(isinstance(effect, HandOver) for effect in out.effects):
            state.later = []  # the agent reads what was asked for
        while state.later and state.top is None and state.pending is None:
            wish = state.later.pop(0)
            title = self.registry.title(wish.intent)
            if out.action == f"command:{Command.CANCEL.value}":
                state.pending = Pending("did_you_mean", options=[wish.intent], text=wish.text)
                out.say(phrases.still_wanted(title))
                return
            out.say(phrases.next_wish(title))
            turn.text, turn.heard = wish.text, NOTHING_HEARD
            done = out.action
            await self.opening.begin(turn, state, wish.intent, out)
            out.action = done

    @staticmethod
    def _repeat(state: DialogueState, out: Outcome) -> bool:
        try:
            replies = [reply_from_json(data) for data in state.last_replies]
        except (KeyError, TypeError, AssertionError):  # written by another version
            return False
        out.action, out.replies = "command:service_repeat", replies
        return bool(replies)

    def _forget_unknown(self, state: DialogueState) -> bool:
        """After an upgrade: frames whose skill or slots are gone are let go. True when one was under way."""
        kept = [frame for frame in state.stack if self.runner.knows(frame)]
        lost = len(kept) < len(state.stack)
        state.stack = kept
        if state.shelved is not None and not self.runner.knows(state.shelved):
            state.shelved = None
        if state.pending is not None and not all(self.registry.known(i) for i in state.pending.options):
            state.pending = None
        state.later = [wish for wish in state.later if self.registry.known(wish.intent)]
        return lost

    @staticmethod
    def _codes_lapse(state: DialogueState) -> None:
        """A code can only be typed while the frame that wants it is on top: one below must be confirmed again."""
        for frame in state.stack[:-1]:
            if frame.phase == "step_up":
                frame.phase = "confirm" if frame.order_id else "collect"

    async def remind(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """Brings what is under way to mind, after somebody else had the conversation."""
        if self._forget_unknown(state):
            out.say(phrases.LOST)
        await self.runner.remind(turn, state, out)

    async def proved(self, turn: Turn, state: DialogueState) -> Outcome:
        """The hub checked a secret and it was right: the frame that asked for it goes on."""
        out = Outcome(action="proved")
        if self._forget_unknown(state):
            out.say(phrases.LOST)
        frame = state.top
        if frame is not None and frame.phase == "step_up":
            skill = self.runner.skill_of(frame)
            await self.runner.step(turn, state, skill.proved(turn, frame), out)
        elif frame is not None:
            await self.runner.remind(turn, state, out)
        elif not out.replies:
            out.say(phrases.NOTHING_UNDER_WAY)
        await self._settle(turn, state, out)
        return out

    async def unproved(self, turn: Turn, state: DialogueState, why: Unproved) -> Outcome:
        """The proof that the top frame waits for cannot be had: its skill says what follows."""
        out = Outcome(action=f"unproved:{why}")
        if self._forget_unknown(state):
            out.say(phrases.LOST)
        frame = state.top
        if frame is not None and frame.phase == "step_up":
            skill = self.runner.skill_of(frame)
            await self.runner.step(turn, state, skill.unproved(turn, frame, why), out)
        await self._settle(turn, state, out)
        return out

    async def resume_after_login(self, turn: Turn, state: DialogueState) -> Outcome:
        """The customer logged in outside the chat: a log-in frame is dropped and what waited for it goes on."""
        out = Outcome(action="login")
        self._forget_unknown(state)
        state.stack = [frame for frame in state.stack if frame.skill != "identity_login"]
        if state.stack:
            await self.runner.advance(turn, state, out)
        await self._settle(turn, state, out)
        return out

    async def reconsider(self, turn: Turn, state: DialogueState) -> None:
        """Something was told that may change the bank's mind: what was read back is drafted anew before a yes to it."""
        self._forget_unknown(state)
        for frame in state.stack:
            if frame.order_id is not None:
                await self.runner.withdraw(turn, frame)

    async def left(self, turn: Turn, state: DialogueState) -> None:
        """Nobody is there any more to say yes: every draft is withdrawn (what was put aside has none). What waits for a
        person of the bank goes on waiting."""
        self._forget_unknown(state)
        for frame in state.stack:
            if frame.phase != "held":
                await self.runner.withdraw(turn, frame)

    async def adopt(
        self, turn: Turn, state: DialogueState, frame_id: str, slot: str, accepted: Accepted
    ) -> bool:
        """Fills in a value the customer took from somebody who helps; nothing else moves, and what was read back is
        withdrawn. False when that business is no longer the one being talked about."""
        self._forget_unknown(state)
        frame = state.top
        if frame is None or frame.frame_id != frame_id:
            return False
        await self.runner.withdraw(turn, frame)
        frame.fill(slot, accepted.value, accepted.shown)
        frame.options, frame.misses = [], 0
        if frame.asking == slot:
            frame.asking = None
        frame.touched_at = turn.now.isoformat()
        return True

    async def drop_top(self, turn: Turn, state: DialogueState) -> None:
        """The secret the top frame waits for cannot be given any more: the frame is given up without a word."""
        self._forget_unknown(state)
        if state.stack:
            await self.runner.cancel(turn, state, Outcome())

    async def _dispatch(
        self, turn: Turn, state: DialogueState, command: Command | None, out: Outcome
    ) -> None:
        frame = state.top
        if frame is not None and self._undoes(turn, frame):
            out.action = f"command:{Command.CANCEL.value}"
            await self.runner.cancel(turn, state, out)
        elif (
            frame is not None
            and self._takes_anything(frame)
            and command not in (Command.CANCEL, Command.HUMAN)
        ):
            await self.runner.fill(turn, state, await self._find(turn, frame), out)
        elif command is not None and await self._steer(turn, state, command, out):
            pass
        elif frame is None:
            await self.opening.handle(turn, state, out)
        elif frame.phase == "collect":
            await self._collect(turn, state, frame, command, out)
        else:
            await self._at_read_back(turn, state, frame, command, out)

    def _needs_human(self, mood: Mood, turn: Turn, state: DialogueState, command: Command | None) -> bool:
        """Real distress always does; anger only where nothing is under way and nothing else is clearly asked for."""
        if mood.when != "idle":
            return mood.when == "always"
        heard = turn.heard
        wants = self.registry.startable(heard.intent) and heard.confidence >= self.policy.start_money_min
        return command is None and state.top is None and (not wants or heard.intent in mood.even)

    @staticmethod
    def _comfort(mood: Mood, state: DialogueState, out: Outcome) -> None:
        out.hand_over(state, mood.reason)
        out.say(mood.says)

    def _offer_comfort(self, mood: Mood, state: DialogueState, out: Outcome) -> None:
        """Who is upset and was not understood gets a human; with an answer, 转人工 still tells that they are upset."""
        if state.top is None and out.action in UNCLEAR:
            out.replies.clear()
            self._comfort(mood, state, out)
        elif out.action.startswith("answer:"):
            state.pending = Pending("human", reason=mood.reason)

    # 2. the engine's own open question -------------------------------------------------------------------------

    async def _pending(self, turn: Turn, state: DialogueState, command: Command | None, out: Outcome) -> bool:
        pending, state.pending = state.pending, None
        if pending is None:
            return False
        if pending.kind == "did_you_mean":
            return await self._meant(turn, state, pending, command, out)
        if command is Command.DENY:
            out.action = "command:deny"
            if pending.kind == "ticket" or not state.stack:
                out.say(phrases.DECLINED_HUMAN)
            if state.stack:
                state.stack[-1].misses = 0
                await self.runner.remind(turn, state, out)
            return True
        if pending.kind == "ticket" and (
            command is Command.AFFIRM or "工单" in turn.text or "留言" in turn.text
        ):
            await self.runner.start(turn, state, TICKET_SKILL, out)
            return True
        if pending.kind == "human" and command in (Command.AFFIRM, Command.HUMAN):
            out.hand_over(state, pending.reason)
            return True
        return False

    async def _meant(
        self, turn: Turn, state: DialogueState, pending: Pending, command: Command | None, out: Outcome
    ) -> bool:
        picked: list[int] = []
        if command is Command.AFFIRM and len(pending.options) == 1:
            picked = [0]
        elif command is Command.DENY or "都不是" in turn.text:
            out.say("好的，那您换个说法告诉我，或者说“转人工”。")
            return True
        else:
            picked = read_choice(turn.text, [self.registry.title(intent) for intent in pending.options])
        if len(picked) != 1:
            return False
        turn.text, turn.heard = pending.text, NOTHING_HEARD  # the first sentence may hold amounts and names
        await self.opening.begin(turn, state, pending.options[picked[0]], out)
        return True

    # 3. words that steer the conversation ----------------------------------------------------------------------

    async def _steer(self, turn: Turn, state: DialogueState, command: Command, out: Outcome) -> bool:
        """True when the command was carried out here; the rest depends on the phase of the frame."""
        frame = state.top
        out.action = f"command:{command.value}"
        if command is Command.HUMAN:
            out.hand_over(state, Reason.ASKED)
        elif command is Command.RESUME:
            await self.runner.resume(turn, state, out)
        elif command is Command.HELP:
            out.say(phrases.help_reply(self.registry, self.opening.knowledge.often_asked(), aloud=turn.aloud))
            await self.runner.remind(turn, state, out)
        elif command is Command.WAIT:
            out.say(phrases.TAKE_YOUR_TIME)
            if frame is not None and frame.phase == "confirm":
                await self.runner.remind(turn, state, out)
        elif command is Command.CANCEL and frame is not None:
            await self.runner.cancel(turn, state, out)
        elif command is Command.GO_BACK and frame is not None:
            await self._go_back(turn, state, frame, out)
        elif command is Command.DONT_KNOW and frame is not None:
            await self._dont_know(turn, state, frame, out)
        elif frame is None and command is Command.CANCEL and await self._recall(turn, state, out):
            pass
        elif frame is None and command is Command.AFFIRM and state.finished is not None:
            out.say(phrases.ALREADY_DONE)
        elif frame is None and command is not Command.DONT_KNOW and not self._only_sounds_so(turn, command):
            out.say(phrases.NOTHING_UNDER_WAY)
        else:
            out.action = ""
            return False
        return True

    async def _recall(self, turn: Turn, state: DialogueState, out: Outcome) -> bool:
        """取消 right after something was done: it is taken back if it has not happened yet."""
        done = state.finished
        if done is None or done["skill"] not in self.registry or turn.customer_id is None:
            return False
        reply = await self.registry.get(done["skill"]).recall(turn, done["order_id"])
        if reply is None:
            return False
        state.finished = None
        out.say(reply)
        return True

    @staticmethod
    def _only_sounds_so(turn: Turn, command: Command) -> bool:
        """With nothing under way a yes, a no or a correction must be one by its words: a long complaint or
        a noise that the model takes for one says something else."""
        return command in ANSWERS and recognise_by_rule(turn.text) is None

    async def _go_back(self, turn: Turn, state: DialogueState, frame: Frame, out: Outcome) -> None:
        if frame.filled:
            await self.runner.ask_again(turn, state, frame.filled[-1], out)
        else:
            await self.runner.cancel(turn, state, out)

    async def _dont_know(self, turn: Turn, state: DialogueState, frame: Frame, out: Outcome) -> None:
        if frame.asking is None:
            await self.runner.remind(turn, state, out)
            return
        if self._missed(state, frame, out):
            return
        slot = self.runner.skill_of(frame).slot(frame.asking)
        hint = await slot.hint(turn, frame)
        if hint:
            out.say(hint)
        out.say(await slot.ask(turn, frame))

    # 4. the skill under way ------------------------------------------------------------------------------------

    def _takes_anything(self, frame: Frame) -> bool:
        skill = self.runner.skill_of(frame)
        return (
            frame.phase == "collect" and frame.asking is not None and skill.slot(frame.asking).takes_anything
        )

    def _undoes(self, turn: Turn, frame: Frame) -> bool:
        """卡找到了, while its loss is only read back: nothing is to be undone yet, so this is given up."""
        opposite = self.runner.skill_of(frame).manner.opposite
        return (
            bool(opposite)
            and turn.heard.intent == opposite
            and turn.heard.confidence >= self.policy.digress_min
        )

    async def _find(self, turn: Turn, frame: Frame) -> list[filling.Found]:
        return await filling.find(turn, self.runner.skill_of(frame), frame)

    async def _collect(
        self, turn: Turn, state: DialogueState, frame: Frame, command: Command | None, out: Outcome
    ) -> None:
        if frame.options and await self._pick(turn, state, frame, command, out):
            return
        found = await self._find(turn, frame)
        if self._digresses(turn, frame, found):
            await self._digress(turn, state, out)
        elif not found and command is Command.AFFIRM and frame.asking is None:
            await self.runner.remind(turn, state, out)  # everything is known: it is read back (again) first
        elif found:
            out.action = "fill"
            await self.runner.fill(turn, state, found, out)
        elif (slot := self._slot_named(turn, frame)) is not None:
            out.action = "correct"
            await self.runner.ask_again(turn, state, slot, out)
        else:
            await self._miss(turn, state, frame, out)

    async def _pick(
        self, turn: Turn, state: DialogueState, frame: Frame, command: Command | None, out: Outcome
    ) -> bool:
        """An answer to "which one?"; a plain yes takes the only one there is."""
        if command is Command.AFFIRM and len(frame.options) == 1:
            picked = [0]
        else:
            picked = read_choice(turn.text, [option["shown"] for option in frame.options])
        if len(picked) != 1:
            return False
        option = frame.options[picked[0]]
        filled = filling.Filled()
        slot = self.runner.skill_of(frame).slot(option["slot"])
        filling.keep(frame, slot, Accepted(option["value"], option["shown"]), filled)
        frame.options = []
        out.action = "fill"
        await self.runner.after_fill(turn, state, filled, out)
        return True

    async def _at_read_back(
        self, turn: Turn, state: DialogueState, frame: Frame, command: Command | None, out: Outcome
    ) -> None:
        found = await self._find(turn, frame)
        if self._digresses(turn, frame, found):
            await self._digress(turn, state, out)
            return
        before = dict(frame.values)
        if found:
            trial = await filling.apply(turn, frame, found)
            if trial.changed or trial.which or trial.refusals:
                out.action = f"correct:{','.join(trial.changed)}"
                await self.runner.after_fill(turn, state, trial, out)
                return
        assert frame.values == before, "nothing changed, so the read-back still holds"
        if frame.phase == "held" and turn.heard.intent == frame.skill:
            # Asked for once more: whoever must look is fetched.
            await self.runner.step(turn, state, self.runner.skill_of(frame).run(turn, frame), out)
        elif command is Command.AFFIRM:
            await self._confirm(turn, state, frame, out)
        elif (slot := self._slot_named(turn, frame)) is not None:
            out.action = "correct"
            await self.runner.ask_again(turn, state, slot, out)
        elif command is Command.DENY and not self.runner.skill_of(frame).slots:
            out.action = (
                f"command:{Command.CANCEL.value}"  # 不同意: there is nothing else to be wrong with it
            )
            await self.runner.cancel(turn, state, out)
        elif command in (Command.DENY, Command.CORRECT) and self.runner.skill_of(frame).slots:
            out.action = "correct"
            await self.runner.withdraw(turn, frame)  # a yes to "what shall I change?" confirms nothing
            out.say(phrases.what_to_change(self.runner.skill_of(frame)))
        else:
            await self._miss(turn, state, frame, out)

    async def _confirm(self, turn: Turn, state: DialogueState, frame: Frame, out: Outcome) -> None:
        out.action = "confirm"
        if frame.phase in ("step_up", "held"):
            await self.runner.remind(turn, state, out)
            return
        frame.touched_at = turn.now.isoformat()
        await self.runner.step(turn, state, self.runner.skill_of(frame).confirm(turn, frame), out)

    def _slot_named(self, turn: Turn, frame: Frame) -> str | None:
        """改金额, 收款人不对: a slot is named without a new value."""
        if turn.heard.intent not in ("correct", "deny") and not any(
            w in turn.text for w in ("改", "换", "不对", "错")
        ):
            return None
        named = [slot.name for slot in self.runner.skill_of(frame).slots if slot.label in turn.text]
        return named[0] if len(named) == 1 else None

    def _digresses(self, turn: Turn, frame: Frame, found: list[filling.Found]) -> bool:
        """True when the message wants something else than the skill under way."""
        heard = turn.heard
        elsewhere = (
            self.registry.opens(heard.intent) or heard.intent == FAQ or heard.intent in phrases.SMALL_TALK
        ) and heard.intent != frame.skill
        if not elsewhere or heard.confidence < self.policy.digress_min:
            return False
        if self.registry.announced(heard.intent) is not None and self._slot_named(turn, frame) is not None:
            return False  # 手机号说错了 corrects the number just given
        if not found:
            return True
        return heard.confidence >= self.policy.digress_sure_min and not filling.answers(turn, found)

    async def _digress(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        depth = len(state.stack)
        await self.opening.handle(turn, state, out)
        if len(state.stack) == depth and state.pending is None and not out.effects:
            await self._remind_once(turn, state, out)

    async def _remind_once(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        if out.action.startswith("start:"):
            return  # the skill that was started and finished has already brought the waiting one to mind
        await self.runner.remind(turn, state, out)

    async def _miss(self, turn: Turn, state: DialogueState, frame: Frame, out: Outcome) -> None:
        """Not an answer and nothing else: the question again, said differently; after two, a human."""
        if turn.heard.missing:
            self.opening.not_understood(turn, state, out)
            await self.runner.remind(turn, state, out)
            return
        if self._missed(state, frame, out):
            return
        out.action = "clarify"
        if frame.asking is not None and not frame.options:
            hint = await self.runner.skill_of(frame).slot(frame.asking).hint(turn, frame)
            out.say(hint or f"没听明白“{plain(turn.text)[:20]}”。")
        await self.runner.remind(turn, state, out)

    def _missed(self, state: DialogueState, frame: Frame, out: Outcome) -> bool:
        frame.misses += 1
        if frame.misses <= self.policy.clarifications_max:
            return False
        frame.misses = 0
        self.runner.offer_human(state, out)
        return True
