"""JSON as the page reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from banking_core.configuration.rules import ServiceRules
from banking_core.money_text import mask_phone
from desk.canned import Reply
from desk.colleagues import Colleague
from desk.logins import Seat
from desk.placeholders import with_agent
from desk.ports import Message, QueueLine, ServedLine
from desk.presences import PRESENCE_TEXT, Doing
from desk.reasons import reason_text
from desk.roles import RIGHTS
from desk.tickets import TicketView

LEVEL_TEXT = {"standard": "普通客户", "gold": "金卡客户", "vip": "贵宾客户"}
CHANNEL_TEXT = {
    "web": "网页聊天",
    "wechat": "微信公众号",
    "phone": "电话",
    "voice": "电话",
    "api": "开放接口",
}
STRANGER = "未登录访客"
TALKERS = ("customer", "agent")  # whose last words tell where a service stands
LAST_TEXT_CHARS_MAX = 60


def seat_view(seat: Seat, doing: Doing, rules: ServiceRules) -> dict[str, Any]:
    """Who sits here, and what they do since when. `certifies`: they may say that a customer is who they claim to be."""
    needed = rules.identity_certification
    return {
        "username": seat.username,
        "display_name": seat.display_name,
        "max_load": seat.max_load,
        "presence": doing.state,
        "presence_text": PRESENCE_TEXT[doing.state],
        "presence_since": doing.since.isoformat() if doing.since else None,
        "break_reason": doing.reason,
        "role": seat.role,
        "role_text": seat.rights.title,
        "team": seat.team,
        "acts": seat.rights.acts,
        "sees_all": seat.rights.sees_all,
        "leads": seat.rights.leads,
        "shares": seat.rights.shares,
        "audits": seat.rights.audits,
        "certifies": seat.rights.leads or (seat.rights.acts and needed in seat.certifications),
        "certifies_text": rules.certifications[needed],
    }


def queue_line_view(line: QueueLine) -> dict[str, Any]:
    """The queue line every agent sees; `waited_s` is the server's, so that a wrong clock does not show."""
    return {
        "conversation_id": line.conversation_id,
        "reason": line.reason,
        "reason_text": reason_text(line.reason),
        "queued_at": line.queued_at.isoformat(),
        "waited_s": max(0, int(line.waited_s)),
        "customer_name": line.customer_name_masked or STRANGER,
        "level": line.level,
        "level_text": LEVEL_TEXT.get(line.level, ""),
        "last_text": line.last_text,
        "team": line.team,
    }


def served_view(line: ServedLine) -> dict[str, Any]:
    """A customer whom somebody serves, as whoever leads sees it."""
    return {
        "conversation_id": line.conversation_id,
        "agent_name": line.agent_name,
        "customer_name": line.customer_name_masked or STRANGER,
        "level": line.level,
        "level_text": LEVEL_TEXT.get(line.level, ""),
        "last_text": line.last_text,
        "last_sender": line.last_sender,
        "updated_at": line.updated_at.isoformat(),
    }


def colleague_view(colleague: Colleague) -> dict[str, Any]:
    """Somebody a customer may be passed to."""
    return {
        "username": colleague.username,
        "display_name": colleague.display_name,
        "team": colleague.team,
        "role_text": RIGHTS[colleague.role].title,
        "on_duty": colleague.on_duty,
        "can_take": colleague.can_take,
        "load": colleague.load,
        "max_load": colleague.max_load,
    }


def canned_view(reply: Reply, seat: Seat) -> dict[str, Any]:
    """A reply ready to be used by this agent; placeholders other than their name are left to the conversation."""
    return {
        "id": reply.id,
        "shortcut": reply.shortcut,
        "text": with_agent(reply.text, seat.display_name),
        "scope": reply.scope.code,
    }


def kept_reply_view(reply: Reply) -> dict[str, Any]:
    """A reply as whoever keeps it sees it."""
    return {
        "id": reply.id,
        "shortcut": reply.shortcut,
        "text": reply.text,
        "scope": reply.scope.code,
        "retired": reply.retired,
    }


