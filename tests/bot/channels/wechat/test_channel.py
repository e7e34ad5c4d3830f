"""The channel as Tencent and followers meet it: verification, five seconds, tries, quotas, crashes."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import xmltodict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from wechatpy.crypto import WeChatCrypto

from bot.channels.phone.audio import SILENCE
from bot.channels.phone.loop import Expect
from bot.channels.phone.speaking.espeak import synthesise
from bot.channels.wechat import contacts
from bot.channels.wechat.api import WechatApi
from bot.channels.wechat.deliveries import RATE_HINT, TRIES_MAX
from bot.channels.wechat.dependencies import within
from bot.channels.wechat.messages import NOT_SUPPORTED
from bot.channels.wechat.models import WechatNonce, WechatReceived
from bot.channels.wechat.sealing import Envelopes, signature
from bot.channels.wechat.simulator import recorded
from bot.channels.wechat.simulator.follower import FAULT
from bot.channels.wechat.texts import HEARD, MORE
from bot.channels.wechat.turns import (
    NO_LINKS,
    NOT_HEARD,
    NOT_SEEN,
    OLD_CHOICE,
    OTHER_FORMAT,
    PICTURE_KEPT,
    THANKS,
    TOO_LONG,
)
from bot.conversation import log
from bot.dialogue.by_ear import ByEar
from bot.dialogue.reply import Choice, Reply
from tests.bot.channels.wechat.accounts import AES_KEY, APP_ID, OPENID, TOKEN, text_xml
from tests.bot.channels.wechat.site import Reader, Site, listen_with, running
from tests.bot.channels.wechat.speex_recorder import FOLDER, SAID
from tests.bot.conversation.banks import put_on_duty

SEND = "/cgi-bin/message/custom/send"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as site:
        yield site


def signed(site: Site, **more: str) -> dict[str, str]:
    timestamp = str(int(site.clock.now().timestamp()))
    return {"timestamp": timestamp, "nonce": "n1", "signature": signature(TOKEN, timestamp, "n1")} | more


def slow(site: Site) -> None:
    """From now on no turn is ready within five seconds."""

    async def never(task: asyncio.Future[Any], _seconds: float) -> bool:
        return False

    object.__setattr__(site.channel.intake._deps, "within", never)


def quick(site: Site) -> None:
    object.__setattr__(site.channel.intake._deps, "within", within)


async def say_to(site: Site, *texts: str, key: str = "k", choices: tuple[Choice, ...] = ()) -> None:
    """The assistant says something of its own accord."""
    conversation_id = (await site.contact()).conversation_id
    for number, text in enumerate(texts):
        await site.product.hub.announce(conversation_id, Reply(text, choices=choices), f"{key}:{number}")
    await asyncio.sleep(0)
    await site.channel.deliveries.sweep()
    await site.settled()


async def test_the_address_is_verified_by_the_echo_of_a_signed_request_only(site: Site) -> None:
    url = site.url + "/wechat/callback"
    async with site.http.get(url, params=signed(site, echostr="5837397")) as answer:
        assert (answer.status, await answer.text()) == (200, "5837397")
        assert answer.content_type == "text/plain"
    async with site.http.get(url, params=signed(site, echostr="<script>")) as answer:
        assert (answer.status, await answer.text()) == (400, "")
    async with site.http.get(url, params=signed(site, echostr="1", signature="0" * 40)) as answer:
        assert (answer.status, await answer.text()) == (403, "")
    async with site.http.get(url) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_question_is_answered_in_the_response_in_every_mode(tmp_path: Path, mode: str) -> None:
    async with running(tmp_path, wechat_mode=mode) as site:
        follower = site.follower()
        await follower.say("你好")
        await site.settled()
        assert [(shown.how, shown.kind) for shown in follower.screen] == [("answer", "text")]
        assert site.tencent.calls[SEND] == 0


async def test_the_oracle_in_tencent_s_place_is_understood_and_understands_the_answer(site: Site) -> None:
    oracle, at = WeChatCrypto(TOKEN, AES_KEY, APP_ID), str(int(site.clock.now().timestamp()))
    sealed = xmltodict.parse(oracle.encrypt_message(text_xml("你好"), "nonce-1", at))["xml"]
    query = {
        "signature": signature(TOKEN, at, "nonce-1"),
        "timestamp": at,
        "nonce": "nonce-1",
        "encrypt_type": "aes",
        "msg_signature": sealed["MsgSignature"],
    }
    status, answer = await site.post(query, f"<xml><Encrypt>{sealed['Encrypt']}</Encrypt></xml>")
    assert status == 200
    fields = xmltodict.parse(answer)["xml"]
    opened = oracle.decrypt_message(answer, fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"])
    reply = xmltodict.parse(opened)["xml"]
    said = [m["text"] for m in await site.history() if m["sender"] == "bot"]
    assert (reply["ToUserName"], reply["FromUserName"], reply["MsgType"]) == (OPENID, "gh_bank", "text")
    assert reply["Content"].startswith(said[0])


async def test_an_answer_that_is_late_is_acknowledged_and_comes_as_one_customer_service_message(
    site: Site,
) -> None:
    follower = site.follower()
    slow(site)
    site.ears.go_on.clear()
    await follower.say("你好")
    assert follower.screen == []
    site.ears.go_on.set()
    await site.settled()
    assert [shown.how for shown in follower.screen] == ["service"]
    assert (await site.contact()).quota_left == 4


async def test_tries_and_copies_of_a_message_are_one_message_and_one_answer(site: Site) -> None:
    follower = site.follower()
    site.lost[:] = [True, True]
    await follower.say("你好", copies=3)
    await site.settled()
    assert len(follower.screen) == 1 and follower.screen[0].how == "answer"
    assert len([m for m in await site.history() if m["sender"] == "customer"]) == 1
    slow(site)
    site.lost[:] = [True]
    await follower.say("在吗", copies=2)
    await site.settled()
    assert [shown.how for shown in follower.screen] == ["answer", "service"]


async def test_a_message_that_comes_again_while_the_first_try_is_still_at_work_is_handled_once(
    site: Site,
) -> None:
    follower = site.follower()
    site.ears.go_on.clear()
    site.tencent.wrote(OPENID)
    fields = {"MsgType": "text", "Content": "你好", "MsgId": "77"}
    tries = [asyncio.create_task(follower.deliver(fields)) for _ in range(3)]
    await site.ears.asked.wait()
    site.ears.go_on.set()
    await asyncio.gather(*tries)
    await site.settled()
    assert len([m for m in await site.history() if m["sender"] == "customer"]) == 1
    replies = [m for m in await site.history() if m["sender"] == "bot"]
    assert len(replies) == 1
    assert {shown.text for shown in follower.screen} == {replies[0]["text"]}
    assert sum(shown.how == "service" for shown in follower.screen) <= 1


async def test_a_response_that_tencent_no_longer_waits_for_is_not_trusted_with_the_answer(
    site: Site,
) -> None:
    follower = site.follower()
    site.tencent.wrote(OPENID)
    site.ears.go_on.clear()
    fields = {"MsgType": "text", "Content": "你好", "MsgId": "77"}
    first = asyncio.create_task(follower.deliver(fields))
    await site.ears.asked.wait()
    slow(site)
    await follower.deliver(fields)  # after five seconds: Tencent has hung up on the first try
    site.ears.go_on.set()
    await first
    await site.settled()
    assert [shown.how for shown in follower.screen] == ["service"]
    await follower.deliver(fields)
    assert len(follower.screen) == 1
    assert len([m for m in await site.history() if m["sender"] == "customer"]) == 1


async def test_an_event_is_known_by_who_and_when(site: Site) -> None:
    follower = site.follower()
    event = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}
    await follower.deliver(event)
    await follower.deliver(event)
    await site.settled()
    greetings = [m for m in await site.history() if m["sender"] == "bot"]
    assert len(greetings) == 1


async def test_a_nonce_serves_one_body_and_no_more_tries_than_tencent_makes(tmp_path: Path) -> None:
    async with running(tmp_path, wechat_mode="plain") as site:
        query = signed(site)
        assert [(await site.post(query, text_xml("你好", 1)))[0] for _ in range(5)] == [200] * 4 + [403]
        assert (await site.post(query, text_xml("转账", 2)))[0] == 403
        assert len([m for m in await site.history() if m["sender"] == "customer"]) == 1
        site.clock.advance(seconds=301)
        assert (await site.post(query, text_xml("你好", 1)))[0] == 403


async def test_nonces_and_messages_are_forgotten_when_their_time_is_over(site: Site) -> None:
    await site.follower().say("你好")
    await site.settled()
    assert await site.channel.intake.forget() == 0
    site.clock.advance(seconds=601)
    assert await site.channel.intake.forget() == 2
    async with site.product.database.snapshot() as session:
        assert await session.get(WechatNonce, "x") is None and await session.get(WechatReceived, "x") is None


async def test_who_left_long_ago_without_an_account_is_forgotten(site: Site) -> None:
    follower = site.follower()
    await follower.follow()
    await follower.unfollow()
    site.clock.advance(seconds=29 * 24 * 3600)
    await site.channel.intake.forget()
    assert (await site.contact()).following is False
    site.clock.advance(seconds=2 * 24 * 3600)
    assert await site.channel.intake.forget() == 1
    async with site.product.database.snapshot() as session:
        assert await contacts.find(session, OPENID) is None
    await follower.follow()
    await site.settled()
    assert "您好" in follower.texts()[-1]


async def test_several_replies_are_merged_into_one_message(site: Site) -> None:
    follower = site.follower()
    await follower.say("你好")
    await say_to(site, "第一句。")
    slow(site)
    conversation_id = (await site.contact()).conversation_id
    async with site.product.database.transaction() as session:
        contact = await contacts.locked(session, (await site.contact()).id)
        assert contacts.take_lease(contact, "another process", site.clock.now())
    for number, text in enumerate(("转账成功。", "缴费成功。", "余额¥5.00。")):
        await site.product.hub.announce(conversation_id, Reply(text), f"m:{number}")
    await site.settled()
    site.clock.advance(seconds=21)  # that process died: its lease is over
    assert await site.channel.deliveries.sweep() == 1
    assert follower.texts()[-1] == "转账成功。\n\n缴费成功。\n\n余额¥5.00。"


async def test_five_messages_for_a_message_then_one_alert_and_the_rest_when_the_customer_writes(
    site: Site,
) -> None:
    follower = site.follower()
    await follower.say("你好")
    for number in range(7):
        await say_to(site, f"第{number}件事。", key=f"n{number}")
    shown = [(each.how, each.text) for each in follower.screen[1:]]
    assert [how for how, _ in shown] == ["service"] * 5 + ["template"]
    assert (await site.contact()).quota_left == 0 and site.tencent.calls[SEND] == 5
    await follower.say("继续")
    await site.settled()
    assert follower.screen[-1].how == "answer"
    assert follower.screen[-1].text.startswith("第5件事。\n\n第6件事。")


async def test_a_long_reply_says_that_there_is_more_when_the_quota_ends(site: Site) -> None:
    follower = site.follower()
    await follower.click("")
    await site.settled()
    await say_to(site, "一二三四五六七八九十。" * 300)
    services = [shown.text for shown in follower.screen if shown.how == "service"]
    assert len(services) == 3 and services[-1].endswith(MORE)
    assert [shown.how for shown in follower.screen][-1] == "template"
    await follower.say("继续")
    await site.settled()
    everything = "".join(text.removesuffix(MORE) for text in follower.texts() if "一二三" in text)
    assert everything.count("一二三四五六七八九十。") == 300


@pytest.mark.parametrize("errcode", [45015, 45047])
async def test_when_tencent_counts_differently_its_count_holds_and_nothing_is_lost(
    site: Site, errcode: int
) -> None:
    follower = site.follower()
    await follower.say("你好")
    site.tencent.fail_next(SEND, errcode)
    await say_to(site, "转账成功。")
    assert (await site.contact()).quota_left == 0
    assert follower.screen[-1].how == "template"
    await say_to(site, "缴费成功。", key="more")
    assert site.tencent.calls[SEND] == 1
    await follower.say("继续")
    assert follower.texts()[-1].startswith("转账成功。\n\n缴费成功。")


async def test_the_window_of_48_hours_closes(site: Site) -> None:
    follower = site.follower()
    await follower.say("你好")
    site.clock.advance(seconds=48 * 3600)
    await say_to(site, "转账成功。")
    assert site.tencent.calls[SEND] == 0 and follower.screen[-1].how == "template"


@pytest.mark.parametrize("errcode", [0, -1])
async def test_while_tencent_is_away_messages_wait_longer_and_longer_and_then_arrive_once(
    site: Site, errcode: int
) -> None:
    follower = site.follower()
    await follower.say("你好")
    site.tencent.fail_next(SEND, errcode, errcode)
    await say_to(site, "转账成功。")
    assert site.tencent.calls[SEND] == 1
    assert await site.channel.deliveries.sweep() == 0  # not yet
    site.clock.advance(seconds=5)
    assert await site.channel.deliveries.sweep() == 0
    site.clock.advance(seconds=5)
    assert await site.channel.deliveries.sweep() == 0
    site.clock.advance(seconds=5)
    assert await site.channel.deliveries.sweep() == 1
    assert follower.texts()[1:] == ["转账成功。"]


async def test_a_tencent_that_hangs_gives_the_follower_back_before_the_lease_ends(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = site.follower()
    await follower.say("你好")
    with monkeypatch.context() as slow:
        slow.setattr(contacts, "SEND_S_MAX", 0.05)
        slow.setattr(WechatApi, "send", lambda *_: asyncio.Event().wait())
        await say_to(site, "转账成功。")
        assert await site.channel.deliveries.sweep() == 0
    site.clock.advance(seconds=10)  # less than a lease
    await site.channel.deliveries.sweep()
    assert follower.texts()[1:] == ["转账成功。"]


@pytest.mark.parametrize(
    ("path", "errcode"),
    [("/cgi-bin/stable_token", 40164), ("/cgi-bin/stable_token", 40125), (SEND, 40001)],
)
async def test_what_is_wrong_with_the_account_costs_no_customer_a_message(
    site: Site, path: str, errcode: int
) -> None:
    follower = site.follower()
    await follower.say("你好")
    site.tencent.fail_next(path, *[errcode] * 99)
    await say_to(site, "转账成功。")
    for _ in range(TRIES_MAX + 2):
        site.clock.advance(seconds=600)
        await site.channel.deliveries.sweep()
    assert len(follower.screen) == 1
    site.tencent.faults.clear()
    site.clock.advance(seconds=600)
    await site.channel.deliveries.sweep()
    assert follower.texts()[1:] == ["转账成功。"]


async def test_an_account_that_may_send_nothing_by_itself_says_it_in_the_next_answer(site: Site) -> None:
    follower = site.follower()
    await follower.say("你好")
    site.tencent.fail_next(SEND, *[48001] * 9)
    await say_to(site, "转账成功。")
    site.clock.advance(seconds=600)
    await site.channel.deliveries.sweep()
    assert site.tencent.calls[SEND] == 1
    await follower.say("继续")
    assert follower.texts()[-1].startswith("转账成功。")


async def test_that_something_waits_is_told_once_also_when_tencent_was_busy(site: Site) -> None:
    follower = site.follower()
    await follower.say("你好")
    site.tencent.fail_next(SEND, 45047)
    site.tencent.fail_next("/cgi-bin/message/template/send", -1, 0)
    await say_to(site, "转账成功。")
    for _ in range(5):
        site.clock.advance(seconds=61)
        await site.channel.deliveries.sweep()
    assert [shown.how for shown in follower.screen] == ["answer", "template"]


async def test_what_tencent_will_never_take_does_not_stop_what_comes_after(site: Site) -> None:
    follower = site.follower()
    await follower.say("你好")
    site.tencent.fail_next(SEND, *[45002] * TRIES_MAX)
    await say_to(site, "转账成功。")
    for _ in range(TRIES_MAX):
        site.clock.advance(seconds=600)
        await site.channel.deliveries.sweep()
    await say_to(site, "缴费成功。", key="more")
    assert follower.texts()[-1] == "缴费成功。"


async def test_a_process_that_dies_before_the_answer_leaves_it_to_another(site: Site) -> None:
    follower = site.follower()
    slow(site)
    deliver = site.channel.deliveries.deliver

    async def dead(_contact_id: str) -> int:
        return 0

    site.channel.deliveries.deliver = dead  # type: ignore[method-assign]
    await follower.say("你好")
    await site.settled()
    assert follower.screen == []
    site.channel.deliveries.deliver = deliver  # type: ignore[method-assign]
    site.clock.advance(seconds=21)
    assert await site.channel.deliveries.sweep() == 1
    assert len(follower.screen) == 1


async def test_what_became_of_template_messages_is_counted_and_answered_with_nothing(site: Site) -> None:
    follower = site.follower()
    for status in ("success", "success", "failed:user block", "failed: system failed", "x" * 60):
        await follower.report_template(status)
    assert follower.screen == []
    async with site.http.get(site.url + "/metrics") as answer:
        figures = await answer.text()
    for outcome, count in (("ok", 2), ("user_block", 1), ("failed", 2)):
        line = f'zhanggui_wechat_sent_total{{outcome="{outcome}",what="template_result"}} {count}.0'
        assert line in figures


async def test_what_tencent_only_reports_is_no_act_of_the_follower_s(site: Site) -> None:
    follower = site.follower()
    await follower.say("你好")
    for _ in range(20):
        await follower.report_template("success")
    assert len(follower.screen) == 1, "nobody wrote too fast"
    await follower.unfollow()
    await follower.report_template("failed:user block")
    assert (await site.contact()).following is False


async def test_the_operator_sees_what_came_and_what_was_sent_and_nobody_s_name(site: Site) -> None:
    follower = site.follower()
    await follower.say("你好", copies=2)
    await site.post({}, "x")
    site.tencent.fail_next(SEND, 45047)
    await say_to(site, "转账成功。")
    async with site.http.get(site.url + "/metrics") as answer:
        figures = await answer.text()
    assert 'zhanggui_wechat_received_total{how="answer",kind="text"} 1.0' in figures
    assert 'zhanggui_wechat_received_total{how="again",kind="text"} 1.0' in figures
    assert 'zhanggui_wechat_refused_total{code="signature_wrong"} 1.0' in figures
    assert 'zhanggui_wechat_sent_total{outcome="quota_spent",what="service"} 1.0' in figures
    assert 'zhanggui_wechat_sent_total{outcome="ok",what="template"} 1.0' in figures
    assert OPENID not in figures


async def test_what_was_acknowledged_by_a_process_that_died_is_handled_by_another(site: Site) -> None:
    follower = site.follower()
    slow(site)
    site.ears.go_on.clear()
    await follower.say("给李静转一百")
    for task in tuple(site.channel.intake._running):  # kill -9
        task.cancel()
    await asyncio.gather(*site.channel.intake._running, return_exceptions=True)
    site.ears.go_on.set()
    assert await site.history() == []
    assert await site.channel.intake.resume() == 0  # it may still be at work
    site.clock.advance(seconds=30)
    assert await site.channel.intake.resume() == 1
    await site.settled()
    said = [m["text"] for m in await site.history() if m["sender"] == "customer"]
    assert said == ["给李静转一百"] and [shown.how for shown in follower.screen] == ["service"]
    assert await site.channel.intake.resume() == 0
    async with site.product.database.snapshot() as session:
        assert [row.message for row in await session.scalars(select(WechatReceived))] == [None]


async def test_two_processes_do_not_send_the_same_message(site: Site) -> None:
    follower = site.follower()
    await follower.say("你好")
    await site.settled()
    contact = await site.contact()
    await site.product.hub.announce(contact.conversation_id, Reply("转账成功。"), "k")
    await asyncio.gather(*(site.channel.deliveries.deliver(contact.id) for _ in range(5)))
    await site.settled()
    assert follower.texts()[1:] == ["转账成功。"]


async def test_a_service_that_is_over_is_rated_in_the_chat(site: Site) -> None:
    follower = site.follower()
    await put_on_duty(site.product, [("agent-0", "小王")])
    await follower.say("转人工")
    await site.settled()
    conversation_id = (await site.contact()).conversation_id
    await site.product.handoff.claim(conversation_id, "agent-0", "小王")
    await site.product.handoff.close(conversation_id, "agent-0", "done")
    await site.settled()
    assert follower.texts()[-1].endswith(RATE_HINT)
    await follower.say("谢谢")
    await site.settled()
    assert not follower.texts()[-1].endswith(RATE_HINT), "asked once"
    await follower.say("5分")
    await site.settled()
    assert follower.texts()[-1].startswith(THANKS)
    async with site.product.database.snapshot() as session:
        assert (await log.locked(session, conversation_id)).rating == 5
    site.ears.heard.clear()
    await follower.say("5")
    await site.settled()
    assert THANKS not in follower.texts()[-1]


async def test_who_unfollows_is_sent_nothing_and_who_comes_back_is_greeted(site: Site) -> None:
    follower = site.follower()
    await follower.follow()
    await follower.unfollow()
    await say_to(site, "转账成功。")
    assert site.tencent.calls[SEND] == 0
    site.clock.advance(seconds=60)
    await follower.follow()
    await site.settled()
    assert "您好" in follower.texts()[-1]


async def test_choices_are_tapped_where_the_account_may_and_read_where_it_may_not(tmp_path: Path) -> None:
    async with running(tmp_path, wechat_menu_messages=True) as site:
        follower = site.follower()
        await follower.say("你好")
        offer = (Choice("查我的余额", "查余额"), Choice("取消", "取消"))
        await say_to(site, "要做什么？", choices=offer)
        menu = follower.screen[-1]
        assert (menu.kind, menu.text) == ("menu", "要做什么？")
        assert [words for _, words in menu.items] == ["查我的余额", "取消"]
        await follower.choose(*menu.items[0])
        await site.settled()
        assert site.ears.heard[-1] == "查余额"
        site.tencent.menus_allowed = False
        await say_to(site, "要做什么？", key="again", choices=offer)
        assert follower.screen[-1].kind == "text" and follower.texts()[-1].endswith(
            "（可以回复：查余额、取消）"
        )
        assert (await site.contact()).quota_left == 3


async def test_a_yes_to_an_older_question_is_no_yes_to_the_newest(tmp_path: Path) -> None:
    async with running(tmp_path, wechat_menu_messages=True) as site:
        follower = site.follower()
        answers = (Choice("确认", "确认"), Choice("取消", "取消"), Choice("转人工", "转人工"))
        await follower.say("你好")
        await say_to(site, "给李静转1元，确认吗？", key="a", choices=answers)
        older = follower.screen[-1].items
        await follower.say("你好")
        await say_to(site, "给李静转900元，确认吗？", key="b", choices=answers)
        site.ears.heard.clear()
        for tapped in older[:2]:
            await follower.choose(*tapped)
            await site.settled()
            assert follower.texts()[-1].startswith(OLD_CHOICE)
        await follower.choose(
            older[0][0].replace(older[0][0][:12], "0" * 12), "确认"
        )  # before they were unbound
        await site.settled()
        assert follower.texts()[-1].startswith(OLD_CHOICE)
        said = [m["text"] for m in await site.history() if m["sender"] == "customer"]
        assert said == ["你好", "你好"]
        await follower.choose(*older[2])
        await site.settled()
        said = [m["text"] for m in await site.history() if m["sender"] == "customer"]
        assert said[-1] == "转人工"


async def test_speech_in_speex_is_heard_and_what_is_not_known_of_it_is_not_asked_for_again(
    site: Site,
) -> None:
    follower = site.follower()
    for recording in ((FOLDER / "balance.speex").read_bytes(), b"OggS" + bytes(1000)):
        await follower.speak(recording, kind="speex")
        await site.settled()  # what is late together is told together
    assert site.ears.heard == [SAID["balance"]]
    assert follower.texts()[0].startswith(HEARD.format(SAID["balance"]))
    assert follower.texts()[1] == OTHER_FORMAT


async def test_speech_that_cannot_be_understood_is_asked_for_again(site: Site) -> None:
    follower = site.follower()
    too_long = b"#!AMR\n" + bytes([4, *bytes(12)]) * 4000
    for recording in (b"#!AMR\n", b"<script>" * 1000, recorded(SILENCE * 50), too_long):
        await follower.speak(recording)
        await site.settled()  # what is late together is told together
    assert follower.texts() == [NOT_HEARD] * 3 + [TOO_LONG]
    assert site.ears.heard == []


async def test_what_was_said_is_answered_like_text_with_what_was_heard(site: Site) -> None:
    follower = site.follower()
    await follower.speak(recorded(SILENCE * 50))  # opens the ears, which may take longer than Tencent waits
    await site.settled()
    await follower.speak(recorded(SILENCE * 15 + synthesise("查余额", 0.9)))
    await site.settled()
    assert site.ears.heard == ["查余额"]
    assert follower.screen[1].how == "answer"
    assert follower.texts()[1].startswith(HEARD.format("查余额"))
    site.lost[:] = [True]
    await follower.say("你好")
    await site.settled()
    assert HEARD[:5] not in follower.texts()[-1]


async def test_a_voice_is_listened_to_as_a_call_would_at_this_point(site: Site) -> None:
    reader = Reader(*map(ByEar, ("你好", "确认", "123456")))
    listen_with(site, reader)
    follower = site.follower()
    await follower.speak(b"")
    await say_to(site, "给李静转500元，确认吗？", choices=(Choice("确认", "确认"), Choice("取消", "取消")))
    await follower.speak(b"")
    await follower.speak(b"")
    await site.settled()
    assert reader.expected[0] == (Expect.WORDS, ())
    assert reader.expected[1] == (Expect.YES_NO, ("确认", "取消"))
    assert "123456" not in str(follower.texts()) + str(await site.history())


async def test_a_place_is_answered_with_what_is_nearest_and_when_it_is_open(site: Site) -> None:
    follower = site.follower()
    await follower.share_place(31.2400, 121.5000, "南京市鼓楼区某路1号")  # the degrees count, not the words
    assert "没有查到网点" in follower.texts()[-1]
    async with site.product.database.transaction() as session:
        await site.product.bank.branches.load(session)
    await follower.share_place(31.2400, 121.5000, "南京市鼓楼区某路1号")
    text = follower.texts()[-1]
    assert text.startswith("离您最近的是上海分行营业部，约") and "米：世纪大道1866号" in text
    assert text.count("约") == 6 and "周一至周五 09:00-17:30" in text and "南京" not in text.split("【")[0]
    await follower.share_place(29.65, 91.12, "")
    assert "30公里内没有我们的网点，最近的是" in follower.texts()[-1]


async def test_pictures_links_and_places_are_answered_and_a_human_sees_that_they_came(site: Site) -> None:
    async with site.product.database.transaction() as session:
        await site.product.bank.branches.load(session)
        await site.product.desk.seed_demo_agents(session)
    follower = site.follower()
    await follower.show_picture()
    await follower.pass_on("领红包", "http://evil.example")
    await follower.share_place(31.24, 121.5, "上海市浦东新区世纪大道1866号")
    await site.settled()
    assert follower.texts()[0].startswith(PICTURE_KEPT) and follower.texts()[1].startswith(NO_LINKS)
    assert "上海分行营业部" in follower.texts()[2]


async def test_who_writes_too_fast_is_told_and_not_heard(site: Site) -> None:
    follower = site.follower()
    for _ in range(14):
        await follower.say("你好")
    await site.settled()
    assert len([m for m in await site.history() if m["sender"] == "customer"]) == 12
    assert "太快" in follower.texts()[-1]


async def test_a_flood_of_unsigned_requests_is_slowed_down_and_keeps_no_signed_one_out(site: Site) -> None:
    statuses = [(await site.post({"signature": "0"}, "x"))[0] for _ in range(31)]
    assert statuses == [403] * 30 + [429]
    follower = site.follower()
    await follower.say("你好")
    assert [shown.how for shown in follower.screen] == ["answer"]


async def test_a_page_of_a_stranger_cannot_post_to_anything_but_the_callback(site: Site) -> None:
    for path in ("/wechat/api/login", "/wechat/api/secret", "/wechat/api/unbind", "/wechat/api/login/verify"):
        async with site.http.post(site.url + path, json={}) as answer:
            assert answer.status == 403, path


async def test_when_the_turn_cannot_be_written_tencent_is_asked_to_try_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = site.follower()
    attach = site.channel.bindings.attach
    broken = [True, True]

    async def sometimes(contact_id: str) -> str:
        if broken:
            broken.pop()
            raise RuntimeError("the database is away")
        return await attach(contact_id)

    monkeypatch.setattr(site.channel.bindings, "attach", sometimes)
    await follower.say("你好")
    await site.settled()
    assert len(follower.screen) == 1 and follower.texts() != [FAULT]
    assert len([m for m in await site.history() if m["sender"] == "customer"]) == 1

    async def away(*_: Any) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(contacts, "ensure", away)
    envelope = ENVELOPES.seal(text_xml("你好", 9))
    query = signed(site)
    query["msg_signature"] = signature(TOKEN, query["timestamp"], query["nonce"], envelope)
    assert await site.post(query, f"<xml><Encrypt>{envelope}</Encrypt></xml>") == (503, "")


ENVELOPES = Envelopes(AES_KEY, APP_ID)
bodies = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.text(max_size=100).map(
        lambda text: f"<xml><Encrypt>{text}</Encrypt></xml>".encode("utf-8", "replace")
    ),
)
inside = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
    st.dictionaries(
        st.sampled_from(
            ["MsgType", "Event", "EventKey", "MsgId", "Content", "CreateTime", "Label", "MediaId"]
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        max_size=6,
    ).map(lambda fields: f"<xml><FromUserName>{OPENID}</FromUserName>{fields}</xml>"),
    st.sampled_from([text_xml("\u202e转账"), text_xml("x" * 4000), text_xml(" "), text_xml("𠮷" * 600)]),
)


@pytest.mark.parametrize("path", ["/wechat/callback", "/api/login", "/wechat/api/login"])
async def test_no_compressed_body_is_a_fault(site: Site, path: str) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    for body in (bomb, bomb[:99], b"not compressed"):
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", "Origin": site.url}
        async with aiohttp.ClientSession() as http:
            url = site.url + path
            async with http.post(url, params=signed(site), data=body, headers=headers) as answer:
                assert 400 <= answer.status < 500, answer.status


async def test_no_bytes_at_the_callback_are_a_fault(site: Site) -> None:
    found: list[tuple[bytes, bytes]] = []

    @settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
    @given(bodies, inside)
    def collect(body: bytes, text: str) -> None:
        found.append((body, text.encode()))

    collect()
    for number, (body, text) in enumerate(found):
        site.clock.advance(seconds=5)
        timestamp, nonce = str(int(site.clock.now().timestamp())), f"n{number}"
        query = {"timestamp": timestamp, "nonce": nonce, "signature": signature(TOKEN, timestamp, nonce)}
        assert (await site.post(query, body))[0] in (400, 403), body
        envelope = ENVELOPES.seal(text.decode())
        query["msg_signature"] = signature(TOKEN, timestamp, nonce, envelope)
        sealed_body = f"<xml><Encrypt>{envelope}</Encrypt></xml>"
        assert (await site.post(query, sealed_body))[0] in (200, 400), text
    for junk in ({}, {"signature": "\ud800"}, {"timestamp": "9" * 400}, {"timestamp": "-1"}, {"nonce": "\0"}):
        query = {
            name: value.encode("utf-8", "replace").decode() for name, value in (signed(site) | junk).items()
        }
        site.clock.advance(seconds=5)
        assert (await site.post(query, b"x" * 100_000))[0] in (400, 403)


async def test_a_sticker_is_no_question_though_tencent_puts_words_in_its_place(site: Site) -> None:
    follower = site.follower()
    await follower.say(NOT_SUPPORTED)
    assert follower.texts()[-1] == NOT_SEEN and site.ears.heard == []


async def test_further_tries_of_a_message_are_not_the_follower_s_haste(site: Site) -> None:
    follower = site.follower()
    for _ in range(3):
        await follower.say("你好", copies=4)
    for _ in range(9):
        await follower.say("你好")
    await site.settled()
    assert not any("太快" in text for text in follower.texts())
    await follower.say("你好")
    assert "太快" in follower.texts()[-1]


async def test_a_place_that_was_asked_for_may_be_sent_and_is_not_asked_for_again(site: Site) -> None:
    site.ears.intents = {"附近的网点": "branch_find", "我的收款码": "receive_code"}
    async with site.product.database.transaction() as session:
        await site.product.bank.branches.load(session)
    follower = site.follower()
    await follower.click("附近的网点")
    assert "发一个位置" in follower.texts()[-1]
    await follower.share_place(31.24, 121.5, "上海市浦东新区世纪大道1866号")
    await follower.say("谢谢")
    assert "离您最近的是" in follower.texts()[-2] and "网点" not in follower.texts()[-1]


async def test_a_menu_button_is_never_taken_for_the_place_that_is_asked_for(site: Site) -> None:
    site.ears.intents = {"附近的网点": "branch_find"}
    follower = site.follower()
    await follower.click("附近的网点")
    await follower.click("我的收款码")
    assert "没有查到网点" not in follower.texts()[-1]
