"""A message that belongs to no skill under way: start one, answer from knowledge, make small talk, or ask back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.dialogue import filling, phrases
from bot.dialogue.commands import ANSWERS, plain, sounds_like_question, speaks_of_banking
from bot.dialogue.frames import FrameRunner
from bot.dialogue.outcome import Outcome
from bot.dialogue.reply import Choice, Reply, choices
from bot.dialogue.skill import Turn
from bot.dialogue.state import DialogueState, Frame, Pending, Topic, Wish
from bot.dialogue.understanding import Knowledge, KnowledgeHit, Understanding

FAQ = "faq"
_OFF_TOPIC = "out_of_scope"
_NO_WISHES = (FAQ, _OFF_TOPIC)  # heard in what wants nothing done
_AND_WHAT_OF = re.compile(
    r"^(?:那么?|如果是?|要是|换成)?(?P<what>.{1,10}?)(?:的话)?"
    r"(?:呢|又?怎么样|又?如何|也一样吗|也是吗|行吗)[？?。]?$"
)
SUGGESTIONS_MAX = 3
QUESTIONS_MAX = 2
TOPIC_LENGTH_MAX = 60
TOLD_LENGTH_MIN = (
    14  # characters; a longer "yes" or "no" out of the blue tells of something and wants an answer
)
_ANSWERS = {command.value for command in ANSWERS}


class Opening:
    """Decides what an unprompted message wants."""

    def __init__(self, runner: FrameRunner, knowledge: Knowledge) -> None:
        self.runner = runner
        self.registry = runner.registry
        self.policy = runner.policy
        self.knowledge = knowledge

    async def handle(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """Always says something."""
        self._take_first(turn, state, out)
        heard = turn.heard
        hits = self._find(turn, state)
        best = hits[0] if hits else None
        if (self.registry.startable(heard.intent) and await self._starts(turn, best)) or self._announces(
            turn, best
        ):
            await self.begin(turn, state, heard.intent, out)
        elif self._talks(turn, best):
            out.action = f"talk:{heard.intent}"
            out.say(phrases.SMALL_TALK[heard.intent])
        elif best is not None and best.score >= self._answer_min(turn):
            state.topic = Topic(turn.text, best.entry_id)
            self.answer(best, out, hits[1:SUGGESTIONS_MAX])
        elif self._asks_back(turn, state, hits, out):
            pass
        elif self._suggests(hits, self.policy.suggest_min) and self._is_question(turn):
            self._suggest(turn, hits, out)
        else:
            self.not_understood(turn, state, out, hits)
            return
        state.misses = 0

    async def begin(self, turn: Turn, state: DialogueState, intent: str, out: Outcome) -> None:
        """Starts the skill, or says what is possible today where there is none yet."""
        if self.registry.announced(intent) is not None:
            self.announce(state, intent, out)
        else:
            await self.runner.start(turn, state, intent, out)

    def _take_first(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """查下余额，再给张三转五百: every piece a clear wish, so the first is done now and the others wait."""
        parts = turn.heard.parts
        if (
            state.top is not None
            or state.later
            or len(parts) < 2
            or self._asks_or_chats(turn.heard)
            or not all(self._clear(part) for part in parts)
        ):
            return
        state.later = [Wish(part.intent, part.text) for part in parts[1:]]
        out.say(phrases.in_turn([self.registry.title(part.intent) for part in parts]))
        turn.text, turn.heard = parts[0].text, parts[0]

    def _asks_or_chats(self, heard: Understanding) -> bool:
        """A sentence that is a question as a whole wants nothing done, whatever a piece of it sounds like."""
        return heard.intent in _NO_WISHES and heard.confidence >= self.policy.talk_min

    def _clear(self, part: Understanding) -> bool:
        return (
            self.registry.opens(part.intent)
            and part.confidence >= self.policy.start_money_min
            and not sounds_like_question(part.text)
        )

    def _find(self, turn: Turn, state: DialogueState) -> list[KnowledgeHit]:
        """那跨行呢, after a question about transfers, asks the same question about something else."""
        more = _AND_WHAT_OF.match(turn.text.strip())
        if state.topic is None or more is None:
            return self.knowledge.find(turn.text)
        turn.text = f"{more['what']}{state.topic.text}"[:TOPIC_LENGTH_MAX]
        return self.knowledge.follow_up(more["what"], turn.text, state.topic.entry_id)

    async def _starts(self, turn: Turn, best: KnowledgeHit | None) -> bool:
        """True when the skill the model heard should start; money needs more certainty, and a rule question is none."""
        skill = self.registry.get(turn.heard.intent)
        careful = skill.manner.moves_money or skill.manner.guarded
        least = self.policy.start_money_min if careful else self.policy.start_min
        if careful and sounds_like_question(turn.text):
            least = self.policy.digress_sure_min  # 安全锁是干嘛的 locks nothing
        if turn.heard.confidence < least:
            return False
        if best is None or best.score < self.policy.answer_min or not sounds_like_question(turn.text):
            return True
        if await filling.find(turn, skill, Frame(skill=skill.intent)):
            return (
                best.score < self.policy.answer_sure_min
                or turn.heard.confidence >= self.policy.digress_sure_min
            )
        if careful:
            return False
        return (
            best.score < self.policy.answer_sure_min or turn.heard.confidence >= self.policy.digress_sure_min
        )

    def _announces(self, turn: Turn, best: KnowledgeHit | None) -> bool:
        """True when a skill is wanted that is only announced; a question about its rules is answered instead."""
        row = self.registry.announced(turn.heard.intent)
        asked = sounds_like_question(turn.text)
        least = self.policy.announce_asked_min if asked else self.policy.announce_min
        if row is None or turn.heard.confidence < least:
            return False
        if best is None:
            return True
        explains = best.entry_id in row.entries or best.skill == row.intent
        asks = explains or asked
        return best.score < (self._answer_min(turn) if asks else self.policy.answer_sure_min)

    def announce(self, state: DialogueState, intent: str, out: Outcome) -> None:
        """Says what is possible today, with questions that explain the matter; or fetches the human who does it."""
        row = self.registry.announced(intent)
        assert row is not None, f"{intent} is announced"
        if row.hand_over:
            out.hand_over(state, row.hand_over)
            out.action = f"announce:{intent}"
            out.say(row.today)
            return
        asked = [
            question for entry in row.entries if (question := self.knowledge.question(entry)) is not None
        ]
        out.action = f"announce:{intent}"
        out.say(phrases.announced(row, asked[:QUESTIONS_MAX]))

    def _talks(self, turn: Turn, best: KnowledgeHit | None) -> bool:
        heard = turn.heard
        if heard.intent not in phrases.SMALL_TALK or heard.confidence < self.policy.talk_min:
            return False
        if heard.intent == _OFF_TOPIC and speaks_of_banking(turn.text):
            return False
        return best is None or best.score < self.policy.answer_sure_min

    def _answer_min(self, turn: Turn) -> float:
        """A question the model took for one may be answered on a weaker match."""
        faq = turn.heard.probability(FAQ)
        return self.policy.answer_min if faq >= self.policy.talk_min else (self.policy.answer_min + 0.1)

    def _is_question(self, turn: Turn) -> bool:
        told = turn.heard.intent in _ANSWERS and len(plain(turn.text)) > TOLD_LENGTH_MIN
        off = turn.heard.intent == _OFF_TOPIC and speaks_of_banking(turn.text)
        return turn.heard.intent == FAQ or told or off or sounds_like_question(turn.text)

    def answer(self, hit: KnowledgeHit, out: Outcome, others: Sequence[KnowledgeHit] = ()) -> None:
        """Says the entry's answer and offers the skill that does it; an unsure one says which question it answers,
        with the others that may have been meant.
        """
        offers: tuple[Choice, ...] = ()
        if hit.skill and self.registry.startable(hit.skill):
            skill = self.registry.get(hit.skill)
            offers = (Choice(skill.title, skill.manner.example or skill.title),)
        out.action = f"answer:{hit.entry_id}"
        if hit.score >= self.policy.answer_plain_min:
            out.say(Reply(hit.answer, choices=offers))
            return
        said = phrases.if_you_mean(hit.question, hit.answer)
        out.say(Reply(said, choices=(*offers, *choices(*self._close(others), "转人工"))))

    def _asks_back(self, turn: Turn, state: DialogueState, hits: list[KnowledgeHit], out: Outcome) -> bool:
        """Names the skills it may have been; a weak guess stands beside what knowledge thinks is meant."""
        likely = [
            intent
            for intent, probability in turn.heard.ranking
            if probability >= self.policy.ask_back_min and self.registry.opens(intent)
        ][:SUGGESTIONS_MAX]
        if not likely or turn.heard.intent in _NO_WISHES:
            return False
        weak = turn.heard.confidence < self.policy.guess_min
        if weak and self._suggests(hits, self.policy.nearest_min):
            self._suggest(turn, hits[: SUGGESTIONS_MAX - 1], out, self.registry.title(likely[0]))
            return True
        state.pending = Pending("did_you_mean", options=likely, text=turn.text)
        out.action = "ask_back"
        out.say(phrases.did_you_mean([self.registry.title(intent) for intent in likely], aloud=turn.aloud))
        return True

    def _suggests(self, hits: list[KnowledgeHit], least: float) -> bool:
        """True when one of the best three is likely enough to be what was asked."""
        return bool(self._close(hits)) and sum(hit.score for hit in hits[:SUGGESTIONS_MAX]) >= least

    def _close(self, hits: Sequence[KnowledgeHit]) -> list[str]:
        """The questions near enough to be offered, the nearest first."""
        return [hit.question for hit in hits[:SUGGESTIONS_MAX] if hit.score >= self.policy.suggest_each_min]

    def _suggest(
        self, turn: Turn, hits: list[KnowledgeHit], out: Outcome, *titles: str, sure: bool = True
    ) -> None:
        out.action = "suggest"
        out.say(phrases.suggested([*self._close(hits), *titles], sure=sure, aloud=turn.aloud))

    def not_understood(
        self, turn: Turn, state: DialogueState, out: Outcome, hits: list[KnowledgeHit] | None = None
    ) -> None:
        """The nearest of what is known is named as no more than that; without any, a question without an answer is
        admitted and anything else is asked again. After two of these a human is offered.
        """
        if turn.heard.missing:  # not the customer's fault: it does not count
            out.action = "cannot_listen"
            out.say(phrases.cannot_listen())
            return
        state.misses += 1
        if state.misses > self.policy.clarifications_max:
            state.misses = 0
            self.runner.offer_human(state, out)
        elif hits and self._suggests(hits, self.policy.nearest_min):
            self._suggest(turn, hits, out, sure=False)
        elif self._is_question(turn):
            out.action = "not_known"
            state.pending = Pending("human")
            out.say(phrases.not_known())
        else:
            out.action = "fallback"
            out.say(phrases.NOT_UNDERSTOOD)
