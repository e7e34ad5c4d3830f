"""What `zhanggui settings` prints: every setting with its default and meaning, as text or as a page of the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from bot.phone_settings import PhoneSettings
from bot.settings import ROOT, SECRETS, SETTINGS_FILE, Settings

_HEAD = f"""# Settings

Written by `zhanggui settings --markdown`. A setting comes from the environment variable of its name, else from
the file `{SETTINGS_FILE}` in the working directory (`port = 8080`: names in lower case, without the prefix),
else from its default. A value can also lie in a file of its own, as Docker's secrets do: with
`ZHANGGUI_SECRETS_DIR=/run/secrets` the file `/run/secrets/zhanggui_otp_key` is `ZHANGGUI_OTP_KEY`.

Secrets ({{secrets}}) have no default with `ZHANGGUI_MODE=production`,
which refuses to start without them; in development they are made once and kept in the data directory.

| variable | default | meaning |
| --- | --- | --- |
"""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"ZHANGGUI_{name.upper()}"


def default(field: FieldInfo) -> str:
    """The default as one would write it; empty when there is none or it is worked out from others."""
    value = field.default
    if value is None or value in (Path(), ()):
        return ""
    if isinstance(value, Path):
        return str(value.relative_to(ROOT)) if value.is_relative_to(ROOT) else str(value)
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ",".join(f"{name}={inner}" for name, inner in value.items())
    return str(value)


def meaning(field: FieldInfo) -> str:
    """The description, with the values that are allowed."""
    allowed = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    choice = f" One of {', '.join(f'`{value}`' for value in allowed)}." if allowed else ""
    return f"{field.description}{choice}"


def page() -> str:
    """docs/settings.md."""
    secrets = ", ".join(f"`{variable(name)}`" for name in SECRETS)
    rows = [
        f"| `{variable(name)}` | {f'`{default(field)}`' if default(field) else ''} | {meaning(field)} |\n"
        for name, field in _fields()
    ]
    return _HEAD.format(secrets=secrets) + "".join(rows)


def plain() -> str:
    """Two lines a setting."""
    return "".join(
        f"{variable(name)}  （默认 {default(field) or '无'}）\n    {meaning(field)}\n"
        for name, field in _fields()
    )


def _fields() -> list[tuple[str, FieldInfo]]:
    """The telephone's settings last."""
    return sorted(Settings.model_fields.items(), key=lambda item: item[0] in PhoneSettings.model_fields)
