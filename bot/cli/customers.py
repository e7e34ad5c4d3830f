"""`zhanggui customers`: the copy and the erasure a person may ask for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from banking_core.audit import acting
from banking_core.audit.acting import operator
from banking_core.bank import Bank, build_bank
from banking_core.clock import SystemClock
from banking_core.customers import CustomerNotFound
from banking_core.privacy.holding import Holding
from banking_core.privacy.holdings import BANK_HOLDINGS
from banking_core.privacy.rights import EraseRefused, Obstacle, erase_person, export_person
from banking_core.storage import Database
from bot.channels.web.personal import WEB_HOLDINGS
from bot.conversation.personal import CONVERSATION_HOLDINGS, conversation_obstacle
from bot.settings import Settings
from desk.personal import DESK_HOLDINGS, ticket_obstacle

HOLDINGS: tuple[Holding, ...] = (*WEB_HOLDINGS, *BANK_HOLDINGS, *CONVERSATION_HOLDINGS, *DESK_HOLDINGS)
OBSTACLES: tuple[Obstacle, ...] = (conversation_obstacle, ticket_obstacle)


async def export_customer(settings: Settings, phone: str, path: Path) -> bool:
    """Writes a new file, readable by its owner only; False, said on the screen, when it cannot be made."""
    database, bank = _open(settings)
    try:
        with acting(operator()):
            async with database.transaction() as session:
                customer = await bank.customers.by_phone(session, phone)
                if customer is None:
                    raise CustomerNotFound("no customer has this phone number")
                copy = await export_person(session, customer.id, HOLDINGS, bank.clock.now())
                _write(path, json.dumps(copy, ensure_ascii=False, indent=1) + "\n")
    except FileExistsError:
        click.echo(f"{path} 已经存在，没有覆盖。请换一个文件名。", err=True)
        return False
    finally:
        await bank.close()
        await database.close()
    click.echo(f"已导出到 {path}。里面是这位客户的全部个人信息，请妥善交给本人。")
    return True


async def erase_customer(settings: Settings, phone: str) -> bool:
    """Erases for good; False, with what is in the way, when something is still open."""
    database, bank = _open(settings)
    try:
        with acting(operator()):
            async with database.transaction() as session:
                customer = await bank.customers.by_phone(session, phone)
                if customer is None:
                    raise CustomerNotFound("no customer has this phone number")
                done = await erase_person(session, bank, customer.id, HOLDINGS, OBSTACLES)
    except EraseRefused as refused:
        click.echo("不能注销：", err=True)
        for reason in refused.reasons:
            click.echo(f"  {reason}", err=True)
        return False
    finally:
        await bank.close()
        await database.close()
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
