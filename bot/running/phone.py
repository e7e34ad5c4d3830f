"""The telephone of one app process: ears, voice, and every line that is switched on."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from bot.assembly import Product
from bot.channels.phone.admission import Doorkeeper, LineLimits
from bot.channels.phone.alongside import PageAssistant, Visitor
from bot.channels.phone.assistant import HubAssistant, PayeeName, Vocabulary
from bot.channels.phone.audiosocket import AudioSocketLine
from bot.channels.phone.browser import BrowserLine
from bot.channels.phone.call import CallInfo
from bot.channels.phone.errors import CallRefused, HearingFailed, SpeakingFailed, VoiceprintFailed
from bot.channels.phone.examining import EncodedVoices, Examiner
from bot.channels.phone.hearing import VoskHearing
from bot.channels.phone.hearing.loading import load as load_model
from bot.channels.phone.loop.manner import ALL_BUSY, ALWAYS_SAID
from bot.channels.phone.media_socket import MediaSocketLine, MediaSocketSettings
from bot.channels.phone.metrics import CallMetrics
from bot.channels.phone.ports import Hearing, Speaker, VoiceExaminer
from bot.channels.phone.refusing import SpokenRefusal
from bot.channels.phone.sip import SipLine, SipSettings, TrunkSettings
from bot.channels.phone.speaking import (
    CachedSpeaker,
    EspeakSpeaker,
    FallbackSpeaker,
    PiperSpeaker,
    espeak,
)
from bot.channels.phone.switchboard import NoHearing, Switchboard
from bot.channels.phone.timing import LoopTimer, Timer
from bot.channels.phone.voiceprint.listener import Voiceprint
from bot.running.errors import PortBusy
from bot.settings import Settings

log = logging.getLogger(__name__)

NAMES_MAX = 50  # the book of one caller, in the ears of one call
BILLS_MAX = 12


class Exchange:
    """What all lines of a process share. Ears are opened for the first who needs them, and kept."""

    def __init__(self, product: Product, *, hearing: Hearing | None = None) -> None:
        self.product, self.settings, self.timer = product, product.settings, LoopTimer()
        self.door = Doorkeeper(product.clock, line_limits(product.settings))
        self.troubles: list[str] = []  # what is not as it was set, in sentences for the operator
        self._hearing = hearing
        self._examiner: Examiner | None = None
        self._board: Switchboard | None = None
        self._opening = asyncio.Lock()
        self._preparing: asyncio.Task[None] | None = None

    async def board(self) -> Switchboard:
        """Answers calls."""
        async with self._opening:
            if self._board is None:
                if self._hearing is None:
                    self._hearing, deaf = await open_hearing(self.settings)
                    self.troubles += [deaf] if deaf else []
                speaker, hoarse = await open_voice(self.settings)
                self.troubles += [hoarse] if hoarse else []
                self._examiner, unknown = await open_voiceprints(self.product, self._hearing)
                self.troubles += [unknown] if unknown else []
                self._board = switchboard(self.product, self.timer, self._hearing, speaker, self._examiner)
                self._preparing = asyncio.create_task(_prepare(speaker))
            return self._board

    def browser_line(self) -> BrowserLine | None:
        """Calls from the chat page; None where they are switched off."""
        if not self.settings.phone_web_calls:
            return None
        product, timer = self.product, self.timer

        def assistant(info: CallInfo, visitor: Visitor) -> PageAssistant:
            return PageAssistant(
                product.hub,
                info,
                timer,
                visitor,
                vocabulary=likely_words(product),
                payee=payee_paid(product),
                examiner=self._examiner,
            )

        return BrowserLine(self.board, assistant, self.door, timer)

    async def close(self) -> None:
        """After the last call."""
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.gather(self._preparing, return_exceptions=True)
        if self._examiner is not None:
            await self._examiner.close()
        if self._hearing is not None:
            await self._hearing.close()


@asynccontextmanager
async def telephone(exchange: Exchange) -> AsyncIterator[list[str]]:
    """The running lines; yields a sentence for each. Raises PortBusy."""
    settings = exchange.settings
    if not settings.phone_lines:
        yield []
        return
    board = await exchange.board()
    async with AsyncExitStack() as stack:
        lines = Lines(settings, exchange.door, board, exchange.timer, stack)
        said = [await lines.start(name) for name in settings.phone_lines]
        yield [*said, *exchange.troubles]


def likely_words(product: Product) -> Vocabulary:
    """Knows the household bills a customer pays, with their billers, and the names in their payee book."""

    async def words(customer_id: str) -> tuple[str, ...]:
        async with product.database.snapshot() as session:
            bills = await product.bank.living.subscriptions(session, customer_id)
            payees = await product.bank.payees.list(session, customer_id)
        billed = dict.fromkeys(word for bill in bills for word in (bill.biller_name, bill.provider_name))
        names = dict.fromkeys(name for payee in payees for name in (payee.nickname, payee.name) if name)
        return (*list(billed)[:BILLS_MAX], *list(names)[:NAMES_MAX])

    return words


def payee_paid(product: Product) -> PayeeName:
    """Knows whom the order that was read back last pays, if they are in the customer's own book."""

    async def name(customer_id: str, conversation_id: str) -> str:
        bank = product.bank
        async with product.database.snapshot() as session:
            newest = await bank.orders.latest(session, customer_id, limit=1, statuses=("read_back",))
            if not newest or newest[0].conversation_id != conversation_id:
                return ""
            body = newest[0].body.get("order", newest[0].body)  # of a standing order, what each run does
            number = body.get("payee_account_number")
            if not number:
                return ""
            entry = await bank.payees.by_account(session, customer_id, number, body.get("payee_bank_code"))
            return entry.name if entry is not None and entry.name == body.get("payee_name") else ""

    return name


