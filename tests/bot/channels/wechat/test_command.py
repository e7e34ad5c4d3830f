"""`zhanggui wechat`: trying the channel in a terminal, and setting the menu."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.cli import wechat
from bot.cli.main import cli
from bot.running.premises import free_port
from bot.settings import load_settings
from tests.bot.channels.wechat.site import running
from tests.bot.conftest import elsewhere

__all__ = ["elsewhere"]
OPENID = "oSimulatedFollower01"
LINES = [
    "/关注",
    "你好",
    "/重复 在吗",
    "/语音 查余额",
    "/图片",
    "/图片 /no/such/file",
    "/链接 领红包",
    "/位置 上海市浦东新区世纪大道",
    "/菜单 余额",
    "/选 9",
    "/不懂",
    "",
    "/取关",
    "/退出",
]


async def test_a_follower_in_the_terminal_talks_to_the_running_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = f"http://127.0.0.1:{free_port()}"
    lines = iter(LINES)
    monkeypatch.setattr(wechat, "_line", lambda: next(lines))
    monkeypatch.setattr(wechat, "LOOK_S", 0.0)
    async with running(tmp_path, wechat_api_url=api, wechat_oauth_url=api) as site:
        assert await wechat.simulate(site.product.settings, OPENID, clock=site.clock)
        await site.settled()
        said = [m for m in await site.history(OPENID) if m["sender"] == "customer"]
    shown = capsys.readouterr().out
    assert "模拟器（不是腾讯的服务）" in shown
    assert (
        "〔回复〕您好，我是掌柜银行的小掌柜" in shown and "没有这一项" in shown and "这个文件打不开" in shown
    )
    assert "听到的是：查余额" in shown and "没有查到网点" in shown
    # On a busy machine the voice is understood after what was sent behind it.
    assert sorted(m["text"] for m in said) == sorted(["你好", "在吗", "查余额", "[图片]", "余额"])


async def test_a_simulator_that_is_started_again_is_answered_like_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(wechat, "LOOK_S", 0.0)
    async with running(tmp_path, wechat_api_url=api, wechat_oauth_url=api) as site:
        for words in ("你好", "在吗"):
            lines = iter([words, "/退出"])
            monkeypatch.setattr(wechat, "_line", lambda lines=lines: next(lines))
            assert await wechat.simulate(site.product.settings, OPENID, clock=site.clock)
            await site.settled()
            site.clock.advance(seconds=3600)
            await site.channel.intake.forget()  # the log remembers for longer than the channel
        said = [m["text"] for m in await site.history(OPENID) if m["sender"] == "customer"]
    assert said == ["你好", "在吗"] and capsys.readouterr().out.count("〔回复〕") == 2


def test_the_settings_it_prints_are_a_file_that_works(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli(["wechat", "simulate", "--settings"], standalone_mode=False)
    text = capsys.readouterr().out
    assert tomllib.loads(text)["wechat_menu_messages"] is True
    (elsewhere / "zhanggui.toml").write_text(text)
    settings = load_settings()
    assert settings.wechat_app_id and settings.public_url == "http://127.0.0.1:8080"


async def test_it_is_for_the_simulated_account_only(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not await wechat.simulate(load_settings(), OPENID)
    assert "wechat simulate --settings" in capsys.readouterr().out


async def test_a_second_simulator_at_the_same_port_is_told_of_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path) as site:  # its Tencent has the port
        assert not await wechat.simulate(site.product.settings, OPENID, clock=site.clock)
    assert "另一个模拟器还开着" in capsys.readouterr().err


async def test_the_menu_is_set_or_the_reason_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as site:
        settings = site.product.settings
        assert await wechat.set_menu(settings)
        menu = site.tencent.menu
        assert menu is not None and re.search("绑定微信", str(menu))
        (tmp_path / "menu.yml").write_text("- 查询")
        assert not await wechat.set_menu(
            settings.model_copy(update={"wechat_menu_path": tmp_path / "menu.yml"})
        )
        site.tencent.fail_next("/cgi-bin/menu/create", 48001)
        assert not await wechat.set_menu(settings)
        assert not await wechat.set_menu(settings.model_copy(update={"wechat_app_id": ""}))
    said = capsys.readouterr()
    assert "菜单已设置" in said.out
    assert "菜单不能用" in said.err and "not_allowed" in said.err and "还没有设置公众号" in said.err
    assert settings.wechat_app_secret is not None
    assert settings.wechat_app_secret.get_secret_value() not in said.err + said.out
