"""Calls to Tencent: one access token for everybody, an error for each errcode, and no secret in any of them."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.wechat.api import WechatApi
from bot.channels.wechat.errors import (
    ApiError,
    ApiUnavailable,
    NotAllowed,
    QuotaSpent,
    Unreachable,
    WindowClosed,
)
from bot.channels.wechat.models import WechatToken
from bot.channels.wechat.outgoing import ImageOut, MenuOut, NewsOut, TextOut
from bot.channels.wechat.tokens import AccessTokens, Issued
from tests.bot.channels.wechat.accounts import APP_ID, OPENID, account
from tests.bot.channels.wechat.conftest import Outside

SEND, TOKEN = "/cgi-bin/message/custom/send", "/cgi-bin/stable_token"


async def test_one_token_serves_every_call_and_every_process(outside: Outside) -> None:
    outside.tencent.wrote(OPENID)
    other = outside.another_api()
    await outside.api.send(OPENID, TextOut("一"))
    await other.send(OPENID, TextOut("二"))
    await other.close()
    assert outside.tencent.calls[TOKEN] == 1
    assert [shown.text for shown in outside.tencent.line(OPENID).screen] == ["一", "二"]


async def test_processes_that_need_a_token_at_once_ask_for_one(outside: Outside) -> None:
    asked, go_on, waits = [], asyncio.Event(), []

    async def issue(force: bool) -> Issued:
        asked.append(force)
        await go_on.wait()
        return Issued("t1", 7200)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        go_on.set()
        await asyncio.sleep(0)

    processes = [AccessTokens(outside.database, outside.clock, APP_ID, issue, sleep=sleep) for _ in range(4)]
    tokens = await asyncio.gather(*(process.get() for process in processes))
    assert tokens == ["t1"] * 4 and asked == [False] and waits


async def test_while_one_process_renews_the_others_use_what_is_still_good(outside: Outside) -> None:
    go_on = asyncio.Event()
    issued = iter([Issued("old", 7200), Issued("new", 7200)])

    async def issue(force: bool) -> Issued:
        found = next(issued)
        if found.token == "new":
            await go_on.wait()
        return found

    tokens = AccessTokens(outside.database, outside.clock, APP_ID, issue)
    assert await tokens.get() == "old"
    outside.clock.advance(seconds=7200 - 200)
    renewing = asyncio.create_task(tokens.get())
    while True:
        async with outside.database.snapshot() as session:
            if (await session.get_one(WechatToken, APP_ID)).lease_by is not None:
                break
    assert await tokens.get() == "old"
    go_on.set()
    assert await renewing == "new"
    assert await tokens.get() == "new"


async def test_a_process_that_died_while_renewing_is_not_waited_for_longer_than_its_lease(
    outside: Outside,
) -> None:
    async def die(_force: bool) -> Issued:
        raise asyncio.CancelledError

    async def wait(_seconds: float) -> None:
        outside.clock.advance(seconds=1)

    async def issue(_force: bool) -> Issued:
        return Issued("t2", 7200)

    async with outside.database.transaction() as session:
        until = outside.clock.now().fromtimestamp(
            outside.clock.now().timestamp() + 15, outside.clock.now().tzinfo
        )
        session.add(WechatToken(id=APP_ID, lease_by="a dead process", lease_until=until))
    tokens = AccessTokens(outside.database, outside.clock, APP_ID, issue, sleep=wait)
    assert await tokens.get() == "t2"
    outside.clock.advance(seconds=7200)
    dying = AccessTokens(outside.database, outside.clock, APP_ID, die, sleep=wait)
    with pytest.raises(asyncio.CancelledError):
        await dying.get()
    assert await tokens.get() == "t2"  # the lease was given back


async def test_a_token_that_was_taken_away_is_renewed_once_and_the_call_succeeds(outside: Outside) -> None:
    outside.tencent.wrote(OPENID)
    await outside.api.send(OPENID, TextOut("一"))
    outside.tencent.void_tokens()
    await outside.api.send(OPENID, TextOut("二"))
    assert outside.tencent.calls[TOKEN] == 2 and len(outside.tencent.line(OPENID).screen) == 2
    outside.tencent.fail_next(SEND, 40001, 40001)
    with pytest.raises(ApiUnavailable, match="errcode=40001"):
        await outside.api.send(OPENID, TextOut("三"))
    assert outside.tencent.calls[TOKEN] == 3


async def test_a_token_refused_to_two_processes_is_renewed_once(outside: Outside) -> None:
    outside.tencent.wrote(OPENID)
    await outside.api.send(OPENID, TextOut("一"))
    outside.tencent.void_tokens()
    other = outside.another_api()
    await asyncio.gather(outside.api.send(OPENID, TextOut("二")), other.send(OPENID, TextOut("三")))
    await other.close()
    assert outside.tencent.calls[TOKEN] == 2


async def test_the_token_lies_sealed_in_the_database(outside: Outside) -> None:
    outside.tencent.wrote(OPENID)
    await outside.api.send(OPENID, TextOut("一"))
    async with outside.database.snapshot() as session:
        row = await session.get_one(WechatToken, APP_ID)
        assert row.token and row.token_sealed and row.token not in row.token_sealed


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (45015, WindowClosed),
        (45047, QuotaSpent),
        (43004, Unreachable),
        (40200, NotAllowed),
        (-1, ApiUnavailable),
        (45009, ApiUnavailable),
        (0, ApiUnavailable),
        (40003, ApiError),
    ],
)
async def test_each_errcode_has_its_error(outside: Outside, errcode: int, kind: type[Exception]) -> None:
    outside.tencent.fail_next(SEND, errcode)
    with pytest.raises(kind) as refusal:
        await outside.api.send(OPENID, TextOut("一"))
    assert type(refusal.value) is kind


async def test_the_simulator_keeps_tencent_s_limits(outside: Outside) -> None:
    with pytest.raises(WindowClosed):
        await outside.api.send(OPENID, TextOut("一"))
    outside.tencent.wrote(OPENID)
    for _ in range(5):
        await outside.api.send(OPENID, TextOut("一"))
    with pytest.raises(QuotaSpent):
        await outside.api.send(OPENID, TextOut("一"))
    outside.tencent.wrote(OPENID)
    outside.clock.advance(seconds=48 * 3600)
    with pytest.raises(WindowClosed):
        await outside.api.send(OPENID, TextOut("一"))
    outside.tencent.wrote(OPENID)
    with pytest.raises(ApiError, match="45002"):
        await outside.api.send(OPENID, TextOut("钱" * 700))
    with pytest.raises(ApiError, match="40003"):
        await outside.api.send("o-a-stranger", TextOut("一"))


async def test_every_kind_of_message_is_taken(outside: Outside) -> None:
    outside.tencent.wrote(OPENID)
    media_id = await outside.api.upload_image(b"\x89PNG\r\n")
    for out in (
        TextOut("好"),
        NewsOut("题", "文", "https://bank.example/wechat"),
        ImageOut(media_id),
        MenuOut("满意吗", (("1", "满意"), ("2", "不满意"))),
    ):
        await outside.api.send(OPENID, out)
    assert [shown.kind for shown in outside.tencent.line(OPENID).screen] == ["text", "news", "image", "menu"]
    assert await outside.api.media(media_id) == b"\x89PNG\r\n"
    with pytest.raises(ApiError, match="40007"):
        await outside.api.media("gone")


async def test_an_openid_is_told_for_a_code_once(outside: Outside) -> None:
    code = outside.tencent.authorise(OPENID)
    assert await outside.api.openid_of(code) == OPENID
    with pytest.raises(ApiError, match="40029"):
        await outside.api.openid_of(code)


async def test_a_template_message_is_shown_once_per_key(outside: Outside) -> None:
    for _ in range(2):
        await outside.api.send_template(
            OPENID, "tpl", "https://bank.example", {"thing1": "登录提醒"}, "key-1"
        )
    assert [shown.how for shown in outside.tencent.line(OPENID).screen] == ["template"]


async def test_no_secret_is_in_an_error_when_tencent_is_away(outside: Outside) -> None:
    away = WechatApi(account(), outside.database, outside.clock, url="http://127.0.0.1:9")
    for call in (away.send(OPENID, TextOut("一")), away.openid_of("c"), away.media("m")):
        with pytest.raises(ApiUnavailable) as refusal:
            await call
        assert "secret" not in str(refusal.value) and "access_token" not in str(refusal.value)
        assert refusal.value.__cause__ is None
    await away.close()
