"""A person gets a copy of everything, and is forgotten: except in the books and in the record that it was done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ForeignKey, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import AuditQuery, search
from banking_core.audit.verify import verify
from banking_core.bank import Bank, build_bank
from banking_core.cards.models import Card
from banking_core.clock import ManualClock
from banking_core.complaints import Complaint, ComplaintEntry
from banking_core.customers import Customer, CustomerNotFound
from banking_core.customers.id_numbers import complete_id_number
from banking_core.identity.models import (
    BankSession,
    Device,
    KnownPlace,
    LoginAttempt,
    OtpChallenge,
    Recovery,
    RecoveryCode,
    SecurityEvent,
    TotpCredential,
)
from banking_core.interest.models import InterestPeriod
from banking_core.ledger import EntryDraft, InternalAccount
from banking_core.living.models import BillPayment, BillSubscription
from banking_core.mandates.models import MandateRun
from banking_core.notices.models import Notice
from banking_core.orders.models import Order
from banking_core.privacy.holding import readable
from banking_core.privacy.rights import EraseRefused, erase_person, export_person
from banking_core.restrictions import Restriction
from banking_core.risk.models import RiskDecision, RiskProfile, RiskSighting
from banking_core.settings import BankSettings
from banking_core.statements.models import MonthlyStatement
from banking_core.storage import Base, Database
from banking_core.vault import sealed_attributes
from banking_core.vault.rotation import sealed_models
from banking_core.voiceprints import Explanation
from banking_core.voiceprints.models import (
    VoiceAttempt,
    VoiceConsent,
    VoiceEnrolment,
    Voiceprint,
    VoicePrompt,
)
from bot.channels.web.models import WebVisit
from bot.channels.wechat.models import WechatAlert, WechatContact, WechatReceived, WechatVisit
from bot.cli.customers import HOLDINGS, OBSTACLES
from bot.conversation.models import AgentService, Conversation, CustomerPicture, Message, SideNote
from desk.models import Case, Ticket
from migrations.model_modules import load_metadata
from tests.banking_core.mandates.agreeing import Agreeing
from tests.banking_core.people import OPENED_ON

PHONE, NAME, ID_NUMBER = "13800000004", "张伟", complete_id_number("11010119900307004")
DAY = date(2026, 11, 2)
# Words that nobody but this customer has said or is known by; masked forms in the audit trail do not hold them.
PERSONAL = (
    *(ID_NUMBER, PHONE, "司马明月", "房东太太", "6222020200112233445", "8800776655", "浦东新区**路**号6栋"),
    *("我想还清我妈的房贷", "欧阳的回电", "我的小手机", "203.0.113.7", "小王很耐心", "您的约定付款办好了"),
    *("她儿子也来过电话", "王先生说话慢"),
)
# What was made of a voice is opened to be compared and told to nobody.
VOICE = ("eHh0ZW1wbGF0ZQ==", "eHhzYW1wbGU=", "eHhmaW5nZXJwcmludA==", "eHhhdWRpbw==", "31415926")


@dataclass
class Life:
    """A customer about whom every table holds something."""

    bank: Bank
    database: Database
    agreeing: Agreeing
    id: str

    async def export(self, customer_id: str = "") -> dict[str, Any]:
        async with self.database.transaction() as session:
            return await export_person(session, self.bank, customer_id or self.id, HOLDINGS)

    async def erase(self) -> dict[str, int]:
        async with self.database.transaction() as session:
            return await erase_person(session, self.bank, self.id, HOLDINGS, OBSTACLES)

    async def reasons(self) -> str:
        with pytest.raises(EraseRefused) as refused:
            await self.erase()
        assert all(reason in refused.value.customer_text for reason in refused.value.reasons)
        return "；".join(refused.value.reasons)

    async def spend_everything(self) -> None:
        async with self.database.transaction() as session:
            account = self.agreeing.paying.payer.account
            balance = await self.bank.accounts.balance(session, account)
            outside = await self.bank.ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
            await self.bank.ledger.post(
                session,
                key=f"out:{balance.balance_fen}",
                kind="withdrawal",
                entries=[
                    EntryDraft(account.ledger_account_id, -balance.balance_fen, "本人", "other", "销户取款"),
                    EntryDraft(outside, balance.balance_fen, "现金", "other", "销户取款"),
                ],
                memo="closing",
            )


def rows(bank: Bank, agreeing: Agreeing, order_id: str) -> list[Any]:
    """One row for each table that the steps of `life` do not fill; parents before children."""
    now, customer_id, account = bank.clock.now(), agreeing.payer_id, agreeing.paying.payer.account
    own: dict[str, Any] = {"customer_id": customer_id}
    return [
        Card(
            **own,
            account_id=account.id,
            number=account.number,
            kind="debit",
            name="掌柜借记卡",
            issued_on=OPENED_ON,
            expires_on=DAY,
            created_at=now,
        ),
        BillSubscription(
            **own,
            biller="water",
            provider_name="浦东自来水",
            account_no="8800776655",
            address="浦东新区**路**号6栋",
            created_at=now,
        ),
        BillPayment(**own, order_number="ZG1", bill_id="b1", status="settled", created_at=now),
        Notice(
            **own,
            id="n" * 32,
            key="n",
            kind="x",
            text="您的约定付款办好了",
            urgent=False,
            created_at=now,
            next_try_at=now,
        ),
        OtpChallenge(
            **own,
            phone_key="k",
            purpose="login",
            code_hmac="h",
            tries_left=3,
            sent_at=now,
            expires_at=now,
        ),
        TotpCredential(**own, status="active", secret="00ff", created_at=now),
        RecoveryCode(**own, code_hash="h"),
        device := Device(**own, id="d" * 32, key="k", name="我的小手机", first_seen_at=now, last_seen_at=now),
        BankSession(
            **own,
            id="s" * 32,
            device_id=device.id,
            token_hash="h",
            channel="web",
            created_at=now,
            seen_at=now,
            expires_at=now,
        ),
        SecurityEvent(**own, id="e" * 32, kind="login_ok", address="203.0.113.7", detail={}, at=now),
        RiskProfile(**own, token="t", data={"hours": [1]}, updated_at=now),
        RiskSighting(**own, kind="device", key="k", last_at=now),
        RiskDecision(
            **own,
            subject="order",
            phase="draft",
            order_id=order_id,
            kind="transfer",
            channel="web",
            verdict="allow",
            factors=[],
            rules_version=1,
            model_version="1",
            rules=[],
            shadow=[],
            reasons=[],
            features_hash="h",
            at=now,
        ),
        MonthlyStatement(
            number="YJ1",
            account_id=account.id,
            month=OPENED_ON,
            opening_fen=0,
            in_fen=0,
            out_fen=0,
            closing_fen=0,
            entry_count=0,
            entries_hash="h",
            issued_at=now,
        ),
        InterestPeriod(
            account_id=account.id,
            ends_on=DAY,
            starts_on=OPENED_ON,
            through=DAY,
            yuan_days=0,
            rate_ppm=0,
            accrued_fen=0,
            opening_remainder=0,
            remainder=0,
            closed_at=now,
        ),
        Conversation(
            **own,
            id="c" * 32,
            channel="web",
            state={"stack": ["欧阳的回电"]},
            rating_comment="小王很耐心",
            created_at=now,
            updated_at=now,
        ),
        Message(
            conversation_id="c" * 32,
            seq=1,
            sender="customer",
            sender_name="我",
            text="我想还清我妈的房贷",
            card=None,
            choices=[],
            created_at=now,
        ),
        SideNote(
            conversation_id="c" * 32,
            after_seq=1,
            kind="note",
            author_id="a" * 32,
            author_name="小王",
            text="她儿子也来过电话",
            created_at=now,
        ),
        AgentService(
            conversation_id="c" * 32,
            agent_id="a" * 32,
            agent_name="小王",
            reason="asked",
            began_at=now,
            ended_at=now,
            ended_how="closed",
            score=5,
            comment="王先生说话慢",
            rated_at=now,
        ),
        Case(
            **own,
            conversation_id="c" * 32,
            channel="web",
            reason="asked",
            level="standard",
            matter="",
            language="zh",
            certification="",
            priority=50,
            queued_at=now,
            first_reply_due_at=now,
            resolution_due_at=now,
            ended_at=now,
            outcome="closed",
            replies=0,
            late_replies=0,
            passed_by=[],
        ),
        complaint := Complaint(
            **own,
            id="p" * 32,
            number="TS1",
            key="k",
            conversation_id="c" * 32,
            channel="web",
            category="staff",
            content="欧阳说窗口态度差",
            status="closed",
            round=1,
            filed_at=now,
            ack_due_at=now,
            answer_due_at=now,
            answer="已向欧阳道歉",
        ),
        ComplaintEntry(
            complaint_id=complaint.id, number=1, at=now, kind="noted", by_name="小王", text="欧阳来过两次"
        ),
        Ticket(
            **own,
            number="GD1",
            conversation_id="c" * 32,
            phone=PHONE,
            content="欧阳的回电",
            status="done",
            created_at=now,
            promised_at=now,
        ),
        WebVisit(session_id="s" * 32, conversation_id="c" * 32),
        CustomerPicture(
            id="p", conversation_id="c" * 32, kind="image/png", content="aGVsbG8=", created_at=now
        ),
        contact := WechatContact(
            **own,
            id="w" * 32,
            openid="oDF3iYx0ro3_7jD4HFRDfrjdCM58",
            conversation_id="c" * 32,
            bound_at=now,
            following=True,
            delivered_seq=0,
            delivered_chars=0,
            quota_left=0,
            quota_until=now,
            tries=0,
            alerted_seq=0,
            created_at=now,
            seen_at=now,
        ),
        WechatReceived(id="k", contact_id=contact.id, status="open", received_at=now),
        WechatVisit(session_id="s" * 32, contact_id=contact.id),
        WechatAlert(notice_id="n" * 32, claimed_at=now),
        LoginAttempt(
            **own,
            tier="low",
            reasons=["new_device"],
            needs=["otp"],
            proofs=[],
            status="open",
            created_at=now,
            expires_at=now,
        ),
        Recovery(**own, guard_key="g", challenge_id="x", status="open", created_at=now, expires_at=now),
        KnownPlace(**own, key="k", last_seen_at=now),
        VoiceConsent(**own, version=1, channel="phone", given_at=now),
        Voiceprint(**own, encoder="e", template="eHh0ZW1wbGF0ZQ==", enrolled_at=now),
        VoiceEnrolment(**own, encoder="e", samples=["eHhzYW1wbGU="], tries_left=3, expires_at=now),
        VoicePrompt(
            **own,
            owner_key="o",
            purpose="enrol",
            digits="31415926",
            digits_key="d",
            made_at=now,
            expires_at=now,
        ),
        VoiceAttempt(
            **own,
            prompt_id="p",
            purpose="enrol",
            channel="phone",
            outcome="enrolled",
            fingerprint="eHhmaW5nZXJwcmludA==",
            audio="eHhhdWRpbw==",
            at=now,
        ),
        Restriction(**own, kind="low_limits", reason="password recovery", since=now, until=now),
    ]


@pytest.fixture
async def life(bank: Bank, database: Database, clock: ManualClock) -> Life:
    agreeing = await Agreeing.open(bank, database, clock)
    mandate = await agreeing.agree()
    await agreeing.change(mandate, "cancel")
    order = await agreeing.paying.draft()
    await agreeing.paying.confirm(order)
    await agreeing.paying.execute(order)
    async with database.transaction() as session:
        for row in rows(bank, agreeing, order.id):
            session.add(row)
            await session.flush()
        session.add(
            MandateRun(mandate_id=mandate.id, due_on=DAY, attempt=0, outcome="skipped", at=bank.clock.now())
        )
        await bank.payees.add(
            session,
            customer_id=agreeing.payer_id,
            name="司马明月",
            nickname="房东太太",
            account_number="6222020200112233445",
            bank_code="ICBC",
        )
        await bank.identity.passwords.set(session, agreeing.payer_id, "Sunny-Day-2031!")
        await bank.locks.lock(session, agreeing.payer_id, "all")
        await bank.receive_codes.fixed(session, agreeing.payer_id, agreeing.paying.payer.account.id)
    return Life(bank, database, agreeing, agreeing.payer_id)


def test_every_table_about_customers_is_described() -> None:
    """Whoever adds a table that leads to a customer says how it is told and what becomes of it."""
    tables = load_metadata().tables
    about = {name for name, table in tables.items() if "customer_id" in table.c} | {"customer"}
    about |= {str(model.__tablename__) for model in sealed_models()}
    while True:
        found = {
            name
            for name, table in tables.items()
            for key in table.foreign_keys
            if isinstance(key, ForeignKey) and key.column.table.name in about
        }
        if found <= about:
            break
        about |= found
    assert about - {holding.table for holding in HOLDINGS} == set()
    assert len({holding.table for holding in HOLDINGS}) == len({holding.title for holding in HOLDINGS})
    assert {holding.table for holding in HOLDINGS} - about == {"ledger_entry"}


async def test_the_copy_holds_everything_in_chinese_and_no_secret(life: Life) -> None:
    copy = await life.export()
    sections = {title: found for title, found in copy.items() if isinstance(found, list)}
    assert [title for title, found in sections.items() if not found] == []
    assert sections["基本资料"][0]["姓名"] == NAME
    assert sections["账户"][0]["账号"] == life.agreeing.paying.payer.account.number
    assert {row["状态"] for row in sections["业务"]} == {"已完成"}
    assert sections["业务"][-1]["金额"] == "¥100.00"
    assert sections["交易明细"][-1]["金额（正数为收入）"] == "-¥100.00"
    whole = json.dumps(copy, ensure_ascii=False)
    assert [words for words in PERSONAL if words not in whole and words != "欧阳的回电"] == []
    assert "欧阳的回电" in whole and not any(made in whole for made in VOICE)
    async with life.database.snapshot() as session:
        secrets = await session.scalars(text("SELECT password_hash FROM password_credential"))
        assert all(secret not in whole for secret in secrets)
        page = await search(session, AuditQuery(customer_id=life.id, action="customer.exported"))
    assert "00ff" not in whole and "_" not in "".join(copy)
    assert len(page.records) == 1 and PHONE not in str(page.records[0].after)


async def test_the_copy_tells_of_recordings_that_are_kept_and_until_when_but_not_what_they_hold(
    life: Life, clock: ManualClock, settings: BankSettings
) -> None:
    made_at = clock.now()
    async with life.database.transaction() as session:
        await life.bank.voiceprints.agree(session, life.id, shown=Explanation(1, 30))
        kept = (await session.scalars(select(VoiceAttempt))).one()
        kept.at = made_at
        copy = await export_person(session, build_bank(_keeping(settings, 60), clock), life.id, HOLDINGS)
    assert copy["保存的录音"]["数量"] == 1
    [told] = copy["保存的录音"]["明细"]
    assert told["录音时间"] == readable(made_at)
    assert told["保存到"] == readable(made_at + timedelta(days=30)), "as it was shown to the customer"
    assert not any(made in json.dumps(copy, ensure_ascii=False) for made in VOICE)
    clock.advance(seconds=31 * 86400)
    assert (await life.export())["保存的录音"]["明细"][0]["保存到"] == "已经到期，马上删除"
    async with life.database.transaction() as session:
        await life.bank.voiceprints.clear(session)
    assert (await life.export())["保存的录音"] == {"数量": 0, "明细": []}


def _keeping(settings: BankSettings, days: int) -> BankSettings:
    return replace(settings, voice_audio_days=days)


async def test_the_copy_of_somebody_else_holds_nothing_of_it(life: Life) -> None:
    copy = await life.export(life.agreeing.paying.payee.id)
    whole = json.dumps(copy, ensure_ascii=False)
    assert [words for words in PERSONAL if words in whole] == []
    assert copy["聊天记录"] == [] and copy["基本资料"][0]["姓名"] == "张三"


async def test_money_and_everything_else_that_is_open_keeps_a_customer_from_being_erased(
    life: Life, clock: ManualClock
) -> None:
    assert "余额" in await life.reasons()
    await life.spend_everything()
    order = await life.agreeing.paying.draft({"scope": "all"}, kind="security_lock")
    async with life.database.transaction() as session:
        conversation = await session.get_one(Conversation, "c" * 32)
        conversation.owner, conversation.queued_at = "queue", clock.now()
        ticket = await session.scalar(select(Ticket))
        period = await session.scalar(select(InterestPeriod))
        assert ticket is not None and period is not None
        ticket.status = "open"
        period.accrued_fen, period.closed_at = 5, None
        await session.execute(text("UPDATE mandate SET status = 'paused'"))
    reasons = await life.reasons()
    for words in ("1笔业务没有办完", "1个约定付款", "利息", "人工服务还没有结束", "工单GD1"):
        assert words in reasons
    assert "余额" not in reasons
    async with life.database.snapshot() as session:
        assert (await session.get_one(Customer, life.id)).name == NAME, "a refusal changes nothing"
        assert (await session.get_one(Order, order.id)).facts


async def opened(session: AsyncSession) -> str:
    """Every sealed value of the database in the clear, and every other cell but the ledger's."""
    cells: list[str] = []
    for model in sealed_models():
        for row in (await session.scalars(select(model))).all():
            cells += (str(getattr(row, attribute.name)) for attribute in sealed_attributes(model))
    for table in Base.metadata.sorted_tables:
        if not table.name.startswith("ledger_"):
            cells += (str(tuple(row)) for row in await session.execute(select(table)))
    return "\n".join(cells)


