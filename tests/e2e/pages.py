"""The two pages as a person uses them."""

from __future__ import annotations

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from bot.channels.web import COOKIE_NAME
from desk.service import DEMO_PASSWORD
from tests.e2e.counter import CODE, PASSWORD, PHONES, BackOffice, Counter

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
TURN_TIMEOUT_MS = 20_000


class Chat:
    """The chat page in one tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.label = page.get_by_test_id("state-label")
        self.composer = page.get_by_test_id("composer")

    @classmethod
    async def visit(cls, context: BrowserContext, counter: Counter) -> Chat:
        """Opens the page and waits until it may be written to."""
        chat = cls(await context.new_page())
        await chat.page.goto(counter.url)
        await chat.page.get_by_test_id("greeting").wait_for()
        return chat

    def bubbles(self, sender: str) -> Locator:
        """What one side has said."""
        return self.page.get_by_test_id(f"bubble-{sender}")

    def card(self, kind: str) -> Locator:
        """The newest card of a kind."""
        return self.page.get_by_test_id(f"card-{kind}").last

    async def say(self, text: str) -> None:
        """Types and sends."""
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def hears(self, text: str) -> None:
        """The newest words of the assistant contain `text`."""
        await expect(self.bubbles("bot").last).to_contain_text(text)

    async def log_in(self, name: str) -> None:
        """Through the sheet: phone, password, and the code from the developer's SMS page."""
        page = self.page
        await page.get_by_test_id("account-button").click()
        await page.get_by_test_id("login-phone").fill(PHONES[name])
        await page.get_by_test_id("login-password").fill(PASSWORD)
        await page.get_by_test_id("login-next").click()
        await expect(page.get_by_test_id("code-sent")).to_contain_text(PHONES[name][-4:])
        async with page.context.expect_page() as opening:
            await page.get_by_test_id("dev-sms").click()
        sms = await opening.value
        codes = sms.get_by_test_id("sms").filter(has_text=CODE)  # what the bank tells of a log-in is no code
        newest = await codes.first.get_by_test_id("sms-text").inner_text()
        assert PHONES[name] in await codes.first.inner_text()
        await sms.close()
        await page.get_by_test_id("login-code").fill(CODE.findall(newest)[0])
        await page.get_by_test_id("login-submit").click()
        await expect(page.get_by_test_id("login-sheet")).to_be_hidden()
        await expect(page.get_by_test_id("account-name")).to_have_text(f"*{name[1:]}")

    async def give_code(self, office: BackOffice, name: str) -> None:
        """Types the newest code into the secret field."""
        await self.page.get_by_test_id("secret-form").wait_for()
        await self.page.get_by_test_id("secret-input").fill((await office.codes(PHONES[name]))[0])
        await self.page.get_by_test_id("secret-send").click()


class DeskPage:
    """The agents' page in one tab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def sit_down(cls, browser: Browser, counter: Counter, username: str) -> DeskPage:
        """Logs an agent in, in a browser of their own, and has the live line up."""
        context = await browser.new_context(viewport=DESKTOP, locale="zh-CN")
        context.set_default_timeout(TURN_TIMEOUT_MS)
        page = await context.new_page()
        await page.goto(f"{counter.url}/desk/")
        await page.get_by_test_id("desk-user").fill(username)
        await page.get_by_test_id("desk-pass").fill(DEMO_PASSWORD)
        await page.get_by_test_id("desk-login").click()
        await expect(page.get_by_test_id("link")).to_have_text("已连接")
        return cls(page)

    async def claim(self) -> None:
        """Takes whoever waits longest."""
        await self.page.get_by_test_id("claim").first.click()
        await self.page.get_by_test_id("message").first.wait_for()

    async def say(self, text: str) -> None:
        """Answers the customer."""
        await self.page.get_by_test_id("agent-composer").fill(text)
        await self.page.get_by_test_id("agent-composer").press("Enter")


async def phone_context(browser: Browser, **options: object) -> BrowserContext:
    """A phone-sized browser with an empty cookie jar."""
    context = await browser.new_context(viewport=PHONE, locale="zh-CN", **options)  # type: ignore[arg-type]
    context.set_default_timeout(TURN_TIMEOUT_MS)
    expect.set_options(timeout=TURN_TIMEOUT_MS)
    return context


async def seated(
    browser: Browser, counter: Counter, office: BackOffice, name: str, **options: object
) -> tuple[BrowserContext, str]:
    """A browser whose customer has logged in already, and their conversation."""
    context = await phone_context(browser, **options)
    token, conversation_id = await office.seat(name)
    await context.add_cookies([{"name": COOKIE_NAME, "value": token, "url": counter.url}])
    return context, conversation_id
