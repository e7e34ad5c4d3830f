"""The account's menu, from a YAML file to what Tencent takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bot.channels.wechat.errors import MenuInvalid
from bot.channels.wechat.texts import size

DEFAULT_MENU = Path(__file__).parent / "menu.yml"
BUTTONS_MAX, ITEMS_MAX = 3, 5
BUTTON_BYTES_MAX, ITEM_BYTES_MAX = 16, 60
KEY_BYTES_MAX, URL_BYTES_MAX = 128, 1024


def read_menu(path: Path, page_url: str) -> dict[str, Any]:
    """The body of `menu/create`. Raises MenuInvalid, saying what is wrong."""
    try:
        buttons = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MenuInvalid(f"{path.name} 读不出来：{type(error).__name__}") from None
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= BUTTONS_MAX:
        raise MenuInvalid(f"菜单要有1到{BUTTONS_MAX}个按钮")
    return {"button": [_button(button, page_url) for button in buttons]}


def _button(button: Any, page_url: str) -> dict[str, Any]:
    if not isinstance(button, dict) or "items" not in button:
        return _item(button, page_url, BUTTON_BYTES_MAX)
    items = button["items"]
    if not isinstance(items, list) or not 1 <= len(items) <= ITEMS_MAX:
        raise MenuInvalid(f"“{button.get('name')}”下面要有1到{ITEMS_MAX}项")
    name = _name(button, BUTTON_BYTES_MAX)
    return {"name": name, "sub_button": [_item(item, page_url, ITEM_BYTES_MAX) for item in items]}


def _item(item: Any, page_url: str, bytes_max: int) -> dict[str, Any]:
    name = _name(item, bytes_max)
    match item:
        case {"say": str(words)} if 0 < size(words) <= KEY_BYTES_MAX:
            return {"type": "click", "name": name, "key": words}
        case {"page": True}:
            return {"type": "view", "name": name, "url": page_url}
        case {"url": str(url)} if url.startswith("https://") and size(url) <= URL_BYTES_MAX:
            return {"type": "view", "name": name, "url": url}
    raise MenuInvalid(f"“{name}”要有 say、page: true 或 https 的 url 之一")


def _name(item: Any, bytes_max: int) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str) or not 0 < size(name) <= bytes_max:
        raise MenuInvalid(f"每个按钮要有名字，最多{bytes_max // 3}个汉字：{name}")
    return name
