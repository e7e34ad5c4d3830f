"""What a one-time code is good for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodePurpose:
    """A code sent for one purpose opens nothing else.

    `name` says which door, with the order's id where there is one (at most 64 characters); `signs` is a digest
    of all the customer agrees to with it; `words` are what the text message says it is for.
    """

    name: str
    signs: str = ""
    words: str = "身份验证"


LOGIN = CodePurpose("login", words="登录")
