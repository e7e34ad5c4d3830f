"""docs/identity.md names every error, every tier and restriction, and the figures the bank runs with."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest

from banking_core.configuration import Terms
from banking_core.errors import BankError
from banking_core.identity import errors as identity_errors
from banking_core.identity import logins, strength, totp
from banking_core.identity.login_risk import TIERS, needs_of
from banking_core.restrictions import errors as restriction_errors
from banking_core.restrictions.models import KINDS
from banking_core.risk.logins import TIER_OF
from bot.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "identity.md").read_text(encoding="utf-8")
FLAT = re.sub(r"\s+", " ", PAGE)
CODES = {
    each.code
    for module in (identity_errors, restriction_errors)
    for _, each in inspect.getmembers(module, inspect.isclass)
    if issubclass(each, BankError) and each.__module__ == module.__name__
}


def test_the_page_names_exactly_the_errors_there_are() -> None:
    table = PAGE.split("## Errors")[1].split("## Settings")[0]
    told = {
        code
        for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", row)
    }
    assert told == CODES


def test_the_page_says_what_each_tier_asks_for() -> None:
    words = {"otp": "code", "id_tail": "end of the ID number"}
    for tier in TIERS:
        row = re.search(rf"^\| `{tier}` \| (.+?) \| (.+?) \|", PAGE, re.MULTILINE)
        assert row is not None
        for trusted, told in ((True, row[1]), (False, row[2])):
            asked = [words[need] for need in needs_of(tier, device_trusted=trusted, code="otp")]
            assert told in (", ".join(["password", *asked]), "the same")
    assert {verdict for verdict in TIER_OF if f"`{verdict}`" not in PAGE} == set()
    assert {kind for kind in KINDS if kind != "frozen" and f"`{kind}`" not in PAGE} == set()


@pytest.mark.parametrize(
    ("sentence", "terms"),
    [
        ("a new device {}", ["login_risk.new_device_points"]),
        (
            "half a year {}, an hour between {} and {}",
            [f"login_risk.{name}" for name in ("new_place_points", "night_from_hour", "night_until_hour")],
        ),
        (
            "`low` from {} point, `medium` from {}, `high` from {}",
            [f"login_risk.{tier}_points" for tier in ("low", "medium", "high")],
        ),
        ("6 digits, {} s, {} tries", ["security.otp_valid_s", "security.otp_tries"]),
        ("{} s steps", ["security.totp_step_s"]),
        ("({} at most), trusted for {} days", ["identity.devices_max", "identity.device_trust_days"]),
        ("after {} wrong passwords", ["identity.password_tries"]),
        (
            "at most {} a minute, {} an hour, {} a day",
            [f"security.otp_phone_{each}_times" for each in ("minute", "hour", "day")],
        ),
        (
            "{} an hour and {} a day from an address",
            ["security.otp_address_hour_times", "security.otp_address_day_times"],
        ),
        ("has at most {};", ["identity.sessions_max"]),
        ("for {} hours at most", ["identity.cooldown_hours"]),
    ],
)
def test_the_figures_are_those_of_the_terms(sentence: str, terms: list[str]) -> None:
    assert sentence.format(*(Terms.load().integer(term) for term in terms)) in FLAT


def test_the_other_figures_are_those_of_the_code() -> None:
    terms, defaults = Terms.load(), {name: field.default for name, field in Settings.model_fields.items()}
    assert f"¥{terms.integer('identity.low_limit_once_yuan'):,} leaves at once" in FLAT
    assert f"¥{terms.integer('identity.low_limit_day_yuan'):,} in all" in FLAT
    assert timedelta(minutes=10) == logins.ATTEMPT_LIFE and "lives ten minutes" in FLAT
    assert f"{strength.LENGTH_MIN} to {strength.LENGTH_MAX} characters" in FLAT
    assert f"zxcvbn score {strength.SCORE_MIN} or more" in FLAT
    assert f"{totp.RECOVERY_CODES} recovery codes" in FLAT
    assert f"last {logins.ID_TAIL_CHARS} characters" in FLAT
    assert (
        f"ends {defaults['session_ttl_h']} hours after the log-in, {defaults['session_idle_min']} minutes"
        in FLAT
    )
    argon = ", ".join(str(defaults[f"password_{name}"]) for name in ("time_cost", "memory_kib", "lanes"))
    assert f"| {argon} | argon2id |" in FLAT
