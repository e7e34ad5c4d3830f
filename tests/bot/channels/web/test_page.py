"""The page itself in headless Chromium: what a customer sees and what never gets lost, doubled or shown."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.bot.channels.web.conftest import PHONE
from tests.bot.channels.web.test_login import Judge
from tests.bot.channels.web.test_recovery import NEW, id_number
from tests.browsers import PATIENCE_MS, open_browser

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
PASSWORD, CODE = "Right-horse-7", "246810"
GREETING = [re.compile("^您好，我是小掌柜")]


@pytest.fixture
async def context():
    async with open_browser() as browser:
        context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
        context.set_default_timeout(PATIENCE_MS)
        yield context


@pytest.fixture
async def page(site, context):
    page = await context.new_page()
    await page.goto(str(site.server.make_url("/")))
    await page.get_by_test_id("greeting").wait_for()
    return page


async def say(page, text):
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("composer").press("Enter")


def texts(page, sender):
    return page.get_by_test_id(f"bubble-{sender}")


async def test_the_first_screen_greets_and_offers_three_examples(site, page):
    await expect(page.get_by_test_id("greeting")).to_contain_text("小掌柜")
    await expect(page.get_by_text("可以这样说")).to_be_visible()
    choices = page.get_by_test_id("choice")
    await expect(choices).to_have_count(3)

    example = await choices.first.inner_text()
    await choices.first.click()

    await expect(texts(page, "customer")).to_have_text([example])
    await expect(choices).to_have_count(0)
    await expect(page.get_by_text("可以这样说")).to_be_hidden()


async def test_what_a_customer_types_is_shown_as_text_and_never_becomes_markup(site, page):
    nasty = '<img src=x onerror="document.title=1"><b>粗</b>'

    await say(page, nasty)

    await expect(texts(page, "customer")).to_have_text([nasty])
    assert await page.locator(".bubble img, .bubble b").count() == 0


HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script><b>粗</b>'


@pytest.mark.parametrize(
    "kind", ["balance", "statement", "readback", "receipt", "list", "branches", "ticket", "code", HOSTILE]
)
async def test_no_name_nor_any_part_of_a_card_becomes_markup(site, page, kind):
    [talk] = site.hub.talks.values()
    card = {
        "kind": kind,
        "title": HOSTILE,
        "facts": [{"label": label, "value": HOSTILE} for label in ("金额", "余额", "单号", HOSTILE)],
        "columns": [HOSTILE, "金额"],
        "rows": [[HOSTILE, HOSTILE], [HOSTILE, "+1.00"]],
        "note": HOSTILE,
    }
    choice = {"label": HOSTILE, "say": HOSTILE}
    site.hub.answer = lambda _talk, _inbound: [{"text": HOSTILE, "card": card, "choices": [choice]}]
    await say(page, HOSTILE)
    await page.get_by_role("article").wait_for()
    await page.get_by_test_id("choice").first.click()
    await expect(texts(page, "customer")).to_have_count(2)
    site.hub.say(talk.id, "system", HOSTILE)
    site.hub.change(talk.id, owner="agent", agent_name=HOSTILE)
    site.hub.say(talk.id, "agent", HOSTILE, name=HOSTILE)

    await expect(page.get_by_test_id("state-label")).to_have_text(f"人工 · {HOSTILE}")
    await expect(texts(page, "agent")).to_have_text([HOSTILE])
    assert (
        await page.locator(
            "main :is(img, script, b), header :is(img, script, b), footer :is(img, script, b)"
        ).count()
        == 0
    )
    assert await page.title() == "小掌柜 · 掌柜银行"


async def test_shift_enter_makes_a_new_line_and_enter_sends(site, page):
    composer = page.get_by_test_id("composer")
    await composer.press_sequentially("一")
    await composer.press("Shift+Enter")
    await composer.press_sequentially("二")
    await composer.press("Enter")

    await expect(texts(page, "customer")).to_have_text(["一\n二"])


async def test_a_message_written_while_offline_is_sent_once_when_the_line_is_back(site, page, context):
    await context.set_offline(True)
    await expect(page.get_by_test_id("offline-banner")).to_be_visible()
    await say(page, "交电费")
    await expect(texts(page, "customer")).to_have_text(["交电费"])

    await context.set_offline(False)
    await expect(texts(page, "bot").last).to_have_text("收到：交电费")

    await expect(page.get_by_test_id("offline-banner")).to_be_hidden()
    await expect(texts(page, "customer")).to_have_count(1)
    assert [inbound.text for inbound in site.hub.inbound] == ["交电费"]


async def test_a_message_whose_ack_was_lost_is_neither_lost_nor_doubled(site, page, context):
    async def cut_the_line():
        site.hub.before_turn = None
        site.hub.mute = True  # no live event gets through either
        await context.set_offline(True)

    site.hub.before_turn = cut_the_line
    await say(page, "给张三转五百")
    await expect(page.get_by_test_id("offline-banner")).to_be_visible()
    site.hub.mute = False
    await context.set_offline(False)

    await expect(texts(page, "bot").last).to_have_text("收到：给张三转五百")
    await expect(texts(page, "customer")).to_have_text(["给张三转五百"])
    [talk] = site.hub.talks.values()
    assert len(talk.log) == 2


async def test_a_reload_brings_the_talk_back_in_order(site, page):
    await say(page, "一")
    await expect(texts(page, "bot").last).to_have_text("收到：一")
    await say(page, "二")
    await expect(texts(page, "bot").last).to_have_text("收到：二")

    await page.reload()

    await expect(texts(page, "customer")).to_have_text(["一", "二"])
    await expect(texts(page, "bot").last).to_have_text("收到：二")


async def test_a_code_is_never_shown_nor_kept_on_the_device(site, page):
    [talk] = site.hub.talks.values()
    until = site.clock.now() + timedelta(seconds=60)
    site.hub.change(talk.id, expects="otp", expects_until=until)
    field = page.get_by_test_id("secret-input")

    await expect(page.get_by_test_id("secret-label")).to_have_text("短信验证码")
    await expect(page.get_by_test_id("secret-countdown")).to_contain_text("剩余")
    await expect(page.get_by_test_id("composer")).to_be_hidden()
    await expect(field).to_have_attribute("type", "password")
    site.hub.answer = lambda _talk, _inbound: [{"text": "好了"}]
    kept = []

    async def look_while_it_is_on_its_way():
        kept.append(await page.evaluate("() => JSON.stringify([{...sessionStorage}, {...localStorage}])"))
        kept.append(await page.content())

    site.hub.before_turn = look_while_it_is_on_its_way
    await field.fill("830517")
    await page.get_by_test_id("secret-send").click()
    await expect(texts(page, "bot").last).to_have_text("好了")

    assert (site.hub.inbound[-1].text, site.hub.inbound[-1].secret) == ("830517", True)
    kept.append(await page.content())
    assert len(kept) == 3
    assert not any("830517" in seen for seen in kept)


async def test_a_read_back_is_answered_on_its_card_and_only_once(site, page):
    card = {
        "kind": "readback",
        "title": "请核对转账信息",
        "facts": [{"label": "收款人", "value": "*三"}, {"label": "金额", "value": "¥500.00（伍佰元整）"}],
        "columns": [],
        "rows": [],
        "note": "",
    }
    words = [{"label": word, "say": word} for word in ("确认", "修改", "取消")]
    site.hub.answer = lambda _talk, inbound: (
        [{"text": "办好了"}]
        if inbound.text == "确认"
        else [{"text": "请核对", "card": card, "choices": words}]
    )
    await say(page, "给张三转五百")
    await expect(page.get_by_test_id("card-amount")).to_contain_text("¥500.00")
    confirm = page.get_by_test_id("card-readback").get_by_test_id("choice").first

    await confirm.dblclick()
    await expect(texts(page, "bot").last).to_have_text("办好了")

    await expect(confirm).to_be_disabled()
    await expect(confirm).to_be_hidden()
    assert [inbound.text for inbound in site.hub.inbound] == ["给张三转五百", "确认"]


PAYEES = {"kind": "list", "title": "我的收款人", "columns": ["姓名", "账号"], "rows": [["李四", "尾号8186"]]}
BRANCH = {
    "kind": "branches",
    "title": "网点",
    "columns": ["名称", "地址"],
    "rows": [["营业部", "世纪大道1866号"]],
}
RECEIPT = {"kind": "receipt", "title": "转账成功", "facts": [{"label": "回单编号", "value": "HD20261125"}]}


@pytest.mark.parametrize(
    ("text", "card", "shown"),
    [
        ("您有1位收款人：李四（尾号8186）。要转账吗？", PAYEES, "您有1位收款人。要转账吗？"),
        ("找到1处，先看营业部：世纪大道1866号，现在休息。", BRANCH, "找到1处，先看营业部。"),
        ("请记住：密码谁也不要给。", PAYEES, "请记住：密码谁也不要给。"),
        ("转账成功，回单编号HD20261125。", RECEIPT, None),
    ],
)
async def test_what_the_card_says_is_not_said_beside_it_again(site, page, text, card, shown):
    site.hub.answer = lambda _talk, _inbound: [{"text": text, "card": card | {"note": ""}}]

    await say(page, "办事")
    await page.get_by_test_id(f"card-{card['kind']}").wait_for()

    await expect(texts(page, "bot")).to_have_text([*GREETING, *([shown] if shown else [])])


async def test_a_refused_code_is_typed_over_without_a_click(site, page):
    [talk] = site.hub.talks.values()
    site.hub.change(talk.id, expects="otp", expects_until=site.clock.now() + timedelta(seconds=60))
    site.hub.answer = lambda _talk, _inbound: [{"text": "验证码不对"}]
    await page.get_by_test_id("secret-input").fill("000000")
    await page.get_by_test_id("secret-send").click()

    await expect(texts(page, "bot").last).to_have_text("验证码不对")
    await expect(page.get_by_test_id("secret-input")).to_be_focused()


async def test_on_a_wide_screen_the_sheet_stands_in_the_middle_of_the_chat(site, page):
    await page.set_viewport_size({"width": 1280, "height": 900})
    await page.get_by_test_id("account-button").click()

    middle = "node => { const at = node.getBoundingClientRect(); return Math.round(at.left + at.width / 2); }"
    sheet = await page.get_by_test_id("login-sheet").evaluate(middle)
    assert abs(sheet - await page.locator(".phone").evaluate(middle)) <= 1


async def test_logging_in_by_the_sheet_keeps_the_talk_and_shows_the_name(site, page):
    await say(page, "你好")
    await expect(texts(page, "bot").last).to_have_text("收到：你好")
    await page.get_by_test_id("account-button").click()
    await page.get_by_test_id("login-phone").fill("13800000004")
    await page.get_by_test_id("login-password").fill("wrong")
    await page.get_by_test_id("login-next").click()
    await expect(page.get_by_test_id("login-error")).to_have_text("手机号或密码不正确，还可以再试4次。")
    await expect(page.get_by_test_id("login-password")).to_be_focused()
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-next").click()
    await expect(page.get_by_test_id("code-sent")).to_contain_text("138****0004")
    await expect(page.get_by_test_id("code-resend")).to_be_disabled()
    await page.get_by_test_id("login-code").fill(CODE)
    await page.get_by_test_id("login-submit").click()

    await expect(page.get_by_test_id("account-name")).to_have_text("*伟")
    await expect(page.get_by_test_id("login-sheet")).to_be_hidden()
    await expect(texts(page, "customer")).to_have_text(["你好"])
    await say(page, "查余额")
    await expect(texts(page, "bot").last).to_have_text("收到：查余额")

    await page.get_by_test_id("account-button").click()
    await page.get_by_test_id("logout").click()
    await expect(page.get_by_test_id("account-name")).to_have_text("登录")
    await expect(texts(page, "customer")).to_have_count(0)


async def test_an_odd_log_in_asks_for_one_thing_more_on_the_sheet(site, page):
    site.bank.identity.logins.use_risk(Judge("medium"))
    await page.get_by_test_id("account-button").click()
    await page.get_by_test_id("login-phone").fill(PHONE)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-next").click()
    await page.get_by_test_id("login-code").fill(CODE)
    await page.get_by_test_id("login-submit").click()
    await expect(page.get_by_test_id("code-sent")).to_contain_text("证件号码的后四位")
    await expect(page.get_by_test_id("code-resend")).to_be_hidden()
    await page.get_by_test_id("login-code").fill((await id_number(site))[-4:])
    await page.get_by_test_id("login-submit").click()

    await expect(page.get_by_test_id("account-name")).to_have_text("*伟")


async def test_a_forgotten_password_is_set_anew_on_the_sheet_and_logs_in(site, page):
    await page.get_by_test_id("account-button").click()
    await page.get_by_test_id("login-phone").fill(PHONE)
    await page.get_by_test_id("login-forgot").click()
    await expect(page.get_by_test_id("recover-phone")).to_have_value(PHONE)
    await page.get_by_test_id("recover-send").click()
    await page.get_by_test_id("recover-code").fill(CODE)
    await page.get_by_test_id("recover-name").fill("张三")
    await page.get_by_test_id("recover-id").fill(await id_number(site))
    await page.get_by_test_id("recover-prove").click()
    await expect(page.get_by_test_id("recover-papers-error")).to_contain_text("还可以再试2次")
    await page.get_by_test_id("recover-name").fill("张伟")
    await page.get_by_test_id("recover-prove").click()
    await page.get_by_test_id("recover-password").fill(NEW)
    await page.get_by_test_id("recover-again").fill("another")
    await page.get_by_test_id("recover-finish").click()
    await expect(page.get_by_test_id("recover-password-error")).to_have_text("两次输入的新密码不一样。")
    await page.get_by_test_id("recover-again").fill(NEW)
    await page.get_by_test_id("recover-finish").click()

    await expect(page.get_by_test_id("login-phone")).to_have_value(PHONE)
    site.clock.advance(seconds=60)
    await page.get_by_test_id("login-password").fill(NEW)
    await page.get_by_test_id("login-next").click()
    await expect(page.get_by_test_id("code-sent")).to_contain_text("138****0004")


async def test_a_human_takes_over_closes_and_is_rated(site, page):
    [talk] = site.hub.talks.values()
    label = page.get_by_test_id("state-label")
    site.hub.change(talk.id, owner="queue", queue_position=2)
    await expect(label).to_have_text("排队中 · 第2位")
    site.hub.change(talk.id, owner="agent", agent_name="小王", queue_position=None)
    site.hub.say(talk.id, "agent", "您好，我是小王")
    await expect(label).to_have_text("人工 · 小王")
    await expect(texts(page, "agent")).to_have_text(["您好，我是小王"])
    site.hub.change(talk.id, owner="closed", can_rate=True)
    await page.get_by_test_id("star-5").check()
    await page.get_by_test_id("rate-comment").fill("很快")
    await page.get_by_test_id("rate-submit").click()

    await expect(page.get_by_test_id("rating")).to_have_count(0)
    assert talk.rating == (5, "很快")


async def test_whoever_writes_on_can_still_rate_and_who_does_not_want_to_is_left_alone(site, page):
    [talk] = site.hub.talks.values()
    site.hub.change(talk.id, owner="closed", can_rate=True)
    await page.get_by_test_id("star-4").check()
    site.hub.change(talk.id, owner="bot")
    site.hub.say(talk.id, "bot", "您的余额是100元")
    await expect(texts(page, "bot").last).to_have_text("您的余额是100元")
    await expect(page.get_by_test_id("star-4")).to_be_checked()
    await page.get_by_test_id("rating-leave").click()
    await expect(page.get_by_test_id("rating")).to_have_count(0)
    await expect(page.get_by_test_id("composer")).to_be_focused()
    site.hub.say(talk.id, "bot", "还有什么可以帮您")
    await expect(texts(page, "bot").last).to_have_text("还有什么可以帮您")
    await expect(page.get_by_test_id("rating")).to_have_count(0)


async def test_large_text_is_remembered(site, page):
    size = "() => parseFloat(getComputedStyle(document.documentElement).fontSize)"
    before = await page.evaluate(size)
    await page.get_by_test_id("large-toggle").click()
    await page.reload()
    await page.get_by_test_id("greeting").wait_for()

    assert await page.evaluate(size) > before * 1.2
    await expect(page.get_by_test_id("large-toggle")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("large", [False, True])
async def test_nothing_is_wider_than_a_phone(site, page, large):
    if large:
        await page.get_by_test_id("large-toggle").click()
    columns = ["日期", "摘要", "金额", "余额"]
    rows = [["11-22", "工资 · 上海云图科技有限公司", "+18,500.00", "1,086,448.55"]] * 5
    card = {
        "kind": "statement",
        "title": "收支明细",
        "facts": [],
        "columns": columns,
        "rows": rows,
        "note": "",
    }
    site.hub.answer = lambda _talk, _inbound: [{"text": "W" * 300, "card": card}]
    await say(page, "查明细")
    await page.get_by_test_id("card-statement").wait_for()

    width = await page.evaluate("() => document.getElementById('scroller').scrollWidth")
    assert width <= 390


@pytest.mark.parametrize("width", [390, 1280])
async def test_the_bars_of_what_was_spent_begin_on_one_line_and_are_as_long_as_their_share(site, page, width):
    await page.set_viewport_size({"width": width, "height": 844})
    rows = [
        ["转账给他人", "¥12,800.00", "48.3%"],
        ["住房物业与装修", "¥5,500.00", "20.7%"],
        ["话费", "¥200.00", "0.8%"],
    ]
    columns = ["类别", "金额", "占比"]
    card = {
        "kind": "spending",
        "title": "消费分析",
        "facts": [],
        "columns": columns,
        "rows": rows,
        "note": "",
    }
    [talk] = site.hub.talks.values()
    site.hub.say(talk.id, "bot", "共支出", card=card)
    await page.get_by_test_id("card-spending").wait_for()
    boxes = await page.evaluate(
        "() => [...document.querySelectorAll('.share svg, .share svg rect, .share span')].map((each) => {"
        " const box = each.getBoundingClientRect(); return [box.x, box.y, box.width, box.right]; })"
    )
    bars, filled, shares = boxes[::3], boxes[1::3], boxes[2::3]

    assert len(bars) == len(rows) and len({(x, width) for x, _, width, _ in bars}) == 1
    assert bars[0][2] >= 48
    parts = [100 * part[2] / bar[2] for part, bar in zip(filled, bars, strict=True)]
    assert parts == pytest.approx([48.3, 20.7, 1.0], abs=0.2), "the least one still shows"
    assert [part[1] for part in filled] == pytest.approx([bar[1] for bar in bars], abs=0.5)
    card_box = await page.get_by_test_id("card-spending").bounding_box()
    assert max(right for *_, right in shares) < card_box["x"] + card_box["width"], "nothing is cut off"


async def test_too_long_a_text_cannot_be_sent_and_says_why(site, page):
    await page.get_by_test_id("composer").fill("好" * 503)

    await expect(page.get_by_test_id("counter")).to_have_text(re.compile("超出3字"))
    await expect(page.get_by_test_id("send")).to_be_disabled()


async def test_the_keyboard_alone_reaches_everything(site, page):
    reached = set()
    await page.get_by_test_id("log").focus()
    for _ in range(14):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate("() => document.activeElement?.dataset?.testid ?? ''"))

    assert {"choice", "plus", "composer", "large-toggle", "account-button"} <= reached
