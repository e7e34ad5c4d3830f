"""Complaints: filed in the chat under a number, asked about, and judged once they are answered."""

from __future__ import annotations

from actions.services import bank_of, customer_of, refusals, services_of
from banking_core.complaints import STATUS_TEXT, Complaint
from banking_core.days import moment_words
from bot.dialogue.commands import plain
from bot.dialogue.reading.types import Reading
from bot.dialogue.reasons import Reason
from bot.dialogue.reply import Card, Choice, Fact, Reply, choices
from bot.dialogue.skill import Accepted, Done, HandOver, Manner, Skill, Turn
from bot.dialogue.slots import ChoiceSlot, TextSlot
from bot.dialogue.state import Frame

TELLING_CHARS_MIN = 12  # a sentence of so many characters already says what happened
SHOWN_MAX = 3
SCORES = {"happy": 5, "fair": 3, "unhappy": 1}
JUDGE = (
    Choice("满意", "我对投诉处理结果满意"),
    Choice("不满意，要复核", "我对投诉处理结果不满意"),
)


class WhatHappenedSlot(TextSlot):
    """What happened, in the customer's words; a sentence that began with the story is not asked for again."""

    length_max = 500

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """The sentence itself when it tells something."""
        words = plain(turn.text)
        if turn.heard.intent != "complaint_file" or len(words) < TELLING_CHARS_MIN:
            return None
        return Accepted(turn.text.strip()[: self.length_max], turn.text.strip()[: self.length_max])


class ComplaintFileSkill(Skill):
    """投诉."""

    intent = "complaint_file"
    title = "投诉"
    manner = Manner(example="我要投诉")
    slots = (
        WhatHappenedSlot(
            "content",
            "经过",
            question="很抱歉让您不愉快。请把时间、地点和经过告诉我，我马上登记，给您编号。",
        ),
    )

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """Files it; whoever is at the desk takes the customer over at once."""
        bank = bank_of(turn)
        with refusals(invalid_input="content"):
            complaint = await bank.complaints.file(
                turn.session,
                customer_id=customer_of(turn),
                conversation_id=turn.conversation_id,
                channel=turn.channel,
                content=frame.values["content"],
                key=frame.frame_id,
            )
        facts = (
            Fact("投诉编号", complaint.number),
            Fact("类别", bank.complaints.rules.categories[complaint.category].words),
            Fact("联系您", f"{moment_words(complaint.ack_due_at, turn.now)}前"),
            Fact("答复", f"{moment_words(complaint.answer_due_at, turn.now)}前"),
        )
        text = f"投诉已经登记，编号{complaint.number}。问进度说“投诉进度”就行。"
        card = Card(kind="ticket", title="投诉受理", facts=facts)
        if await services_of(turn).tickets.on_duty_count(turn.session) == 0:
            return Done(Reply(text, card, choices=choices("投诉进度")))
        return Done(Reply(text, card), effects=(HandOver(Reason.COMPLAINT),))


class ComplaintStatusSkill(Skill):
    """投诉进度."""

    intent = "complaint_status"
    title = "投诉进度"
    manner = Manner(example="投诉进度")
    slots = ()

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """The newest ones, with the answer of the first."""
        bank = bank_of(turn)
        found = await bank.complaints.of_customer(turn.session, customer_of(turn), limit=SHOWN_MAX)
        if not found:
            return Done(Reply("没有查到您提交的投诉。要投诉请直接告诉我经过。", choices=choices("我要投诉")))
        newest = found[0]
        rows = tuple(
            Fact(row.number, f"{STATUS_TEXT[row.status]}{'（复核）' if row.round > 1 else ''}")
            for row in found
        )
        card = Card(kind="ticket", title="投诉进度", facts=rows)
        offers = JUDGE if newest.status == "answered" else ()
        return Done(Reply(_told(newest, turn), card, choices=offers))


class JudgementSlot(ChoiceSlot):
    """不满意 before 满意, which it holds."""

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """The first option that is named."""
        for value, label, aliases in self.options:
            word = next((word for word in (*aliases, label) if word in turn.text), None)
            if word is not None:
                return [Reading(value, 0, len(turn.text), word)]
        return []


class WhySlot(TextSlot):
    """What is wrong with the answer; asked only of who is unhappy."""

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """Nothing for who is content."""
        return None if frame.values.get("score") == "unhappy" else Accepted("", "")


class ComplaintFeedbackSkill(Skill):
    """投诉评价: an unhappy customer gets a second look by somebody else."""

    intent = "complaint_feedback"
    title = "投诉评价"
    manner = Manner(example="评价投诉处理")
    slots = (
        JudgementSlot(
            "score",
            "评价",
            question="您对投诉的处理结果满意吗？",
            options=(
                (
                    "unhappy",
                    "不满意",
                    ("不太满意", "很不满意", "不行", "复核", "不认可", "不服", "差评", "重新处理"),
                ),
                ("fair", "一般", ("还行", "凑合", "马马虎虎", "基本满意")),
                ("happy", "满意", ("很满意", "非常满意", "挺好", "好评")),
            ),
        ),
        WhySlot("why", "原因", question="哪里没有解决？我记下来，换一位同事复核。"),
    )

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """Keeps the judgement."""
        bank = bank_of(turn)
        with refusals():
            complaint = await bank.complaints.judge(
                turn.session, customer_of(turn), SCORES[frame.values["score"]], frame.values["why"]
            )
        if complaint.status == "closed" and frame.values["score"] != "unhappy":
            return Done(Reply(f"谢谢您的评价，投诉{complaint.number}已办结。"))
        if complaint.status == "closed":
            hotline = bank.terms.text("service.regulator_hotline")
            text = (
                f"已经记下。投诉{complaint.number}复核过一次，不再重复；仍不满意可以拨打监管热线{hotline}。"
            )
            return Done(Reply(text, choices=choices("转人工")))
        due = moment_words(complaint.answer_due_at, turn.now)
        return Done(Reply(f"已经安排另一位同事复核，投诉编号不变（{complaint.number}），{due}前答复您。"))


def _told(complaint: Complaint, turn: Turn) -> str:
    """Where it stands, in one sentence."""
    due = moment_words(complaint.answer_due_at, turn.now)
    if complaint.status == "filed":
        return f"投诉{complaint.number}正在等同事受理，{due}前答复您。"
    if complaint.status == "working":
        return f"投诉{complaint.number}由{complaint.assignee_name}处理，{due}前答复您。"
    return f"投诉{complaint.number}{STATUS_TEXT[complaint.status]}：{complaint.answer}"
