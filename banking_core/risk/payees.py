"""Whom an order pays, as fingerprints: what the profile recognises without being able to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from banking_core.risk.keys import Keys

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PaidTo:
    """`key` fingerprints the account, `name_key` the name; the account itself is kept for look-ups only."""

    key: str = ""
    name_key: str = ""
    account_number: str = ""
    bank_code: str | None = None


NOBODY = PaidTo()


def paid_to(kind: str, body: Body, keys: Keys) -> PaidTo:
    """Whom an order of this kind pays; nobody for kinds that name no one."""
    read = _READ.get(kind)
    return NOBODY if read is None else read(body, keys)


def _account(keys: Keys, number: str, bank_code: str | None, name: str) -> PaidTo:
    if not number:
        return NOBODY
    return PaidTo(keys.account(number, bank_code), keys.name(name), number, bank_code)


def _transfer(body: Body, keys: Keys) -> PaidTo:
    number, bank_code = _text(body, "payee_account_number"), body.get("payee_bank_code")
    return _account(keys, number, bank_code, _text(body, "payee_name"))


def _payee_add(body: Body, keys: Keys) -> PaidTo:
    return _account(keys, _text(body, "account_number"), body.get("bank_code"), _text(body, "name"))


def _bill_pay(body: Body, keys: Keys) -> PaidTo:
    return PaidTo(keys.household(_text(body, "biller"), _text(body, "account_no")))


def _topup(body: Body, keys: Keys) -> PaidTo:
    return PaidTo(keys.phone(_text(body, "phone")))


def _mandate(body: Body, keys: Keys) -> PaidTo:
    """Whom the orders of a mandate will pay."""
    order = body.get("order")
    return paid_to(_text(body, "kind"), order, keys) if isinstance(order, Mapping) else NOBODY


def _text(body: Body, name: str) -> str:
    return str(body.get(name) or "")


_READ: dict[str, Callable[[Body, Keys], PaidTo]] = {
    "transfer": _transfer,
    "payee_add": _payee_add,
    "bill_pay": _bill_pay,
    "topup": _topup,
    "mandate_create": _mandate,
}
