"""A customer and an agent in two browsers: nothing is said twice, nobody speaks out of turn, nobody waits in vain."""

from __future__ import annotations

import asyncio
import re

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from bot.conversation.models import Conversation
from desk.service import DEMO_AGENTS
from tests.e2e.clerks import Agent
from tests.e2e.counter import BackOffice, Counter
from tests.e2e.pages import Chat, DeskPage, phone_context, seated

pytestmark = [pytest.mark.nlu, pytest.mark.asyncio(loop_scope="session")]
HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


@pytest.mark.browser
async def test_with_nobody_on_duty_the_customer_is_told_at_once_and_a_ticket_reaches_the_desk(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context, _ = await seated(browser, counter, office, "李静")
    chat = await Chat.visit(context, counter)
    await chat.say("转人工")
    await chat.hears("同事们现在都不在线")
    await expect(chat.label).to_have_text("小掌柜")
    await chat.page.get_by_test_id("choice").filter(has_text="留工单").click()
    await expect(chat.bubbles("customer")).to_have_count(2)
    await chat.say("我的信用卡账单金额不对，请回电话")
    ticket = chat.card("ticket")
    await expect(ticket).to_contain_text(re.compile(r"GD\d{14}"))

    desk = await DeskPage.sit_down(browser, counter, "xiaoli")
    await desk.page.get_by_test_id("tab-tickets").click()
    await expect(desk.page.get_by_test_id("ticket-item")).to_contain_text("138****0006")
    await expect(desk.page.get_by_test_id("ticket-item")).to_contain_text("信用卡账单")
    await desk.page.get_by_test_id("desk-logout").click()
    await expect(desk.page.get_by_test_id("desk-user")).to_be_visible()
    await desk.page.context.close()
    await context.close()


@pytest.mark.browser
async def test_an_agent_takes_over_with_the_facts_and_the_assistant_is_silent_until_it_is_handed_back(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    desk = await DeskPage.sit_down(browser, counter, "xiaowang")
    context = await phone_context(browser)
    chat = await Chat.visit(context, counter)
    await chat.log_in("张伟")
    await chat.say("给李四转五百")
    await chat.card("readback").wait_for()
    await chat.say("转人工")
    await expect(chat.label).to_have_text("排队中 · 第1位")
    await chat.say(HOSTILE)

    line = desk.page.get_by_test_id("queue-item")
    await expect(line).to_contain_text("*伟")
    await expect(line).to_contain_text("客户要求")
    await desk.claim()
    await expect(chat.label).to_have_text("人工 · 小王")
    facts = desk.page.get_by_test_id("facts")
    for words in ("*伟", "138****0004", "密码+短信验证码", "转账", "*四", "500.00元", "ZG"):
        await expect(facts).to_contain_text(words)
    await expect(desk.page.get_by_test_id("transcript")).to_contain_text("给李四转五百")
    await expect(desk.page.locator(".bubble", has_text="onerror")).to_have_text(HOSTILE)
    assert await desk.page.locator("#transcript img, #transcript script").count() == 0
    assert "taken" not in await desk.page.title() + await chat.page.title()

    said_by_bot = await chat.bubbles("bot").count()
    await desk.say("您好，我是小王，看到您要给李四转账")
    await expect(chat.bubbles("agent")).to_have_text(["您好，我是小王，看到您要给李四转账"])
    await chat.say("查余额")  # words the assistant would answer
    await expect(desk.page.get_by_test_id("transcript")).to_contain_text("查余额")
    await desk.page.get_by_test_id("agent-composer").press_sequentially("好")
    await expect(chat.page.get_by_test_id("typing")).to_be_visible()
    assert await chat.bubbles("bot").count() == said_by_bot

    await desk.page.get_by_test_id("hand-back").click()
    await desk.page.get_by_test_id("dialog-note").fill("已核对身份")
    await desk.page.get_by_test_id("dialog-ok").click()
    await expect(chat.label).to_have_text("小掌柜")
    await expect(chat.page.get_by_test_id("log")).to_contain_text("同事留言：已核对身份")
    await expect(desk.page.get_by_test_id("mine-item")).to_have_count(0)
    conversation_id = await office.newest_conversation((await office.customer("张伟")).id)
    assert await office.paid_fen(conversation_id) == []
    await context.close()
    await desk.page.context.close()


@pytest.mark.browser
async def test_a_closed_service_is_rated_and_the_next_words_wake_the_assistant(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    desk = await DeskPage.sit_down(browser, counter, "xiaowang")
    context, conversation_id = await seated(browser, counter, office, "苏晓雯")
    chat = await Chat.visit(context, counter)
    await chat.say("转人工")
    await expect(chat.label).to_have_text("排队中 · 第1位")
    await desk.claim()
    await expect(chat.label).to_have_text("人工 · 小王")
    await expect(chat.page.get_by_test_id("choice")).to_have_count(0)  # nothing to cancel any more
    await desk.page.get_by_test_id("close").click()
    await desk.page.get_by_test_id("wrap_up-done").check()
    await desk.page.get_by_test_id("dialog-ok").click()

    await expect(chat.label).to_have_text("已结束")
    await chat.page.get_by_test_id("star-4").check()
    await chat.page.get_by_test_id("rate-comment").fill("解释得很清楚")
    await chat.page.get_by_test_id("rate-submit").click()
    await expect(chat.page.get_by_test_id("rating")).to_have_count(0)
    async with office.product.database.snapshot() as session:
        kept = await session.get(Conversation, conversation_id)
    assert kept is not None and (kept.rating, kept.rating_comment) == (4, "解释得很清楚")
    await chat.say("查余额")
    await expect(chat.label).to_have_text("小掌柜")
    await chat.card("balance").wait_for()
    await context.close()
    await desk.page.context.close()


async def test_of_two_agents_who_claim_at_once_one_has_the_customer_and_the_other_may_not_look(
    counter: Counter, office: BackOffice
) -> None:
    agents = [Agent(counter, username) for username, _name in DEMO_AGENTS]
    for agent in agents:
        await agent.sit_down()
        await agent.post("presence", state="on_duty")
    for _ in range(4):  # more in a row would be refused as too many
        _token, conversation_id = await office.seat("赵桂兰")
        await office.queue_up(conversation_id)
        path = f"conversations/{conversation_id}"
        answers = await asyncio.gather(*(agent.post(f"{path}/claim") for agent in agents))
        assert sorted(status for status, _code in answers) == [200, 409], answers
        winner = next(agent for agent, answer in zip(agents, answers, strict=True) if answer[0] == 200)
        loser = next(agent for agent in agents if agent is not winner)
        assert (await winner.get(path), await loser.get(path)) == (200, 403)
        for act, body in (
            ("say", {"client_id": "client-0001", "text": "我来"}),
            ("hand-back", {"note": ""}),
            ("close", {"wrap_up": "done"}),
        ):
            status, _code = await loser.post(f"{path}/{act}", **body)
            assert status in (403, 409), act
        assert (await winner.post(f"{path}/close", wrap_up="done"))[0] == 200
        said = [message["sender"] for message in await office.log_of(conversation_id)]
        assert "agent" not in said
    for agent in agents:
        await agent.http.close()


async def test_a_customer_s_cookie_opens_nothing_at_the_desk_nor_anybody_else_s_talk(
    counter: Counter, office: BackOffice
) -> None:
    token, mine = await office.seat("林小满")
    _other_token, other = await office.seat("苏晓雯")
    cookies = {"zg_session": token, "zg_desk": token}
    async with aiohttp.ClientSession(headers={"Origin": counter.url}, cookies=cookies) as http:
        for path in ("me", "queue", "mine", "tickets", f"conversations/{mine}", f"conversations/{other}"):
            async with http.get(f"{counter.url}/desk/api/{path}") as response:
                assert response.status == 401, path
        async with http.post(f"{counter.url}/desk/api/conversations/{other}/claim", json={}) as response:
            assert response.status == 401
        async with http.ws_connect(f"{counter.url}/chat/ws") as socket:
            # Naming another conversation in the hello changes nothing: the cookie decides.
            await socket.send_json({"type": "hello", "after_seq": 0, "conversation_id": other})
            assert (await socket.receive_json(timeout=10))["conversation_id"] == mine


@pytest.mark.browser
async def test_an_agent_helps_to_fill_the_form_and_the_customer_alone_confirms(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    desk = await DeskPage.sit_down(browser, counter, "xiaowang")
    context, conversation_id = await seated(browser, counter, office, "张伟")
    chat = await Chat.visit(context, counter)
    await chat.say("给李四转账")
    await chat.hears("多少")
    await chat.say("转人工")
    await desk.claim()
    await desk.page.get_by_test_id("fill-amount").fill("三百")
    await desk.page.get_by_test_id("propose-amount").click()
    await expect(chat.bubbles("agent")).to_contain_text(["300.00元"])
    await desk.say("确认")  # an agent's yes is nobody's
    await desk.page.get_by_test_id("fill-amount").fill("四百")
    await desk.page.get_by_test_id("propose-amount").click()
    await chat.page.get_by_test_id("choice").filter(has_text=re.compile("^采用$")).click()
    await expect(desk.page.get_by_test_id("facts")).to_contain_text("400.00元")
    assert await office.orders(conversation_id) == []

    await desk.page.get_by_test_id("mode-note").click()
    await desk.say("只给同事看的话")
    await expect(desk.page.get_by_test_id("note")).to_contain_text("只给同事看的话")
    await desk.page.get_by_test_id("hand-back").click()
    await desk.page.get_by_test_id("dialog-ok").click()
    await expect(chat.card("readback")).to_contain_text("¥400.00")
    [order] = await office.orders(conversation_id)
    assert order.status == "read_back"
    await expect(chat.page.get_by_test_id("log")).not_to_contain_text("只给同事看的话")
    assert "只给同事看的话" not in str(await office.log_of(conversation_id))
    await chat.card("readback").get_by_role("button", name="确认").click()
    await chat.give_code(office, "张伟")
    await chat.card("receipt").wait_for()
    assert await office.paid_fen(conversation_id) == [400_00]
    await context.close()
    await desk.page.context.close()