def switchboard(
    product: Product,
    timer: Timer,
    hearing: Hearing,
    speaker: Speaker,
    examiner: VoiceExaminer | None = None,
) -> Switchboard:
    """Answers calls with this product's conversation."""

    async def on_duty() -> bool:
        async with product.database.snapshot() as session:
            return await product.desk.on_duty_count(session) > 0

    def assistant(info: CallInfo) -> HubAssistant:
        return HubAssistant(
            product.hub,
            info,
            timer,
            vocabulary=likely_words(product),
            payee=payee_paid(product),
            examiner=examiner,
        )

    return Switchboard(
        hearing,
        speaker,
        timer,
        assistant,
        on_duty,
        bridges=product.calls,
        metrics=CallMetrics(product.metrics_registry),
    )


async def open_hearing(settings: Settings, *, threads: int | None = None) -> tuple[Hearing, str]:
    """The ears that the settings choose, ready to hear; or ears that hear nothing, and a sentence that says why.

    `threads` decode at once; by default as many as there are processors but one.
    """
    try:
        await asyncio.to_thread(load_model, settings.hearing_model)
    except HearingFailed as error:
        log.error("hearing failed code=%s: %s", error.code, error)
        return NoHearing(), f"语音识别   不可用（{error}），打电话的客户只能按键"
    free = settings.hearing_free_speech
    return VoskHearing(settings.hearing_model, free_speech=free, threads=threads), ""


async def open_voiceprints(product: Product, hearing: Hearing) -> tuple[Examiner | None, str]:
    """What knows callers by their voice; where it cannot be had, calls go without, and a sentence says why."""
    settings = product.settings
    if isinstance(hearing, NoHearing):
        return None, ""
    vault = product.database.vault
    if vault is None or "voice" not in vault.rings:
        return None, "声纹       不可用（声纹的密钥文件读不了），打电话的客户用验证码核实"
    try:
        voiceprint = await asyncio.to_thread(Voiceprint.load, settings.voiceprint_model)
        loaded = await asyncio.to_thread(load_model, settings.hearing_model)
    except (VoiceprintFailed, HearingFailed) as error:
        log.error("voiceprint failed code=%s: %s", error.code, error)
        product.bank.voiceprints.use(None)
        return None, f"声纹       不可用（{error}），打电话的客户用验证码核实"
    product.bank.voiceprints.use(EncodedVoices(voiceprint))
    return Examiner(voiceprint, loaded, keep_audio=settings.voice_audio_days > 0), ""


def refusal_in_words(speaker: Speaker) -> SpokenRefusal:
    """What is said to a caller who is not let in for now."""

    async def words(_why: CallRefused) -> bytes:
        spoken = b""
        for piece in ALL_BUSY:
            async for pcm in speaker.speak(piece, 1.0):
                spoken += pcm
        return spoken

    return words


