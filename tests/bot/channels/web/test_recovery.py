"""A forgotten password over HTTP: code and papers, then a new one; an unknown number learns nothing."""

from __future__ import annotations

import pytest

from tests.bot.channels.web.conftest import CODE, OTHER_PHONE, PASSWORD, PHONE

NEW = "river-Tulip-48"


async def id_number(site):
    async with site.deps.db.snapshot() as session:
        return (await site.bank.customers.get(session, site.people[PHONE])).id_number


async def begin(visitor, phone=PHONE):
    _, sent = await visitor.post("/api/recovery", {"phone": phone})
    return sent


async def prove(visitor, sent, number, *, code=CODE, name="张伟"):
    body = {"recovery_id": sent["recovery_id"], "code": code, "name": name, "id_number": number}
    return await visitor.post("/api/recovery/prove", body)


async def finish(visitor, sent, password=NEW):
    return await visitor.post(
        "/api/recovery/finish", {"recovery_id": sent["recovery_id"], "password": password}
    )


async def test_code_and_papers_lead_to_a_new_password_and_end_the_old_log_ins(site):
    elsewhere, visitor = site.visitor(), site.visitor()
    for browser in (elsewhere, visitor):
        await browser.arrive()
    await elsewhere.log_in()
    site.clock.advance(seconds=60)

    sent = await begin(visitor)
    proved = await prove(visitor, sent, await id_number(site))
    weak = await finish(visitor, sent, "12345678")
    status, done = await finish(visitor, sent)
    site.clock.advance(seconds=60)
    old = await visitor.post("/api/login", {"phone": PHONE, "password": PASSWORD})
    new = await visitor.post("/api/login", {"phone": PHONE, "password": NEW})

    assert (sent["masked_phone"], proved) == ("138****0004", (200, {"proved": True}))
    assert (weak[0], weak[1]["error"]["code"]) == (400, "password_too_weak")
    assert status == 200 and "前只能办理小额转账缴费" in done["text"]
    assert (old[0], new[0]) == (401, 200)
    assert (await elsewhere.arrive())["authenticated"] is False


async def test_which_of_code_and_papers_was_wrong_is_not_told_and_three_wrong_tries_pause(site):
    visitor, number = site.visitor(), await id_number(site)
    await visitor.arrive()
    sent = await begin(visitor)

    wrong_code = await prove(visitor, sent, number, code="000000")
    wrong_name = await prove(visitor, sent, number, name="张三")
    status, paused = await prove(visitor, sent, number[:-1] + ("1" if number[-1] != "1" else "2"))
    _, again = await visitor.post("/api/recovery", {"phone": PHONE})

    assert wrong_code[1]["error"]["text"] == "验证码、姓名或身份证号码对不上，还可以再试2次。"
    assert wrong_name[1]["error"]["text"] == "验证码、姓名或身份证号码对不上，还可以再试1次。"
    assert (status, paused["error"]["code"]) == (401, "recovery_refused")
    assert paused["error"]["text"].startswith("核对不上的次数太多，请1小时后再试")
    assert again["error"]["code"] == "recovery_paused"


async def test_an_unknown_number_gets_the_same_answers(site):
    visitor = site.visitor()
    await visitor.arrive()

    sent = await begin(visitor, "13900000000")
    status, answer = await prove(visitor, sent, await id_number(site))

    assert set(sent) == set(await begin(visitor, OTHER_PHONE))
    assert (status, answer["error"]["code"]) == (401, "recovery_refused")
    assert [message.phone for message in await site.messages()] == [OTHER_PHONE]


async def test_a_recovery_goes_on_only_in_the_browser_it_was_begun_in(site):
    visitor, thief = site.visitor(), site.visitor()
    for browser in (visitor, thief):
        await browser.arrive()
    sent = await begin(visitor)
    await prove(visitor, sent, await id_number(site))

    assert (await finish(thief, sent))[1]["error"]["code"] == "recovery_stale"
    assert (await finish(visitor, {"recovery_id": "x"}))[0] == 409
    assert (await finish(visitor, sent))[0] == 200


@pytest.mark.parametrize("field", ["code", "name", "id_number"])
@pytest.mark.parametrize("value", [None, "", "\0", "x" * 65, 5, ["x"]])
async def test_an_unusable_field_is_refused_before_it_counts(site, field, value):
    visitor = site.visitor()
    await visitor.arrive()
    sent = await begin(visitor)
    body = {"recovery_id": sent["recovery_id"], "code": CODE, "name": "张伟", "id_number": "1"} | {
        field: value
    }

    status, answer = await visitor.post("/api/recovery/prove", body)

    assert (status, answer["error"]["code"], answer["error"]["field"]) == (400, "bad_request", field)


async def test_names_numbers_and_passwords_are_in_no_log_line(site, caplog):
    caplog.set_level("DEBUG")
    visitor, number = site.visitor(), await id_number(site)
    await visitor.arrive()
    sent = await begin(visitor)
    await prove(visitor, sent, number)
    await finish(visitor, sent)

    assert number not in caplog.text and NEW not in caplog.text
