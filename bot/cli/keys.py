"""`zhanggui keys`: making, listing, changing and giving up the keys of personal data and of voiceprints."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from banking_core.audit import note
from banking_core.audit.acting import operator
from banking_core.clock import BANK_ZONE
from banking_core.storage import Database
from banking_core.vault import CIPHER_NAMES, RINGS, KeyFile, KeyRing, RingName, Vault, ring_of
from banking_core.vault.ciphers import CODES
from banking_core.vault.rotation import Resealed, Use, reseal, uses
from banking_core.voiceprints.keys import forget_unreadable
from bot.settings import Settings
from migrations.model_modules import load_metadata

# A transaction that sealed with the old key just before the change must be over before that key goes.
KEPT_AT_LEAST = timedelta(hours=1)
CIPHER_OF = {CODES[name]: name for name in CIPHER_NAMES}
LOST: Mapping[RingName, str] = {
    "data": "丢了它，个人资料就再也读不出来。",
    "voice": "丢了它，客户的声纹都要重新录，别的不受影响。",
}
RING_TEXT: Mapping[RingName, str] = {"data": "个人资料", "voice": "声纹"}


def make_key_file(path: Path, ring: RingName = "data") -> bool:
    """Makes a key file; False, and nothing is touched, when the path is taken or cannot be written."""
    try:
        made = KeyFile(path, ring).create(datetime.now(UTC))
    except OSError as error:
        click.echo(f"写不了 {path}：{error.strerror}。", err=True)
        return False
    if not made:
        click.echo(f"{path} 已经存在，没有改动。", err=True)
        return False
    click.echo(f"密钥文件已生成：{path}。请另存一份：{LOST[ring]}")
    return True


async def list_keys(settings: Settings, only: RingName | None, *, as_json: bool) -> None:
    """Prints every key of the rings with its age and how many values it has sealed."""
    settings.open_vault()
    names = RINGS if only is None else (only,)
    rings = {name: settings.keys(name).load() for name in names}
    counts = await _uses(settings)
    views = [_view(name, key_id, ring, counts) for name, ring in rings.items() for key_id in ring.keys]
    unfinished = [name for name, ring in rings.items() if ring.rotating]
    if as_json:
        click.echo(json.dumps({"keys": views, "rotating": unfinished}, ensure_ascii=False))
        return
    for name, ring in rings.items():
        click.echo(f"{RING_TEXT[name]}（{name}）")
        _print_ring(ring, [view for view in views if view["ring"] == name])
    for name in unfinished:
        click.echo(f"上一次换钥还没有做完，请再运行一次“zhanggui keys rotate --ring {name}”。")


def _print_ring(ring: KeyRing, views: list[dict[str, Any]]) -> None:
    for view in views:
        made_at = ring.keys[view["id"]].made_at.astimezone(BANK_ZONE)
        values = "，".join(f"{name} {count} 项" for name, count in view["values"].items())
        state = "在用" if view["current"] else "旧的"
        click.echo(f"  {view['id']}  {made_at:%Y-%m-%d %H:%M}  {state}  {values or '没有数据在用'}")


async def rotate_keys(settings: Settings, name: RingName = "data") -> bool:
    """Makes a new key and seals everything of the ring anew with it; goes on with a rotation that was interrupted.

    True when nothing is left under an old key, cipher or ring. The bank may stay open.
    """
    settings.open_vault()
    file = settings.keys(name)
    ring = file.load()
    if ring.rotating:
        click.echo(f"接着做上一次没有做完的换钥（{ring.current}）…")
    else:
        ring = file.update(lambda ring: ring.with_new_key(datetime.now(UTC)))
        await _note(settings, "keys.made", ring.current, {})
        click.echo(f"新密钥 {ring.current} 已写入密钥文件，开始重新加密 …")
    report, vault, counts = await _reseal(settings, (name,))
    left = sum(use.count for use in counts if f"{use.cipher}.{use.key_id}." != vault.prefix_of(name))
    if left:
        advice = (
            "真的打不开的声纹用“zhanggui keys forget-voices”销毁。"
            if name == "voice"
            else "请处理后再运行一次。"
        )
        click.echo(f"还有 {left} 项没有换成新密钥，{advice}", err=True)
        return False
    file.update(lambda ring: ring.finished())
    await _note(settings, "keys.rotated", ring.current, {"rows": report.rows})
    click.echo(f"完成：{report.rows} 行改用了 {ring.current}。旧密钥一小时后可用“zhanggui keys retire”删除。")
    return True


async def retire_key(settings: Settings, key_id: str) -> bool:
    """Takes an old key out of its file for good; False while any value needs it or might be under way."""
    vault = settings.open_vault()
    name = ring_of(key_id)
    ring = None if name is None else settings.keys(name).load()
    if name is None or ring is None or key_id not in ring.keys or key_id == ring.current:
        click.echo(f"{key_id} 不在密钥文件里，或者正在用，不能删除。", err=True)
        return False
    if datetime.now(UTC) - ring.keys[ring.current].made_at < KEPT_AT_LEAST:
        click.echo("新密钥启用还不到一小时，可能还有没提交的数据用着旧密钥，请稍后再试。", err=True)
        return False
    await _reseal(settings, vault.rings)
    in_use = sum(use.count for use in await _uses(settings) if use.key_id == key_id)
    if in_use:
        click.echo(f"{key_id} 还有 {in_use} 项数据在用，没有删除。", err=True)
        return False
    settings.keys(name).update(lambda ring: ring.without(key_id))
    await _note(settings, "keys.retired", key_id, {})
    click.echo(f"{key_id} 已删除。用它加密的旧备份从此再也读不出来。")
    return True


async def forget_voices(settings: Settings) -> None:
    """Destroys voiceprints that the keys at hand do not open; their owners record anew."""
    load_metadata()
    database = Database(settings.database_url, vault=settings.open_vault())
    try:
        rows = await forget_unreadable(database)
    finally:
        await database.close()
    await _note(settings, "keys.voices_forgotten", settings.keys("voice").load().current, {"rows": rows})
    click.echo(
        f"已销毁 {rows} 条打不开的声纹数据。" + ("这些客户再来电时会听到“您的声纹需要重录”。" if rows else "")
    )


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


async def _reseal(settings: Settings, rings: Collection[RingName]) -> tuple[Resealed, Vault, list[Use]]:
    """Seals what these rings seal with the current key and cipher, and counts afterwards what is sealed with what."""
    load_metadata()
    vault = settings.open_vault()
    database = Database(settings.database_url, vault=vault)
    try:
        report = await reseal(database, lambda table, rows: click.echo(f"  {table}：{rows} 行"), rings=rings)
        async with database.snapshot() as session:
            counts = await uses(session, rings)
    finally:
        await database.close()
    for place in sorted(report.broken):
        click.echo(f"  打不开：{place}", err=True)
    return report, vault, counts


async def _uses(settings: Settings) -> list[Use]:
    """What is sealed with what, over all rings."""
    load_metadata()
    database = Database(settings.database_url)
    try:
        async with database.snapshot() as session:
            return await uses(session)
    finally:
        await database.close()


def _view(name: RingName, key_id: str, ring: KeyRing, counts: list[Use]) -> dict[str, Any]:
    return {
        "ring": name,
        "id": key_id,
        "made_at": ring.keys[key_id].made_at.isoformat(),
        "current": key_id == ring.current,
        "values": {
            CIPHER_OF.get(use.cipher, use.cipher): use.count for use in counts if use.key_id == key_id
        },
    }
