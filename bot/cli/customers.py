"""`zhanggui customers`: the copy and the erasure a person may ask for; freezing and releasing an account."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import acting
from banking_core.audit.acting import operator
from banking_core.bank import Bank, build_bank
from banking_core.clock import SystemClock
from banking_core.customers import Customer, CustomerNotFound
from banking_core.privacy.holding import Holding
from banking_core.privacy.holdings import BANK_HOLDINGS
from banking_core.privacy.rights import EraseRefused, Obstacle, erase_person, export_person
from banking_core.privacy.words import RESTRICTION
from banking_core.storage import Database
from bot.channels.web.personal import WEB_HOLDINGS
from bot.channels.wechat.personal import WECHAT_HOLDINGS
from bot.conversation.personal import CONVERSATION_HOLDINGS, conversation_obstacle
from bot.settings import Settings
from desk.personal import DESK_HOLDINGS, ticket_obstacle

HOLDINGS: tuple[Holding, ...] = (
    *WECHAT_HOLDINGS,
    *WEB_HOLDINGS,
    *BANK_HOLDINGS,
    *CONVERSATION_HOLDINGS,
    *DESK_HOLDINGS,
)
OBSTACLES: tuple[Obstacle, ...] = (conversation_obstacle, ticket_obstacle)


RESTRICTION_NAMES = RESTRICTION["kind"]


async def freeze_customer(settings: Settings, phone: str, reason: str) -> None:
    """No log-in and no order until released; raises CustomerNotFound."""
    async with _customer(settings, phone) as (session, bank, customer):
        await bank.identity.takeovers.freeze(session, customer.id, reason=reason)
    click.echo("已锁定：登录和资金操作都已停止，已通知客户。")


async def release_customer(settings: Settings, phone: str, grounds: str) -> None:
    """Lifts every restriction; raises CustomerNotFound."""
    async with _customer(settings, phone) as (session, bank, customer):
        lifted = await bank.identity.takeovers.release(
            session, customer.id, by=f"operator:{operator().id}", grounds=grounds
        )
    names = "、".join(RESTRICTION_NAMES[kind] for kind in lifted)
    click.echo(f"已解除：{names}，已通知客户。" if lifted else "这位客户没有任何限制。")


@asynccontextmanager
async def _customer(settings: Settings, phone: str) -> AsyncIterator[tuple[AsyncSession, Bank, Customer]]:
    """The customer with this number in a transaction of an operator; raises CustomerNotFound."""
    database, bank = _open(settings)
    try:
        with acting(operator()):
            async with database.transaction() as session:
                customer = await bank.customers.by_phone(session, phone)
                if customer is None:
                    raise CustomerNotFound("no customer has this phone number")
                yield session, bank, customer
    finally:
        await bank.close()
        await database.close()


async def export_customer(settings: Settings, phone: str, path: Path) -> bool:
    """Writes a new file, readable by its owner only; False, said on the screen, when it cannot be made."""
    try:
        async with _customer(settings, phone) as (session, bank, customer):
            copy = await export_person(session, bank, customer.id, HOLDINGS)
            _write(path, json.dumps(copy, ensure_ascii=False, indent=1) + "\n")
    except FileExistsError:
        click.echo(f"{path} 已经存在，没有覆盖。请换一个文件名。", err=True)
        return False
    click.echo(f"已导出到 {path}。里面是这位客户的全部个人信息，请妥善交给本人。")
    return True


async def erase_customer(settings: Settings, phone: str) -> bool:
    """Erases for good; False, with what is in the way, when something is still open."""
    try:
        async with _customer(settings, phone) as (session, bank, customer):
            done = await erase_person(session, bank, customer.id, HOLDINGS, OBSTACLES)
    except EraseRefused as refused:
        click.echo("不能注销：", err=True)
        for reason in refused.reasons:
            click.echo(f"  {reason}", err=True)
        return False
    click.echo(f"已注销，共处理 {sum(done.values())} 条个人信息。账务和审计记录按规定保留。")
    click.echo("备份里的旧数据要等“zhanggui keys rotate”并“zhanggui keys retire”旧密钥之后才读不出来。")
    return True


def _open(settings: Settings) -> tuple[Database, Bank]:
    database = Database(settings.database_url, vault=settings.open_vault())
    return database, build_bank(settings.bank_settings(), SystemClock())


def _write(path: Path, text: str) -> None:
    """A new file with mode 0600; raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
