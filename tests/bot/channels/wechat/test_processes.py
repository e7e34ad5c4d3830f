"""Several app processes on one database, SQLite and PostgreSQL: each message handled once, each reply sent once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.channels.wechat import contacts
from bot.channels.wechat.simulator.follower import PICTURE
from bot.dialogue.reply import Reply
from tests.bot.channels.wechat.accounts import OPENID
from tests.bot.channels.wechat.site import (
    CODE,
    PASSWORD,
    PHONE,
    Browser,
    Site,
    another_process,
    make_customer,
    running,
)
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]
OTHER = "oDF3iYx0ro3_7jD4HFRDfrjdCM59"
TOKEN = "/cgi-bin/stable_token"


@pytest.fixture(params=["sqlite", "postgresql"])
def overrides(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings that choose the engine."""
    if request.param == "sqlite":
        return {}
    return {"database_url": request.getfixturevalue("postgres_url")}


@pytest.fixture
async def pair(tmp_path: Path, overrides: dict[str, Any]) -> AsyncIterator[tuple[Site, Site]]:
    """Two processes."""
    async with running(tmp_path, **overrides) as one, another_process(one) as two:
        yield one, two


async def test_tries_that_reach_two_processes_at_once_are_one_message(pair: tuple[Site, Site]) -> None:
    one, two = pair
    first, second = one.follower(), two.follower()
    one.ears.go_on.clear()
    one.tencent.wrote(OPENID)
    fields = {"MsgType": "text", "Content": "你好", "MsgId": "77"}
    tries = [asyncio.create_task(follower.deliver(fields)) for follower in (first, second, first, second)]
    await one.ears.asked.wait()
    one.ears.go_on.set()
    await asyncio.gather(*tries)
    await one.settled()
    await two.settled()
    history = await one.history()
    assert [message["sender"] for message in history] == ["customer", "bot"]
    assert {shown.text for shown in first.screen} == {history[1]["text"]}
    assert sum(shown.how == "service" for shown in first.screen) <= 1


async def test_what_waits_is_sent_by_one_of_them_and_the_token_is_asked_for_once(
    pair: tuple[Site, Site],
) -> None:
    one, two = pair
    follower = one.follower()
    await follower.say("你好")
    await one.settled()
    contact = await one.contact()
    async with one.product.database.transaction() as session:
        row = await contacts.locked(session, contact.id)
        assert contacts.take_lease(row, "a process that died", one.clock.now())
    for number in range(3):
        await one.product.hub.announce(contact.conversation_id, Reply(f"第{number}件。"), f"k{number}")
    await one.settled()
    assert len(follower.screen) == 1
    one.clock.advance(seconds=21)
    await asyncio.gather(*(site.channel.deliveries.sweep() for site in (one, two) * 3))
    assert follower.texts()[1:] == ["第0件。\n\n第1件。\n\n第2件。"]
    assert one.tencent.calls[TOKEN] == 1


async def test_a_new_follower_who_reaches_two_processes_at_once_is_one_contact(
    pair: tuple[Site, Site],
) -> None:
    one, two = pair
    await asyncio.gather(one.follower().say("你好"), two.follower().say("在吗"))
    await one.settled()
    await two.settled()
    said = [m["text"] for m in await one.history() if m["sender"] == "customer"]
    assert sorted(said) == ["你好", "在吗"]
    await one.channel.deliveries.sweep()
    replies = [m["text"] for m in await one.history() if m["sender"] == "bot"]
    heard = "".join(one.follower().texts())
    assert sum(heard.count(text) for text in dict.fromkeys(replies)) == len(replies)


async def test_two_wechats_that_bind_one_customer_at_once_are_one_in_the_end(
    pair: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = pair
    await make_customer(one.product)
    proved: list[tuple[str, str, str]] = []

    async def later(*what: str) -> bool:
        proved.append(what)  # type: ignore[arg-type]
        return True

    monkeypatch.setattr(one.channel.bindings, "bind", later)
    for browser in (Browser(one), Browser(one, OTHER)):
        await browser.open()
        _, need = await browser.post("/wechat/api/login", {"phone": PHONE, "password": PASSWORD})
        proof = {"challenge_id": need["challenge_id"], "code": CODE}
        assert (await browser.post("/wechat/api/login/verify", proof))[0] == 200
        await browser.close()
    monkeypatch.undo()
    opened = asyncio.Barrier(2)
    for site in pair:
        devices = site.product.bank.identity.devices

        async def together(*what: Any, known: Any = devices.known) -> Any:
            found = await known(*what)
            with suppress(TimeoutError):  # where they take turns nobody comes
                async with asyncio.timeout(0.3):
                    await opened.wait()
            return found

        monkeypatch.setattr(devices, "known", together)
    bound = await asyncio.gather(
        *(site.channel.bindings.bind(*what) for site, what in zip(pair, proved, strict=True))
    )
    assert bound == [True, True]
    found = [(await one.contact(openid)).customer_id is not None for openid in (OPENID, OTHER)]
    assert sorted(found) == [False, True]


async def test_a_token_void_for_both_is_renewed_once(pair: tuple[Site, Site]) -> None:
    one, _ = pair
    apis = [site.channel.intake._deps.api for site in pair]
    await apis[0].upload_image(PICTURE)
    one.tencent.void_tokens()
    await asyncio.gather(*(api.upload_image(PICTURE) for api in apis))
    assert one.tencent.calls[TOKEN] == 2
