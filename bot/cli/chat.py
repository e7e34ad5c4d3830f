"""`zhanggui chat`: the same hub as the web page, in the terminal."""

from __future__ import annotations

import asyncio
import getpass
import uuid

import click

from bot.assembly import build_product
from bot.conversation.views import Inbound
from bot.dialogue.errors import UnderstandingUnavailable
from bot.evaluation.services import understanding_service
from bot.running.launcher import prepare_bank
from bot.settings import Settings


async def chat_loop(settings: Settings, phone: str | None) -> None:
    """Reads lines until 退出 or end of input."""
    async with understanding_service(settings, click.echo) as understander:
        product = build_product(settings, understander=understander)
        await prepare_bank(settings, product, click.echo)
        await product.start()
        try:
            conversation_id = await product.hub.open("terminal")
            if phone is not None:
                async with product.database.snapshot() as session:
                    customer = await product.bank.customers.by_phone(session, phone)
                if customer is None:
                    raise click.ClickException("没有这个手机号的客户。")
                await product.hub.attach_customer(conversation_id, customer.id, "终端")
            click.echo("小掌柜：您好，想办什么直接说；输入“退出”结束。")
            await _talk(product, conversation_id)
        except UnderstandingUnavailable:
            click.echo("理解服务没有回应。", err=True)
        finally:
            await product.close()


async def _talk(product: object, conversation_id: str) -> None:
    hub = product.hub  # type: ignore[attr-defined]
    seen = 0
    while True:
        status = await hub.status(conversation_id)
        secret = status.expects != "text"
        ask = getpass.getpass if secret else input
        try:
            text = await asyncio.to_thread(ask, "密码/验证码：" if secret else "我：")
        except EOFError:
            return
        if text.strip() in ("退出", "exit", "quit"):
            return
        if not text.strip():
            continue
        await hub.receive(Inbound(conversation_id, uuid.uuid4().hex, text, secret and not _is_words(text)))
        await hub.settled()
        for message in await hub.history(conversation_id, seen):
            seen = message["seq"]
            if message["sender"] != "customer":
                click.echo(f"{message['sender_name']}：{message['text']}")


def _is_words(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)
