"""The secure page: Tencent says who opens it; a log-in there binds, codes are typed there and never in the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import select

from banking_core.audit import AuditRecord
from bot.channels.phone.audio import SILENCE
from bot.channels.phone.speaking.espeak import synthesise
from bot.channels.wechat.bindings import BOUND
from bot.channels.wechat.charts import drawn
from bot.channels.wechat.models import WechatAlert
from bot.channels.wechat.simulator import recorded
from bot.channels.wechat.texts import HEARD
from bot.channels.wechat.turns import BINDING_OVER, NOT_BOUND, UNBOUND
from bot.conversation.redaction import BLOT
from bot.conversation.turns import NOT_IN_THIS_CHAT
from bot.dialogue.by_ear import ByEar
from bot.dialogue.reading.pay_codes import pay_link
from bot.surfaces.codes import code_png
from desk.service import DEMO_PASSWORD
from tests.banking_core.statements.test_statements import book
from tests.bot.channels.wechat.accounts import OPENID
from tests.bot.channels.wechat.site import (
    CODE,
    PASSWORD,
    PHONE,
    Browser,
    Reader,
    Site,
    add_payee,
    listen_with,
    make_customer,
    running,
)

OTHER = "oDF3iYx0ro3_7jD4HFRDfrjdCM59"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as site:
        site.ears.intents = {
            "登录": "identity_login",
            "查余额": "account_balance",
            "给李静转一百元": "transfer_make",
            "确认": "affirm",
        }
        yield site


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Browser]:
    browser = Browser(site)
    yield browser
    await browser.close()


async def test_a_log_in_at_the_page_binds_and_what_waited_for_it_goes_on(
    site: Site, browser: Browser
) -> None:
    await make_customer(site.product)
    follower = site.follower()
    await follower.say("查余额")
    card = follower.screen[-1]
    assert (card.kind, card.url) == ("news", f"{site.url}/wechat/page") and "安全登录" in card.text
    await browser.bind()
    await site.settled()
    assert follower.texts()[-1].startswith(BOUND) and "1,000.00" in follower.texts()[-1]
    site.clock.advance(seconds=24 * 3600)
    await follower.say("查余额")
    assert "1,000.00" in follower.texts()[-1] and follower.screen[-1].how == "answer"
    status, _ = await browser.get("/wechat/api/me")
    assert status == 401
    await browser.open()
    assert (await browser.get("/wechat/api/me"))[1]["bound"] is True


async def test_the_customer_is_told_of_the_binding_by_text_message_and_it_is_in_the_trail(
    site: Site, browser: Browser
) -> None:
    person = await make_customer(site.product)
    await browser.bind()
    await site.product.bank.notices.send_due(site.product.database)
    sandbox = site.product.bank.providers.sandbox_sms
    assert sandbox is not None
    assert any("绑定微信" in message.text for message in await sandbox.recent(20))
    async with site.product.database.snapshot() as session:
        acts = select(AuditRecord.action).where(AuditRecord.customer_id == person.id)
        assert "wechat.bound" in list(await session.scalars(acts))


async def test_a_password_typed_in_the_chat_is_blotted_out_and_counts_for_nothing(
    site: Site, browser: Browser
) -> None:
    await make_customer(site.product)
    follower = site.follower()
    await follower.say("绑定")
    for _ in range(6):  # more than would lock the log-in
        site.clock.advance(seconds=10)
        await follower.say(PASSWORD)
    await site.settled()
    assert NOT_IN_THIS_CHAT in follower.texts()[-1]
    assert PASSWORD not in str(await site.history()) and PASSWORD not in str(site.ears.heard)
    await browser.bind()


async def make_payer(site: Site, browser: Browser) -> None:
    """A customer who is bound and has somebody to pay."""
    await make_customer(site.product)
    await browser.bind()
    await add_payee(site)


async def test_a_code_for_an_order_is_typed_at_the_page_only(site: Site, browser: Browser) -> None:
    await make_payer(site, browser)
    follower = site.follower()
    await follower.say("给李静转一百元")
    assert "¥100.00" in follower.texts()[-1]
    await follower.say("确认")
    await site.settled()
    assert follower.screen[-1].kind == "news" and "输入验证码" in follower.texts()[-1], follower.texts()
    await follower.say(CODE)
    await site.settled()
    assert NOT_IN_THIS_CHAT in follower.texts()[-1]
    assert CODE not in str(await site.history()) and CODE not in str(site.ears.heard)
    assert (await browser.get("/wechat/api/me"))[1]["expects"] == "otp"
    body = {"client_id": "client-0001", "code": CODE}
    status, answer = await browser.post("/wechat/api/secret", body)
    assert status == 200 and "转账成功" in "".join(answer["words"]), answer
    await site.settled()
    assert "转账成功" in follower.texts()[-1]
    status, refused = await browser.post("/wechat/api/secret", body | {"client_id": "client-0002"})
    assert (status, refused["error"]["code"]) == (400, "bad_request")


async def test_an_order_that_was_spoken_is_told_as_it_was_heard_and_read_back_before_anything_moves(
    site: Site, browser: Browser
) -> None:
    await make_payer(site, browser)
    follower = site.follower()
    await follower.speak(recorded(SILENCE * 15 + synthesise("给李静转一百元", 0.9)))
    await site.settled()
    assert HEARD.format("给李静转一百元") in follower.texts()[-1]
    assert "¥100.00" in follower.texts()[-1] and "确认" in follower.texts()[-1]
    await follower.speak(recorded(SILENCE * 15 + synthesise("确认", 0.9)))
    await site.settled()
    assert follower.screen[-1].kind == "news" and "输入验证码" in follower.texts()[-1], follower.texts()


def doubtful(text: str, piece: str, *others: str) -> ByEar:
    """Heard well but for one piece of it, and what else it may have been."""
    at = text.index(piece)
    return ByEar(text, others, tuple(0.5 if at <= n < at + len(piece) else 1.0 for n in range(len(text))))


async def test_an_amount_that_was_hardly_heard_is_asked_about_and_not_taken(
    site: Site, browser: Browser
) -> None:
    await make_payer(site, browser)
    site.ears.intents["给李静转四百元"] = "transfer_make"
    listen_with(site, Reader(doubtful("给李静转四百元", "四", "给李静转十百元", "给李静转一百元")))
    follower = site.follower()
    await follower.speak(b"")
    await site.settled()
    asked = follower.texts()[-1]
    assert "金额是哪一个？" in asked and "400.00元" in asked and "100.00元" in asked
    await follower.say("第二个")
    await site.settled()
    assert "请您核对" in follower.texts()[-1] and "¥100.00" in follower.texts()[-1]
    assert "¥400.00" not in follower.texts()[-1]


async def test_the_payee_book_decides_between_names_that_were_heard_alike(
    site: Site, browser: Browser
) -> None:
    await make_payer(site, browser)
    namesake = await make_customer(site.product, "13800000007", "李婧")
    customer_id = (await site.contact()).customer_id
    assert customer_id is not None
    async with site.product.database.transaction() as session:
        await site.product.bank.payees.add(
            session, customer_id=customer_id, name="李婧", account_number=namesake.account.number
        )
    site.ears.intents |= dict.fromkeys(("给黎静转一百元", "给李静转二百元"), "transfer_make")
    heard = ByEar("给黎静转一百元", ("给李静转一百元",), (1.0,) * 7)
    listen_with(site, Reader(heard, doubtful("给李静转二百元", "李静", "给李婧转二百元")))
    follower = site.follower()
    await follower.speak(b"")
    await site.settled()
    assert "请您核对：收款人*静" in follower.texts()[-1]
    await follower.say("取消")
    await follower.speak(b"")
    await site.settled()
    asked = follower.texts()[-1]
    assert "收款人是哪一个？" in asked and "*静" in asked and "*婧" in asked


async def test_a_link_passed_on_binds_the_one_who_opens_it_and_nobody_else(
    site: Site, browser: Browser
) -> None:
    await make_customer(site.product)
    attacker = site.follower(OTHER)
    await attacker.say("绑定")
    link = attacker.screen[-1].url
    assert link == f"{site.url}/wechat/page"  # the same for all: there is nothing of the attacker in it
    await browser.bind()
    assert (await site.contact()).customer_id is not None
    assert (await site.contact(OTHER)).customer_id is None


@pytest.mark.parametrize(
    "query", ["", "?code=abc", "?code=abc&state=guess", "?state=", "?code=%00&state=x", "?code=a&state=%ff"]
)
async def test_who_did_not_come_through_tencent_is_nobody(site: Site, browser: Browser, query: str) -> None:
    async with browser.http.get(f"{site.url}/wechat/back{query}") as answer:
        assert answer.status == 400
    assert (await browser.get("/wechat/api/me"))[0] == 401
    for path in ("login", "login/resend", "login/verify", "secret", "secret/resend", "unbind"):
        assert (await browser.post(f"/wechat/api/{path}", {"code": "1"}))[0] == 401, path


async def test_a_code_of_tencent_s_opens_one_visit_in_the_browser_that_asked(
    site: Site, browser: Browser
) -> None:
    async with browser.http.get(f"{site.url}/wechat/page", allow_redirects=False) as answer:
        away = answer.headers["Location"]
        assert "scope=snsapi_base" in away and away.endswith("#wechat_redirect")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/wechat/" in cookie
    site.tencent.line(OPENID)
    async with browser.http.get(away.replace("#wechat_redirect", ""), allow_redirects=False) as answer:
        back = answer.headers["Location"]
    stranger = Browser(site)
    async with stranger.http.get(back) as answer:
        assert answer.status == 400
    await stranger.close()
    async with browser.http.get(back, allow_redirects=False) as answer:
        assert answer.status == 302
        assert "zg_wechat=" in answer.headers["Set-Cookie"]
    async with browser.http.get(back, allow_redirects=False) as answer:  # back in the browser's history
        assert (answer.status, answer.headers["Location"]) == (302, "/wechat/page")
        assert "Set-Cookie" not in answer.headers


async def test_whom_tencent_does_not_name_reads_words_and_not_code(site: Site, browser: Browser) -> None:
    async with browser.http.get(f"{site.url}/wechat/back?code=used&state=other") as answer:
        assert (answer.status, answer.content_type) == (400, "text/html")
        told = await answer.text()
    assert "再打开一次" in told and "bad_request" not in told


async def test_unbinding_in_the_chat_and_at_the_page_shows_nothing_of_the_account_any_more(
    site: Site, browser: Browser
) -> None:
    await make_customer(site.product)
    follower = site.follower()
    await browser.bind()
    await follower.say("解除绑定")
    await follower.say("查余额")
    await site.settled()
    assert UNBOUND in follower.texts()[-2] and "安全登录" in follower.texts()[-1]
    assert "1,000.00" not in str(follower.texts())
    await follower.say("解绑")
    await site.settled()
    assert NOT_BOUND in follower.texts()[-1]
    await browser.open()
    await browser.bind()
    assert (await browser.post("/wechat/api/unbind"))[0] == 200
    assert (await site.contact()).customer_id is None
    assert (await browser.get("/wechat/api/me"))[0] == 401


@pytest.mark.parametrize("why", ["password", "frozen", "device", "days"])
async def test_a_binding_ends_with_the_trust_it_stands_on(site: Site, browser: Browser, why: str) -> None:
    person = await make_customer(site.product)
    follower = site.follower()
    await browser.bind()
    identity = site.product.bank.identity
    async with site.product.database.transaction() as session:
        if why == "password":
            await identity.devices.distrust_all(session, person.id)
        if why == "frozen":
            await identity.takeovers.freeze(session, person.id, reason="test")
        if why == "device":
            device = (await identity.devices.bound(session, person.id))[0]
            await identity.devices.unbind(session, person.id, device.id)
    if why == "days":
        site.clock.advance(seconds=91 * 24 * 3600)
    await follower.say("查余额")
    await site.settled()
    assert BINDING_OVER in follower.texts()[-1] and "1,000.00" not in str(follower.texts())
    assert (await site.contact()).customer_id is None


async def test_a_human_takes_over_in_wechat_and_is_the_only_one_to_speak(
    site: Site, browser: Browser
) -> None:
    await make_customer(site.product)
    await browser.bind()
    async with site.product.database.transaction() as session:
        await site.product.desk.seed_demo_agents(session)
    seat = (await site.product.desk.login(site.product.database, "xiaowang", DEMO_PASSWORD)).seat
    assert seat is not None
    follower, handoff = site.follower(), site.product.handoff
    await follower.say("转人工")
    conversation_id = (await site.contact()).conversation_id
    await handoff.claim(conversation_id, seat.agent_id, "小王")
    await site.settled()
    await handoff.agent_say(conversation_id, seat.agent_id, "您好，我看到了。", "client-0001")
    await site.settled()
    assert [shown.how for shown in follower.screen[-2:]] == ["service", "service"]
    assert follower.texts()[-2:] == ["小王为您服务。", "小王：您好，我看到了。"]
    seen = len(follower.screen)
    await follower.say("卡丢了")
    await follower.speak(b"#!AMR")
    await follower.speak(recorded(SILENCE * 15 + synthesise("查余额", 0.9)))
    await follower.show_picture()
    await follower.say("解除绑定")
    await site.settled()
    said = [m["text"] for m in await site.history() if m["sender"] == "customer"]
    assert (
        said[-5:] == ["卡丢了", "[语音]", "[语音] 查余额", "[图片]", "解除绑定"]
        and len(follower.screen) == seen
    )
    assert (await site.contact()).quota_left == 5
    await handoff.close(conversation_id, seat.agent_id)
    await site.settled()
    assert "打个分" in follower.texts()[-1] and "可以回复1到5" in follower.texts()[-1]


async def test_who_unfollows_while_waiting_for_a_human_waits_no_more(site: Site, browser: Browser) -> None:
    await make_customer(site.product)
    await browser.bind()
    async with site.product.database.transaction() as session:
        await site.product.desk.seed_demo_agents(session)
    await site.product.desk.login(site.product.database, "xiaowang", DEMO_PASSWORD)
    follower = site.follower()
    await follower.say("转人工")
    assert len(await site.product.handoff.queue()) == 1
    await follower.unfollow()
    await site.settled()
    assert await site.product.handoff.queue() == []


async def test_a_customer_has_one_wechat(site: Site, browser: Browser) -> None:
    await make_customer(site.product)
    await browser.bind()
    second = Browser(site, OTHER)
    await second.bind()
    await second.close()
    assert (await site.contact()).customer_id is None
    assert (await site.contact(OTHER)).customer_id is not None


async def test_another_customer_at_the_same_wechat_sees_nothing_of_the_first(
    site: Site, browser: Browser
) -> None:
    await make_customer(site.product)
    follower = site.follower()
    await browser.bind()
    await follower.say("查余额")
    first = (await site.contact()).conversation_id
    other = await make_customer(site.product, "13800000006", "李静")
    login = {"phone": "13800000006", "password": PASSWORD}
    status, need = await browser.post("/wechat/api/login", login)
    proof = {"challenge_id": need["challenge_id"], "code": CODE}
    status, me = await browser.post("/wechat/api/login/verify", proof)
    assert (status, me["bound"]) == (200, True)
    assert (await site.contact()).customer_id == other.id
    assert (await site.contact()).conversation_id != first
    assert "1,000.00" not in str(await site.history())


async def test_a_wrong_password_and_a_wrong_code_are_refused_as_on_every_channel(
    site: Site, browser: Browser
) -> None:
    await make_customer(site.product)
    await browser.open()
    status, refused = await browser.post("/wechat/api/login", {"phone": PHONE, "password": "wrong"})
    assert (status, refused["error"]["code"]) == (401, "login_refused")
    _, need = await browser.post("/wechat/api/login", {"phone": PHONE, "password": PASSWORD})
    proof = {"challenge_id": need["challenge_id"], "code": "000000"}
    status, refused = await browser.post("/wechat/api/login/verify", proof)
    assert (status, refused["error"]["tries_left"]) == (401, 2)
    for _ in range(12):
        status, refused = await browser.post("/wechat/api/login", {"phone": PHONE, "password": "wrong"})
    assert (status, refused["error"]["code"]) == (429, "too_fast")


async def test_an_odd_log_in_does_not_bind(site: Site, browser: Browser) -> None:
    person = await make_customer(site.product)
    await browser.open()
    _, need = await browser.post("/wechat/api/login", {"phone": PHONE, "password": PASSWORD})
    async with site.product.database.transaction() as session:
        from banking_core.identity.models import LoginAttempt

        attempt = (await session.scalars(select(LoginAttempt))).one()
        attempt.tier = "high"
    proof = {"challenge_id": need["challenge_id"], "code": CODE}
    status, refused = await browser.post("/wechat/api/login/verify", proof)
    assert (status, refused["error"]["kind"]) == (401, "not_trusted")
    assert (await site.contact()).customer_id is None
    async with site.product.database.snapshot() as session:
        assert await site.product.bank.identity.sessions.open_logins(session, person.id) == []


async def test_urgent_notices_come_as_template_messages_once(site: Site, browser: Browser) -> None:
    await make_customer(site.product)
    await browser.bind()
    follower = site.follower()
    assert await site.channel.alerts.send_due() >= 1
    assert await site.channel.alerts.send_due() == 0
    shown = [each for each in follower.screen if each.how == "template"]
    assert shown and all("账户安全提醒" in each.text for each in shown)
    async with site.product.database.snapshot() as session:
        assert all(alert.sent_at for alert in await session.scalars(select(WechatAlert)))


async def test_secrets_are_in_no_row_of_the_log(site: Site, browser: Browser) -> None:
    await make_customer(site.product)
    follower = site.follower()
    await follower.say("我的密码是Right-horse-7")
    await follower.say("123456")
    await site.settled()
    said = [m["text"] for m in await site.history() if m["sender"] == "customer"]
    assert said == [f"我的密码是{BLOT}", BLOT]


async def test_every_file_of_the_page_is_there_and_nothing_else(site: Site, browser: Browser) -> None:
    text = await browser.open()
    assert "<script>" not in text and "style=" not in text and "onclick" not in text
    for path in ("/wechat/static/page.js", "/wechat/static/page.css", "/static/theme.css", "/static/api.js"):
        async with browser.http.get(site.url + path) as answer:
            assert answer.status == 200, path
            assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
    async with browser.http.get(site.url + "/wechat/static/..%2fpage.py") as answer:
        assert answer.status == 404


async def test_what_money_went_for_is_told_and_drawn(site: Site, browser: Browser) -> None:
    person = await make_customer(site.product)
    await browser.bind()
    site.ears.intents["消费分析"] = "spending_analysis"
    follower = site.follower()
    await follower.say("消费分析")
    assert "没有支出" in follower.texts()[-1]
    async with site.product.database.transaction() as session:
        for hours, fen, category in ((1, -60_00, "dining"), (2, -30_00, "transport"), (3, -10_00, "dining")):
            when = site.clock.now() - timedelta(hours=hours)
            line = (when, fen, ("消费", "某店", category))
            await book(session, site.product.bank, person.account, line)
    seen = len(follower.screen)
    await follower.say("消费分析")
    await site.settled()
    words, picture = follower.screen[seen:]
    assert (words.how, picture.how, picture.kind) == ("answer", "service", "image")
    assert "共支出¥100.00，最多的是餐饮" in words.text and "占70.0%" in words.text
    assert "1. 餐饮" in words.text and "¥30.00  30.0%" in words.text
    assert site.tencent.media[picture.text] == drawn((await site.history())[-1]["card"])


async def test_a_receiving_code_is_told_and_sent_as_a_picture_that_can_be_read(
    site: Site, browser: Browser
) -> None:
    await make_customer(site.product)
    await browser.bind()
    site.ears.intents["收款码200元"] = "qr_receive"
    follower = site.follower()
    seen = len(follower.screen)
    await follower.say("收款码200元")
    await site.settled()
    words, picture = follower.screen[seen:]
    assert (words.how, picture.how, picture.kind) == ("answer", "service", "image")
    link = (await site.history())[-1]["card"]["code"]
    assert link.startswith(site.product.settings.public_url + "/?pay=") and link in words.text
    assert "收款金额：¥200.00" in words.text
    image = Image.open(BytesIO(site.tencent.media[picture.text])).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(image)] == [link]


async def test_a_photographed_code_is_paid_like_any_transfer(site: Site, browser: Browser) -> None:
    person = await make_customer(site.product)
    payee = await make_customer(site.product, "13800000006", "李小四")
    async with site.product.database.transaction() as session:
        codes = site.product.bank.receive_codes
        code = await codes.for_amount(session, payee.id, payee.account.id, 88_00)
    await browser.bind()
    follower = site.follower()
    picture = code_png(pay_link("https://bank.example", code.token))
    await follower.show_picture(picture)
    assert "¥88.00" in follower.texts()[-1] and "*小四" in follower.texts()[-1]
    site.ears.intents["确认"] = "affirm"
    await follower.say("确认")
    body = {"client_id": "client-0001", "code": CODE}
    assert (await browser.post("/wechat/api/secret", body))[0] == 200
    await site.settled()
    async with site.product.database.snapshot() as session:
        paid = await site.product.bank.accounts.balance(session, payee.account)
        left = await site.product.bank.accounts.balance(session, person.account)
    assert (paid.balance_fen, left.balance_fen) == (1_088_00, 912_00)
    assert code.token not in str(await site.history())


async def test_nobody_is_told_to_type_a_password_or_a_code_in_the_chat(site: Site, browser: Browser) -> None:
    await make_customer(site.product)
    follower = site.follower()
    for words in ("绑定", "在吗", "绑定", "重发"):
        await follower.say(words)
    await site.settled()
    assert all("安全页面" in text for text in follower.texts())
    assert not any(words in "".join(follower.texts()) for words in ("请输入密码", "请直接输入"))
    await browser.bind()
    await add_payee(site)
    for words in ("给李静转一百元", "确认", "在吗"):
        await follower.say(words)
    await site.settled()
    assert "请在安全页面输入" in follower.texts()[-1] and "直接输入" not in follower.texts()[-1]


async def test_a_code_that_came_too_late_is_had_anew_without_leaving_the_page(
    site: Site, browser: Browser
) -> None:
    await make_payer(site, browser)
    follower = site.follower()
    await follower.say("给李静转一百元")
    await follower.say("确认")
    site.clock.advance(seconds=61)
    body = {"client_id": "client-0001", "code": CODE}
    _, answer = await browser.post("/wechat/api/secret", body)
    assert "过期" in answer["words"][0] and answer["may_resend"] and answer["expects"] == ""
    status, answer = await browser.post("/wechat/api/secret/resend", {"client_id": "client-0002"})
    assert (status, answer["expects"]) == (200, "otp"), answer
    _, answer = await browser.post("/wechat/api/secret", body | {"client_id": "client-0003"})
    assert "转账成功" in "".join(answer["words"]) and not answer["may_resend"]


async def test_the_file_that_proves_the_domain_is_served_under_its_name(tmp_path: Path) -> None:
    file = tmp_path / "MP_verify_a1B2.txt"
    file.write_text("a1B2")
    async with running(tmp_path, wechat_domain_file=file) as site:
        async with site.http.get(f"{site.url}/{file.name}") as answer:
            assert (answer.status, answer.content_type, await answer.text()) == (200, "text/plain", "a1B2")
        async with site.http.get(f"{site.url}/MP_verify_other.txt") as answer:
            assert answer.status == 404
