"""The bills behind the demo's household payments, issued at the billers' sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from banking_core.bank import Bank
from banking_core.demo.flows import bill_amount_fen, months_before, scheduled_date
from banking_core.demo.schema import Cast, Scheduled

PAID_MONTHS = 6
DUE_DAY = 28
LATE_IN_MONTH = 24  # from here on this month's bill is due in the next one


async def issue_bills(bank: Bank, people: Cast, today: date) -> int:
    """Issues last month's unpaid bills and some paid ones; returns how many.

    Does nothing without the sandbox; repeating it changes nothing.
    """
    billing = bank.providers.sandbox_billing
    if billing is None:
        return 0
    count = 0
    for person in people.people:
        for flow in person.flows:
            if not isinstance(flow, Scheduled) or flow.biller is None:
                continue
            for month, paid in _billed_months(flow, today):
                await billing.issue(
                    biller=flow.biller,
                    provider_name=flow.provider,
                    account_no=flow.account_no,
                    period=months_before(month, 1),
                    amount_fen=bill_amount_fen(flow, month, today),
                    due_on=_due_on(month, today),
                    paid=paid,
                )
                count += 1
    return count


def _billed_months(flow: Scheduled, today: date) -> Iterator[tuple[date, bool]]:
    """First days of the months in which a bill came, and whether it is paid, as the history has it."""
    for back in range(1, PAID_MONTHS + 1):
        month = months_before(today, back)
        if month.month in flow.months:
            yield month, True
    this_month = today.replace(day=1)
    if flow.unpaid:
        yield this_month, False
    elif today.month in flow.months and scheduled_date(flow.day, today.year, today.month) < today:
        yield this_month, True


def _due_on(month: date, today: date) -> date:
    """The 28th of the month the bill came in; of the next one when this month is nearly over."""
    if month == today.replace(day=1) and today.day >= LATE_IN_MONTH:
        month = months_before(month, -1)
    return month.replace(day=DUE_DAY)