async def test_afterwards_nothing_personal_is_left_even_with_the_keys(life: Life) -> None:
    async with life.database.snapshot() as session:
        before = await opened(session)
    assert [words for words in (*PERSONAL, *VOICE) if words not in before] == []
    number = life.agreeing.paying.payer.account.number
    await life.spend_everything()
    done = await life.erase()
    assert {"customer", "message", "payee", "security_event", "bank_order"} <= done.keys()
    async with life.database.snapshot() as session:
        after = await opened(session)
        # The other party's own records still say who paid them: they are the other party's.
        assert [words for words in (*PERSONAL, *VOICE, number) if words in after] == []
        assert await life.bank.customers.by_phone(session, PHONE) is None
        assert await life.bank.accounts.by_number(session, number) is None
        ledger = await life.bank.ledger.verify(session)
        assert ledger.ok and ledger.entry_count > 0
        assert (await verify(session)).ok
        page = await search(session, AuditQuery(customer_id=life.id, action="customer."))
    assert [record.action for record in page.records] == ["customer.erased", "customer.registered"]
    assert page.records[0].after == {"rows": done}
    async with life.database.transaction() as session:
        again = await life.bank.customers.create(session, phone=PHONE, name=NAME, id_number=ID_NUMBER)
        assert again.id != life.id
        assert await life.bank.payees.list(session, again.id) == []


