"""Everything the bank holds about a customer. In order: what refers to something else is erased before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.models import Account
from banking_core.audit import AuditRecord
from banking_core.bank import Bank
from banking_core.cards.models import Card
from banking_core.checked import checked_function
from banking_core.clock import bank_date
from banking_core.complaints.models import ENTRY_TEXT, STATUS_TEXT, Complaint, ComplaintEntry
from banking_core.customers.models import Customer
from banking_core.identity.models import (
    BankSession,
    Device,
    KnownPlace,
    LoginAttempt,
    OtpChallenge,
    PasswordCredential,
    Recovery,
    RecoveryCode,
    SecurityEvent,
    TotpCredential,
)
from banking_core.interest.models import InterestPeriod
from banking_core.ledger.models import LedgerEntry
from banking_core.living.models import BillPayment, BillSubscription
from banking_core.locks.models import SecurityLock
from banking_core.mandates.models import Mandate, MandateRun
from banking_core.notices.models import Notice
from banking_core.orders.models import Order, OrderEvent
from banking_core.orders.states import EXECUTED, OVER
from banking_core.privacy import words
from banking_core.privacy.holding import Holding
from banking_core.receive_codes.models import ReceiveCode
from banking_core.restrictions import Restriction
from banking_core.risk.models import RiskDecision, RiskProfile, RiskSighting
from banking_core.statements.models import MonthlyStatement
from banking_core.transfers.models import Payee
from banking_core.voiceprints.models import (
    VoiceAttempt,
    VoiceConsent,
    VoiceEnrolment,
    Voiceprint,
    VoicePrompt,
)

ERASED = "已注销"
KEEP_TERM = "accounts.records_keep_years"
Owned = Callable[[str], ColumnElement[bool]]


@checked_function
def through(model: type[Any], key: str, parent: type[Any], parent_key: str = "id") -> Owned:
    """The condition that a row belongs to a row of `parent`, which has a `customer_id`."""

    def owned(customer_id: str) -> ColumnElement[bool]:
        ids = select(getattr(parent, parent_key)).where(parent.customer_id == customer_id)
        condition: ColumnElement[bool] = getattr(model, key).in_(ids)
        return condition

    return owned


def _is(customer_id: str) -> ColumnElement[bool]:
    return Customer.id == customer_id


PERSON = (
    Holding(
        "基本资料",
        Customer,
        {
            "name": "姓名",
            "phone": "手机号",
            "id_number": "身份证号码",
            "level": "客户等级",
            "segment": "客户类型",
            "status": "状态",
            "created_at": "开户时间",
        },
        names=words.CUSTOMER,
        owned=_is,
        on_erase={
            "name": ERASED,
            "phone": "",
            "phone_index": None,
            "id_number": "",
            "id_number_index": None,
            "segment": "",
            "status": "closed",
        },
    ),
    Holding(
        "账户",
        Account,
        {
            "number": "账号",
            "name": "名称",
            "kind": "种类",
            "currency": "币种",
            "status": "状态",
            "is_default": "默认账户",
            "opened_on": "开立日期",
        },
        names=words.ACCOUNT,
        on_erase={"number": "", "number_index": None, "status": "closed", "is_default": False},
        order_by="opened_on",
    ),
    Holding(
        "银行卡",
        Card,
        {
            "number": "卡号",
            "name": "名称",
            "kind": "种类",
            "status": "状态",
            "issued_on": "发卡日期",
            "expires_on": "有效期至",
            "lost_at": "挂失时间",
        },
        names=words.CARD,
        on_erase={"number": "", "number_index": None, "status": "inactive"},
        order_by="issued_on",
    ),
)
PAYING = (
    Holding(
        "收款人",
        Payee,
        {
            "name": "姓名",
            "nickname": "备注名",
            "account_number": "账号",
            "bank_name": "银行",
            "created_at": "添加时间",
            "last_used_at": "最近使用",
            "deleted_at": "删除时间",
        },
        on_erase="delete",
        order_by="created_at",
    ),
    Holding(
        "收款码",
        ReceiveCode,
        {
            "amount_fen": "金额",
            "created_at": "生成时间",
            "expires_at": "有效期至",
            "ended_at": "停用时间",
            "ended_why": "停用原因",
        },
        names={"ended_why": {"revoked": "本人停用", "replaced": "换了新码"}},
        on_erase="delete",
        order_by="created_at",
    ),
    Holding(
        "生活缴费户号",
        BillSubscription,
        {
            "biller": "项目",
            "provider_name": "收费单位",
            "account_no": "户号",
            "address": "地址",
            "created_at": "添加时间",
        },
        names=words.BILLER,
        on_erase="delete",
    ),
    Holding(
        "缴费记录",
        BillPayment,
        {"order_number": "业务编号", "created_at": "时间"},
    ),
    Holding(
        "约定付款的执行",
        MandateRun,
        {"due_on": "约定日期", "attempt": "第几次补办", "outcome": "结果", "at": "时间"},
        names={
            "outcome": {**words.ORDER["status"], "retry": "次日再试", "missed": "错过", "skipped": "跳过"}
        },
        owned=through(MandateRun, "mandate_id", Mandate),
        order_by="at",
    ),
    Holding(
        "约定付款",
        Mandate,
        {
            "number": "约定编号",
            "title": "名称",
            "kind": "业务",
            "facts": "内容",
            "amount_fen": "金额",
            "frequency": "频率",
            "starts_on": "开始日期",
            "ends_on": "结束日期",
            "status": "状态",
            "created_at": "约定时间",
            "closed_at": "结束时间",
        },
        names=words.MANDATE,
        on_erase={"body": {}, "facts": [], "title": ERASED},
        order_by="created_at",
    ),
    Holding(
        "业务",
        Order,
        {
            "number": "业务编号",
            "receipt_number": "回单编号",
            "kind": "业务",
            "status": "状态",
            "amount_fen": "金额",
            "fee_fen": "手续费",
            "facts": "内容",
            "receipt_facts": "回单",
            "channel": "渠道",
            "failure_text": "没有办成的原因",
            "risk_verdict": "风险判断",
            "risk_text": "风险提示",
            "created_at": "提出时间",
            "confirmed_at": "确认时间",
            "executed_at": "完成时间",
        },
        names=words.ORDER,
        on_erase={
            "body": {},
            "facts": [],
            "receipt_facts": [],
            "failure_text": None,
            "risk_text": None,
            "risk_reasons": None,
        },
        order_by="created_at",
    ),
    Holding(
        "业务进度",
        OrderEvent,
        {"at": "时间", "from_status": "原状态", "to_status": "新状态", "channel": "渠道", "reason": "说明"},
        names={
            "from_status": words.ORDER["status"],
            "to_status": words.ORDER["status"],
            "channel": words.CHANNELS,
        },
        owned=through(OrderEvent, "order_id", Order),
        order_by="at",
    ),
    Holding(
        "通知",
        Notice,
        {"text": "内容", "created_at": "时间", "read_at": "已读时间", "sent_at": "短信时间"},
        on_erase="delete",
        order_by="created_at",
    ),
)
MONEY = (
    Holding(
        "交易明细",
        LedgerEntry,
        {
            "booked_at": "时间",
            "amount_fen": "金额（正数为收入）",
            "balance_after_fen": "余额",
            "counterparty_name": "对方",
            "summary": "摘要",
            "category": "分类",
        },
        names=words.ENTRY,
        owned=through(LedgerEntry, "ledger_account_id", Account, "ledger_account_id"),
        order_by="id",
    ),
    Holding(
        "月结单",
        MonthlyStatement,
        {
            "number": "编号",
            "month": "月份",
            "opening_fen": "期初余额",
            "in_fen": "收入",
            "out_fen": "支出",
            "closing_fen": "期末余额",
        },
        owned=through(MonthlyStatement, "account_id", Account),
        order_by="id",
    ),
    Holding(
        "利息",
        InterestPeriod,
        {"starts_on": "起", "through": "止", "accrued_fen": "利息", "closed_at": "结息时间"},
        owned=through(InterestPeriod, "account_id", Account),
        order_by="starts_on",
    ),
)
SECURITY = (
    Holding("登录密码", PasswordCredential, {"changed_at": "设置时间"}, on_erase="delete"),
    Holding(
        "短信验证码",
        OtpChallenge,
        {"sent_at": "发送时间", "status": "状态"},
        on_erase="delete",
        order_by="sent_at",
    ),
    Holding(
        "动态口令",
        TotpCredential,
        {"status": "状态", "created_at": "绑定时间", "confirmed_at": "启用时间"},
        on_erase="delete",
    ),
    Holding("备用验证码", RecoveryCode, {"used_at": "使用时间"}, on_erase="delete"),
    Holding(
        "登录会话",
        BankSession,
        {
            "channel": "渠道",
            "created_at": "开始时间",
            "authenticated_at": "登录时间",
            "seen_at": "最近使用",
            "ended_at": "结束时间",
        },
        names=words.CHANNEL,
        on_erase="delete",
        order_by="created_at",
    ),
    Holding(
        "设备",
        Device,
        {
            "name": "名称",
            "first_seen_at": "首次使用",
            "last_seen_at": "最近使用",
            "trusted_until": "信任至",
            "unbound_at": "解绑时间",
        },
        on_erase="delete",
        order_by="first_seen_at",
    ),
    Holding(
        "登录过程",
        LoginAttempt,
        {"created_at": "时间", "tier": "异常程度", "proofs": "验证过的", "status": "状态"},
        names=words.LOGIN,
        on_erase="delete",
        order_by="created_at",
    ),
    Holding(
        "找回密码",
        Recovery,
        {"created_at": "时间", "status": "状态"},
        names=words.RECOVERY,
        on_erase="delete",
        order_by="created_at",
    ),
    Holding("登录过的网络", KnownPlace, {"last_seen_at": "最近使用"}, on_erase="delete"),
    Holding(
        "安全限制",
        Restriction,
        {"kind": "限制", "since": "开始", "until": "到期", "lifted_at": "解除时间"},
        names=words.RESTRICTION,
        on_erase="delete",
        order_by="since",
    ),
    Holding(
        "安全记录",
        SecurityEvent,
        {
            "at": "时间",
            "kind": "事件",
            "outcome": "结果",
            "channel": "渠道",
            "address": "网络地址",
            "device_name": "设备",
            "detail": "详情",
        },
        names=words.SECURITY,
        on_erase="delete",
        order_by="at",
    ),
    Holding(
        "安全锁",
        SecurityLock,
        {"scope": "范围", "locked_at": "开启时间", "released_at": "解除时间"},
        names=words.LOCK,
        on_erase="delete",
        order_by="locked_at",
    ),
)
VOICE = (
    Holding(
        "声纹同意",
        VoiceConsent,
        {
            "version": "说明版本",
            "channel": "渠道",
            "audio_days": "录音保存天数",
            "given_at": "同意时间",
            "revoked_at": "撤回时间",
        },
        names=words.CHANNEL,
        on_erase="delete",
        order_by="given_at",
    ),
    Holding(
        "声纹",
        Voiceprint,
        {"enrolled_at": "录制时间", "verified_at": "最近核实", "adapted_at": "最近更新"},
        on_erase="delete",
    ),
    Holding("正在录制的声纹", VoiceEnrolment, {"expires_at": "到期"}, on_erase="delete"),
    Holding("声纹口令", VoicePrompt, {"made_at": "时间"}, on_erase="delete", order_by="made_at"),
    Holding(
        "声纹核实",
        VoiceAttempt,
        {"at": "时间", "channel": "渠道", "outcome": "结果"},
        names=words.VOICE,
        on_erase="delete",
        order_by="at",
    ),
)
COMPLAINTS = (
    Holding(
        "投诉处理记录",
        ComplaintEntry,
        {"at": "时间", "kind": "事项", "by_name": "谁", "text": "内容"},
        names={"kind": ENTRY_TEXT},
        owned=through(ComplaintEntry, "complaint_id", Complaint),
        on_erase={"text": "", "by_name": ""},
        order_by="at",
    ),
    Holding(
        "投诉",
        Complaint,
        {
            "number": "编号",
            "content": "内容",
            "status": "状态",
            "filed_at": "提交时间",
            "answer_due_at": "答复期限",
            "answer": "答复",
            "answered_at": "答复时间",
            "score": "评分",
        },
        names={"status": STATUS_TEXT},
        on_erase={"content": "", "answer": None},
        order_by="filed_at",
    ),
)
RISK = (
    Holding("习惯画像", RiskProfile, {"data": "内容", "updated_at": "更新时间"}, on_erase="delete"),
    Holding(
        "见过的账户、设备和网络",
        RiskSighting,
        {"kind": "种类", "last_at": "最近一次"},
        names=words.SIGHTING,
        on_erase="delete",
    ),
    Holding(
        "风险判断",
        RiskDecision,
        {
            "at": "时间",
            "subject": "对象",
            "kind": "业务",
            "verdict": "结论",
            "reasons": "理由",
            "score": "评分",
            "channel": "渠道",
        },
        names=words.DECISION,
        order_by="id",
    ),
)
TRAIL = (
    Holding(
        "审计记录",
        AuditRecord,
        {
            "at": "时间",
            "actor_kind": "谁",
            "action": "做了什么",
            "allowed": "是否允许",
            "channel": "渠道",
            "address": "网络",
            "device": "设备",
            "before": "之前",
            "after": "之后",
        },
        names=words.TRAIL,
        order_by="id",
    ),
)
BANK_HOLDINGS: tuple[Holding, ...] = (
    *(*PERSON, *PAYING, *MONEY, *SECURITY, *VOICE, *COMPLAINTS, *RISK, *TRAIL),
)


class BankObstacles:
    """Money, orders, mandates and interest that are still open."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def __call__(self, session: AsyncSession, customer_id: str) -> Sequence[str]:
        """See `rights.Obstacle`."""
        balances = await self._bank.accounts.balances(session, customer_id)
        found = [
            f"尾号{balance.account.tail}的账户还有余额、欠款或冻结的钱"
            for balance in balances
            if balance.balance_fen or balance.held_fen
        ]
        orders = await session.scalars(
            select(Order.id).where(Order.customer_id == customer_id, Order.status.not_in((*OVER, EXECUTED)))
        )
        if count := len(orders.all()):
            found.append(f"还有{count}笔业务没有办完")
        if await self._bank.restrictions.barred(session, [customer_id]):
            found.append("账户有安全限制，要先核实是不是本人")
        mandates = await session.scalars(
            select(Mandate.id).where(
                Mandate.customer_id == customer_id, Mandate.status.in_(("active", "paused"))
            )
        )
        if count := len(mandates.all()):
            found.append(f"还有{count}个约定付款没有取消")
        owed = await session.scalars(
            select(InterestPeriod.account_id).where(
                through(InterestPeriod, "account_id", Account)(customer_id),
                InterestPeriod.closed_at.is_(None),
                InterestPeriod.accrued_fen > 0,
            )
        )
        if owed.all():
            found.append("还有利息没有结清")
        complaints = await self._bank.complaints.of_customer(session, customer_id)
        found += [f"投诉{row.number}还没有办结" for row in complaints if row.status != "closed"]
        if (until := await self._kept_until(session, customer_id)) is not None:
            found.append(f"按规定资料要保存到{until}")
        return found

    async def _kept_until(self, session: AsyncSession, customer_id: str) -> date | None:
        """The bank date up to which the law wants the records; None when it is over, or nothing was ever booked."""
        years = self._bank.terms.integer(KEEP_TERM)
        entries = through(LedgerEntry, "ledger_account_id", Account, "ledger_account_id")(customer_id)
        last = await session.scalar(
            select(LedgerEntry.booked_at).where(entries).order_by(LedgerEntry.id.desc()).limit(1)
        )
        if not years or last is None:
            return None
        day = bank_date(last)
        until = date(day.year + years, day.month, min(day.day, 28))
        return until if bank_date(self._bank.clock.now()) <= until else None
