"""How fast an order is judged, on a demo bank with two years behind it, and how well, on the held-out month."""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sqlalchemy import select

from banking_core.accounts.models import Account
from banking_core.customers.models import Customer
from banking_core.orders.risk import Phase, RiskSubject
from banking_core.risk.features import NAMES
from banking_core.risk.judging import held_out_metrics
from banking_core.risk.model import packaged_model
from banking_core.risk.service import Risk
from banking_core.risk.simulation.world import Plan
from banking_core.transfers.models import Payee
from bot.assembly import Product, build_product
from bot.evaluation.demo_bank import make_template, settings_for

WARM_UP = 100
SEED = 11
TALK = {"turns": 5, "answer_s_mean": 6.5, "answer_s_max": 11, "answer_s_last": 5, "corrections": 1}


@dataclass(frozen=True, slots=True)
class Payer:
    """Somebody of the demo who has a payee."""

    customer_id: str
    account_id: str
    payees: tuple[tuple[str, str, str | None], ...]  # name, account number, bank code


@dataclass(frozen=True, slots=True)
class Took:
    """One judgement: on the clock, and the work of this process alone, which other programs hardly change."""

    wall_ms: float
    cpu_ms: float


class _RolledBack(Exception):
    """Nothing that is measured stays."""


async def measure_risk(orders: int, plan: Plan, say: Callable[[str], None]) -> dict[str, object]:
    """p50_ms, p99_ms of `Risk.assess` (reads, features, rules, model, the decision's row; not the commit), on the
    clock and of processor time, by phase too; features; auc and recall_at_1pct_fpr of the shipped model on the last
    month of `plan`."""
    with tempfile.TemporaryDirectory(prefix="zhanggui-") as folder:
        say("准备演示银行 …")
        await make_template(Path(folder), datetime.now(UTC))
        product = build_product(settings_for(Path(folder)))
        await product.start()
        try:
            say(f"评估{orders}笔 …")
            load = os.getloadavg()[0]
            taken = await _assess(product, orders)
        finally:
            await product.close()
    say("重新生成留出的一个月并评分（约一分钟）…")
    held_out = held_out_metrics(packaged_model(), plan)
    everything_ms = [took.wall_ms for one in taken.values() for took in one]
    worked_ms = [took.cpu_ms for one in taken.values() for took in one]
    return {
        "p50_ms": _quantile(everything_ms, 0.5),
        "p99_ms": _quantile(everything_ms, 0.99),
        "cpu_p50_ms": _quantile(worked_ms, 0.5),
        "cpu_p99_ms": _quantile(worked_ms, 0.99),
        **{
            f"{phase}_p{round(100 * share)}_ms": _quantile([took.wall_ms for took in found], share)
            for phase, found in taken.items()
            for share in (0.5, 0.99)
        },
        "load_average": round(load, 1),
        "orders": len(everything_ms),
        "features": len(NAMES),
        "auc": held_out["auc"],
        "recall_at_1pct_fpr": held_out["recall_at_1pct_fpr"],
        "held_out_orders": held_out["orders"],
        "held_out_frauds": held_out["frauds"],
    }


def _quantile(values_ms: Sequence[float], share: float) -> float:
    return round(float(np.quantile(values_ms, share)), 3)


async def _assess(product: Product, orders: int) -> dict[str, list[Took]]:
    """What each judgement took, by phase; the store is warm, and each is rolled back."""
    payers = await _payers(product)
    random = Random(SEED)
    taken: dict[str, list[Took]] = {"draft": [], "execute": []}
    for number in range(WARM_UP + orders):
        phase: Phase = "execute" if number % 2 else "draft"
        subject = _subject(random, random.choice(payers), number, phase, product.clock.now())
        took = await _once(product, product.bank.risk, subject, keep=number < WARM_UP)
        if number >= WARM_UP:
            taken[phase].append(took)
        if number % 200 == 0:
            gc.collect()
    return taken


async def _once(product: Product, risk: Risk, subject: RiskSubject, *, keep: bool) -> Took:
    took = Took(0.0, 0.0)
    with suppress(_RolledBack):
        async with product.database.transaction() as session:
            await product.bank.customers.lock(
                session, subject.customer_id
            )  # as the pipeline does before asking
            await product.bank.accounts.own(session, subject.customer_id, str(subject.source_account_id))
            started_s, worked_s = time.perf_counter(), time.process_time()
            await risk.assess(session, subject)
            took = Took((time.perf_counter() - started_s) * 1000, (time.process_time() - worked_s) * 1000)
            if not keep:
                raise _RolledBack
    return took


async def _payers(product: Product) -> list[Payer]:
    async with product.database.snapshot() as session:
        payers = []
        for customer in await session.scalars(select(Customer).order_by(Customer.id)):
            account = await session.scalar(
                select(Account).where(Account.customer_id == customer.id, Account.kind == "current")
            )
            book = list(await session.scalars(select(Payee).where(Payee.customer_id == customer.id)))
            if account is not None and book:
                names = tuple((payee.name, payee.account_number, payee.bank_code) for payee in book)
                payers.append(Payer(customer.id, account.id, names))
        return payers


def _subject(random: Random, payer: Payer, number: int, phase: Phase, now: datetime) -> RiskSubject:
    name, account_number, bank_code = random.choice(payer.payees)
    amount_fen = random.choice((50_00, 300_00, 999_00, 4_000_00, 12_345_67))
    body: dict[str, Any] = {
        "from_account_id": payer.account_id,
        "payee_name": name,
        "payee_account_number": account_number,
        "payee_bank_code": bank_code,
        "amount_fen": amount_fen,
        "purpose": "",
    }
    return RiskSubject(
        phase=phase,
        customer_id=payer.customer_id,
        kind="transfer",
        amount_fen=amount_fen,
        fee_fen=0,
        source_account_id=payer.account_id,
        body=body,
        channel="web",
        conversation_id="bench",
        order_id=f"bench{number}",
        at=now,
        proofs=frozenset({"otp"}) if phase == "execute" else frozenset(),
        context={
            "device": f"phone of {payer.customer_id}",
            "address": f"198.51.{random.randrange(4)}.7",
            "session_started_at": now.isoformat(),
            "signals": TALK,
        },
    )
