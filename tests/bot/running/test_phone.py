"""The telephone starts with the product when lines are switched on, and says in one sentence why it cannot."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.assembly import Product, build_product
from bot.channels.phone.loop.manner import ALWAYS_SAID
from bot.evaluation.demo_bank import settings_for
from bot.running.errors import PortBusy
from bot.running.phone import Exchange, telephone
from bot.running.premises import free_port
from bot.settings import Settings
from migrations.runner import upgrade

SECRET = "a-secret-of-the-carrier"


@pytest.fixture
async def product(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Product]:
    settings = settings_for(tmp_path, **request.param)
    await upgrade(settings.database_url, vault=settings.open_vault())
    made = build_product(settings)
    yield made
    await made.close()


def every_line() -> dict[str, object]:
    return {
        "phone_lines": ("sip", "audiosocket", "media_socket"),
        "phone_sip_port": free_port(),
        "phone_audiosocket_port": free_port(),
        "phone_media_port": free_port(),
        "phone_media_url": "https://bank.example/phone",
        "phone_media_secret": SECRET,
    }


@pytest.mark.parametrize("product", [every_line()], indirect=True)
async def test_every_line_starts_answers_and_stops(product: Product) -> None:
    settings = product.settings
    async with telephone(Exchange(product)) as lines:
        assert len(lines) >= 3 and SECRET not in "".join(lines)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.setblocking(False)
            port = phone.getsockname()[1]
            request = (
                "OPTIONS sip:bank@127.0.0.1 SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKq\r\nMax-Forwards: 70\r\n"
                "From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:bank@127.0.0.1>\r\nCall-ID: q\r\nCSeq: 1 OPTIONS\r\n"
                "Content-Length: 0\r\n\r\n"
            )
            phone.sendto(request.encode(), ("127.0.0.1", settings.phone_sip_port))
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(phone, 2000), 5)
            assert answer.startswith(b"SIP/2.0 200")
    for port in (settings.phone_audiosocket_port, settings.phone_media_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("product", [every_line()], indirect=True)
async def test_what_is_always_said_is_rendered_before_anybody_calls(product: Product) -> None:
    exchange = Exchange(product)
    async with telephone(exchange):
        assert exchange._preparing is not None
        await exchange._preparing
    await exchange.close()
    assert product.settings.cache_dir is not None
    assert len(list((product.settings.cache_dir / "voice").glob("*.pcm"))) >= len(ALWAYS_SAID)


@pytest.mark.parametrize("product", [every_line() | {"hearing_model": "/nowhere"}], indirect=True)
async def test_without_a_model_that_hears_the_line_starts_and_says_so(product: Product) -> None:
    async with telephone(Exchange(product)) as lines:
        assert any("只能按键" in line for line in lines)


@pytest.mark.parametrize("product", [every_line() | {"phone_voice": "piper:/nowhere.onnx"}], indirect=True)
async def test_without_the_voice_that_was_set_the_built_in_one_speaks_and_the_start_says_so(
    product: Product,
) -> None:
    async with telephone(Exchange(product)) as lines:
        assert any("改用自带的嗓音" in line for line in lines)


@pytest.mark.parametrize("product", [{}], indirect=True)
async def test_without_lines_there_is_no_telephone(product: Product) -> None:
    async with telephone(Exchange(product)) as lines:
        assert lines == []


@pytest.mark.parametrize("line", ["sip", "audiosocket", "media_socket"])
@pytest.mark.parametrize("product", [every_line()], indirect=True)
async def test_a_port_that_is_taken_is_named_with_its_setting(product: Product, line: str) -> None:
    settings = product.settings
    name = line.removesuffix("_socket")
    port = int(getattr(settings, f"phone_{name}_port"))
    kind = socket.SOCK_DGRAM if line == "sip" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", port))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        settings.phone_lines = (line,)  # type: ignore[assignment]
        with pytest.raises(PortBusy) as refusal:
            async with telephone(Exchange(product)):
                pass
    assert str(port) in str(refusal.value) and f"ZHANGGUI_PHONE_{name.upper()}_PORT" in str(refusal.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone_lines": ("media_socket",)},
        {"phone_lines": ("media_socket",), "phone_media_url": "bank.example", "phone_media_secret": SECRET},
        {"phone_lines": ("sip",), "phone_host": "0.0.0.0"},
        {"phone_trunk": "sip:bank@carrier.example"},
        {"phone_trunk": "bank@carrier.example", "phone_trunk_password": SECRET},
        {"phone_rtp_ports": "20400-20000"},
        {"phone_allowed": "everybody"},
        {"phone_lines": "isdn"},
        {"phone_voice": "piper"},
        {"phone_voice": "piper:voice.bin"},
    ],
)
def test_a_line_that_could_only_be_silent_is_refused_at_the_start(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    with pytest.raises(ValueError) as refusal:
        Settings(data_dir=tmp_path, **wrong)  # type: ignore[arg-type]
    assert SECRET not in str(refusal.value)
