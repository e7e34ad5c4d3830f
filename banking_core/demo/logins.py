"""Whom one can log in as; for the command that starts the demo to print."""

from __future__ import annotations

from dataclasses import dataclass

from banking_core.demo.schema import read_cast


@dataclass(frozen=True)
class DemoLogin:
    """One demo log-in; `who` says in a few Chinese words what kind of customer it is."""

    name: str
    phone: str
    password: str
    who: str


def demo_logins() -> tuple[DemoLogin, ...]:
    """The demo's log-ins, by phone number."""
    people = read_cast()
    logins = (
        DemoLogin(person.name, person.phone, people.password, person.login)
        for person in people.people
        if person.login is not None
    )
    return tuple(sorted(logins, key=lambda login: login.phone))
