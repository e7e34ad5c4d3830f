"""Messages of the log as WeChat shows them: plain text, cut where sentences end into as few pieces as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from bot.channels.wechat.charts import has_bars, is_drawn
from bot.conversation.redaction import BLOT

TEXT_BYTES_MAX = 2048
ENDS = "。！？!?；;…\n"
PAUSES = "，、,：: "
SEPARATOR = "\n\n"
MORE = "\n（还有内容，回复任意文字接着看）"
SPOKEN_TO_AGENT = "[语音]"
VOICE_PREFIX = "voice:"
ALL_CHARS = 1_000_000  # of a message whose picture has not been sent yet
HEARD = "（听到的是：{}）"
MessageJson = dict[str, Any]  # the fields of bot.conversation.views.MessageView


@dataclass(frozen=True)
class Mark:
    """How far a conversation is delivered: all of it up to `seq`, and `chars` characters of what is said next."""

    seq: int
    chars: int = 0


@dataclass(frozen=True)
class Piece:
    """What one message holds, and the mark once it is delivered: a text, or the picture of the card of `picture`."""

    text: str
    upto: Mark
    picture: MessageJson | None = None


@dataclass(frozen=True)
class _Part:
    """A message of the log as it is told."""

    seq: int
    text: str
    message: MessageJson

    @property
    def pictured(self) -> bool:
        return is_drawn(self.message.get("card"))


def voice_key(key: str) -> str:
    """The key in the log of a message that was spoken."""
    return VOICE_PREFIX + key


def size(text: str) -> int:
    """What Tencent counts: bytes of UTF-8."""
    return len(text.encode("utf-8", "replace"))


def told(messages: Sequence[MessageJson]) -> list[MessageJson]:
    """Those of the messages that the customer is shown: not their own, but what was heard in those they spoke.

    What was heard is told with an answer, never alone, and never when a human heard it or a secret was in it.
    """
    answered = max((n for n, each in enumerate(messages) if each["sender"] == "bot"), default=-1)
    return [
        each
        for n, each in enumerate(messages)
        if each["sender"] != "customer" or (n < answered and _was_heard(each))
    ]


def _was_heard(message: MessageJson) -> bool:
    spoken = str(message.get("client_id") or "").startswith(VOICE_PREFIX)
    return spoken and BLOT not in message["text"] and not message["text"].startswith(SPOKEN_TO_AGENT)


def shown(message: MessageJson) -> str:
    """A message and its card as text. Brackets that WeChat would take for a link are made harmless."""
    lines = [message["text"]]
    if message["sender"] == "customer":
        lines[0] = HEARD.format(message["text"])
    if message["sender"] == "agent":
        lines[0] = f"{message['sender_name']}：{message['text']}"
    if card := message.get("card"):
        lines += _card(card)
    text = "\n".join(line for line in lines if line).strip()
    return text.replace("<", "＜").replace(">", "＞")


def _card(card: MessageJson) -> list[str]:
    lines = [f"【{card['title']}】"]
    lines += [f"{fact['label']}：{fact['value']}" for fact in card["facts"]]
    rows = ["  ".join(cell for cell in row if cell) for row in card["rows"]]
    lines += [f"{number}. {row}" for number, row in enumerate(rows, 1)] if has_bars(card) else rows
    return [*lines, card["note"], card.get("code", "")]


def hint(choices: Sequence[MessageJson]) -> str:
    """The quick replies in words."""
    says = "、".join(dict.fromkeys(choice["say"] for choice in choices))
    return f"\n（可以回复：{says}）" if says else ""


def _lost_offers(messages: Sequence[MessageJson]) -> dict[int, str]:
    """Hints for choices that another message follows at once, by seq: only the newest message shows its own.

    What was offered before the customer spoke again was another question.
    """
    found = {}
    for message, following in pairwise(messages):
        same = message["choices"] == following["choices"]
        if message["sender"] == following["sender"] == "bot" and not same:
            found[message["seq"]] = hint(message["choices"])
    return found


def cut(text: str, bytes_max: int) -> int:
    """How many characters fit, up to the end of a sentence; else up to a pause, else as many as fit. At least one."""
    fits = len(text.encode("utf-8", "replace")[:bytes_max].decode("utf-8", "ignore"))
    if fits >= len(text):
        return len(text)
    head = text[: max(fits, 1)]
    for borders in (ENDS, PAUSES):
        at = max(head.rfind(border) for border in borders)
        if at > 0:
            return at + 1
    return len(head)


def pieces(
    messages: Sequence[MessageJson], mark: Mark, *, count_max: int, last_words: str = ""
) -> list[Piece]:
    """What is said after `mark`, merged into the fewest texts of 2,048 bytes, at most `count_max` of them.

    `messages` are those of the log after `mark.seq`, rising; of the customer's own only what was heard is told.
    `last_words` end the newest message. When there is more than may be sent, the last text says so.
    """
    offers = _lost_offers(messages)
    parts = [
        _Part(message["seq"], shown(message) + offers.get(message["seq"], ""), message)
        for message in told(messages)
    ]
    if parts:
        parts[-1] = replace(parts[-1], text=parts[-1].text + last_words)
    end = messages[-1]["seq"] if messages else mark.seq
    found: list[Piece] = []
    while len(found) < count_max:
        piece = _next(parts, mark, TEXT_BYTES_MAX)
        if piece is None:
            break
        last = len(found) == count_max - 1 and piece.picture is None
        if last and _next(parts, piece.upto, TEXT_BYTES_MAX) is not None:
            short = _next(parts, mark, TEXT_BYTES_MAX - size(MORE))
            assert short is not None
            piece = Piece(short.text + MORE, short.upto)
        found.append(piece)
        mark = piece.upto
    if found and _next(parts, found[-1].upto, TEXT_BYTES_MAX) is None:
        found[-1] = replace(found[-1], upto=Mark(end))
    return found


def _next(parts: Sequence[_Part], mark: Mark, bytes_max: int) -> Piece | None:
    """The longest text that may come next, or the picture; None when nothing is left."""
    text, skip, upto = "", mark.chars, mark
    for part in parts:
        seq = part.seq
        if seq <= mark.seq:
            continue
        rest, start = part.text[skip:], skip
        skip = 0
        lead = SEPARATOR if text and rest.strip() else ""
        room = bytes_max - size(text) - size(lead)
        if not rest.strip():
            if part.pictured and not text:
                return Piece("", Mark(seq), part.message)
            upto = Mark(seq)
            continue
        if size(rest) <= room:
            text, upto = text + lead + rest.strip(), Mark(seq)
            if part.pictured:
                upto = Mark(seq - 1, ALL_CHARS)
                break
            continue
        taken = cut(rest, room) if room > 0 else 0
        if text and not (taken and rest[:taken].rstrip(PAUSES)[-1:] in set(ENDS) and rest[:taken].strip()):
            break  # no sentence of it fits beside what is there: it begins the next text
        text += lead + rest[:taken].strip()
        upto = Mark(upto.seq if upto.seq else mark.seq, start + taken)
        break
    return Piece(text, upto) if text else None
