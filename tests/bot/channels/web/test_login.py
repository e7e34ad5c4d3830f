"""The REST log-in: password, code, rotation, and what a wrong one is told."""

from __future__ import annotations

import base64
import logging
from datetime import timedelta
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from banking_core.identity import CodePurpose, LoginVerdict

CODE, PASSWORD, PHONE, OTHER_PHONE = "246810", "Right-horse-7", "13800000004", "13800000006"


async def start(visitor, phone=PHONE, password=PASSWORD):
    return await visitor.post("/api/login", {"phone": phone, "password": password})


async def events(site):
    """The kinds of the customer's security events, the newest first."""
    async with site.deps.db.snapshot() as session:
        return [event.kind for event in await site.bank.identity.log.recent(session, site.people[PHONE])]


async def finish(visitor, challenge_id, code=CODE):
    return await visitor.post("/api/login/verify", {"challenge_id": challenge_id, "code": code})


async def test_password_and_code_log_the_customer_into_the_same_conversation(site):
    visitor = site.visitor()
    before = await visitor.arrive()

    status, sent = await start(visitor)
    assert status == 200
    assert sent["masked_phone"] == "138****0004"
    assert (sent["valid_s"], sent["resend_after_s"]) == (60, 60)
    status, me = await finish(visitor, sent["challenge_id"])

    assert status == 200
    assert me["authenticated"] is True
    assert me["customer_name"] == "*伟"
    assert me["conversation_id"] == before["conversation_id"]
    assert site.hub.attached == [(before["conversation_id"], site.people[PHONE], "密码+短信验证码")]


async def test_the_password_alone_logs_nobody_in(site):
    visitor = site.visitor()
    await visitor.arrive()

    await start(visitor)

    assert (await visitor.arrive())["authenticated"] is False
    assert site.hub.attached == []


async def test_the_token_is_rotated_and_the_old_one_is_dead(site):
    visitor = site.visitor()
    await visitor.arrive()
    old = visitor.cookie()
    socket = await visitor.connect()
    await socket.hello()

    await visitor.log_in()

    assert visitor.cookie() != old
    assert await socket.closed_with() == 4001
    visitor.put_cookie(old)
    async with visitor.http.get("/api/me") as answer:
        assert answer.status == 401


async def test_a_wrong_password_is_told_how_many_tries_are_left_then_how_long_it_is_locked(site):
    visitor = site.visitor()
    await visitor.arrive()

    texts = []
    for _ in range(5):
        status, answer = await start(visitor, password="wrong")
        texts.append(answer["error"]["text"])
        assert (status, answer["error"]["code"]) == (401, "login_refused")

    assert texts[0] == "手机号或密码不正确，还可以再试4次。"
    assert texts[4] == "密码输错次数太多，登录已暂时锁定，请在12:15以后再试（约15分钟）。"


