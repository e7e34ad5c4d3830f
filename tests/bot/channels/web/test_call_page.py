"""The call button in headless Chromium with a line that a test speaks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import WSMsgType
from playwright.async_api import Page, expect

from bot.channels.phone.alongside import Visitor
from bot.channels.phone.errors import LineBusy
from bot.channels.web.calls import ALL_LINES_BUSY_TEXT
from tests.bot.channels.web.conftest import Site, running_site
from tests.browsers import open_browser

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
MICROPHONE = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"
PIECE_BYTES = 320
TONE_S = 3.0
# How loud the page is, looked at every few milliseconds, and when it was told to be silent.
LISTENER = """
(() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode) {
      const ear = this.context.createAnalyser();
      ear.fftSize = 256;
      connect.call(this, ear);
      const samples = new Float32Array(ear.fftSize);
      window.loudness = [];
      setInterval(() => {
        ear.getFloatTimeDomainData(samples);
        window.loudness.push([performance.now(), Math.max(...samples.map(Math.abs))]);
      }, 5);
    }
    return connect.call(this, to, ...more);
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(url) {
      super(url);
      this.addEventListener("message", ({ data }) => {
        if (typeof data === "string" && data.includes('"clear"')) window.clearedAt = performance.now();
      });
    }
  };
})();
"""


class Line:
    """Takes calls; a test says what is sent to the page, and sees what comes from it."""

    def __init__(self) -> None:
        self.socket: Any = None
        self.busy = False
        self.begun, self.over = asyncio.Event(), asyncio.Event()
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sound: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(self, socket: Any, _visitor: Visitor) -> None:
        if self.busy:
            raise LineBusy
        self.socket = socket
        self.begun.set()
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                self.sound.put_nowait(message.data)
            else:
                self.frames.put_nowait(json.loads(message.data))
        self.over.set()

    async def send(self, **frame: Any) -> None:
        await self.socket.send_json(frame)

    async def glance(self, doing: str, heard: str = "", saying: str = "") -> None:
        await self.send(type="glance", doing=doing, heard=heard, saying=saying)

    async def loudest(self, pieces: int) -> int:
        """The loudest sample of the next pieces of the microphone."""
        while not self.sound.empty():
            self.sound.get_nowait()
        got = [await asyncio.wait_for(self.sound.get(), 10) for _ in range(pieces)]
        assert {len(piece) for piece in got} == {PIECE_BYTES}
        return int(np.abs(np.frombuffer(b"".join(got), "<i2").astype(int)).max())


def tone(seconds: float, hz: float = 700.0) -> bytes:
    at = np.arange(int(8000 * seconds)) / 8000
    return (np.sin(2 * np.pi * hz * at) * 12000).astype("<i2").tobytes()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def site(tmp_path: Any, line: Line) -> AsyncIterator[Site]:
    async with running_site(tmp_path, calls=line) as running:
        yield running


@asynccontextmanager
async def page_of(site: Site, *flags: str, script: str = "", **options: Any) -> AsyncIterator[Page]:
    async with open_browser("--autoplay-policy=no-user-gesture-required", *flags) as browser:
        context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", **options)
        context.set_default_timeout(15_000)
        expect.set_options(timeout=15_000)
        page = await context.new_page()
        if script:
            await page.add_init_script(script)
        await page.goto(str(site.server.make_url("/")))
        await page.get_by_test_id("greeting").wait_for()
        yield page
        await context.close()


async def dial(page: Page, line: Line) -> None:
    await page.get_by_test_id("dial").click()
    await asyncio.wait_for(line.begun.wait(), 15)


async def test_a_call_shows_what_it_does_takes_keys_can_be_muted_and_hung_up(site: Site, line: Line) -> None:
    async with page_of(site, MICROPHONE, ALLOWED) as page:
        state, words = page.get_by_test_id("call-state"), page.get_by_test_id("call-words")
        await expect(page.get_by_test_id("call")).to_be_hidden()
        await dial(page, line)
        await expect(state).to_have_text("正在接通…")
        await line.glance("speaking", saying="您好。")
        await expect(state).to_have_text("正在说")
        await expect(words).to_have_text("您好。")
        await line.glance("listening", heard="查余")
        await expect(state).to_have_text("正在听，请讲")
        await expect(words).to_have_text("查余")
        await line.glance("working")
        await expect(state).to_have_text("正在办理…")
        await expect(words).to_be_empty()

        await page.get_by_test_id("call-keys").click()
        for name in ("5", "星号", "井号"):
            await page.get_by_test_id(f"call-key-{name}").click()
        pressed = [await asyncio.wait_for(line.frames.get(), 10) for _ in range(3)]
        assert pressed == [{"type": "key", "digit": digit} for digit in "5*#"]

        await line.glance("listening")
        assert await line.loudest(100) > 300  # Chromium's own microphone beeps once a second
        await page.get_by_test_id("call-mute").click()
        await expect(state).to_have_text("已静音，这边听不到您")
        await line.loudest(20)
        assert await line.loudest(100) == 0

        await page.get_by_test_id("call-end").click()
        await asyncio.wait_for(line.over.wait(), 10)
        assert await asyncio.wait_for(line.frames.get(), 10) == {"type": "bye"}
        await expect(page.get_by_test_id("call")).to_be_hidden()
        await expect(page.get_by_test_id("toast")).to_contain_text("通话已结束，时长")
        await expect(page.get_by_test_id("dial")).to_be_enabled()


async def test_an_interruption_silences_the_loudspeaker_within_200_ms_and_what_was_dropped_is_not_reported_heard(
    site: Site, line: Line
) -> None:
    async with page_of(site, MICROPHONE, ALLOWED, script=LISTENER) as page:
        await dial(page, line)
        await line.socket.send_bytes(tone(0.1))
        await line.send(type="mark", name="1.0")
        assert await asyncio.wait_for(line.frames.get(), 10) == {"type": "mark", "name": "1.0"}
        for _ in range(int(TONE_S / 0.1)):  # a quarter of a second is as much as the page keeps
            await line.socket.send_bytes(tone(0.1))
            await asyncio.sleep(0.1)
            if await page.evaluate("window.loudness.slice(-5).some(([, loud]) => loud > 0.1)"):
                break
        await line.socket.send_bytes(tone(0.24))
        await line.send(type="mark", name="2.0")
        await line.send(type="clear")
        await line.socket.send_bytes(bytes(PIECE_BYTES * 10))
        await line.send(type="mark", name="3.0")
        assert await asyncio.wait_for(line.frames.get(), 10) == {"type": "mark", "name": "3.0"}
        cleared_ms = await page.evaluate("window.clearedAt")
        last_ms = await page.evaluate(
            "Math.max(...window.loudness.filter(([, l]) => l > 0.01).map(([at]) => at))"
        )
        assert last_ms - cleared_ms < 200


async def test_what_is_higher_than_a_telephone_carries_does_not_come_back_as_another_tone(
    site: Site, line: Line
) -> None:
    async def level(page: Page, hz: int) -> float:
        return float(
            await page.evaluate(
                """async (hz) => {
                  const context = new OfflineAudioContext(1, 48000, 48000);
                  await context.audioWorklet.addModule("/static/telephone.js");
                  const voice = new OscillatorNode(context, { frequency: hz });
                  const telephone = new AudioWorkletNode(context, "telephone", { outputChannelCount: [1] });
                  const heard = [];
                  telephone.port.onmessage = ({ data }) => heard.push(...new Int16Array(data));
                  voice.connect(telephone).connect(context.destination);
                  voice.start();
                  await context.startRendering();
                  await new Promise((resolve) => setTimeout(resolve, 300));
                  const middle = heard.slice(1000, 7000);
                  return Math.sqrt(middle.reduce((sum, one) => sum + one * one, 0) / middle.length);
                }""",
                hz,
            )
        )

    async with page_of(site) as page:
        carried = await level(page, 1000)
        assert 21_000 < carried < 25_000  # a full sine is 23,170
        assert await level(page, 3000) > carried / 2
        for too_high in (5000, 6000, 7500, 9000):
            assert await level(page, too_high) < carried / 100


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        pytest.param((MICROPHONE,), "请在浏览器里允许本页使用麦克风", id="refused"),
        pytest.param((ALLOWED,), "没有找到麦克风", id="absent"),
    ],
)
async def test_without_a_microphone_the_page_says_so_and_writing_goes_on(
    site: Site, line: Line, flags: tuple[str, ...], told: str
) -> None:
    async with page_of(site, *flags) as page:
        await page.get_by_test_id("dial").click()
        await expect(page.get_by_test_id("toast")).to_contain_text(told)
        await expect(page.get_by_test_id("toast")).to_contain_text("也可以直接打字")
        await expect(page.get_by_test_id("call")).to_be_hidden()
        assert not line.begun.is_set()
        await page.get_by_test_id("composer").fill("查余额")
        await page.get_by_test_id("composer").press("Enter")
        await expect(page.get_by_test_id("bubble-bot").last).to_contain_text("收到")


async def test_a_browser_that_gives_no_microphone_to_this_address_is_told_what_would_help(
    site: Site, line: Line
) -> None:
    hidden = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
    async with page_of(site, script=hidden) as page:
        await page.get_by_test_id("dial").click()
        await expect(page.get_by_test_id("toast")).to_contain_text("https")


async def test_when_all_lines_are_taken_the_customer_reads_it(site: Site, line: Line) -> None:
    line.busy = True
    async with page_of(site, MICROPHONE, ALLOWED) as page:
        await page.get_by_test_id("dial").click()
        await expect(page.get_by_test_id("toast")).to_have_text(ALL_LINES_BUSY_TEXT)
        await expect(page.get_by_test_id("call")).to_be_hidden()


async def test_a_call_that_breaks_is_told_apart_from_one_that_ends(site: Site, line: Line) -> None:
    async with page_of(site, MICROPHONE, ALLOWED) as page:
        await dial(page, line)
        await line.glance("listening")
        await line.socket.close(code=1011)
        await expect(page.get_by_test_id("toast")).to_contain_text("通话断开了")
        line.begun.clear()
        await dial(page, line)
        await line.glance("listening")
        await line.send(type="ended")
        await line.socket.close()
        await expect(page.get_by_test_id("toast")).to_contain_text("通话已结束")


async def test_the_customer_may_write_during_a_call(site: Site, line: Line) -> None:
    async with page_of(site, MICROPHONE, ALLOWED) as page:
        await dial(page, line)
        await line.glance("listening")
        await page.get_by_test_id("composer").fill("查余额")
        await page.get_by_test_id("composer").press("Enter")
        await expect(page.get_by_test_id("bubble-bot").last).to_contain_text("收到")
        await expect(page.get_by_test_id("call")).to_be_visible()


async def test_the_call_fits_a_small_screen_with_large_letters(site: Site, line: Line) -> None:
    async with page_of(site, MICROPHONE, ALLOWED) as page:
        await page.set_viewport_size({"width": 320, "height": 568})
        await page.get_by_test_id("large-toggle").click()
        await dial(page, line)
        await line.glance("speaking", saying="活期账户尾号零六九九余额八万六千三百二十元五角八分")
        await page.get_by_test_id("call-keys").click()
        for name in ("call-end", "composer", "send"):
            box = await page.get_by_test_id(name).bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 320
            assert box["y"] + box["height"] <= 568
        await page.get_by_test_id("call-key-井号").scroll_into_view_if_needed()
        await page.get_by_test_id("call-key-井号").click()
        assert await asyncio.wait_for(line.frames.get(), 10) == {"type": "key", "digit": "#"}


async def test_without_calls_there_is_no_button(open_site: Any) -> None:
    async with open_site() as without, page_of(without) as page:
        await expect(page.get_by_test_id("dial")).to_be_hidden()
