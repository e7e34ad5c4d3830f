"""`zhanggui keys`: making, listing, changing and giving up the keys of personal data."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from banking_core.audit import note
from banking_core.audit.acting import operator
from banking_core.clock import BANK_ZONE
from banking_core.storage import Database
from banking_core.vault import CIPHER_NAMES, KeyFile, KeyRing, Vault
from banking_core.vault.ciphers import CODES
from banking_core.vault.rotation import Resealed, Use, reseal, uses
from bot.settings import Settings
from migrations.model_modules import load_metadata

# A transaction that sealed with the old key just before the change must be over before that key goes.
KEPT_AT_LEAST = timedelta(hours=1)
CIPHER_OF = {CODES[name]: name for name in CIPHER_NAMES}


def make_key_file(path: Path) -> bool:
    """Makes a key file; False, and nothing is touched, when the path is taken or cannot be written."""
    try:
        made = KeyFile(path).create(datetime.now(UTC))
    except OSError as error:
        click.echo(f"写不了 {path}：{error.strerror}。", err=True)
        return False
    if not made:
        click.echo(f"{path} 已经存在，没有改动。", err=True)
        return False
    click.echo(f"密钥文件已生成：{path}。请另存一份：丢了它，个人资料就再也读不出来。")
    return True


async def list_keys(settings: Settings, *, as_json: bool) -> None:
    """Prints every key with its age and how many values it has sealed."""
    load_metadata()
    ring = settings.open_vault().ring
    database = Database(settings.database_url)
    try:
        async with database.snapshot() as session:
            counts = await uses(session)
    finally:
        await database.close()
    views = [_view(key_id, ring, counts) for key_id in ring.keys]
    if as_json:
        click.echo(json.dumps({"keys": views, "rotating": ring.rotating}, ensure_ascii=False))
        return
    for view in views:
        made_at = ring.keys[view["id"]].made_at.astimezone(BANK_ZONE)
        values = "，".join(f"{name} {count} 项" for name, count in view["values"].items())
        state = "在用" if view["current"] else "旧的"
        click.echo(f"{view['id']}  {made_at:%Y-%m-%d %H:%M}  {state}  {values or '没有数据在用'}")
    if ring.rotating:
        click.echo("上一次换钥还没有做完，请再运行一次“zhanggui keys rotate”。")


async def rotate_keys(settings: Settings) -> bool:
    """Makes a new key and seals everything anew with it; goes on with a rotation that was interrupted.

    True when nothing is left under an old key or cipher. The bank may stay open.
    """
    ring = settings.open_vault().ring
    if ring.rotating:
        click.echo(f"接着做上一次没有做完的换钥（{ring.current}）…")
    else:
        ring = settings.keys().update(lambda ring: ring.with_new_key(datetime.now(UTC)))
        await _note(settings, "keys.made", ring.current, {})
        click.echo(f"新密钥 {ring.current} 已写入密钥文件，开始重新加密 …")
    report, vault, counts = await _reseal(settings)
    left = sum(use.count for use in counts if f"{use.cipher}.{use.key_id}." != vault.prefix)
    if left:
        click.echo(f"还有 {left} 项没有换成新密钥，请处理后再运行一次。", err=True)
        return False
    settings.keys().update(lambda ring: ring.finished())
    await _note(settings, "keys.rotated", ring.current, {"rows": report.rows})
    click.echo(f"完成：{report.rows} 行改用了 {ring.current}。旧密钥一小时后可用“zhanggui keys retire”删除。")
    return True


async def retire_key(settings: Settings, key_id: str) -> bool:
    """Takes an old key out of the file for good; False while any value needs it or might be under way."""
    ring = settings.open_vault().ring
    if key_id not in ring.keys or key_id == ring.current:
        click.echo(f"{key_id} 不在密钥文件里，或者正在用，不能删除。", err=True)
        return False
    if datetime.now(UTC) - ring.keys[ring.current].made_at < KEPT_AT_LEAST:
        click.echo("新密钥启用还不到一小时，可能还有没提交的数据用着旧密钥，请稍后再试。", err=True)
        return False
    _, _, counts = await _reseal(settings)
    in_use = sum(use.count for use in counts if use.key_id == key_id)
    if in_use:
        click.echo(f"{key_id} 还有 {in_use} 项数据在用，没有删除。", err=True)
        return False
    settings.keys().update(lambda ring: ring.without(key_id))
    await _note(settings, "keys.retired", key_id, {})
    click.echo(f"{key_id} 已删除。用它加密的旧备份从此再也读不出来。")
    return True


async def _note(settings: Settings, action: str, key_id: str, after: dict[str, int]) -> None:
    """Puts what the operator did into the audit trail."""
    database = Database(settings.database_url)
    try:
        async with database.transaction() as session:
            note(
                session,
                action,
                at=datetime.now(UTC),
                object_kind="key",
                object_id=key_id,
                after=after,
                by=operator(),
            )
    finally:
        await database.close()


async def _reseal(settings: Settings) -> tuple[Resealed, Vault, list[Use]]:
    """Seals everything with the current key and cipher, and counts afterwards which keys are still in use."""
    load_metadata()
    vault = settings.open_vault()
    database = Database(settings.database_url, vault=vault)
    try:
        report = await reseal(database, lambda table, rows: click.echo(f"  {table}：{rows} 行"))
        async with database.snapshot() as session:
            counts = await uses(session)
    finally:
        await database.close()
    for place in sorted(report.broken):
        click.echo(f"  打不开：{place}", err=True)
    return report, vault, counts


def _view(key_id: str, ring: KeyRing, counts: list[Use]) -> dict[str, Any]:
    return {
        "id": key_id,
        "made_at": ring.keys[key_id].made_at.isoformat(),
        "current": key_id == ring.current,
        "values": {
            CIPHER_OF.get(use.cipher, use.cipher): use.count for use in counts if use.key_id == key_id
        },
    }
