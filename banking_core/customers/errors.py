"""What can go wrong with a customer's record.

InvalidInput  CustomerInvalid   phone, name or identity number cannot be right; `field` says which
NotFound      CustomerNotFound
Conflict      PhoneTaken        the phone number belongs to another customer
"""

from __future__ import annotations

from banking_core.errors import Conflict, InvalidInput, NotFound


class CustomerInvalid(InvalidInput):
    """A value that no customer can have."""

    code = "customer_invalid"
    default_customer_text = "填写的资料不对，请核对姓名、手机号和身份证号码后再试。"


class CustomerNotFound(NotFound):
    """No such customer."""

    code = "customer_not_found"
    default_customer_text = "没有找到这位客户，请核对手机号后再试。"


class PhoneTaken(Conflict):
    """Another customer has this phone number."""

    code = "phone_taken"
    default_customer_text = "这个手机号已经登记过了，可以直接登录；如果不是您本人登记的，请回复“转人工”。"
