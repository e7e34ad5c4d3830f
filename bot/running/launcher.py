"""`zhanggui run`: trains if needed, prepares the bank, starts both processes, and says what to try."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from time import perf_counter

from banking_core.clock import bank_date
from banking_core.demo import SEED_LOCK, demo_logins, seed_demo
from banking_core.storage import one_at_a_time
from bot.assembly import Product, build_product
from bot.running.nlu_service import LOOPBACK, NluModel, Say, nlu_service, train_if_needed
from bot.running.premises import examine_premises
from bot.running.server import Addresses, serving
from bot.settings import Settings
from desk.service import DEMO_AGENTS, DEMO_PASSWORD
from migrations.runner import upgrade

TOUR = ("查余额", "给张三转五百", "不对，是六百", "这个月电费多少", "跨行转账要手续费吗", "转人工")


async def prepare_bank(settings: Settings, product: Product, say: Say) -> None:
    """Migrates the database and, where wanted, fills an empty bank with the demo."""
    say("数据库：检查并升级表结构 …")
    await upgrade(settings.database_url, vault=product.database.vault)
    await product.bank.start(product.database)
    if not settings.demo_bank:
        return
    say("演示银行：准备客户、账户和两年的流水（首次约十几秒）…")
    started_s = perf_counter()
    await seed_demo(product.database, product.bank, bank_date(product.clock.now()))
    async with product.database.transaction() as session:
        await one_at_a_time(session, SEED_LOCK)
        await product.desk.seed_demo_agents(session)
    say(f"演示银行：就绪（{perf_counter() - started_s:.1f} 秒）")


async def prepare(settings: Settings, say: Say) -> None:
    """What has to be done once before any number of app processes: tables, and the demo bank where it is wanted."""
    product = build_product(settings)
    try:
        await prepare_bank(settings, product, say)
    finally:
        await product.close()


async def run(settings: Settings, say: Say) -> None:
    """Runs until interrupted. Raises StartError."""
    examine_premises(settings)
    model = None
    if settings.own_nlu:
        say("理解模型：检查训练数据 …")
        model = await asyncio.to_thread(train_if_needed, settings.nlu_model_dir, say)
    say("知识库：准备检索（首次或有改动时约十秒）…")
    product = build_product(settings)
    preparing = asyncio.create_task(prepare_bank(settings, product, say))
    try:
        async with AsyncExitStack() as stack:
            child_exit: Callable[[], int | None] = _no_child
            if model is not None:
                say("理解服务：启动中 …")
                child_exit = (await stack.enter_async_context(_nlu_beside(settings, model))).poll
            await preparing
            async with serving(product) as addresses:
                say(welcome(settings, addresses))
                await _until_stopped(child_exit)
    finally:
        preparing.cancel()
    say("已停止。")


async def run_nlu(settings: Settings, say: Say) -> None:
    """The NLU service alone, for app processes elsewhere, until interrupted. Raises StartError."""
    model = await asyncio.to_thread(train_if_needed, settings.nlu_model_dir, say)
    say("理解服务：启动中 …")
    async with _nlu_beside(settings, model, host=settings.nlu_host) as process:
        say(f"理解服务已就绪：http://{settings.nlu_host}:{settings.nlu_port}，按 Ctrl-C 停止。")
        await _until_stopped(process.poll)
    say("已停止。")


def _nlu_beside(
    settings: Settings, model: NluModel, *, host: str = LOOPBACK
) -> AbstractAsyncContextManager[subprocess.Popen[bytes]]:
    assert settings.nlu_token is not None
    token = settings.nlu_token.get_secret_value()
    return nlu_service(model, settings.nlu_port, token, settings.data_dir / "nlu.log", host)


def _no_child() -> int | None:
    return None


async def _until_stopped(child_exit: Callable[[], int | None]) -> None:
    """Returns at Ctrl-C or SIGTERM, or when the NLU service is gone."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    while not stopped.is_set():
        try:
            await asyncio.wait_for(stopped.wait(), timeout=2.0)
        except TimeoutError:
            if child_exit() is not None:
                logging.getLogger(__name__).error("the NLU service ended; stopping")
                return


def welcome(settings: Settings, addresses: Addresses) -> str:
    """Addresses, demo logins and what to try."""
    address = addresses.web
    lines = ["", "掌柜已就绪：", f"  客户聊天   {address}/", f"  客服工作台 {address}/desk/"]
    lines += [f"  {line}" for line in addresses.phone]
    if settings.developer_pages:
        lines.append(f"  短信沙箱   {address}/dev/sms （验证码在这里看，仅开发模式）")
    if settings.wechat_app_id:
        lines.append(f"  微信公众号 {settings.public_url}/wechat/callback （填到公众平台的服务器地址）")
    if settings.demo_bank:
        lines += ["", "演示客户（手机号 / 密码）："]
        lines += [f"  {login.name}  {login.phone} / {login.password}  {login.who}" for login in demo_logins()]
        agents = "、".join(f"{username}（{name}）" for username, name in DEMO_AGENTS)
        lines += ["", f"演示客服：{agents}，密码 {DEMO_PASSWORD}"]
    lines += ["", "试着说：" + "  ".join(f"“{words}”" for words in TOUR), "按 Ctrl-C 停止。"]
    return "\n".join(lines)
