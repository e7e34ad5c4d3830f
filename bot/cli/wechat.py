"""`zhanggui wechat`: the account's menu, and a simulator of Tencent's side to try the channel without an account."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import click
from aiohttp import web

from banking_core.clock import Clock, SystemClock
from banking_core.storage import Database
from bot.channels.phone.speaking import EspeakSpeaker
from bot.channels.wechat.api import WechatApi
from bot.channels.wechat.channel import CALLBACK_PATH
from bot.channels.wechat.errors import MenuInvalid, WechatError
from bot.channels.wechat.menu import DEFAULT_MENU, read_menu
from bot.channels.wechat.simulator import Follower, Shown, Tencent, build_simulator_app, recorded
from bot.running.wechat import account_of
from bot.settings import Settings

PATIENCE_S = 5.0
LOOK_S = 0.3
NO_ACCOUNT = "还没有设置公众号（ZHANGGUI_WECHAT_APP_ID 等，见 docs/wechat.md）。"
HELP = """直接打字就是发消息。还可以：
  /关注  /取关  /菜单 查余额  /位置 上海市浦东新区世纪大道  /图片 [文件]  /语音 查余额  /链接 标题
  /选 2（点菜单消息的第2项）  /重复 查余额（腾讯投递三次）  /退出"""


async def set_menu(settings: Settings) -> bool:
    """Replaces the account's menu by the configured one; False, said on the screen, when that failed."""
    account = account_of(settings)
    if account is None:
        click.echo(NO_ACCOUNT, err=True)
        return False
    database = Database(settings.database_url, vault=settings.open_vault())
    api = WechatApi(account, database, SystemClock(), url=settings.wechat_api_url)
    try:
        menu = read_menu(settings.wechat_menu_path or DEFAULT_MENU, f"{settings.public_url}/wechat/page")
        await api.create_menu(menu)
    except MenuInvalid as error:
        click.echo(f"菜单不能用：{error}", err=True)
        return False
    except WechatError as error:
        click.echo(f"腾讯没有接受：{error.code} {error}", err=True)
        return False
    finally:
        await api.close()
        await database.close()
    click.echo("菜单已设置；已关注的客户几分钟后看到。")
    return True


def example_settings(api_port: int, port: int) -> str:
    """Lines of zhanggui.toml with which `run` talks to the simulator."""
    key = "".join(
        secrets.choice("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(43)
    )
    lines = {
        "public_url": f"http://127.0.0.1:{port}",
        "wechat_app_id": "wxsimulator0000001",
        "wechat_app_secret": secrets.token_hex(16),
        "wechat_token": secrets.token_hex(16),
        "wechat_aes_key": key,
        "wechat_alert_template": "simulated",
        "wechat_api_url": f"http://127.0.0.1:{api_port}",
        "wechat_oauth_url": f"http://127.0.0.1:{api_port}",
    }
    return "".join(f'{name} = "{value}"\n' for name, value in lines.items()) + "wechat_menu_messages = true\n"


async def simulate(settings: Settings, openid: str, *, clock: Clock | None = None) -> bool:
    """A follower in the terminal, with Tencent's API beside them; until /退出 or the end of input."""
    account, port = account_of(settings), urlsplit(settings.wechat_api_url).port
    if account is None or urlsplit(settings.wechat_api_url).hostname != "127.0.0.1" or port is None:
        click.echo(
            "模拟器要和“zhanggui run”用同样的设置，可以把“zhanggui wechat simulate --settings”写进 zhanggui.toml。"
        )
        return False
    tencent = Tencent(account, clock or SystemClock())
    runner = web.AppRunner(build_simulator_app(tencent), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        click.echo(f"模拟器的端口 {port} 有程序在用，也许另一个模拟器还开着，请先关掉它。", err=True)
        await runner.cleanup()
        return False
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as http:
        follower = Follower(
            tencent, openid, _posting(http, f"{settings.public_url}{CALLBACK_PATH}"), asyncio.sleep
        )
        showing = asyncio.create_task(_show(follower, settings.wechat_api_url))
        click.echo(f"微信模拟器（不是腾讯的服务）。{HELP}")
        try:
            while (line := await asyncio.to_thread(_line)) is not None and line.strip() != "/退出":
                await do(follower, line)
        finally:
            await asyncio.sleep(2 * LOOK_S)
            showing.cancel()
            await runner.cleanup()
    return True


async def do(follower: Follower, line: str) -> None:
    """One line of the terminal."""
    command, _, rest = line.strip().partition(" ")
    acts: Mapping[str, Callable[[], Awaitable[None]]] = {
        "/关注": follower.follow,
        "/取关": follower.unfollow,
        "/菜单": lambda: follower.click(rest),
        "/位置": lambda: follower.share_place(31.24, 121.5, rest),
        "/图片": lambda: _show_picture(follower, rest),
        "/语音": lambda: _speak(follower, rest),
        "/链接": lambda: follower.pass_on(rest, "https://example.com/"),
        "/选": lambda: _choose(follower, rest),
        "/重复": lambda: follower.say(rest, copies=3),
    }
    if command in acts:
        await acts[command]()
    elif command.startswith("/"):
        click.echo(HELP)
    elif command:
        await follower.say(line.strip())


async def _speak(follower: Follower, words: str) -> None:
    """A voice message with these words, in the telephone's own voice."""
    pcm = b"".join([piece async for piece in EspeakSpeaker().speak(words, 1.0)])
    await follower.speak(recorded(pcm))


async def _show_picture(follower: Follower, path: str) -> None:
    """The picture in a file, one dot without any."""
    if not path:
        await follower.show_picture()
        return
    try:
        content = Path(path).expanduser().read_bytes()
    except OSError:
        click.echo("这个文件打不开。")
        return
    await follower.show_picture(content)


async def _choose(follower: Follower, number: str) -> None:
    items = next((shown.items for shown in reversed(follower.screen) if shown.items), [])
    if not number.isdecimal() or not 1 <= int(number) <= len(items):
        click.echo("没有这一项。")
        return
    await follower.choose(*items[int(number) - 1])


def _posting(
    http: aiohttp.ClientSession, url: str
) -> Callable[[Mapping[str, str], str], Awaitable[tuple[int, str]]]:
    async def post(query: Mapping[str, str], body: str) -> tuple[int, str]:
        headers = {"Content-Type": "text/xml"}
        try:
            async with http.post(url, params=dict(query), data=body.encode(), headers=headers) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError as error:
            raise TimeoutError from error

    return post


async def _show(follower: Follower, api_url: str) -> None:
    seen = 0
    while True:
        for shown in follower.screen[seen:]:
            click.echo(shown_line(shown, api_url))
            seen += 1
        await asyncio.sleep(LOOK_S)


def shown_line(shown: Shown, api_url: str) -> str:
    """One thing on the screen, as the terminal shows it; a picture as the address at which the simulator shows it."""
    how = {"answer": "回复", "service": "客服消息", "template": "模板消息", "fault": "微信提示"}[shown.how]
    items = "".join(f"\n  {n}. {words}" for n, (_, words) in enumerate(shown.items, 1))
    text = f"[图片] {api_url}/screen/{shown.text}" if shown.kind == "image" else shown.text
    return f"〔{how}〕{text}{items}" + (f"\n  → {shown.url}" if shown.url else "")


def _line() -> str | None:
    try:
        return input()
    except EOFError:
        return None
