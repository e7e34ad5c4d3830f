"""The language of rule conditions: numbers, flags, and nothing else.

    expression  = or
    or          = and { "or" and }
    and         = not { "and" not }
    not         = "not" not | comparison
    comparison  = sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]
    sum         = product { ("+" | "-") product }
    product     = atom { "*" atom }
    atom        = number | feature | "-" atom | "(" expression ")"

A feature whose unit is `flag` is a truth value, every other a number; mixing them is refused when the file is read.
There is no call, no attribute, no string, no division: an expression cannot fail or run long.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

LENGTH_MAX = 600
TOKENS_MAX = 150
DEPTH_MAX = 20

Type = Literal["number", "flag"]
Evaluate = Callable[[Sequence[float]], float]
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([a-z][a-z0-9_]*)|(<=|>=|==|!=|[-+*<>()]))")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_WORDS = frozenset({"and", "or", "not"})


class ExpressionError(ValueError):
    """Not a valid expression; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled condition: `holds(vector)` for a vector in the order of the feature list."""

    source: str
    names: tuple[str, ...]
    evaluate: Evaluate

    def holds(self, vector: Sequence[float]) -> bool:
        """Whether the condition is true; `vector` is best a plain list of floats."""
        return self.evaluate(vector) != 0.0


@dataclass(frozen=True, slots=True)
class _Node:
    type: Type
    evaluate: Evaluate


def compile_expression(source: str, index: Mapping[str, int], flags: frozenset[str]) -> Expression:
    """Compiles a condition over the features of `index`; those in `flags` are truth values.

    Raises ExpressionError.
    """
    if not isinstance(source, str) or len(source) > LENGTH_MAX:
        raise ExpressionError("not a text of reasonable length")
    parser = _Parser(_tokens(source), index, flags)
    node = parser.expression(0)
    if parser.peek() is not None:
        raise ExpressionError(f"unexpected {parser.peek()!r} in {source!r}")
    if node.type != "flag":
        raise ExpressionError(f"{source!r} is a number, not a condition")
    return Expression(source, tuple(dict.fromkeys(parser.names)), node.evaluate)


def _tokens(source: str) -> list[str]:
    tokens: list[str] = []
    position, text = 0, source.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"cannot read {text[position : position + 12]!r}")
        tokens.append(match[0].strip())
        position = match.end()
    if not 0 < len(tokens) <= TOKENS_MAX:
        raise ExpressionError("empty or too long")
    return tokens


class _Parser:
    def __init__(self, tokens: list[str], index: Mapping[str, int], flags: frozenset[str]) -> None:
        self.tokens = tokens
        self.position = 0
        self.index = index
        self.flags = flags
        self.names: list[str] = []

    def peek(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, *wanted: str) -> str | None:
        token = self.peek()
        if token in wanted:
            self.position += 1
            return token
        return None

    def expression(self, depth: int) -> _Node:
        if depth > DEPTH_MAX:
            raise ExpressionError("nested too deeply")
        left = self.conjunction(depth)
        while self.take("or"):
            left = _logic("or", left, self.conjunction(depth))
        return left

    def conjunction(self, depth: int) -> _Node:
        left = self.negation(depth)
        while self.take("and"):
            left = _logic("and", left, self.negation(depth))
        return left

    def negation(self, depth: int) -> _Node:
        if depth > DEPTH_MAX:
            raise ExpressionError("nested too deeply")
        if self.take("not"):
            inner = _need(self.negation(depth + 1), "flag", "not").evaluate
            return _Node("flag", lambda vector: 0.0 if inner(vector) else 1.0)
        return self.comparison(depth)

    def comparison(self, depth: int) -> _Node:
        left = self.sum(depth)
        sign = self.take(*_COMPARE)
        if sign is None:
            return left
        one = _need(left, "number", sign).evaluate
        two = _need(self.sum(depth), "number", sign).evaluate
        compare = _COMPARE[sign]
        return _Node("flag", lambda vector: 1.0 if compare(one(vector), two(vector)) else 0.0)

    def sum(self, depth: int) -> _Node:
        left = self.product(depth)
        while sign := self.take("+", "-"):
            left = _arithmetic(sign, left, self.product(depth))
        return left

    def product(self, depth: int) -> _Node:
        left = self.atom(depth)
        while self.take("*"):
            left = _arithmetic("*", left, self.atom(depth))
        return left

    def atom(self, depth: int) -> _Node:
        if depth > DEPTH_MAX:
            raise ExpressionError("nested too deeply")
        token = self.peek()
        if token is None:
            raise ExpressionError("ends too early")
        self.position += 1
        if token == "(":
            inner = self.expression(depth + 1)
            if not self.take(")"):
                raise ExpressionError("a bracket is not closed")
            return inner
        if token == "-":
            value = _need(self.atom(depth + 1), "number", "-").evaluate
            return _Node("number", lambda vector: -value(vector))
        if token[0].isdigit():
            number = float(token)
            return _Node("number", lambda _vector: number)
        return self.feature(token)

    def feature(self, name: str) -> _Node:
        if name in _WORDS or name not in self.index:
            raise ExpressionError(f"unknown feature {name!r}")
        self.names.append(name)
        place = self.index[name]
        return _Node("flag" if name in self.flags else "number", lambda vector: vector[place])


def _need(node: _Node, wanted: Type, sign: str) -> _Node:
    if node.type != wanted:
        raise ExpressionError(f"{sign!r} needs a {wanted}, not a {node.type}")
    return node


def _logic(word: str, left: _Node, right: _Node) -> _Node:
    one, two = _need(left, "flag", word).evaluate, _need(right, "flag", word).evaluate
    if word == "and":
        return _Node("flag", lambda vector: 1.0 if one(vector) and two(vector) else 0.0)
    return _Node("flag", lambda vector: 1.0 if one(vector) or two(vector) else 0.0)


def _arithmetic(sign: str, left: _Node, right: _Node) -> _Node:
    one, two = _need(left, "number", sign).evaluate, _need(right, "number", sign).evaluate
    if sign == "+":
        return _Node("number", lambda vector: one(vector) + two(vector))
    if sign == "-":
        return _Node("number", lambda vector: one(vector) - two(vector))
    return _Node("number", lambda vector: one(vector) * two(vector))
