"""What the transfer area refuses.

InvalidInput  TransferInvalid    a field of the order cannot be used; `field` says which
NotFound      PayeeNotFound      no such entry in this customer's payee book
Conflict      PayeeExists        the account is in the payee book already
Refused       PayeeMismatch      name and account do not belong together, or the account cannot receive
              PayeeBookFull
"""

from __future__ import annotations

from banking_core.errors import Conflict, InvalidInput, NotFound, Refused


class TransferInvalid(InvalidInput):
    """A field of the order cannot be used."""

    code = "transfer_invalid"
    default_customer_text = "转账信息不完整或有误，请核对收款人、账号和金额。"


class PayeeNotFound(NotFound):
    """No such payee in this customer's book."""

    code = "payee_not_found"
    default_customer_text = "您的收款人名册里没有这个人，可以先添加收款人，或者告诉我户名、账号和开户行。"


class PayeeExists(Conflict):
    """The account is in the book already."""

    code = "payee_exists"
    default_customer_text = "这个账号已经在您的收款人名册里了，可以直接转账。"


class PayeeMismatch(Refused):
    """Name and account do not belong together; an unknown account looks the same from outside."""

    code = "payee_mismatch"
    default_customer_text = "收款人姓名和账号对不上，没有办理，钱也没有动。请向对方核对户名和账号后再试。"


class PayeeBookFull(Refused):
    """No more entries are allowed."""

    code = "payee_book_full"
    default_customer_text = "收款人名册已满，请先删除不用的收款人再添加。"