async def open_voice(settings: Settings) -> tuple[Speaker, str]:
    """The voice that the settings choose, with what the line always says kept on disk.

    Where it cannot be had the built-in one speaks, and a sentence says why.
    """
    assert settings.cache_dir is not None
    folder, trouble = settings.cache_dir / "voice", ""
    kind, _, file = settings.phone_voice.partition(":")
    try:
        if kind == "piper":
            piper = await asyncio.to_thread(PiperSpeaker, Path(file).expanduser())
            kept = CachedSpeaker(piper, folder, ALWAYS_SAID, voice=piper.name)
            return FallbackSpeaker(kept, EspeakSpeaker()), ""
    except SpeakingFailed as error:
        log.error("speaking failed code=%s: %s", error.code, error)
        trouble = f"电话嗓音   不可用（{error}），改用自带的嗓音"
    try:
        name = await asyncio.to_thread(espeak.name)
    except SpeakingFailed as error:  # a caller will get the busy tone
        log.error("speaking failed code=%s: %s", error.code, error)
        return EspeakSpeaker(), f"电话嗓音   不可用（{error}），打电话的客户只能听到忙音"
    return CachedSpeaker(EspeakSpeaker(), folder, ALWAYS_SAID, voice=name), trouble


async def _prepare(speaker: Speaker) -> None:
    """What is always said, before anybody calls. A voice that cannot do it shows so in the first call, too."""
    if isinstance(speaker, CachedSpeaker | FallbackSpeaker):
        try:
            await speaker.prepare()
        except SpeakingFailed as error:
            log.error("speaking failed code=%s: %s", error.code, error)


def line_limits(settings: Settings) -> LineLimits:
    """Who may call, and how many at once."""
    allowed = tuple(ipaddress.ip_network(network) for network in settings.phone_allowed)
    return LineLimits(allowed=allowed, calls_max=settings.phone_calls_max)


class Lines:
    """Starts lines; the stack stops them."""

    def __init__(
        self, settings: Settings, door: Doorkeeper, board: Switchboard, timer: Timer, stack: AsyncExitStack
    ) -> None:
        self._settings, self._door, self._board = settings, door, board
        self._timer, self._stack = timer, stack

    async def start(self, name: str) -> str:
        """Starts one line and says where it is."""
        starts = {"sip": self._sip, "audiosocket": self._audiosocket, "media_socket": self._media_socket}
        return await starts[name]()

    async def _sip(self) -> str:
        settings = self._settings
        first, _, last = settings.phone_rtp_ports.partition("-")
        line = SipLine(
            SipSettings(
                settings.phone_host,
                settings.phone_sip_port,
                (int(first), int(last)),
                settings.phone_advertised,
                _trunk(settings),
            ),
            self._door,
            self._board.answer,
            self._timer,
            refusal=refusal_in_words(self._board.speaker),
        )
        with _refusing("SIP 电话", settings.phone_sip_port, "ZHANGGUI_PHONE_SIP_PORT"):
            await line.start()
        self._stack.push_async_callback(line.stop)
        return f"SIP 电话    sip:{settings.phone_host}:{settings.phone_sip_port}"

    async def _audiosocket(self) -> str:
        settings = self._settings
        refusal = refusal_in_words(self._board.speaker)
        line = AudioSocketLine(self._door, self._board.answer, self._timer, refusal=refusal)
        with _refusing("AudioSocket", settings.phone_audiosocket_port, "ZHANGGUI_PHONE_AUDIOSOCKET_PORT"):
            await line.start(settings.phone_host, settings.phone_audiosocket_port)
        self._stack.push_async_callback(line.stop)
        return f"AudioSocket {settings.phone_host}:{settings.phone_audiosocket_port}"

    async def _media_socket(self) -> str:
        settings = self._settings
        assert settings.phone_media_secret is not None, "the settings have been checked"
        line = MediaSocketLine(
            MediaSocketSettings(settings.phone_media_url, settings.phone_media_secret.get_secret_value()),
            self._door,
            self._board.answer,
            self._timer,
            refusal=refusal_in_words(self._board.speaker),
        )
        app = web.Application()
        line.add_routes(app, urlsplit(settings.phone_media_url).path.rstrip("/"))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        with _refusing("媒体 WebSocket", settings.phone_media_port, "ZHANGGUI_PHONE_MEDIA_PORT"):
            await web.TCPSite(runner, settings.phone_host, settings.phone_media_port).start()
        return f"媒体 WebSocket {settings.phone_media_url}"


def _trunk(settings: Settings) -> TrunkSettings | None:
    if not settings.phone_trunk:
        return None
    assert settings.phone_trunk_password is not None, "the settings have been checked"
    return TrunkSettings(settings.phone_trunk, settings.phone_trunk_password.get_secret_value())


@contextmanager
def _refusing(what: str, port: int, setting: str) -> Iterator[None]:
    """Turns a port that cannot be had into one sentence."""
    try:
        yield
    except OSError:
        words = f"{what}的端口 {port} 打不开，请关掉占用它的程序，或设置 {setting} 换一个。"
        raise PortBusy(words) from None
