"""Draws the pictures of the READMEs and of docs/desk.md from the running product.

`.venv/bin/python -m tests.e2e.pictures`: a transfer on two phones' screens becomes docs/images/chat.png, a conversation
handed over desk.png; the agent's view with notes, its keys and a supervisor's view become desk-view.png, desk-keys.png
and desk-floor.png. Needs what the browser tests need: Chromium, Chinese fonts, the understanding service.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, expect

from bot.evaluation.demo_bank import copy_template, make_template, settings_for
from bot.evaluation.services import understanding_service
from bot.settings import ROOT, load_settings
from tests.browsers import open_browser
from tests.e2e.counter import BackOffice, Counter
from tests.e2e.pages import Chat, DeskPage, seated

IMAGES = ROOT / "docs" / "images"
SCALE = 1.5  # device pixels per pixel: sharp at the width of the README
PAIR = """<style>
  figure { margin: 0; padding: 2px; display: flex; gap: 24px; width: max-content; }
  img { width: 390px; border-radius: 28px; outline: 1px solid #c9cdca; }
</style>"""


async def draw_chat(browser: Browser, counter: Counter, office: BackOffice) -> None:
    """A correction read back, and the receipt."""
    context, _ = await seated(browser, counter, office, "张伟", device_scale_factor=SCALE)
    chat = await Chat.visit(context, counter)
    await chat.say("给李四转五百")
    await expect(chat.card("readback")).to_contain_text("¥500.00")
    await chat.say("不对，是六百")
    await expect(chat.card("readback")).to_contain_text("¥600.00")
    screens = [await _still(chat)]
    await chat.card("readback").get_by_role("button", name="确认").click()
    await chat.give_code(office, "张伟")
    await chat.card("receipt").wait_for()
    screens.append(await _still(chat))
    await context.close()

    frame = await browser.new_page(device_scale_factor=SCALE)
    sources = (base64.b64encode(screen).decode() for screen in screens)
    pictures = "".join(f'<img src="data:image/png;base64,{source}">' for source in sources)
    await frame.set_viewport_size({"width": 900, "height": 900})
    await frame.set_content(f"{PAIR}<figure>{pictures}</figure>")
    await frame.locator("figure").screenshot(path=IMAGES / "chat.png", omit_background=True)
    await frame.close()


async def draw_desk(browser: Browser, counter: Counter, office: BackOffice) -> None:
    """One customer served in mid-transfer, two who wait."""
    desk = await DeskPage.sit_down(browser, counter, "xiaowang")
    served, _ = await seated(browser, counter, office, "张伟")
    chat = await Chat.visit(served, counter)
    await chat.say("给李四转五百")
    await chat.card("readback").wait_for()
    await chat.say("转人工")
    await expect(chat.label).to_contain_text("排队中")
    waiting = [await _waits(browser, counter, office, name, words) for name, words in WAITING]
    await expect(desk.page.get_by_test_id("queue-item")).to_have_count(1 + len(WAITING))
    await desk.claim()
    await desk.say("您好，我是小王。看到您要给李四转500元，需要我帮什么？")
    await chat.bubbles("agent").wait_for()
    await chat.say("我怕转错人，想先核对一下他的开户行")
    await expect(desk.page.get_by_test_id("transcript")).to_contain_text("开户行")
    await desk.page.mouse.move(0, 0)
    await desk.page.wait_for_timeout(600)
    await desk.page.screenshot(path=IMAGES / "desk.png")
    lead = await DeskPage.sit_down(browser, counter, "zhuguan")
    await draw_views(desk, lead)
    for context in (served, desk.page.context, lead.page.context, *waiting):
        await context.close()


async def draw_views(desk: DeskPage, lead: DeskPage) -> None:
    """The same conversation with a note and a whisper, the keys, and the supervisor's floor."""
    await desk.page.get_by_test_id("mode-note").click()
    await desk.page.get_by_test_id("agent-composer").fill("客户第一次给这个人转，先帮他核对开户行")
    await desk.page.keyboard.press("Enter")
    await lead.page.get_by_test_id("tab-floor").click()
    await lead.page.get_by_test_id("floor-item").first.locator("button").click()
    await lead.page.get_by_test_id("whisper-text").fill("收款人是熟人就按流程办，提醒他核对姓名")
    await lead.page.keyboard.press("Enter")
    await desk.page.locator(".line.whisper").wait_for()
    await lead.page.locator(".line.whisper").wait_for()
    for page, name in ((desk.page, "desk-view"), (lead.page, "desk-floor")):
        await page.emulate_media(color_scheme="dark" if name == "desk-floor" else "light")
        await page.wait_for_timeout(6000)  # the last notice is gone
        await page.screenshot(path=IMAGES / f"{name}.png")
    await desk.page.keyboard.press("Escape")
    await desk.page.keyboard.press("?")
    await desk.page.get_by_test_id("help").screenshot(path=IMAGES / "desk-keys.png")


WAITING = [("赵桂兰", "我的退休金这个月怎么还没到"), ("李静", "想问问存单到期怎么转存")]


async def _waits(
    browser: Browser, counter: Counter, office: BackOffice, name: str, words: str
) -> BrowserContext:
    context, _ = await seated(browser, counter, office, name)
    chat = await Chat.visit(context, counter)
    await chat.say("转人工")
    await expect(chat.label).to_contain_text("排队中")
    await chat.say(words)
    await expect(chat.page.locator(".pending")).to_have_count(0)
    return context


async def _still(chat: Chat) -> bytes:
    """The screen once nothing moves and nothing is focused."""
    await chat.page.evaluate("document.activeElement?.blur()")
    await chat.page.wait_for_timeout(600)
    return await chat.page.screenshot()


async def main() -> None:
    """Every picture."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = await make_template(folder / "template", datetime.now(UTC))
        copy_template(template, folder / "counter")
        settings = settings_for(folder, nlu_model_dir=load_settings().nlu_model_dir, nlu_port=1)
        async with understanding_service(settings, print) as nlu, open_browser() as browser:
            counter = Counter(folder / "counter", nlu.url)
            office = counter.office()
            try:
                await counter.start()
                await draw_chat(browser, counter, office)
                await draw_desk(browser, counter, office)
            finally:
                await office.close()
                counter.stop()


if __name__ == "__main__":
    asyncio.run(main())