async def test_an_unknown_phone_reads_like_a_wrong_password(site):
    visitor = site.visitor()
    await visitor.arrive()

    _, answer = await start(visitor, phone="13900000000")

    assert answer["error"]["text"] == "手机号或密码不正确，还可以再试4次。"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"phone": "12", "password": "x"}, "请输入11位手机号。"),
        ({"phone": 13800000004, "password": "x"}, "请输入11位手机号。"),
        ({"phone": PHONE}, "请输入登录密码。"),
        ({"phone": PHONE, "password": ""}, "请输入登录密码。"),
        ({"phone": PHONE, "password": "\0"}, "请输入登录密码。"),
        ({"phone": PHONE, "password": "x" * 129}, "密码最多128位，请核对。"),
        ([], "这条内容没法识别，请刷新页面后再试。"),
        ("x", "这条内容没法识别，请刷新页面后再试。"),
    ],
)
async def test_an_unusable_login_is_refused_in_one_sentence(site, body, text):
    visitor = site.visitor()
    await visitor.arrive()

    status, answer = await visitor.post("/api/login", body)

    assert (status, answer["error"]["text"]) == (400, text)
    assert await events(site) == ["password_set"]


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[" * 3000, b"x" * 9000, b""])
async def test_a_malformed_body_is_a_clear_refusal_not_a_crash(site, raw):
    visitor = site.visitor()
    await visitor.arrive()
    headers = {"Origin": visitor.origin, "Content-Type": "application/json"}

    async with visitor.http.post("/api/login", data=raw, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["code"] == "bad_request"


async def test_a_wrong_code_counts_down_and_then_needs_a_new_one(site):
    visitor = site.visitor()
    await visitor.arrive()
    _, sent = await start(visitor)

    texts = [(await finish(visitor, sent["challenge_id"], "000000"))[1]["error"]["text"] for _ in range(3)]
    site.clock.advance(seconds=60)
    _, again = await visitor.post("/api/login/resend")
    status, _ = await finish(visitor, again["challenge_id"])

    assert texts == [
        "验证码不正确，还可以再试2次。",
        "验证码不正确，还可以再试1次。",
        "验证码输错次数太多，已作废，请重新获取。",
    ]
    assert status == 200


async def test_an_expired_code_is_called_expired(site):
    visitor = site.visitor()
    await visitor.arrive()
    _, sent = await start(visitor)
    site.clock.advance(seconds=61)

    status, answer = await finish(visitor, sent["challenge_id"])

    assert (status, answer["error"]["text"]) == (401, "验证码已过期，请重新获取。")


async def test_a_code_works_only_in_the_browser_that_gave_the_password(site):
    visitor, thief = site.visitor(), site.visitor()
    await visitor.arrive()
    await thief.arrive()
    _, sent = await start(visitor)

    status, answer = await finish(thief, sent["challenge_id"])

    assert (status, answer["error"]["code"]) == (409, "login_stale")
    assert (await finish(visitor, sent["challenge_id"]))[0] == 200


async def test_a_code_meant_for_something_else_logs_nobody_in(site):
    visitor = site.visitor()
    await visitor.arrive()
    _, sent = await start(visitor)
    site.clock.advance(seconds=60)
    with patch("banking_core.identity.otp.random_code", return_value="135790"):
        async with site.deps.db.transaction() as session:
            paying = await site.bank.identity.otp.send(
                session, customer_id=site.people[PHONE], phone=PHONE, purpose=CodePurpose("order:1")
            )

    status, answer = await finish(visitor, paying.challenge_id, "135790")
    assert (status, answer["error"]["code"]) == (409, "login_stale")
    site.clock.advance(seconds=60)
    await visitor.post("/api/login/resend")
    status, answer = await finish(visitor, sent["challenge_id"], "135790")
    assert (status, answer["error"]["kind"]) == (401, "wrong")
    assert (await visitor.arrive())["authenticated"] is False


async def test_a_verified_password_does_not_wait_for_its_code_for_ever(site):
    visitor = site.visitor()
    await visitor.arrive()
    _, sent = await start(visitor)
    site.clock.advance(seconds=601)

    assert (await visitor.post("/api/login/resend"))[0] == 409
    assert (await finish(visitor, sent["challenge_id"]))[0] == 409


async def test_a_code_cannot_be_sent_before_the_password_was_right(site):
    visitor = site.visitor()
    await visitor.arrive()

    status, _ = await visitor.post("/api/login/resend")

    assert status == 409
    assert await site.messages() == []


async def test_the_banks_own_refusal_to_send_reaches_the_customer(site):
    visitor = site.visitor()
    await visitor.arrive()
    await start(visitor)
    site.clock.advance(seconds=30)

    status, answer = await start(visitor)

    assert (status, answer["error"]["text"]) == (409, "验证码刚刚发过，请30秒后再获取。")


async def test_another_customer_in_the_same_browser_sees_nothing_of_the_first(site):
    visitor = site.visitor()
    await visitor.arrive()
    first = await visitor.log_in()
    site.hub.say(first["conversation_id"], "bot", "余额¥1.00")

    second = await visitor.log_in(OTHER_PHONE)
    socket = await visitor.connect()
    frames = await socket.hello(after_seq=0, conversation_id=first["conversation_id"])

    assert second["conversation_id"] != first["conversation_id"]
    assert site.hub.talks[second["conversation_id"]].customer_id == site.people[OTHER_PHONE]
    assert [frame["type"] for frame in frames] == ["welcome", "state"]


async def test_a_login_cut_off_before_it_reached_the_conversation_is_completed_on_return(site):
    visitor = site.visitor()
    me = await visitor.arrive()
    await visitor.log_in()
    site.hub.talks[me["conversation_id"]].customer_id = None  # as if the server had died in between

    again = await visitor.arrive()

    assert again["authenticated"] is True
    assert site.hub.talks[me["conversation_id"]].customer_id == site.people[PHONE]


async def test_logins_are_slowed_down_per_session_and_open_again_with_time(site):
    visitor = site.visitor()
    await visitor.arrive()

    statuses = [(await start(visitor, password="x"))[0] for _ in range(9)]
    _, answer = await start(visitor)
    site.clock.advance(seconds=answer["error"]["retry_after_s"])

    assert statuses[-1] == 429
    assert answer["error"]["text"] == "登录操作太频繁了，请稍等一会儿再试。"
    assert (await start(visitor))[0] == 401


async def test_logins_are_slowed_down_per_address_across_sessions(site):
    statuses = []
    for _ in range(8):
        visitor = site.visitor()
        await visitor.arrive()
        statuses += [(await start(visitor, password="x"))[0] for _ in range(5)]

    assert statuses.count(429) == 40 - site.deps.limits.logins_address.burst


async def test_passwords_and_codes_are_in_no_log_line(site, caplog):
    caplog.set_level(logging.DEBUG)
    visitor = site.visitor()
    await visitor.arrive()

    await start(visitor, password="hunter-2-secret")
    _, sent = await start(visitor)
    await finish(visitor, sent["challenge_id"], "975310")
    await finish(visitor, sent["challenge_id"])

    logged = caplog.text.replace(f"验证码{CODE}", "")
    assert "hunter-2-secret" not in logged
    assert PASSWORD not in logged
    assert "975310" not in logged


async def test_a_session_lasts_its_time_from_the_login_on(site):
    visitor = site.visitor()
    await visitor.arrive()
    site.clock.advance(seconds=3600)

    me = await visitor.log_in()

    expected = site.clock.now() + timedelta(hours=site.deps.session_ttl_h)
    assert me["expires_at"] == expected.isoformat()


async def test_a_trusted_device_logs_in_with_the_password_alone_and_gets_a_new_cookie(site):
    visitor, stranger = site.visitor(), site.visitor()
    for browser in (visitor, stranger):
        await browser.arrive()
    body = {"phone": PHONE, "password": PASSWORD, "trust_device": True}
    _, sent = await visitor.post("/api/login", body)
    await finish(visitor, sent["challenge_id"])
    await visitor.post("/api/logout")
    await visitor.arrive()
    before = visitor.cookie()

    status, me = await start(visitor)
    site.clock.advance(seconds=60)
    _, elsewhere = await start(stranger)

    assert (status, me["authenticated"]) == (200, True)
    assert visitor.cookie() != before
    assert site.hub.attached[-1][2] == "密码"
    assert elsewhere["needs"] == "otp"


async def test_an_app_s_code_or_a_recovery_code_goes_where_the_text_message_s_would(site):
    async with site.deps.db.transaction() as session:
        totp = site.bank.identity.totp
        enrolment = await totp.enrol(session, site.people[PHONE])
        app = TOTP(base64.b32decode(enrolment.secret), 6, SHA1(), 60)
        code = app.generate(int(site.clock.now().timestamp())).decode()
        _, recovery = await totp.confirm(session, site.people[PHONE], code)
    visitor = site.visitor()
    await visitor.arrive()

    _, needs = await start(visitor)
    _, used = await finish(visitor, needs["challenge_id"], code)
    _, odd = await finish(visitor, needs["challenge_id"], "not a code")
    status, me = await finish(visitor, needs["challenge_id"], recovery[0].lower())

    assert needs["needs"] == "totp" and await site.messages() == []
    assert used["error"]["text"] == "这个动态口令已经用过了，请等下一个再输入。"
    assert odd["error"]["code"] == "bad_request"
    assert (status, me["authenticated"]) == (200, True)


class Judge:
    """Finds every log-in as odd as it is told to."""

    def __init__(self, tier):
        self.tier = tier

    async def assess(self, session, subject):
        return LoginVerdict(self.tier, ("new_device",))


async def id_tail(site):
    async with site.deps.db.snapshot() as session:
        return (await site.bank.customers.get(session, site.people[PHONE])).id_number[-4:]


async def test_an_odd_log_in_asks_for_the_end_of_the_id_number_too(site):
    site.bank.identity.logins.use_risk(Judge("medium"))
    tail = await id_tail(site)
    wrong = "0000" if tail != "0000" else "1111"
    visitor = site.visitor()
    await visitor.arrive()
    _, sent = await start(visitor)

    status, needs = await finish(visitor, sent["challenge_id"])
    texts = [(await finish(visitor, needs["challenge_id"], wrong))[1]["error"]["text"] for _ in range(3)]
    refused, answer = await finish(visitor, needs["challenge_id"], tail)
    site.clock.advance(seconds=3600)
    _, again = await start(visitor)
    await finish(visitor, again["challenge_id"])
    done, me = await finish(visitor, again["challenge_id"], tail.lower())

    assert (status, needs["needs"], "masked_phone" in needs) == (200, "id_tail", False)
    assert texts[0] == "证件号码后四位不正确，还可以再试2次。"
    assert texts[2].startswith("证件号码后四位输错次数太多，登录已暂时锁定，请在")
    assert (refused, answer["error"]["locked_until"] is not None) == (401, True)
    assert (done, me["authenticated"]) == (200, True)


async def test_a_frozen_customer_is_told_what_to_do_and_gets_no_code(site):
    async with site.deps.db.transaction() as session:
        await site.bank.identity.takeovers.freeze(session, site.people[PHONE], reason="test")
    visitor = site.visitor()
    await visitor.arrive()

    status, answer = await start(visitor)

    assert (status, answer["error"]["kind"]) == (401, "frozen")
    assert "保护性锁定" in answer["error"]["text"]
    assert await site.messages() == []
