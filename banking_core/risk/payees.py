"""Whom an order pays, as fingerprints: what the profile recognises without being able to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from banking_core.risk.profile import key_of

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PaidTo:
    """`key` fingerprints the account, `name_key` the name; the account itself is kept for look-ups only."""

    key: str = ""
    name_key: str = ""
    account_number: str = ""
    bank_code: str | None = None


NOBODY = PaidTo()


def account_key(account_number: str, bank_code: str | None) -> str:
    """The fingerprint of an account to be paid."""
    return key_of("account", account_number, bank_code)


def name_key(name: str) -> str:
    """The fingerprint of a name, "" for none."""
    return key_of("name", name) if name else ""


def paid_to(kind: str, body: Body) -> PaidTo:
    """Whom an order of this kind pays; nobody for kinds that name no one."""
    read = _READ.get(kind)
    return NOBODY if read is None else read(body)


def _transfer(body: Body) -> PaidTo:
    number, bank = str(body.get("payee_account_number") or ""), body.get("payee_bank_code")
    if not number:
        return NOBODY
    return PaidTo(account_key(number, bank), name_key(str(body.get("payee_name") or "")), number, bank)


def _payee_add(body: Body) -> PaidTo:
    number, bank = str(body.get("account_number") or ""), body.get("bank_code")
    if not number:
        return NOBODY
    return PaidTo(account_key(number, bank), name_key(str(body.get("name") or "")), number, bank)


def _bill_pay(body: Body) -> PaidTo:
    return PaidTo(key_of("biller", str(body.get("biller") or ""), str(body.get("account_no") or "")))


def _topup(body: Body) -> PaidTo:
    return PaidTo(key_of("phone", str(body.get("phone") or "")))


_READ: dict[str, Callable[[Body], PaidTo]] = {
    "transfer": _transfer,
    "payee_add": _payee_add,
    "bill_pay": _bill_pay,
    "topup": _topup,
}
