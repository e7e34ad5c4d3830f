"""Reading order bodies of the transfer area: untrusted mappings become typed, bounded values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from banking_core.orders.types import Body
from banking_core.transfers.banks import OUR_BANK_NAME, bank_name
from banking_core.transfers.errors import TransferInvalid

NAME_LENGTH_MAX = 64
NICKNAME_LENGTH_MAX = 32
PURPOSE_LENGTH_MAX = 30
AMOUNT_FEN_MAX = 10**13
_ACCOUNT_NUMBER = re.compile(r"[0-9]{10,32}")
_SEPARATORS = re.compile(r"[\s-]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class PayeeBody:
    """Whom to pay: checked for form, not yet for existence."""

    name: str
    account_number: str
    bank_code: str | None

    @property
    def bank(self) -> str:
        """The bank's Chinese name."""
        return bank_name(self.bank_code) or OUR_BANK_NAME

    @property
    def tail(self) -> str:
        """The last four digits of the account number."""
        return self.account_number[-4:]


@dataclass(frozen=True)
class TransferBody:
    """The body of a `transfer` order."""

    from_account_id: str
    payee: PayeeBody
    amount_fen: int
    purpose: str

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> TransferBody:
        """Raises TransferInvalid naming the field."""
        amount_fen = body.get("amount_fen")
        if isinstance(amount_fen, bool) or not isinstance(amount_fen, int):
            raise TransferInvalid("amount", field="amount_fen", customer_text="请告诉我转账金额，例如500元。")
        if not 0 < amount_fen <= AMOUNT_FEN_MAX:
            raise TransferInvalid(
                "amount", field="amount_fen", customer_text="转账金额要大于0，请重新告诉我金额。"
            )
        return cls(
            from_account_id=read_text(body, "from_account_id", 32, required=True),
            payee=read_payee(body, "payee_name", "payee_account_number", "payee_bank_code"),
            amount_fen=amount_fen,
            purpose=read_text(body, "purpose", PURPOSE_LENGTH_MAX, required=False),
        )

    def normalised(self) -> Body:
        """The body as it is stored with the order."""
        return {
            "from_account_id": self.from_account_id,
            "payee_name": self.payee.name,
            "payee_account_number": self.payee.account_number,
            "payee_bank_code": self.payee.bank_code,
            "amount_fen": self.amount_fen,
            "purpose": self.purpose,
        }


def read_payee(body: Mapping[str, Any], name_field: str, number_field: str, bank_field: str) -> PayeeBody:
    """Name, account number and bank; raises TransferInvalid naming the field."""
    name = read_text(body, name_field, NAME_LENGTH_MAX, required=True)
    number = _SEPARATORS.sub("", str(body.get(number_field) or ""))
    if _ACCOUNT_NUMBER.fullmatch(number) is None:
        raise TransferInvalid(
            "account number",
            field=number_field,
            customer_text="收款账号应该是10到32位数字，请核对后重新告诉我。",
        )
    code = body.get(bank_field)
    if code is not None and (not isinstance(code, str) or bank_name(code) is None):
        raise TransferInvalid(
            "bank", field=bank_field, customer_text="我没认出这家银行，请说银行全称，例如“工商银行”。"
        )
    return PayeeBody(name, number, code)


def read_text(body: Mapping[str, Any], field: str, length_max: int, *, required: bool) -> str:
    """One line of text, stripped; raises TransferInvalid."""
    value = body.get(field)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise TransferInvalid("not text", field=field)
    text = value.strip()
    if (required and not text) or len(text) > length_max or _UNSAFE.search(text):
        raise TransferInvalid(f"{field} is empty, too long or not printable", field=field)
    return text
