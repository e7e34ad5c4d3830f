"""The web server of one app process: chat at /, desk at /desk/, health and metrics for the operator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from banking_core.storage import Database
from bot.assembly import Product
from bot.channels.web import Rate, WebDependencies, WebLimits, build_web_app
from bot.channels.web.ports import SmsSeen
from bot.channels.wechat.channel import CALLBACK_PATH, PREFIX, WechatChannel
from bot.channels.wechat.reach import WechatReach
from bot.conversation.pictures import Pictures
from bot.running.memory import settle
from bot.running.phone import Exchange, telephone
from bot.running.premises import require_port
from bot.running.wechat import build_wechat
from bot.surfaces.origin import Trust, is_loopback
from bot.understanding.client import NluClient
from desk.app import build_desk_app
from desk.dependencies import DeskDependencies

WECHAT = web.AppKey("wechat", WechatChannel)
DATABASE_ANSWER_S = 2.0


def message_limits(messages_per_s: float) -> WebLimits:
    """The web channel's limits with the configured rate of messages; an address may send six times it."""
    burst = max(1, round(12 * messages_per_s))
    return WebLimits(
        messages_session=Rate(burst, messages_per_s), messages_address=Rate(burst * 5, messages_per_s * 6)
    )


def build_app(product: Product, exchange: Exchange | None = None) -> web.Application:
    """The whole HTTP surface; with an exchange customers can call from the page."""
    settings = product.settings

    async def sms_recent(limit: int) -> list[SmsSeen]:
        sandbox = product.bank.providers.sandbox_sms
        recent = await sandbox.recent(limit) if sandbox is not None else ()
        return [SmsSeen(message.phone, message.text, message.sent_at) for message in recent]

    trust = Trust(
        origins=frozenset(
            (*settings.allowed_origins, *((settings.public_url,) if settings.public_url else ()))
        ),
        proxies=frozenset(settings.trusted_proxies),
        secure=bool(settings.secure_cookies),
    )
    web_dependencies = WebDependencies(
        hub=product.hub,
        db=product.database,
        bank=product.bank,
        clock=product.clock,
        session_ttl_h=settings.session_ttl_h,
        trust=trust,
        developer_pages=bool(settings.developer_pages) and product.bank.providers.sandbox_sms is not None,
        sms_recent=sms_recent,
        signed_paths=frozenset({CALLBACK_PATH}),
        limits=message_limits(settings.messages_per_s),
        calls=exchange.browser_line() if exchange is not None else None,
    )
    app = build_web_app(web_dependencies)
    wechat = build_wechat(product, web_dependencies)
    if wechat is not None:
        app.add_subapp(PREFIX, wechat.app())
        app[WECHAT] = wechat
    if wechat is not None and settings.wechat_domain_file is not None:
        _serve_file(app, settings.wechat_domain_file)
    app.add_subapp(
        "/desk/",
        build_desk_app(
            DeskDependencies(
                desk=product.desk,
                hub=product.handoff,
                db=product.database,
                clock=product.clock,
                trust=trust,
                complaints=product.bank.complaints,
                calls=product.calls,
                answers=product.knowledge,
                reach=WechatReach(product.clock),
                pictures=Pictures(product.database, product.clock),
            )
        ),
    )
    _operator_routes(app, product)
    return app


def _serve_file(app: web.Application, path: Path) -> None:
    """The file under its name, read once: with it Tencent sees that the domain is ours."""
    body = path.read_bytes()

    async def file(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/plain")

    app.router.add_get(f"/{path.name}", file)


def _operator_routes(app: web.Application, product: Product) -> None:
    async def health(_request: web.Request) -> web.Response:
        understander = product.understander
        understands = not isinstance(understander, NluClient) or await understander.ready()
        stores = await _answers(product.database)
        body = {"ready": understands and stores, "understanding": understands, "database": stores}
        return web.json_response(body, status=200 if body["ready"] else 503)

    async def metrics(request: web.Request) -> web.Response:
        if not is_loopback(request):  # behind a proxy everybody comes from this machine
            raise web.HTTPNotFound
        return web.Response(
            body=generate_latest(product.metrics_registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app.router.add_get("/healthz", health)
    app.router.add_get("/metrics", metrics)


async def _answers(database: Database) -> bool:
    """Whether the database can be read now."""
    try:
        async with asyncio.timeout(DATABASE_ANSWER_S), database.snapshot() as session:
            await session.execute(text("SELECT 1"))
    except Exception as error:
        logging.getLogger(__name__).error("the database does not answer: %s", type(error).__name__)
        return False
    return True


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the product is reached: its web server, and a sentence for each telephone line."""

    web: str
    phone: tuple[str, ...] = ()


@asynccontextmanager
async def serving(product: Product) -> AsyncIterator[Addresses]:
    """The running server and telephone. Raises PortBusy."""
    settings = product.settings
    require_port(settings.host, settings.port, "网页", "ZHANGGUI_PORT")
    await product.start()
    exchange = Exchange(product)
    runner = web.AppRunner(build_app(product, exchange), access_log=None)
    await runner.setup()
    product.scheduler.start()
    try:
        async with telephone(exchange) as lines:  # who asks whether we are ready may call, too
            settle()
            await web.TCPSite(runner, settings.host, settings.port).start()
            yield Addresses(f"http://{settings.host}:{settings.port}", tuple(lines))
    finally:
        await runner.cleanup()
        await exchange.close()
        await product.close()
