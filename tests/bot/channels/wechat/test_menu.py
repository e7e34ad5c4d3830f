"""The menu: from a file to what Tencent takes, or one sentence about what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.wechat.errors import MenuInvalid
from bot.channels.wechat.menu import DEFAULT_MENU, read_menu
from tests.bot.channels.wechat.conftest import Outside

PAGE = "https://bank.example/wechat/page"


async def test_the_packaged_menu_is_taken_and_leads_to_the_secure_page(outside: Outside) -> None:
    menu = read_menu(DEFAULT_MENU, PAGE)
    await outside.api.create_menu(menu)
    assert outside.tencent.menu == menu
    items = [item for button in menu["button"] for item in button["sub_button"]]
    assert {"type": "view", "name": "绑定微信", "url": PAGE} in items
    assert {"type": "click", "name": "查余额", "key": "查余额"} in items


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "- {name: 查询}",
        "- {name: 查询, say: ''}",
        "- {name: 查询, url: 'http://bank.example'}",
        "- {name: 一二三四五六, say: 查}",
        "- {name: 查询, items: []}",
        "- {name: 查询, items: [{name: 查}]}",
        "- {say: 查}",
        "- 查询",
        "- {name: a, say: a}\n" * 4,
        "- {name: a, items: [" + "{name: a, say: a}," * 6 + "]}",
        "!!python/object/apply:os.system ['true']",
    ],
)
def test_what_is_no_menu_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "menu.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MenuInvalid):
        read_menu(path, PAGE)


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_file_is_a_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "menu.yml"
    path.write_bytes(content)
    with pytest.raises(MenuInvalid):
        read_menu(path, PAGE)
    with pytest.raises(MenuInvalid):
        read_menu(tmp_path / "missing.yml", PAGE)
