"""Whatever an agent sees of a customer, through the running desk, is in the audit trail before they see it."""

from __future__ import annotations

import json

import pytest

from banking_core.audit import AuditQuery, AuditRecord, search
from banking_core.audit.verify import verify
from bot.conversation.views import Inbound
from tests.bot.running.conftest import Surface

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADDRESS = "203.0.113.9"


async def trail(surface: Surface, customer_id: str) -> list[AuditRecord]:
    async with surface.product.database.snapshot() as session:
        return list(reversed((await search(session, AuditQuery(customer_id=customer_id))).records))


async def test_every_look_of_an_agent_at_a_customer_is_in_the_trail(surface: Surface) -> None:
    product = surface.product
    customer = await surface.customer("欧阳建国", "13800000077")
    agent, other = await surface.agent(), await surface.agent("xiaoli")
    await product.hub.receive(Inbound(customer.conversation_id, "m1", "转人工"))
    customer_id = (await product.hub.status(customer.conversation_id)).customer_id
    assert customer_id is not None
    async with product.database.transaction() as session:
        number = await product.desk.create_ticket(
            session, customer.conversation_id, customer_id, "13800000077", "请回电"
        )
    one = f"/desk/api/conversations/{customer.conversation_id}"
    behind = {"Origin": surface.origin, "X-Forwarded-For": ADDRESS}
    for path, body in (("/claim", {}), ("/hand-back", {"note": ""})):
        if path == "/hand-back":
            assert (await surface.call("GET", one, by=agent, headers=behind)).status == 200
            assert (await surface.call("GET", f"{one}?after_seq=1", by=agent, headers=behind)).status == 200
            assert (await surface.call("GET", one, by=other, headers=behind)).status == 403
        answer = await surface.call("POST", one + path, by=agent, headers=behind, json=body)
        assert answer.status == 200, answer.text
    ticket = f"/desk/api/tickets/{number}"
    phone = await surface.call("POST", f"{ticket}/phone", by=agent, headers=behind, json={})
    assert json.loads(phone.text)["phone"] == "13800000077"
    done = await surface.call("POST", f"{ticket}/finish", by=agent, headers=behind, json={"note": "已回电"})
    assert done.status == 200
    by_agents = [record for record in await trail(surface, customer_id) if record.actor_kind == "agent"]
    assert [(record.action, record.allowed) for record in by_agents] == [
        ("conversation.claimed", True),
        ("conversation.read", True),
        ("conversation.read_on", True),
        ("conversation.read", False),
        ("conversation.handed_back", True),
        ("ticket.phone_read", True),
        ("ticket.finished", True),
    ]
    assert {record.address for record in by_agents} == {ADDRESS}
    assert len({record.correlation_id for record in by_agents}) == len(by_agents), "one per request"
    written = json.dumps([[record.before, record.after] for record in by_agents], ensure_ascii=False)
    assert "13800000077" not in written and "欧阳建国" not in written
    async with product.database.snapshot() as session:
        assert (await verify(session)).ok
