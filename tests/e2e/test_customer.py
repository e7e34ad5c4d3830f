"""A customer banks in a browser: the whole product, from the page to the ledger."""

from __future__ import annotations

import asyncio
import re
import time
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Locator, expect

from tests.e2e.counter import PASSWORD, PHONES, BackOffice, Counter
from tests.e2e.pages import Chat, phone_context, seated

pytestmark = [pytest.mark.browser, pytest.mark.nlu, pytest.mark.asyncio(loop_scope="session")]
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"><b>转账</b>"


async def test_a_stranger_logs_in_sees_the_balance_and_pays_after_a_correction(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    before = await office.balances_fen()
    context = await phone_context(browser)
    chat = await Chat.visit(context, counter)
    await chat.log_in("张伟")

    await chat.say("查余额")
    await expect(chat.card("balance")).to_contain_text("活期账户")
    await expect(chat.card("balance")).to_contain_text(re.compile(r"¥[\d,]+\.\d\d"))

    await chat.say("给李四转五百")
    await expect(chat.card("readback").get_by_test_id("card-amount")).to_contain_text("¥500.00")
    await chat.say("不对，是六百")
    await expect(chat.card("readback").get_by_test_id("card-amount")).to_have_text("¥600.00陆佰元整")
    await expect(chat.card("readback")).to_contain_text("*四")
    await chat.card("readback").get_by_role("button", name="确认").click()
    await chat.give_code(office, "张伟")

    receipt = chat.card("receipt")
    await expect(receipt).to_contain_text("转账成功")
    await expect(receipt).to_contain_text(re.compile(r"回单编号HD\d{8,}"))
    number = re.search(r"HD\d+", await receipt.inner_text())
    customer = await office.customer("张伟")
    assert number is not None
    conversation_id = await office.newest_conversation(customer.id)
    [paid] = [order for order in await office.orders(conversation_id) if order.executed_at is not None]
    assert (paid.status, paid.amount_fen, paid.receipt_number) == ("executed", 600_00, number[0])
    after = await office.balances_fen()
    assert before["张伟"] - after["张伟"] == after["李四"] - before["李四"] == 600_00
    assert await office.book_problems() == []
    codes = await office.codes(PHONES["张伟"])
    said = [message["text"] for message in await office.log_of(conversation_id)]
    assert not any(code in text for code in codes for text in said)
    await context.close()


async def test_a_question_is_answered_without_logging_in(browser: Browser, counter: Counter) -> None:
    context = await phone_context(browser)
    chat = await Chat.visit(context, counter)
    await chat.say("跨行转账要手续费吗")
    await chat.hears("跨行")
    await chat.hears("2元")
    await context.close()


async def test_a_reload_in_the_middle_of_a_transfer_keeps_it_and_it_can_be_finished(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context, conversation_id = await seated(browser, counter, office, "苏晓雯")
    chat = await Chat.visit(context, counter)
    await chat.say("给男朋友转一百二")
    await expect(chat.card("readback")).to_contain_text("¥120.00")

    await chat.page.reload()
    await expect(chat.bubbles("customer")).to_have_text(["给男朋友转一百二"])
    await chat.card("readback").get_by_role("button", name="确认").click()
    await chat.page.get_by_test_id("secret-form").wait_for()
    await chat.page.reload()
    await expect(chat.page.get_by_test_id("secret-countdown")).to_contain_text("剩余")
    await chat.give_code(office, "苏晓雯")

    await expect(chat.card("receipt")).to_contain_text("转账成功")
    await chat.page.reload()
    await expect(chat.card("receipt")).to_contain_text("转账成功")
    assert await office.paid_fen(conversation_id) == [120_00]
    await context.close()


async def test_two_tabs_that_confirm_and_give_the_code_at_once_pay_once(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context, conversation_id = await seated(browser, counter, office, "李静")
    first, second = await Chat.visit(context, counter), await Chat.visit(context, counter)
    await first.say("给妈妈转八十")
    for tab in (first, second):
        await expect(tab.card("readback")).to_contain_text("¥80.00")

    await _click_at_once([tab.card("readback").get_by_role("button", name="确认") for tab in (first, second)])
    for tab in (first, second):
        await tab.page.get_by_test_id("secret-form").wait_for()
        await tab.page.get_by_test_id("secret-input").fill((await office.codes(PHONES["李静"]))[0])
    await _click_at_once([tab.page.get_by_test_id("secret-send") for tab in (first, second)])

    for tab in (first, second):
        await expect(tab.page.get_by_test_id("card-receipt")).to_have_count(1)
    await second.say("确认")  # a tab that has not understood
    await expect(second.bubbles("customer").last).to_have_text("确认")
    await expect(second.page.locator(".pending")).to_have_count(0)
    assert await office.paid_fen(conversation_id) == [80_00]
    assert await office.book_problems() == []
    await context.close()


async def _click_at_once(buttons: list[Locator]) -> None:
    """Clicks in several tabs at the same moment of the clock, as near as browsers can."""
    click = "(node, at) => new Promise(done => setTimeout(() => done(node.click()), at - Date.now()))"
    at_ms = time.time() * 1000 + 300
    await asyncio.gather(*(button.evaluate(click, at_ms) for button in buttons))


async def test_a_cut_line_loses_no_message_and_doubles_none(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context, conversation_id = await seated(browser, counter, office, "林小满")
    chat = await Chat.visit(context, counter)
    await chat.say("给妈妈转三十")
    await expect(chat.card("readback")).to_contain_text("¥30.00")

    await context.set_offline(True)
    await expect(chat.page.get_by_test_id("offline-banner")).to_be_visible()
    await chat.say("不对，是四十")
    await expect(chat.page.locator(".pending")).to_have_count(1)
    await context.set_offline(False)

    await expect(chat.card("readback")).to_contain_text("¥40.00")
    await expect(chat.page.get_by_test_id("offline-banner")).to_be_hidden()
    await expect(chat.bubbles("customer")).to_have_text(["给妈妈转三十", "不对，是四十"])
    said = [m["text"] for m in await office.log_of(conversation_id) if m["sender"] == "customer"]
    assert said == ["给妈妈转三十", "不对，是四十"]
    await context.close()


async def test_the_keyboard_alone_logs_in_and_pays(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context = await phone_context(browser)
    chat = await Chat.visit(context, counter)
    keys = chat.page.keyboard
    await _tab_to(chat, "account-button")
    await keys.press("Enter")
    await keys.type(PHONES["陈国强"])
    await keys.press("Tab")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await expect(chat.page.get_by_test_id("login-code")).to_be_focused()
    await keys.type((await office.codes(PHONES["陈国强"]))[0])
    await keys.press("Enter")
    await expect(chat.page.get_by_test_id("account-name")).to_have_text("*国强")
    await expect(chat.composer).to_be_focused()

    await keys.type("给老婆转七十")
    await keys.press("Enter")
    await expect(chat.card("readback")).to_contain_text("¥70.00")
    await _tab_to(chat, "choice", text="确认", backwards=True)
    await keys.press("Enter")
    await expect(chat.page.get_by_test_id("secret-input")).to_be_focused()
    await keys.type((await office.codes(PHONES["陈国强"]))[0])
    await keys.press("Enter")

    await expect(chat.card("receipt")).to_contain_text("转账成功")
    await expect(chat.composer).to_be_focused()
    await context.close()


async def _tab_to(chat: Chat, testid: str, *, text: str = "", backwards: bool = False) -> None:
    """Presses Tab until the wanted element has the focus."""
    active = "() => [document.activeElement?.dataset?.testid ?? '', document.activeElement?.innerText ?? '']"
    for _ in range(40):
        await chat.page.keyboard.press("Shift+Tab" if backwards else "Tab")
        found, words = await chat.page.evaluate(active)
        if found == testid and text in words:
            return
    raise AssertionError(f"{testid} {text} cannot be reached with the keyboard")


async def test_large_text_grows_everything_and_nothing_is_cut_off(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context, _ = await seated(browser, counter, office, "赵桂兰")
    chat = await Chat.visit(context, counter)
    page = chat.page
    size = "node => parseFloat(getComputedStyle(node).fontSize)"
    await chat.say("查余额")
    await chat.card("balance").wait_for()
    small = await chat.bubbles("customer").last.evaluate(size)
    await page.get_by_test_id("large-toggle").click()
    assert await chat.bubbles("customer").last.evaluate(size) >= small * 1.25
    await chat.say("给儿子转五百")
    await chat.card("readback").wait_for()
    await chat.say("查上个月的明细")
    await chat.card("statement").wait_for()
    too_wide = """() => [...document.querySelectorAll('#scroller, .card, .card *, .bubble, .dock *')]
      .filter(node => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth)
      .map(node => node.className + node.textContent.slice(0, 40))"""
    assert await page.evaluate(too_wide) == []
    await page.reload()
    await expect(page.get_by_test_id("large-toggle")).to_have_attribute("aria-pressed", "true")
    await context.close()


async def test_markup_a_customer_types_stays_text(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context, conversation_id = await seated(browser, counter, office, "林小满")
    chat = await Chat.visit(context, counter)
    await chat.say(HOSTILE)
    await expect(chat.bubbles("bot").last).to_be_visible()
    await chat.page.reload()
    await expect(chat.bubbles("customer")).to_have_text([HOSTILE])
    assert await chat.page.locator("#log script, #log img, #log b").count() == 0
    assert "taken" not in await chat.page.title()
    assert (await office.log_of(conversation_id))[0]["text"] == HOSTILE
    await context.close()


async def test_a_page_that_is_a_screen_reader_s_names_everything(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context, _ = await seated(browser, counter, office, "林小满")
    chat = await Chat.visit(context, counter)
    await chat.say("给妈妈转三十")
    await chat.card("readback").wait_for()
    nameless = """() => [...document.querySelectorAll('button, input, textarea, a[href]')]
      .filter(node => node.checkVisibility())
      .filter(node => !(node.ariaLabel || node.innerText?.trim() || node.labels?.length))
      .map(node => node.outerHTML.slice(0, 80))"""
    assert await chat.page.evaluate(nameless) == []
    await expect(chat.page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    await expect(chat.page.get_by_role("heading", name="小掌柜")).to_be_visible()
    await expect(chat.page.get_by_role("article", name="请核对 · 转账")).to_be_visible()
    await context.close()


async def test_a_receiving_code_is_a_picture_that_a_camera_reads(
    browser: Browser, counter: Counter, office: BackOffice
) -> None:
    context, conversation_id = await seated(browser, counter, office, "林小满")
    chat = await Chat.visit(context, counter)
    await chat.say("收款码 88 元")
    card = chat.card("code")
    await expect(card.get_by_test_id("card-amount")).to_have_text("¥88.00")
    await expect(card.get_by_test_id("code")).to_have_js_property("complete", True)
    await chat.page.wait_for_load_state("networkidle")
    link = (await office.log_of(conversation_id))[-1]["card"]["code"]
    screen = Image.open(BytesIO(await chat.page.screenshot())).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(screen)] == [link]
    async with chat.page.expect_download() as saving:
        await card.get_by_test_id("code-save").click()
    assert (await saving.value).suggested_filename == "我的收款码.png"
    await context.close()


async def test_a_photographed_code_and_its_link_are_paid(
    browser: Browser, counter: Counter, office: BackOffice, tmp_path: Path
) -> None:
    before = await office.balances_fen()
    payee, conversation_id = await seated(browser, counter, office, "林小满")
    showing = await Chat.visit(payee, counter)
    await showing.say("收款码 66 元")
    await expect(showing.card("code").get_by_test_id("code")).to_have_js_property("complete", True)
    await showing.page.wait_for_load_state("networkidle")
    await showing.page.screenshot(path=tmp_path / "photo.png")
    link = (await office.log_of(conversation_id))[-1]["card"]["code"]
    payer, _ = await seated(browser, counter, office, "张伟")
    chat = await Chat.visit(payer, counter)
    await chat.page.get_by_test_id("plus").click()
    async with chat.page.expect_file_chooser() as choosing:
        await chat.page.get_by_test_id("panel-item").filter(has_text="扫一扫").click()
    await (await choosing.value).set_files(tmp_path / "photo.png")
    await expect(chat.card("readback").get_by_test_id("card-amount")).to_contain_text("¥66.00")
    await expect(chat.card("readback")).to_contain_text("*小满")
    await chat.card("readback").get_by_role("button", name="确认").click()
    await chat.give_code(office, "张伟")
    await expect(chat.card("receipt")).to_contain_text("¥66.00")
    after = await office.balances_fen()
    assert before["张伟"] - after["张伟"] == after["林小满"] - before["林小满"] == 66_00
    await chat.page.goto(link)
    await expect(chat.card("readback").last).to_contain_text("¥66.00")
    await expect(chat.bubbles("customer").last).to_have_text("[收款码]")
    assert "pay" not in chat.page.url
    await payee.close()
    await payer.close()
