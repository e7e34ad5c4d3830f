"""docs/desk.md says what the page does: its keys, acts, roles and what is noted of them."""

from __future__ import annotations

import re
from pathlib import Path

from desk.roles import RIGHTS
from desk.service import DEMO_AGENTS, DEMO_LEADS, DEMO_PASSWORD

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")
SHORTCUTS = (ROOT / "desk" / "static" / "shortcuts.js").read_text(encoding="utf-8")


def test_every_key_of_the_page_is_in_the_table_with_its_words() -> None:
    keys = PAGE.partition("## Keys")[2].partition("## Acts")[0]
    rows = re.findall(r'{ key: "([^"]+)"(?:, show: \[([^\]]+)\])?, label: "([^"]+)"', SHORTCUTS)
    assert len(rows) >= 14
    for key, shown, label in rows:
        for name in re.findall(r'"([^"]+)"', shown) or [key]:
            assert name in keys, name
        assert re.split(r"[（；]", label)[0] in keys, label


def test_roles_codes_and_demo_accounts_are_named() -> None:
    assert all(f"| {role} |" in PAGE for role in RIGHTS)
    names = [*(name for name, _ in DEMO_AGENTS), *(name for name, *_ in DEMO_LEADS)]
    assert all(f"`{name}`" in PAGE for name in names) and DEMO_PASSWORD in PAGE


def test_what_the_page_says_is_noted_is_in_the_table_of_the_audit_too() -> None:
    privacy = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:desk|conversation)\.\w+)`", PAGE))
    assert named >= {"desk.card_viewed", "desk.name_unmasked", "desk.phone_unmasked", "conversation.watched"}
    assert all(name in privacy for name in named)
