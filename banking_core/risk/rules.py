"""Reading rules.yml: conditions over features, and what the model's score means, both as data with a schema."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from banking_core.checked import checked_function
from banking_core.risk.errors import RulesInvalid
from banking_core.risk.expressions import Expression, ExpressionError, compile_expression
from banking_core.risk.features import FEATURES, INDEX
from banking_core.yaml_loader import LOADER

DEFAULT_PATH = Path(__file__).with_name("rules.yml")
VerdictKind = Literal["allow", "step_up", "delay", "human", "block"]
STRENGTH: dict[VerdictKind, int] = {"allow": 0, "step_up": 1, "delay": 2, "human": 3, "block": 4}
Factor = Literal["otp", "voice"]
Subject = Literal["order", "login"]
FLAGS = frozenset(feature.name for feature in FEATURES if feature.is_flag)
RULES_MAX = 500
_Sentence = Annotated[str, Field(max_length=100, pattern=r"[\u4e00-\u9fff]")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Measure(_Strict):
    """What is done: a verdict with what it needs."""

    verdict: VerdictKind
    factors: tuple[Factor, ...] = ()
    delay_minutes: Annotated[int, Field(ge=1, le=7 * 1440)] | None = None
    customer_text: _Sentence | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.verdict == "step_up") != bool(self.factors):
            raise ValueError("exactly a step_up names factors")
        if (self.verdict == "delay") != (self.delay_minutes is not None):
            raise ValueError("exactly a delay says how long")
        if STRENGTH[self.verdict] >= STRENGTH["delay"] and self.customer_text is None:
            raise ValueError(f"a {self.verdict} needs a sentence for the customer")
        return self


class RuleRow(Measure):
    """One rule as written. `reason` is for the operator, `customer_text` must not reveal it."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,48}$")]
    subject: Subject = "order"
    when: str
    reason: _Sentence
    mode: Literal["live", "shadow"]


class Threshold(Measure):
    """From `at_least` (a calibrated probability) on, this is done."""

    at_least: Annotated[float, Field(gt=0, le=1)]


class _File(_Strict):
    version: Annotated[int, Field(ge=1)]
    exempt_kinds: tuple[str, ...] = ()
    score: tuple[Threshold, ...] = ()
    rules: tuple[RuleRow, ...] = Field(max_length=RULES_MAX)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if len(set(ids)) != len(ids):
            raise ValueError("a rule id is used twice")
        edges = [threshold.at_least for threshold in self.score]
        if edges != sorted(set(edges)):
            raise ValueError("score thresholds must rise")
        strengths = [STRENGTH[threshold.verdict] for threshold in self.score]
        if strengths != sorted(strengths):
            raise ValueError("a higher score must not be treated more mildly")
        return self


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to be asked."""

    row: RuleRow
    condition: Expression


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one version."""

    version: int
    exempt_kinds: frozenset[str]
    score: tuple[Threshold, ...]
    rules: tuple[Rule, ...]

    @classmethod
    @checked_function
    def load(cls, path: Path = DEFAULT_PATH) -> Rules:
        """Reads, checks and compiles. Raises RulesInvalid saying which rule is wrong."""
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise RulesInvalid(f"{path.name}: {error}") from error

    @classmethod
    @checked_function
    def parse(cls, text: str) -> Rules:
        """The same from text. Raises RulesInvalid."""
        try:
            data = _File.model_validate(yaml.load(text, LOADER))
        except (yaml.YAMLError, ValidationError) as error:
            raise RulesInvalid(str(error)) from error
        compiled = []
        for row in data.rules:
            try:
                compiled.append(Rule(row, compile_expression(row.when, INDEX, FLAGS)))
            except ExpressionError as error:
                raise RulesInvalid(f"rule {row.id}: {error}") from error
        return cls(data.version, frozenset(data.exempt_kinds), data.score, tuple(compiled))


@cache
def packaged_rules() -> Rules:
    """The rules that are shipped."""
    return Rules.load()