def message_view(message: Message) -> dict[str, Any]:
    """One message of the transcript. The hub may put its own words before the page's client id: they go."""
    client_id = message.get("client_id")
    return dict(message) | {"client_id": str(client_id).rpartition(":")[2] if client_id else None}


def held_view(conversation_id: str, facts: Mapping[str, Any], recent: Sequence[Message]) -> dict[str, Any]:
    """One of the agent's own conversations; of its `recent` messages what was said last, and since when they wait."""
    known = facts_view(facts)
    spoken = next((message for message in reversed(recent) if message["sender"] in TALKERS), {})
    return {
        "conversation_id": conversation_id,
        "customer_name": known["name"],
        "level": known["level"],
        "level_text": known["level_text"],
        "reason_text": known["reason_text"],
        "last_seq": recent[-1]["seq"] if recent else 0,
        "last_sender": spoken.get("sender", ""),
        "last_text": str(spoken.get("text") or "")[:LAST_TEXT_CHARS_MAX],
        "waiting_since": _waiting_since(recent),
    }


def facts_view(facts: Mapping[str, Any], messages_left: int | None = None) -> dict[str, Any]:
    """What is known of a conversation. Reads the keys

    channel, who {name (masked), phone (masked), level} or None, verified (str), skill (title or None), phase, held,
    slots [(label, value)], form [{name, label, shown, asking, question}], proposal {slot, label, shown} or None,
    topics (titles, newest first), order_number (or None), orders [{number, kind, status, facts, verdict, reasons,
    stopped}] (one that risk held up first, then the last), reason (a code) and waited_s (or None);
    a missing one shows as nothing known. `messages_left` is how many the channel still lets through, None: no limit.
    """
    who = facts.get("who") or {}
    level = str(who.get("level") or "")
    return {
        "channel": CHANNEL_TEXT.get(str(facts.get("channel") or ""), "其他渠道"),
        "name": who.get("name") or STRANGER,
        "known": bool(who),
        "phone": who.get("phone") or "",
        "level": level,
        "level_text": LEVEL_TEXT.get(level, ""),
        "verified": facts.get("verified") or "未登录",
        "skill": facts.get("skill") or "",
        "phase": facts.get("phase") or "",
        "held": bool(facts.get("held")),
        "slots": _pairs(facts.get("slots") or ()),
        "form": [dict(row) for row in facts.get("form") or ()],
        "proposal": facts.get("proposal"),
        "topics": [str(topic) for topic in facts.get("topics") or ()],
        "order_number": facts.get("order_number") or "",
        "orders": [_order(order) for order in facts.get("orders") or ()],
        "reason": str(facts.get("reason") or ""),
        "reason_text": reason_text(facts.get("reason")),
        "waited_s": facts.get("waited_s"),
        "messages_left": messages_left,
    }


def ticket_view(ticket: TicketView, agent_id: str) -> dict[str, Any]:
    """A ticket with the phone number masked, as this agent sees it."""
    return {
        "number": ticket.number,
        "phone": mask_phone(ticket.phone),
        "content": ticket.content,
        "status": ticket.status,
        "created_at": ticket.created_at.isoformat(),
        "promised_at": ticket.promised_at.isoformat(),
        "finished_at": ticket.finished_at.isoformat() if ticket.finished_at else None,
        "finished_by": ticket.finished_by_name or "",
        "answer": ticket.answer or "",
        "restricted": ticket.restricted,
        "kind": ticket.kind,
        "urgent": ticket.urgent,
        "taken_by": ticket.taken_by_name or "",
        "mine": ticket.taken_by == agent_id,
    }


def _waiting_since(recent: Sequence[Message]) -> str | None:
    """When the customer last spoke, unless the agent has answered since."""
    for message in reversed(recent):
        if message["sender"] == "agent":
            return None
        if message["sender"] == "customer":
            return str(message["created_at"])
    return None


def _order(order: Mapping[str, Any]) -> dict[str, Any]:
    return dict(order) | {"facts": _pairs(order["facts"]), "reasons": [str(r) for r in order["reasons"]]}


def _pairs(slots: Sequence[Any]) -> list[list[str]]:
    return [[str(label), str(value)] for label, value in slots]
