"""No export, page, log or command ever yields what was made of a voice, or a key it was sealed with.

Addresses and commands are read from the product, so that new ones are held to it from their first day.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from banking_core.voiceprints import Likeness, Tier, VoiceSample
from banking_core.voiceprints.models import VoiceAttempt, Voiceprint
from bot.channels.phone.errors import VoiceprintFailed
from bot.cli.main import cli
from bot.conversation.views import Inbound
from bot.evaluation.demo_bank import SECRET
from tests.bot.running.conftest import PARAMETERS, Surface

PHONE = "13800000066"
TIERS: tuple[Tier, ...] = ("low", "medium", "high")
# Commands that show nothing of a bank: they serve, measure, train, or only ask the outside.
ASIDE = (
    "eval",
    "bench",
    "run",
    "serve",
    "nlu",
    "chat",
    "train",
    "doctor",
    "wechat",
    "risk train",
    "risk judge",
    "risk shadow",
)
COMMANDS = {
    "agents list": [],
    "agents add": ["neu", "新人", "--team", "综合组"],
    "agents set": ["xiaoli", "--team", "信贷组"],
    "agents password": ["xiaoli"],
    "risk why": ["1"],
    "prepare": [],
    "migrate": [],
    "ledger verify": [],
    "ledger heads": ["{folder}/ledger-heads.json"],
    "audit": ["--json", "--limit", "1000"],
    "audit verify": [],
    "audit heads": ["{folder}/audit-heads.json"],
    "customers export": [PHONE, "--out", "{folder}/copy.json"],
    "customers freeze": [PHONE, "--reason", "x"],
    "customers release": [PHONE, "--grounds", "x"],
    "customers erase": [PHONE, "--yes"],
    "keys init": ["{folder}/other.json", "--ring", "voice"],
    "keys list": ["--json"],
    "keys rotate": ["--ring", "voice"],
    "keys forget-voices": ["--yes"],
    "keys retire": ["v1"],
    "questions": ["--json"],
    "questions done": ["x"],
    "settings": [],
}


class Marked:
    """`Biometrics` whose templates can be told wherever they turn up."""

    encoder = "marked-1"

    def __init__(self) -> None:
        self.mark = secrets.token_hex(24)

    def template(self, embeddings: Sequence[bytes], now: datetime) -> bytes | None:
        return self.mark.encode()

    def compare(self, template: bytes, embedding: bytes, now: datetime) -> Likeness:
        assert template == self.mark.encode()
        return Likeness(8.0, frozenset(TIERS))

    def adapted(self, template: bytes, embedding: bytes, now: datetime) -> bytes:
        return template


def forms(secret: bytes) -> Iterator[str]:
    """How a secret might be written: as text, in hexadecimal, in base64 at any offset, and that in base64 again."""
    inner = base64.b64encode(secret)
    for value in (secret, inner):
        yield value.hex()
        for shift in range(3):
            yield base64.b64encode(b"\0" * shift + value).decode()[4:-4]
    if secret.isascii():
        yield secret.decode()


async def recorded(surface: Surface, customer_id: str) -> list[bytes]:
    """The customer has a voiceprint, was verified, and is recording anew; everything that was made of the voice."""
    product, marked = surface.product, Marked()
    voiceprints = product.bank.voiceprints
    voiceprints.use(marked)
    made = [marked.mark.encode()]

    def said(prompt_id: str) -> VoiceSample:
        parts = [secrets.token_hex(24).encode() for _ in range(3)]
        made.extend(parts)
        return VoiceSample(prompt_id, parts[0], parts[1], 20.0, audio=parts[2])

    async with product.database.transaction() as session:
        await voiceprints.agree(session, customer_id)
        prompted = await voiceprints.begin_enrolment(session, customer_id)
        for _ in range(3):
            step = await voiceprints.take_sample(session, customer_id, said(prompted.prompt_id))
            prompted = step.next or prompted
        asked = await voiceprints.ask(session, customer_id, "login:1")
        assert step.kind == "done" and asked is not None
        outcome = await voiceprints.verify(session, customer_id, "login:1", "medium", said(asked.prompt_id))
        assert outcome.proved
        await voiceprints.agree(session, customer_id)
        again = await voiceprints.begin_enrolment(session, customer_id)
        await voiceprints.take_sample(session, customer_id, said(again.prompt_id))
    return made


async def sealed(surface: Surface) -> list[bytes]:
    """The same as the database holds it."""
    async with surface.product.database.snapshot() as session:
        found = list(await session.scalars(select(Voiceprint.template_sealed)))
        found += [one for one in await session.scalars(select(VoiceAttempt.fingerprint_sealed)) if one]
    assert len(found) == 6
    return [value.encode() for value in found]


def key_secrets(surface: Surface) -> list[bytes]:
    """The master keys of both rings."""
    rings = [surface.product.settings.keys(name).load() for name in ("data", "voice")]
    return [
        secret for ring in rings for secret in (ring.index_secret, *(k.secret for k in ring.keys.values()))
    ]


def leaves(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        path = f"{before}{name}"
        if not isinstance(command, click.Group):
            yield path
            continue
        if command.invoke_without_command:
            yield path
        yield from leaves(command, f"{path} ")


def test_every_command_is_tried_or_shows_nothing_of_a_bank() -> None:
    assert {path for path in leaves(cli) if not path.startswith(ASIDE)} == set(COMMANDS)


async def pages(surface: Surface, conversation_id: str, number: str) -> list[str]:
    """What every address answers the agents and the customer's own browser, and the sockets' first words."""
    shown: list[str] = []
    seats = {name: await surface.agent(name) for name in ("xiaowang", "zhuguan", "shenji")}
    one = f"/desk/api/conversations/{conversation_id}"
    await surface.product.hub.receive(Inbound(conversation_id, "m1", "转人工"))
    claimed = await surface.call("POST", f"{one}/claim", by=seats["xiaowang"], json={})
    assert claimed.status == 200
    for method, path in surface.routes():
        real = path.replace(f"/{PARAMETERS['conversation_id']}", f"/{conversation_id}")
        real = real.replace(PARAMETERS["number"], number)
        for seat in seats.values():
            if method == "GET" and not path.endswith("/ws"):
                shown.append((await surface.call("GET", real, by=seat)).text)
    card = await surface.call("GET", f"{one}/customer", by=seats["xiaowang"])
    shown.append(card.text)
    for seat in seats.values():
        async with surface.socket(seat, "/desk/api/ws") as socket:
            shown.append(str((await socket.receive(timeout=5)).data))
    return shown


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_made_of_a_voice_and_no_key_is_ever_shown(
    surface: Surface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for room in ("banking_core", "bot", "desk", "actions"):
        caplog.set_level(logging.DEBUG, room)
    customer = await surface.customer("欧阳建国", PHONE)
    customer_id = (await surface.product.hub.status(customer.conversation_id)).customer_id
    assert customer_id is not None
    secrets_ = await recorded(surface, customer_id) + await sealed(surface) + key_secrets(surface)
    async with surface.product.database.transaction() as session:
        number = await surface.product.desk.create_ticket(
            session, customer.conversation_id, customer_id, PHONE, "请回电"
        )
    shown = await pages(surface, customer.conversation_id, number)
    for method, path in surface.routes():
        if method == "GET" and not path.endswith("/ws"):
            shown.append((await surface.call("GET", path, by=customer)).text)
    async with surface.socket(customer) as socket:
        await socket.send_json({"type": "hello", "after_seq": 0})
        shown.append(json.dumps(await socket.receive_json(timeout=5)))
    settings = surface.product.settings
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DATA_DIR": str(settings.data_dir),
        "CACHE_DIR": str(settings.cache_dir),
        "OTP_KEY": SECRET.get_secret_value(),
        "NLU_TOKEN": SECRET.get_secret_value(),
        "DEMO_BANK": "false",
    }.items():
        monkeypatch.setenv(f"ZHANGGUI_{name}", value)
    for command, arguments in COMMANDS.items():
        given = [*command.split(), *(one.format(folder=tmp_path) for one in arguments)]
        done = await asyncio.to_thread(CliRunner().invoke, cli, given, input="password-1234\npassword-1234\n")
        assert done.exit_code in (0, 1), (command, done.output)
        assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exception)
        shown.append(done.output)
        secrets_ += key_secrets(surface)
    copy = (tmp_path / "copy.json").read_text(encoding="utf-8")
    assert "声纹核实" in copy and "录制时间" in copy
    shown += [copy, (tmp_path / "audit-heads.json").read_text(), (tmp_path / "ledger-heads.json").read_text()]
    shown.append(caplog.text)
    everything = "\n".join(shown)
    assert "欧阳建国" in everything and len(everything) > 100_000
    assert [form for secret in set(secrets_) for form in forms(secret) if form in everything] == []


def test_rows_samples_and_failures_do_not_print_what_they_hold() -> None:
    mark = secrets.token_hex(24)
    sample = VoiceSample("p", mark.encode(), mark.encode(), 20.0, audio=mark.encode())
    row = Voiceprint(customer_id="c", encoder="e")
    row.template = mark
    assert mark not in f"{sample!r} {row!r} {row} {VoiceprintFailed('x')!r}"
