"""The format of scripted conversations; docs/conversations.md explains it to people.

A file is a YAML list of scripts. Unknown keys are refused, so that a misspelt expectation cannot pass unnoticed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

Kind = Literal["happy", "correction", "digression", "cancel", "invalid", "refusal", "hand-off"]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Words = Annotated[list[str], BeforeValidator(_listed)]


ACTS = ("say", "secret", "again", "wait_s", "log_in", "staff", "claim", "agent_says", "hand_back", "close")


class ScriptError(Exception):
    """A script file cannot be used; the text says where and why."""

    code = "script_invalid"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Step(_Strict):
    """One act and what must come of it. Exactly one of the acts is given."""

    say: str | None = None  # the customer writes; {otp}, {code:NAME[:FEN]}: see `converse`
    secret: str | None = None  # typed into the password or code field
    again: bool = False  # the previous message is sent once more with the same message id
    wait_s: float | None = None  # time passes
    log_in: str | None = None  # the customer logs in by the page's form (a demo customer's name)
    staff: int | None = None  # so many agents are on duty from now on
    claim: bool = False  # the first agent on duty takes the conversation
    agent_says: str | None = None
    hand_back: str | None = None  # with this note ("" for none)
    close: bool = False

    expect: Words = Field(default_factory=list)  # each must occur in the replies (texts and cards)
    expect_any: Words = Field(default_factory=list)  # at least one must occur
    expect_not: Words = Field(default_factory=list)  # none may occur
    card: str | None = None  # kind of the card that is shown
    choices: Words = Field(default_factory=list)  # each must be offered
    action: str | None = None  # what was done begins with this, e.g. start:transfer_make
    expects: Literal["text", "otp", "totp", "id_tail", "password"] | None = None
    owner: Literal["bot", "queue", "agent", "closed"] | None = None
    silent: bool = False  # the assistant says nothing

    @model_validator(mode="after")
    def _one_act(self) -> Step:
        values = {name: getattr(self, name) for name in ACTS}
        given = [name for name, value in values.items() if value is not None and value is not False]
        if len(given) != 1:
            raise ValueError(f"a step needs exactly one act, not {given or 'none'}")
        return self


class Ending(_Strict):
    """What must be true when the conversation is over."""

    paid_fen: dict[str, int] | None = (
        None  # demo customer -> money that left (+) or came (-), all accounts together
    )
    orders: dict[str, int] | None = None  # order kind -> how many were executed for the script's customer
    owner: Literal["bot", "queue", "agent", "closed"] | None = None
    never_logged: Words = Field(default_factory=list)  # texts that may occur nowhere in the stored log
    card_status: dict[str, str] | None = None  # card kind (debit, credit) -> status
    locks: list[str] | None = None  # active security locks


class Script(_Strict):
    """One conversation. `customer` is a demo customer's name, logged in beforehand; none is an anonymous visitor."""

    name: str
    kind: Kind
    customer: str | None = None
    staff: int = 0
    steps: list[Step] = Field(min_length=1)
    end: Ending = Field(default_factory=Ending)


def read_scripts(path: Path) -> list[Script]:
    """The scripts of one file. Raises ScriptError."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScriptError(f"{path}: {error}") from None
    if not isinstance(data, list):
        raise ScriptError(f"{path}: a list of scripts is expected")
    try:
        return [Script.model_validate(item) for item in data]
    except ValidationError as error:
        raise ScriptError(f"{path}: {error}") from None
