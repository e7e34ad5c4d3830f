"""The WeChat channel of one app process, when an account is set up."""

from __future__ import annotations

from banking_core.scheduling import every
from bot.assembly import Product
from bot.channels.phone.ports import Hearing
from bot.channels.web import WebDependencies
from bot.channels.wechat.account import Account
from bot.channels.wechat.api import WechatApi
from bot.channels.wechat.channel import WechatChannel
from bot.channels.wechat.dependencies import AlertTemplate, WechatDependencies
from bot.channels.wechat.metrics import WechatMetrics
from bot.channels.wechat.recordings import RecordingReader
from bot.conversation.pictures import Pictures
from bot.running.phone import likely_words, open_hearing
from bot.settings import Settings

DELIVERY_S, ALERTS_S, FORGET_S = 10, 10, 600


def account_of(settings: Settings) -> Account | None:
    """The account that is set up, or None."""
    if not settings.wechat_app_id:
        return None
    assert settings.wechat_app_secret is not None and settings.wechat_token is not None
    key = settings.wechat_aes_key.get_secret_value() if settings.wechat_aes_key is not None else ""
    return Account(
        settings.wechat_app_id,
        settings.wechat_app_secret.get_secret_value(),
        settings.wechat_token.get_secret_value(),
        key,
        settings.wechat_mode,
    )


def recordings(settings: Settings) -> RecordingReader:
    """Hears voice messages, one at a time on a thread of its own: those who call come first."""

    async def ears() -> Hearing:
        hearing, _ = await open_hearing(settings, threads=1)
        return hearing

    return RecordingReader(ears)


def build_wechat(product: Product, web: WebDependencies) -> WechatChannel | None:
    """The channel, with its sweeps on the product's timetable; None without an account."""
    settings, account = product.settings, account_of(product.settings)
    if account is None:
        return None
    assert settings.public_url is not None
    template = settings.wechat_alert_template
    channel = WechatChannel(
        WechatDependencies(
            account=account,
            api=WechatApi(account, product.database, product.clock, url=settings.wechat_api_url),
            hub=product.hub,
            bank=product.bank,
            database=product.database,
            clock=product.clock,
            web=web,
            public_url=settings.public_url,
            oauth_url=settings.wechat_oauth_url.rstrip("/"),
            menu_messages=settings.wechat_menu_messages,
            metrics=WechatMetrics(product.metrics_registry),
            voice=recordings(settings),
            vocabulary=likely_words(product),
            alert=AlertTemplate(template, settings.wechat_alert_fields) if template else None,
        )
    )
    # Leases keep processes from doing the same work, so each may look.
    product.scheduler.also("wechat_delivery", every(DELIVERY_S), channel.deliveries.sweep)
    product.scheduler.also("wechat_resume", every(DELIVERY_S), channel.intake.resume)
    product.scheduler.also("wechat_alerts", every(ALERTS_S), channel.alerts.send_due)
    product.scheduler.also("wechat_forget", every(FORGET_S), channel.intake.forget)
    pictures = Pictures(product.database, product.clock)
    product.scheduler.also("forget_pictures", every(FORGET_S), pictures.forget)
    product.scheduler.also("wechat_forget_media", every(FORGET_S), channel.deliveries.forget_media)
    return channel
