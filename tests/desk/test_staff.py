"""What helps an agent along, who may do it, and what is noted of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from banking_core.audit import AuditRecord
from desk.wording import packaged_wording

CLIENT_ID = "0e3f4d6a-1111-2222-3333-444455556666"
ONE = "/conversations/c1"


class Cards:
    """A bank with one customer."""

    async def card(self, _session: Any, customer_id: str) -> Mapping[str, Any]:
        """Masked."""
        assert customer_id == "customer-1"
        return {"name": "*伟", "phone": "138****0004", "accounts": [["活期账户", "尾号6789 · 正常"]]}

    async def reveal(self, _session: Any, customer_id: str, field: str) -> str:
        """Whole."""
        assert customer_id == "customer-1"
        return {"name": "张伟", "phone": "13800000004"}[field]


@dataclass
class Hit:
    """An entry that may answer."""

    question: str
    answer: str
    score: float


class Answers:
    """Knows about fees, and guesses about limits."""

    def find(self, text: str, limit: int = 3) -> list[Hit]:
        """Four entries."""
        scores = {"手续费": (0.5, 0.22, 0.2, 0.05), "限额": (0.19, 0.14, 0.1, 0.1)}
        found = next((found for word, found in scores.items() if word in text), ())
        return [Hit(f"问{n}", f"答{n}", score) for n, score in enumerate(found)][:limit]


async def audit(world: Any, *, subject: str = "c1") -> list[tuple[str, bool]]:
    async with world.db.snapshot() as session:
        rows = await session.scalars(
            select(AuditRecord).where(AuditRecord.object_id == subject).order_by(AuditRecord.id)
        )
        return [(row.action, row.allowed) for row in rows]


@pytest.fixture
def cards(world: Any) -> Cards:
    world.desk.cards = Cards()
    return world.desk.cards  # type: ignore[no-any-return]


async def claimed(world: Any, *said: str, **facts: Any) -> tuple[Any, Any]:
    """小王 has c1, 小李 sits beside."""
    world.hub.add("c1", *(said or ("转人工",)), **facts).customer_id = "customer-1"
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    assert (await wang.post(f"{ONE}/claim"))[0] == 200
    return wang, li


# --- the card --------------------------------------------------------------------------------------------------


async def test_the_card_is_masked_and_every_look_at_it_is_noted(world: Any, cards: Cards) -> None:
    wang, _li = await claimed(world)
    status, body = await wang.get(f"{ONE}/card")
    assert (status, body["card"]["name"], body["card"]["phone"]) == (200, "*伟", "138****0004")
    assert await wang.post(f"{ONE}/unmask", {"field": "name"}) == (200, {"field": "name", "value": "张伟"})
    assert (await wang.post(f"{ONE}/unmask", {"field": "phone"}))[1]["value"] == "13800000004"
    assert await audit(world) == [
        ("desk.card_viewed", True),
        ("desk.name_unmasked", True),
        ("desk.phone_unmasked", True),
    ]
    async with world.db.snapshot() as session:
        first = await session.scalar(select(AuditRecord).where(AuditRecord.action == "desk.card_viewed"))
    assert (first.customer_id, first.actor_kind) == ("customer-1", "agent")


async def test_before_the_claim_and_for_others_there_is_no_card_and_the_try_is_noted(
    world: Any, cards: Cards
) -> None:
    world.hub.add("c1", "转人工").customer_id = "customer-1"
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    assert (await wang.get(f"{ONE}/card"))[0] == 403
    await wang.post(f"{ONE}/claim")
    assert (await li.get(f"{ONE}/card"))[0] == 403
    assert (await li.post(f"{ONE}/unmask", {"field": "phone"}))[0] == 403
    assert [line for line in await audit(world) if not line[1]] == [
        ("desk.card_viewed", False),
        ("desk.card_viewed", False),
        ("desk.phone_unmasked", False),
    ]


@pytest.mark.parametrize("field", ["id_number", "card", "", None, ["name"]])
async def test_nothing_else_can_be_unmasked(world: Any, cards: Cards, field: Any) -> None:
    wang, _li = await claimed(world)
    assert (await wang.post(f"{ONE}/unmask", {"field": field}))[0] == 400


async def test_a_visitor_has_no_card(world: Any, cards: Cards) -> None:
    wang, _li = await claimed(world)
    world.hub.conversations["c1"].customer_id = None
    assert (await wang.get(f"{ONE}/card"))[0] == 404


# --- helping ---------------------------------------------------------------------------------------------------


async def test_the_three_best_answers_to_the_last_question_are_suggested(world: Any) -> None:
    object.__setattr__(world.deps, "answers", Answers())
    wang, li = await claimed(world, "转账手续费多少", "转人工", "在吗")
    status, body = await wang.get(f"{ONE}/suggestions")
    assert status == 200
    assert [(item["answer"], item["sure"]) for item in body["items"]] == [
        ("答0", 50),
        ("答1", 22),
        ("答2", 20),
    ]
    assert (await li.get(f"{ONE}/suggestions"))[0] == 403
    for text in ("不相干", "真的", "好"):
        world.hub.say("c1", "customer", "我", text)
    assert (await wang.get(f"{ONE}/suggestions"))[1] == {"items": []}


async def test_what_is_more_likely_wrong_than_right_is_not_suggested(world: Any) -> None:
    object.__setattr__(world.deps, "answers", Answers())
    wang, _li = await claimed(world, "限额是多少")
    assert (await wang.get(f"{ONE}/suggestions"))[1] == {"items": []}


async def test_a_note_is_seen_by_the_staff_and_is_no_message(world: Any) -> None:
    wang, li = await claimed(world)
    before = len(world.hub.conversations["c1"].messages)
    status, body = await wang.post(f"{ONE}/note", {"text": "客户耳背，说慢一点"})
    assert (status, body["notes"][0]["kind"], body["notes"][0]["author_name"]) == (200, "note", "小王")
    assert len(world.hub.conversations["c1"].messages) == before
    assert (await wang.get(ONE))[1]["notes"] == body["notes"]
    assert (await li.post(f"{ONE}/note", {"text": "我也写"}))[0] == 403
    assert (await wang.post(f"{ONE}/note", {"text": " "}))[0] == 400


async def test_a_value_is_proposed_to_the_customer_or_refused_with_the_reason(world: Any) -> None:
    wang, li = await claimed(world)
    body = {"slot": "amount", "text": "500", "client_id": CLIENT_ID}
    status, answer = await wang.post(f"{ONE}/propose", body)
    assert (status, answer["message"]["client_id"]) == (200, CLIENT_ID)
    status, answer = await wang.post(f"{ONE}/propose", body | {"text": "不行"})
    assert (status, answer["error"]["text"]) == (409, "金额要大于零，请再说一个金额。")
    assert (await li.post(f"{ONE}/propose", body))[0] == 403
    assert (await wang.post(f"{ONE}/propose", body | {"slot": ""}))[0] == 400


async def test_there_is_no_way_to_confirm_for_the_customer(world: Any) -> None:
    """All that may be done with a conversation: none of it takes, confirms or proves anything for the customer."""
    [desk_app] = world.server.app._subapps
    one = "/desk/api/conversations/{conversation_id}/"
    acts = {
        route.resource.canonical.removeprefix(one)
        for route in desk_app.router.routes()
        if route.method not in ("GET", "HEAD") and route.resource.canonical.startswith(one)
    }
    assert acts == {
        *("claim", "pass", "take-over", "transfer", "hand-back", "close"),
        *("say", "typing", "note", "whisper", "propose", "unmask", "vouch"),
    }


async def test_who_is_certified_vouches_for_what_is_held_and_nobody_else(world: Any) -> None:
    wang, li = await claimed(world)
    world.hub.conversations["c1"].facts["held"] = True
    assert (await li.post(f"{ONE}/vouch", {"note": "核对了证件"}))[0] == 403
    assert (await wang.post(f"{ONE}/vouch", {"note": "  "}))[0] == 400
    async with world.db.transaction() as session:
        agent = await world.desk.agent_named(session, "xiaowang")
        agent.certifications = []
    status, answer = await wang.post(f"{ONE}/vouch", {"note": "核对了证件"})
    assert (status, answer["error"]["code"]) == (403, "not_to_be_settled")
    async with world.db.transaction() as session:
        agent = await world.desk.agent_named(session, "xiaowang")
        agent.certifications = ["anti_fraud"]
    assert (await wang.post(f"{ONE}/vouch", {"note": "核对了证件"}))[0] == 200
    status, answer = await wang.post(f"{ONE}/vouch", {"note": "核对了证件"})
    assert (status, answer["error"]["text"]) == (409, "现在没有等您核实的业务。")


async def test_what_wechat_still_lets_through_is_shown(world: Any) -> None:
    class Reach:
        async def left(self, session: Any, conversation_id: str) -> int | None:
            return 3 if conversation_id == "c1" else None

    object.__setattr__(world.deps, "reach", Reach())
    wang, _li = await claimed(world, channel="wechat")
    assert (await wang.get(ONE))[1]["facts"]["messages_left"] == 3


# --- passing on ------------------------------------------------------------------------------------------------


async def test_a_colleague_gets_the_customer_with_the_note(world: Any) -> None:
    wang, li = await claimed(world)
    [colleague] = [c for c in (await wang.get("/colleagues"))[1]["items"] if c["username"] == "xiaoli"]
    assert (colleague["can_take"], colleague["team"], colleague["load"]) == (True, "信贷组", 0)
    assert (await wang.post(f"{ONE}/transfer", {"agent": "xiaoli", "note": "要改手机号"}))[0] == 200
    assert (await wang.get(ONE))[0] == 403
    assert (await li.get(ONE))[1]["notes"][0]["text"] == "要改手机号"
    assert [item["conversation_id"] for item in (await li.get("/mine"))[1]["items"]] == ["c1"]


async def test_a_team_finds_the_customer_in_the_queue(world: Any) -> None:
    wang, li = await claimed(world)
    assert (await wang.post(f"{ONE}/transfer", {"team": "信贷组", "note": "问房贷"}))[0] == 200
    [line] = (await li.get("/queue"))[1]["items"]
    assert (line["team"], line["reason_text"]) == ("信贷组", "同事转来")
    status, answer = await wang.post(f"{ONE}/claim")
    assert (status, answer["error"]["code"]) == (409, "for_team")
    await li.post("/presence", {"state": "break"})
    assert (await wang.post(f"{ONE}/claim"))[0] == 200, "with nobody of the team there, whoever is may"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"agent": "xiaoli", "note": ""}, 400),
        ({"note": "给谁"}, 400),
        ({"agent": "xiaoli", "team": "信贷组", "note": "两个"}, 400),
        ({"agent": "nobody", "note": "x"}, 409),
        ({"agent": "xiaowang", "note": "给自己"}, 409),
        ({"agent": "shenji", "note": "审计不接客户"}, 409),
        ({"team": "综合组", "note": "只有我自己"}, 409),
        ({"team": "没有这组", "note": "x"}, 409),
    ],
)
async def test_where_nobody_can_take_them_the_customer_stays(
    world: Any, body: dict[str, str], status: int
) -> None:
    wang, _li = await claimed(world)
    assert (await wang.post(f"{ONE}/transfer", body))[0] == status
    assert world.hub.conversations["c1"].agent_name == "小王"


@pytest.mark.parametrize("state", ["break", "off"])
async def test_nobody_is_passed_to_who_is_away_or_full(world: Any, state: str) -> None:
    wang, li = await claimed(world)
    await li.post("/presence", {"state": state})
    assert (await wang.post(f"{ONE}/transfer", {"agent": "xiaoli", "note": "x"}))[0] == 409
    assert (await wang.post(f"{ONE}/transfer", {"team": "信贷组", "note": "x"}))[0] == 409
    await li.post("/presence", {"state": "on_duty"})
    for i in range(2, 7):
        world.hub.add(f"c{i}", "转人工")
        await li.post(f"/conversations/c{i}/claim")
    status, answer = await wang.post(f"{ONE}/transfer", {"agent": "xiaoli", "note": "x"})
    assert (status, "满" in answer["error"]["text"]) == (409, True)


async def test_the_wrong_agent_passes_nothing_on_and_the_try_is_noted(world: Any) -> None:
    wang, li = await claimed(world)
    assert (await li.post(f"{ONE}/transfer", {"agent": "zhuguan", "note": "x"}))[0] == 403
    assert ("conversation.transfer_asked", False) in await audit(world)
    assert (await wang.get(ONE))[0] == 200


# --- leading, and only looking ---------------------------------------------------------------------------------


async def test_a_supervisor_watches_whispers_and_takes_over(world: Any) -> None:
    wang, _li = await claimed(world, "我要投诉")
    chen = await world.seated("zhuguan")
    [served] = (await chen.get("/floor"))[1]["served"]
    assert (served["agent_name"], served["conversation_id"]) == ("小王", "c1")
    status, case = await chen.get(f"{ONE}/watch")
    assert (status, case["agent_name"], case["messages"][0]["text"]) == (200, "小王", "我要投诉")
    assert (await chen.post(f"{ONE}/whisper", {"text": "先道歉"}))[0] == 200
    assert [(n["kind"], n["text"]) for n in (await wang.get(ONE))[1]["notes"]] == [("whisper", "先道歉")]
    assert all("道歉" not in message["text"] for message in world.hub.conversations["c1"].messages)
    assert (await chen.post(f"{ONE}/say", {"client_id": CLIENT_ID, "text": "我来说"}))[0] == 403, "not yet"
    assert (await chen.post(f"{ONE}/take-over"))[0] == 200
    assert (await wang.get(ONE))[0] == 403
    assert (await chen.post(f"{ONE}/say", {"client_id": CLIENT_ID, "text": "您好"}))[0] == 200
    assert ("conversation.watched", True) in await audit(world)


async def test_an_agent_neither_watches_nor_whispers_nor_takes_over(world: Any) -> None:
    _wang, li = await claimed(world, "我的秘密")
    for status, answer in (
        await li.get("/floor"),
        await li.get(f"{ONE}/watch"),
        await li.post(f"{ONE}/whisper", {"text": "x"}),
        await li.post(f"{ONE}/take-over"),
    ):
        assert (status, answer["error"]["code"]) == (403, "not_allowed")
        assert "秘密" not in str(answer)
    assert ("conversation.watched", False) in await audit(world)
    assert world.hub.conversations["c1"].agent_name == "小王"


async def test_an_auditor_looks_and_every_act_is_refused(world: Any) -> None:
    wang, _li = await claimed(world, "我要投诉")
    auditor = await world.seated("shenji")
    assert (await auditor.get("/me"))[1]["agent"]["presence"] == "off"
    assert (await auditor.get(f"{ONE}/watch"))[1]["messages"][0]["text"] == "我要投诉"
    assert (await auditor.get("/floor"))[0] == 200
    assert (await auditor.get(f"{ONE}/card"))[0] == 403
    [desk_app] = world.server.app._subapps
    paths = sorted({r.resource.canonical for r in desk_app.router.routes() if r.method == "POST"})
    open_to_all = {
        f"/desk/api/{act}" for act in ("login", "logout", "lock", "unlock", "active")
    }  # one's own seat
    assert open_to_all < set(paths)
    for path in paths:
        if path in open_to_all:
            continue
        tried = path.removeprefix("/desk/api").format(
            conversation_id="c1", number="GD20261015000001", reply_id="x"
        )
        status, answer = await auditor.post(tried, {"state": "on_duty"})
        assert (status, answer["error"]["code"]) == (403, "read_only"), path
    assert (await auditor.get("/me"))[1]["agent"]["presence"] == "off"
    assert (await wang.get(ONE))[0] == 200


async def test_a_service_is_closed_with_what_it_was_about(world: Any) -> None:
    wang, _li = await claimed(world)
    codes = [row["code"] for row in (await wang.get("/me"))[1]["wrap_ups"]]
    assert codes == list(packaged_wording().wrap_ups)
    for wrong in ({}, {"wrap_up": ""}, {"wrap_up": "nothing"}, {"wrap_up": ["done"]}):
        assert (await wang.post(f"{ONE}/close", wrong))[0] == 400
    assert world.hub.conversations["c1"].owner == "agent"
    assert (await wang.post(f"{ONE}/close", {"wrap_up": "done"}))[0] == 200
    assert world.hub.conversations["c1"].wrap_up == "done"


async def test_handing_back_leaves_a_summary_for_the_next_and_words_for_the_customer(world: Any) -> None:
    wang, _li = await claimed(world)
    body = {"note": "已核实", "summary": "客户只差金额"}
    assert (await wang.post(f"{ONE}/hand-back", body))[0] == 200
    assert world.hub.notes_to_customers == [("c1", "已核实")]
    assert [n["kind"] for n in world.hub.conversations["c1"].staff_notes] == ["summary"]
