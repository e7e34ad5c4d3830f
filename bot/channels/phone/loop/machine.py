"""The state machine of a call: what happens goes in with its time, what shall be done comes out.

Rules it keeps, each with a test of its own:

- The caller has the word. Sound stops as soon as a voice is heard; what was being said goes on when it was no
  word, or only a sound of listening, and is dropped when it was one.
- Nobody confirms what they have not heard: a yes before the end of a reply only lets the reply go on.
- Nobody is left in silence: not while the bank works, not after a false alarm, not when a stage is broken.
- Keys work at every step and win over speech.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bot.channels.phone.loop import manner as say
from bot.channels.phone.loop.actions import (
    Action,
    Ask,
    Bridge,
    BusyTone,
    DropHeard,
    HangUp,
    HoldTone,
    Rate,
    TakeFinal,
)
from bot.channels.phone.loop.endpointing import Endpointer
from bot.channels.phone.loop.events import (
    AgentListens,
    Announced,
    CallerGone,
    CallPickedUp,
    Event,
    Expect,
    Final,
    KeyPressed,
    OnHold,
    OwnerChanged,
    Partial,
    PiecePlayed,
    Prompted,
    Replied,
    StageBroke,
    TurnBroke,
    VoiceStarted,
    VoiceStopped,
    WrittenAnswer,
)
from bot.channels.phone.loop.glance import Doing, Glance
from bot.channels.phone.loop.keypad import Entry, Keypad, Meaning
from bot.channels.phone.loop.manner import Manner
from bot.channels.phone.loop.mouth import Mouth
from bot.channels.phone.loop.prompts import Asked
from bot.channels.phone.loop.words import (
    Wish,
    is_acknowledgement,
    is_back_channel,
    is_mobile_number,
    sounds_like_yes,
    spoken_digits,
    wish_of,
)
from bot.dialogue.by_ear import ByEar

STEPS_MAX = 20  # deadlines that may fall due at one instant
NOISE_TOLD_MAX = 2
FINALS_MISSED_MAX = 2
SCORE_BEST = 5  # the key 1; the key 5 is the least
WRONG_KEYS_MAX = 2


@dataclass(slots=True)
class _Sentence:
    """What the caller is saying. It blocks our speech unless it turns out to be wordless."""

    started_s: float
    text: str = ""
    ended_s: float | None = None  # the voice has stopped
    asked_s: float | None = None  # the recogniser was asked for the whole
    wordless: bool = False


@dataclass(slots=True)
class _Rating:
    """The caller is asked what they thought of the agent's service."""

    since_s: float | None = None  # they have heard the question
    wrong_keys: int = 0


@dataclass(slots=True)
class _Waiting:
    """A turn the assistant works on, since the caller's last word."""

    turn: int
    since_s: float
    asked_s: float
    fillers: int = 0
    filled_s: float = float("-inf")


