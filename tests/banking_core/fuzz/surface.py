"""What the bank offers, found by looking: nobody can add a public function that the fuzz does not know of.

Public is what a package of `banking_core` names in `__all__`, and what another room imports from it: the functions,
and the public methods of the classes.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import banking_core

ROOMS = ("actions", "bot", "desk", "voice")
ROOT = Path(banking_core.__file__).parents[1]


@dataclass(frozen=True)
class Offered:
    """One public function; `owner` is the class of a method."""

    function: Callable[..., Any]
    owner: type[Any] | None
    name: str

    @property
    def path(self) -> str:
        """Where it is defined: 'banking_core.cards.service.Cards.own'."""
        where = self.owner or self.function
        return ".".join((where.__module__, where.__qualname__, *((self.name,) if self.owner else ())))


def public_functions() -> dict[str, Offered]:
    """Every public function by its path."""
    found: dict[str, Offered] = {}
    for thing in (*_exported(), *_imported()):
        if not getattr(thing, "__module__", "").startswith("banking_core"):
            continue
        if inspect.isfunction(thing):
            offered = Offered(thing, None, thing.__name__)
            found[offered.path] = offered
        elif inspect.isclass(thing) and not getattr(thing, "_is_protocol", False):
            found |= {offered.path: offered for offered in _methods(thing)}
    return dict(sorted(found.items()))


def _exported() -> Iterator[Any]:
    for module in pkgutil.walk_packages(banking_core.__path__, "banking_core."):
        loaded = importlib.import_module(module.name)
        yield from (getattr(loaded, name) for name in getattr(loaded, "__all__", ()))


def _imported() -> Iterator[Any]:
    """What other rooms import; of an imported module everything it defines."""
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py") if ".venv" not in path.parts):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("banking_core"):
                continue
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                thing = getattr(module, alias.name)
                if isinstance(thing, ModuleType):
                    yield from _defined(thing)
                else:
                    yield thing


def _defined(module: ModuleType) -> Iterator[Any]:
    for name, thing in vars(module).items():
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__:
            yield thing


def _methods(cls: type[Any]) -> Iterator[Offered]:
    """The public methods, inherited ones of ours too."""
    for name, member in inspect.getmembers_static(cls):
        if name.startswith("_"):
            continue
        function = member.__func__ if isinstance(member, staticmethod | classmethod) else member
        if inspect.isfunction(function) and function.__module__.startswith("banking_core"):
            yield Offered(function, cls, name)
