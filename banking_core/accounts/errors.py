"""What can go wrong with an account.

InvalidInput  AccountInvalid     a number or figure no account can have
NotFound      AccountNotFound    no such account, or somebody else's
Refused       AccountNotUsable   the account cannot pay: closed, frozen or of the wrong kind
"""

from __future__ import annotations

from banking_core.errors import InvalidInput, NotFound, Refused


class AccountInvalid(InvalidInput):
    """A number or figure no account can have."""

    code = "account_invalid"
    default_customer_text = "账号不对，请核对后重新输入。"


class AccountNotFound(NotFound):
    """No such account, or somebody else's."""

    code = "account_not_found"
    default_customer_text = "没有找到这个账户，可以问我“我的账户”看看您名下有哪些。"


class AccountNotUsable(Refused):
    """The account cannot be paid from."""

    code = "account_not_usable"
    default_customer_text = "这个账户现在不能付款，请换一个账户，或者回复“转人工”。"