class CallLoop:
    """One call. `handle` is never called again with an earlier time."""

    def __init__(self, manner: Manner | None = None, *, human_on_duty: bool = False) -> None:
        self._manner = manner or Manner()
        self.human_on_duty = human_on_duty
        self.agent_hears = False  # the agent hears the caller; else they read what was recognised
        self.over = False
        self._now_s = 0.0
        self._actions: list[Action] = []
        self._mouth, self._keypad, self._endpointer = Mouth(), Keypad(), Endpointer()
        self._sentence: _Sentence | None = None
        self._voice = self._deaf = self._held = False
        self._waiting: _Waiting | None = None
        self._rating: _Rating | None = None
        self._turn = self._noise_told = self._finals_missed = self._prompts_given = 0
        self._rate = self._manner.rate_normal
        self._owner = "bot"
        self._ahead: int | None = None
        self._hold_at_s: float | None = None
        self._expect = Expect.WORDS
        self._choices: tuple[str, ...] = say.MENU
        self._phrases: tuple[str, ...] = ()
        self._tone_at_s: float | None = None
        self._agent_silent_at_s: float | None = None
        self._quiet_since_s: float | None = None
        self._begun_s: float | None = None
        self._caller_took_part = self._by_keys = self._human_fetched = False

    @property
    def expect(self) -> Expect:
        """What the caller is expected to say: the recogniser's grammar follows it."""
        return self._expect

    @property
    def phrases(self) -> tuple[str, ...]:
        """Words that are likely in what the caller says next."""
        return (*self._choices, *self._phrases)

    @property
    def _asked(self) -> Asked:
        """What the caller may answer now: whatever the line says of its own accord is made from it."""
        return self._asks(self._expect, self._choices, self._owner)

    def _asks(self, expect: Expect, choices: tuple[str, ...], owner: str) -> Asked:
        return Asked(expect, choices, self._deaf, self._by_keys, human=owner == "bot")

    @property
    def glance(self) -> Glance:
        """What a screen beside the call may show."""
        heard = self._sentence.text if self._sentence is not None and not self._expect.secret else ""
        return Glance(self._doing(), heard, self._mouth.piece)

    def _doing(self) -> Doing:
        if self._mouth.sounding:
            return Doing.SPEAKING
        if self._waiting is not None:
            return Doing.WORKING
        return {"agent": Doing.AGENT, "queue": Doing.QUEUE}.get(self._owner, Doing.LISTENING)

    @property
    def wake_s(self) -> float | None:
        """When `Tick` is needed at the latest, if nothing else happens."""
        return None if self.over else min((at_s for at_s, _ in self._deadlines()), default=None)

    def handle(self, event: Event, now_s: float) -> list[Action]:
        """What to do about an event at `now_s`, a steady time in seconds."""
        if self.over:
            return []
        assert now_s >= self._now_s, "time does not run backwards"
        self._now_s, self._actions = now_s, []
        self._take(event)
        for _ in range(STEPS_MAX):
            due = next((run for at_s, run in self._deadlines() if at_s <= now_s), None)
            if due is None or self.over:
                break
            due()
        self._go_on()
        actions, self._actions = self._actions, []
        return actions

    def _take(self, event: Event) -> None:  # noqa: PLR0912, one line per event
        match event:
            case CallPickedUp():
                self._begun_s = self._now_s
                self._mouth.add(self._asked.greeting())
            case VoiceStarted():
                self._voice_started()
            case VoiceStopped(silence_s):
                self._voice_stopped(silence_s)
            case Partial(text):
                self._partial(text.strip())
            case Final(text, by_ear):
                self._final(text.strip(), by_ear)
            case KeyPressed(digit):
                self._key(digit)
            case PiecePlayed():
                self._played(event)
            case Replied():
                self._replied(event)
            case TurnBroke(turn) if self._waiting is not None and turn == self._waiting.turn:
                self._waiting = None
                self._mouth.add(say.TURN_BROKE)
            case WrittenAnswer(reply):
                self._written_answer(reply)
            case Prompted(reply):
                self._prompted(reply)
            case Announced(pieces):
                self._announced(pieces)
            case OwnerChanged(owner, ahead, may_rate):
                self._owned_by(owner, ahead, may_rate=may_rate)
            case AgentListens(on):
                self._agent_listens(on)
            case StageBroke(stage):
                self._stage_broke(stage)
            case OnHold(on):
                self._on_hold(on)
            case CallerGone():
                self.over = True

    # The caller's voice.

    def _listening(self) -> bool:
        return not self._deaf and not self._held and (self._owner in ("bot", "queue") or self._relayed())

    def _relayed(self) -> bool:
        return self._owner == "agent" and not self.agent_hears

    def _voice_started(self) -> None:
        self._voice = True
        if not self._listening():
            return
        if self._sentence is None:
            self._endpointer.started(self._now_s, while_we_spoke=self._mouth.busy)
            self._sentence = _Sentence(self._now_s)
            now = self._mouth.now
            if now is not None and now.false_alarms < self._manner.false_alarms_max:
                self._actions += self._mouth.pause()
        elif self._sentence.asked_s is None:
            self._sentence.ended_s = None

    def _voice_stopped(self, silence_s: float) -> None:
        self._voice = False
        if self._sentence is not None and self._sentence.ended_s is None:
            self._sentence.ended_s = max(self._sentence.started_s, self._now_s - silence_s)

    def _partial(self, text: str) -> None:
        if not text or not self._listening():
            return
        if self._sentence is None:  # words that the voice detector missed
            self._sentence = _Sentence(self._now_s, ended_s=None if self._voice else self._now_s)
        if self._sentence.asked_s is not None:
            return
        self._sentence.text, self._sentence.wordless = text, False
        if not is_back_channel(text):
            self._actions += self._mouth.pause()

    def _final(self, text: str, by_ear: ByEar | None) -> None:
        sentence = self._sentence
        if sentence is None or sentence.asked_s is None:
            return
        self._finals_missed = 0
        self._sentence = _Sentence(self._now_s) if self._voice else None
        if self._expect is Expect.SPOKEN and self._said_aloud(text, sentence):
            self._alive()
            self._interrupt()
            self._ask(text, sentence.ended_s or self._now_s, aloud=True)
        elif text:
            self._understood(text, sentence.ended_s or self._now_s, by_ear)
        else:
            self._nothing_understood(spoke=bool(sentence.text))

    def _said_aloud(self, text: str, sentence: _Sentence) -> bool:
        """Whether the sentence is to be judged by its sound: digits, or something so long that it may be some."""
        ended_s = sentence.ended_s or self._now_s
        if spoken_digits(text):
            return True
        return not text and not self._mouth.busy and ended_s - sentence.started_s >= self._manner.aloud_min_s

    def _nothing_understood(self, *, spoke: bool) -> None:
        """Who has said something and was not understood is told so at once; a noise lets us go on."""
        if spoke and not self._mouth.busy and self._waiting is None:
            self._alive()
            self._mouth.add(self._asked.not_heard())
        else:
            self._false_alarm()

    def _understood(self, text: str, ended_s: float, by_ear: ByEar | None) -> None:
        self._alive()
        self._by_keys = self._by_keys and (is_back_channel(text) or bool(spoken_digits(text)))
        if self._relayed():
            self._to_agent(text, ended_s)
            return
        if self._only_listening(text):
            self._false_alarm()
            self._let_it_be_heard()
            return
        wish = wish_of(text)
        if wish is not None:
            self._grant(wish)
            return
        self._interrupt()
        self._ask(text, ended_s, by_ear=by_ear)

    def _to_agent(self, text: str, ended_s: float) -> None:
        """To a human who reads: every word may be an answer. Only a hum into what is being said is none."""
        if self._mouth.busy and is_back_channel(text):
            self._false_alarm()
            return
        wish = wish_of(text)
        if wish is not None and self._mouth.latest is not None:
            self._grant(wish)
            return
        if not (self._mouth.busy and is_acknowledgement(text)):
            self._interrupt()
        self._ask(text, ended_s)

    def _only_listening(self, text: str) -> bool:
        """Whether the words are no answer: a hum, or a yes to something not heard to its end."""
        speaking = self._mouth.busy or self._waiting is not None
        if is_back_channel(text):
            return speaking or self._expect is not Expect.YES_NO
        unheard = self._mouth.unheard
        if unheard is not None and unheard.readback and sounds_like_yes(text):
            return True
        not_asked = self._mouth.busy and self._expect is not Expect.YES_NO
        return is_acknowledgement(text) and (unheard is not None or self._waiting is not None or not_asked)

    def _let_it_be_heard(self) -> None:
        """A reply that was cut off and that the caller says yes to is said again."""
        if self._mouth.unheard is not None and not self._mouth.busy and self._waiting is None:
            self._repeat()

    def _false_alarm(self) -> None:
        if self._mouth.now is not None:
            self._mouth.now.false_alarms += 1

    def _grant(self, wish: Wish) -> None:
        before: tuple[str, ...] = ()
        if wish is Wish.SLOWER:
            self._rate, before = max(0, self._rate - 1), say.SLOWER
        elif wish is Wish.FASTER:
            self._rate, before = min(len(self._manner.rates) - 1, self._rate + 1), say.FASTER
        self._repeat(before)

    def _repeat(self, before: tuple[str, ...] = ()) -> None:
        self._interrupt()
        if not self._mouth.repeat(before):
            self._mouth.add((*before, *self._asked.nothing_to_repeat()))

    def _ask(self, text: str, since_s: float, *, aloud: bool = False, by_ear: ByEar | None = None) -> None:
        digits = spoken_digits(text) if self._expect.secret or aloud else ""
        if self._expect is Expect.CODE and is_mobile_number(digits):
            digits = ""  # where the code shall be sent to
        if self._half_a_secret(digits):
            self._mouth.add(self._asked.not_heard())
            return
        self._turn += 1
        if self._relayed():
            self._waiting, self._agent_silent_at_s = None, self._now_s + self._manner.agent_silent_s
        else:
            self._waiting = _Waiting(self._turn, since_s, self._now_s)
        self._alive()
        secret = bool(digits) or aloud
        heard = None if secret else by_ear
        self._actions.append(Ask(self._turn, digits or text, secret=secret, aloud=aloud, by_ear=heard))

    def _half_a_secret(self, digits: str) -> bool:
        """Digits of another number than the code has: misheard, and no try at it."""
        length = self._expect.length
        return bool(digits) and length is not None and len(digits) != length

    def _alive(self) -> None:
        """The caller does something: the clock of silence begins anew."""
        self._caller_took_part = True
        self._quiet_since_s, self._prompts_given = None, 0

    # Keys.

    def _key(self, digit: str) -> None:
        if self._rating is not None:
            self._rating_key(self._rating, digit)
            return
        if self._owner not in ("bot", "queue") and not self._relayed():
            return
        self._alive()
        if self._sentence is not None:
            self._sentence = None
            self._actions.append(DropHeard())
        self._actions += self._mouth.pause()
        entry = self._keypad.press(digit, self._now_s, self._expect, len(self._choices))
        if entry is not None:
            self._entered(entry)

    def _entry_over(self) -> None:
        entry = self._keypad.pause(self._expect, len(self._choices))
        if entry is not None:
            self._entered(entry)

    def _entered(self, entry: Entry) -> None:
        if not self._expect.secret and entry.meaning in (Meaning.CHOICE, Meaning.DIGITS, Meaning.UNKNOWN):
            self._by_keys = True  # a code is keyed by everybody; who keys anything else means to go on so
        match entry.meaning:
            case Meaning.HUMAN:
                self._human_keyed()
            case Meaning.REPEAT:
                self._repeat()
            case Meaning.CLEARED:
                self._interrupt()
                self._mouth.add(self._asked.cleared())
            case Meaning.UNKNOWN if self._waiting is None:
                self._interrupt()
                self._mouth.add(self._asked.no_such_key())
            case Meaning.CHOICE if self._waiting is None:
                chosen, unheard = self._choices[entry.choice], self._mouth.unheard
                if unheard is not None and unheard.readback and sounds_like_yes(chosen):
                    self._let_it_be_heard()
                else:
                    self._interrupt()
                    self._ask(chosen, self._now_s)
            case Meaning.DIGITS if self._half_a_secret(entry.digits):
                self._interrupt()
                self._mouth.add(self._asked.cleared())
            case Meaning.DIGITS:
                self._interrupt()
                self._ask(entry.digits, self._now_s)

    def _human_keyed(self) -> None:
        """Who is put through, or waits for it, hears so; anybody else is."""
        self._interrupt()
        if self._owner == "agent":
            self._mouth.add(say.AGENT_IS_HERE)
        elif self._owner == "queue":
            self._mouth.add(self._asked.in_queue(self._ahead))
        else:
            self._ask(say.TO_HUMAN, self._now_s)

    def _rating_key(self, rating: _Rating, digit: str) -> None:
        if digit in "12345":
            self._actions.append(Rate(SCORE_BEST + 1 - int(digit)))
            self._part(say.RATED)
            return
        rating.wrong_keys += digit != "*"
        if rating.wrong_keys >= WRONG_KEYS_MAX:
            self._part()
            return
        self._interrupt()
        rating.since_s = None
        self._mouth.add(say.RATE)

    def _part(self, before: tuple[str, ...] = ()) -> None:
        """The goodbye after an agent's service."""
        if self._rating is not None:
            self._rating = None
            self._interrupt()
        self._mouth.add((*before, *say.GOODBYE_CLOSED), then=HangUp(), interruptible=False)

    def _on_hold(self, on: bool) -> None:
        """What comes from a call on hold is music."""
        self._held, self._quiet_since_s = on, None
        if on:
            self._actions += self._mouth.pause()
            if self._sentence is not None:
                self._sentence = None
                self._actions.append(DropHeard())

    # Our own speech.

    def _interrupt(self) -> None:
        self._actions += self._mouth.interrupt()

    def _played(self, event: PiecePlayed) -> None:
        finished = self._mouth.played(event)
        if finished is None or finished.then is None:
            return
        self._actions.append(finished.then)
        self.over = isinstance(finished.then, HangUp)

    def _replied(self, reply: Replied) -> None:
        newest = reply.turn >= self._turn
        if newest or reply.keep:
            asked = self._asks(reply.expect, reply.choices, reply.owner)
            self._quiet_since_s = None
            self._mouth.add(asked.reply(reply.pieces, readback=reply.readback), reply=reply)
        if newest:
            self._stands(reply)

    def _stands(self, reply: Replied) -> None:
        """What holds from now on. Only an empty answer while a human has the call changes nothing."""
        self._waiting = None
        if not reply.pieces and reply.owner == self._owner == "queue":
            self._mouth.add(say.NOTED_IN_QUEUE)
        self._owned_by(reply.owner, self._ahead if reply.owner == self._owner else None)
        self._phrases = reply.phrases
        if reply.pieces or reply.owner == "bot":
            self._expect, self._choices = reply.expect, reply.choices

    def _announced(self, pieces: tuple[str, ...]) -> None:
        """What is said unasked and wants no answer; what an agent writes can be said again."""
        self._mouth.add(pieces, repeatable=self._relayed())
        self._agent_silent_at_s = None

    def _prompted(self, reply: Replied) -> None:
        """Said unasked; an answer that is on its way decides what is expected, else this does."""
        self._agent_silent_at_s, self._prompts_given = None, 0
        if self._waiting is not None and reply.owner == self._owner:
            self._mouth.add(reply.pieces)
        else:
            self._replied(replace(reply, turn=self._turn))

    def _written_answer(self, reply: Replied) -> None:
        """Who writes has taken the word: what was being said or keyed is out of date."""
        self._alive()
        self._keypad.drop()
        self._interrupt()
        self._replied(replace(reply, turn=self._turn))

    def _go_on(self) -> None:
        if self.over:
            return
        sentence = self._sentence
        blocked = self._held or self._keypad or (sentence is not None and not sentence.wordless)
        if not blocked:
            self._actions += self._mouth.go_on(self._manner.rates[self._rate])
        if self._quiet() and self._quiet_since_s is None:
            self._quiet_since_s = self._now_s
        if self._rating is not None and self._rating.since_s is None and not self._mouth.busy:
            self._rating.since_s = self._now_s

    def _quiet(self) -> bool:
        sentence = self._sentence
        return (
            self._owner == "bot"
            and not self._held
            and self._waiting is None
            and not self._mouth.busy
            and not self._keypad
            and (sentence is None or sentence.wordless)
        )

    # Who answers.

    def _owned_by(self, owner: str, ahead: int | None, *, may_rate: bool = False) -> None:
        before, self._owner, self._ahead = self._owner, owner, ahead
        if owner == before:
            return
        waits = owner == "queue"
        self._hold_at_s = self._now_s + self._manner.hold_s if waits else None
        self._tone_at_s = self._now_s + self._manner.hold_tone_s if waits else None
        self._agent_silent_at_s, self._quiet_since_s, self._prompts_given = None, None, 0
        self._expect, self._choices = (
            Expect.WORDS,
            {"bot": say.MENU, "queue": (say.LEAVE_QUEUE,)}.get(owner, ()),
        )
        self._rating = None
        if before == "agent":
            self.agent_hears = False
            self._actions.append(Bridge(False))
        if owner == "agent":
            self._put_through()
        elif owner == "closed" and may_rate:
            self._rating = _Rating()
            self._mouth.add(say.RATE)
        elif owner == "closed":
            self._part()

    def _put_through(self) -> None:
        """To the agent, who hears or reads: the caller is told which."""
        self._sentence, self._waiting = None, None
        self._keypad.drop()
        self._interrupt()
        self._mouth.latest = None  # what the assistant said is no answer to anything any more
        self._actions.append(DropHeard())
        if self.agent_hears:
            self._agent_silent_at_s = None
            self._mouth.add(say.AGENT_HERE, then=Bridge(True), interruptible=False)
        else:
            self._agent_silent_at_s = self._now_s + self._manner.agent_silent_s
            self._mouth.add(self._asked.agent_reads())

    def _agent_listens(self, on: bool) -> None:
        changed, self.agent_hears = on != self.agent_hears, on
        if changed and self._owner == "agent":
            self._put_through()

    def _stage_broke(self, stage: str) -> None:
        if stage == "speaking":
            self._actions += [BusyTone(), HangUp()]
            self.over = True
        elif not self._deaf:
            self._deaf, self._sentence = True, None
            if self._begun_s is not None:
                self._mouth.add(self._asked.hearing_broke())

    # What time brings.

    def _deadlines(self) -> Iterator[tuple[float, Callable[[], None]]]:
        manner, sentence, waiting = self._manner, self._sentence, self._waiting
        if sentence is not None:
            yield self._sentence_deadline(sentence)
            if not sentence.text and not sentence.wordless and sentence.asked_s is None:
                yield sentence.started_s + manner.wordless_s, self._no_words_yet
        if self._keypad.due_s is not None:
            yield self._keypad.due_s, self._entry_over
        if waiting is not None:
            if waiting.fillers < len(manner.filler_s) and self._may_speak():
                yield self._filler_s(waiting), self._fill
            yield waiting.asked_s + manner.turn_end_s, self._turn_too_slow
        if self._quiet_since_s is not None and self._quiet():
            yield self._quiet_since_s + manner.silence_s[self._prompts_given], self._silence
            if self._begun_s is not None:
                yield max(self._begun_s + manner.call_max_s, self._quiet_since_s), self._too_long
        rating = self._rating
        if rating is not None and rating.since_s is not None and not self._mouth.busy:
            yield rating.since_s + manner.rate_s, self._part
        if self._may_speak():
            yield from self._while_waiting_for_a_human()

    def _may_speak(self) -> bool:
        """Nothing is being said, by us or by the caller: a noise without words does not count."""
        sentence = self._sentence
        heard = sentence is not None and not sentence.wordless
        return not (self._mouth.busy or self._held or self._keypad or heard)

    def _filler_s(self, waiting: _Waiting) -> float:
        manner = self._manner
        return max(
            waiting.since_s + manner.filler_s[waiting.fillers],
            waiting.asked_s + manner.filler_after_asking_s,
            waiting.filled_s + manner.filler_gap_s,
        )

    def _while_waiting_for_a_human(self) -> Iterator[tuple[float, Callable[[], None]]]:
        if self._hold_at_s is not None:
            yield self._hold_at_s, self._hold
        if self._tone_at_s is not None:
            yield self._tone_at_s, self._hold_tone
        if self._agent_silent_at_s is not None:
            yield self._agent_silent_at_s, self._agent_silent

    def _sentence_deadline(self, sentence: _Sentence) -> tuple[float, Callable[[], None]]:
        manner = self._manner
        if sentence.asked_s is not None:
            return sentence.asked_s + manner.final_s, self._final_missing
        if sentence.ended_s is not None:
            return sentence.ended_s + self._endpointer.silence_s(
                sentence.text, self._expect, self._choices
            ), self._end_sentence
        if not sentence.text:
            return sentence.started_s + manner.noise_s, self._too_noisy
        return sentence.started_s + manner.sentence_s, self._end_sentence

    def _end_sentence(self) -> None:
        assert self._sentence is not None
        self._sentence.asked_s = self._now_s
        self._sentence.ended_s = self._sentence.ended_s or self._now_s
        if self._sentence.text:
            self._endpointer.ended(self._now_s)
        self._actions.append(TakeFinal())

    def _final_missing(self) -> None:
        sentence, self._sentence = self._sentence, None
        self._finals_missed += 1
        if self._finals_missed >= FINALS_MISSED_MAX:
            self._stage_broke("hearing")
        else:
            self._nothing_understood(spoke=sentence is not None and bool(sentence.text))

    def _no_words_yet(self) -> None:
        assert self._sentence is not None
        self._sentence.wordless = True
        if self._mouth.paused:
            self._false_alarm()

    def _too_noisy(self) -> None:
        self._sentence = None
        self._actions.append(DropHeard())
        self._noise_told += 1
        if self._noise_told <= NOISE_TOLD_MAX:
            self._mouth.add(self._asked.too_noisy())

    def _fill(self) -> None:
        assert self._waiting is not None
        pieces = say.FILLERS[min(self._waiting.fillers, len(say.FILLERS) - 1)]
        self._waiting.fillers, self._waiting.filled_s = self._waiting.fillers + 1, self._now_s
        self._mouth.add(pieces, filler=True)

    def _turn_too_slow(self) -> None:
        self._waiting = None
        self._mouth.add(say.TOO_SLOW)

    def _silence(self) -> None:
        given, self._prompts_given = self._prompts_given, self._prompts_given + 1
        self._quiet_since_s = None  # patience begins anew when the prompt has been heard
        if given < len(self._manner.silence_s) - 1:
            self._mouth.add(self._asked.still_there(given))
        elif self.human_on_duty and self._caller_took_part and not self._human_fetched:
            self._human_fetched = True  # once: a telephone in a pocket is not put through again and again
            self._mouth.add(say.HUMAN_SILENT)
            self._ask(say.TO_HUMAN, self._now_s)
        else:
            self._prompts_given = 0
            self._mouth.add(self._asked.goodbye_silent(), then=HangUp())

    def _too_long(self) -> None:
        self._owner = "closed"  # whatever is said now is not listened to
        self._mouth.add(say.GOODBYE_LONG, then=HangUp(), interruptible=False)

    def _hold(self) -> None:
        self._hold_at_s = self._now_s + self._manner.hold_s
        self._tone_at_s = self._now_s + self._manner.hold_tone_s
        self._mouth.add(self._asked.in_queue(self._ahead))

    def _hold_tone(self) -> None:
        self._tone_at_s = self._now_s + self._manner.hold_tone_s
        self._actions.append(HoldTone())

    def _agent_silent(self) -> None:
        self._agent_silent_at_s = self._now_s + self._manner.hold_s
        self._mouth.add(say.AGENT_SILENT)
