"""A message that belongs to no skill under way: start one, answer from knowledge, make small talk, or ask back."""

from __future__ import annotations

from bot.dialogue import filling, phrases
from bot.dialogue.commands import ANSWERS, plain, sounds_like_question
from bot.dialogue.frames import FrameRunner
from bot.dialogue.outcome import Outcome
from bot.dialogue.reply import Choice, Reply
from bot.dialogue.skill import Turn
from bot.dialogue.state import DialogueState, Frame, Pending
from bot.dialogue.understanding import Knowledge, KnowledgeHit

FAQ = "faq"
SUGGESTIONS_MAX = 3
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
        heard = turn.heard
        hits = self.knowledge.find(turn.text)
        best = hits[0] if hits else None
        if self.registry.startable(heard.intent) and await self._starts(turn, best):
            await self.runner.start(turn, state, heard.intent, out)
        elif self._talks(turn, best):
            out.action = f"talk:{heard.intent}"
            out.say(phrases.SMALL_TALK[heard.intent])
        elif best is not None and best.score >= self._answer_min(turn):
            self.answer(best, out)
        elif self._asks_back(turn, state, out):
            pass
        elif best is not None and best.score >= self.policy.suggest_min and self._is_question(turn):
            self._suggest(hits, out)
        else:
            self.not_understood(turn, state, out)
            return
        state.misses = 0

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

    def _talks(self, turn: Turn, best: KnowledgeHit | None) -> bool:
        heard = turn.heard
        if heard.intent not in phrases.SMALL_TALK or heard.confidence < self.policy.talk_min:
            return False
        return best is None or best.score < self.policy.answer_sure_min

    def _answer_min(self, turn: Turn) -> float:
        """A question the model took for one may be answered on a weaker match."""
        faq = turn.heard.probability(FAQ)
        return self.policy.answer_min if faq >= self.policy.talk_min else (self.policy.answer_min + 0.1)

    def _is_question(self, turn: Turn) -> bool:
        told = turn.heard.intent in _ANSWERS and len(plain(turn.text)) > TOLD_LENGTH_MIN
        return turn.heard.intent == FAQ or told or sounds_like_question(turn.text)

    def answer(self, hit: KnowledgeHit, out: Outcome) -> None:
        """Says the entry's answer and offers the skill that does it."""
        offers: tuple[Choice, ...] = ()
        if hit.skill and self.registry.startable(hit.skill):
            skill = self.registry.get(hit.skill)
            offers = (Choice(skill.title, skill.manner.example or skill.title),)
        out.action = f"answer:{hit.entry_id}"
        out.say(Reply(hit.answer, choices=offers))

    def _asks_back(self, turn: Turn, state: DialogueState, out: Outcome) -> bool:
        likely = [
            intent
            for intent, probability in turn.heard.ranking
            if probability >= self.policy.ask_back_min and self.registry.startable(intent)
        ][:SUGGESTIONS_MAX]
        if not likely or turn.heard.intent in (FAQ, "out_of_scope"):
            return False
        state.pending = Pending("did_you_mean", options=likely, text=turn.text)
        out.action = "ask_back"
        out.say(phrases.did_you_mean([self.registry.get(intent) for intent in likely]))
        return True

    def _suggest(self, hits: list[KnowledgeHit], out: Outcome) -> None:
        close = [hit for hit in hits if hit.score >= self.policy.suggest_min][:SUGGESTIONS_MAX]
        out.action = "suggest"
        out.say(
            Reply(
                "我不确定您问的是不是这个，点一下就能看到回答；都不是的话，可以转人工。",
                choices=(*(Choice(hit.question, hit.question) for hit in close), Choice("转人工", "转人工")),
            )
        )

    def not_understood(self, turn: Turn, state: DialogueState, out: Outcome) -> None:
        """A question without an answer is admitted; anything else is asked again, twice, then a human is offered."""
        if turn.heard.missing:  # not the customer's fault: it does not count
            out.action = "cannot_listen"
            out.say(phrases.cannot_listen())
            return
        state.misses += 1
        if state.misses > self.policy.clarifications_max:
            state.misses = 0
            self.runner.offer_human(state, out)
        elif self._is_question(turn):
            out.action = "not_known"
            state.pending = Pending("human")
            out.say(phrases.not_known())
        else:
            out.action = "fallback"
            out.say(phrases.NOT_UNDERSTOOD)