async def test_two_can_be_erased_and_nobody_twice(life: Life) -> None:
    await life.spend_everything()
    await life.erase()
    other = life.agreeing.paying.payee
    life.agreeing.paying.payer, first = other, life.id
    life.id = other.id
    await life.spend_everything()
    await life.erase()
    async with life.database.transaction() as session:
        erased: Sequence[Customer] = (await session.scalars(select(Customer))).all()
        assert {customer.status for customer in erased} == {"closed"}
        with pytest.raises(CustomerNotFound):
            await erase_person(session, life.bank, "nobody", HOLDINGS, OBSTACLES)
        assert {first, other.id} == {customer.id for customer in erased}


async def test_records_that_the_law_wants_kept_are_kept_until_then(
    settings: BankSettings, database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    terms = tmp_path / "terms.yml"
    terms.write_text("accounts:\n  records_keep_years: 10\n", encoding="utf-8")
    bank = build_bank(replace(settings, terms_path=terms), clock)
    await bank.start(database)
    agreeing = await Agreeing.open(bank, database, clock)
    life = Life(bank, database, agreeing, agreeing.payer_id)
    await life.spend_everything()
    assert await life.reasons() == "按规定资料要保存到2036-11-02"
    clock.advance(seconds=3654 * 86_400)
    assert "customer" in await life.erase()
    await bank.close()
