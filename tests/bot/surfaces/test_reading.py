"""Pictures of strangers: opened in a process that has nothing, refused when they are a trap, never waited for long."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.surfaces.apart import ApartFailed, apart
from bot.surfaces.codes import CodeReader, PictureRefused, code_png, reading
from bot.surfaces.codes.decoder import texts

LINK = "https://bank.example/?pay=bcdfghjklmnpqrstwxyzbcdfgh"
PNG = code_png(LINK)


def scene(angle: float, side: int, kind: str) -> bytes:
    """The code held askew before a grey wall."""
    wall = Image.new("RGB", (1600, 1200), "#8a8f8c")
    code = Image.open(BytesIO(PNG)).convert("RGBA").resize((side, side)).rotate(angle, expand=True)
    wall.paste(code, (300, 100), code)
    file = BytesIO()
    wall.save(file, kind, **({"quality": 50} if kind == "JPEG" else {}))
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("angle", "side"), [(0, 900), (17, 500), (95, 250), (180, 700)])
def test_a_photograph_held_askew_is_read(angle: float, side: int, kind: str) -> None:
    assert texts(scene(angle, side, kind)) == [LINK]


def test_a_picture_that_is_partly_clear_is_read_on_white() -> None:
    image = Image.open(BytesIO(PNG)).convert("RGBA")
    clear = image.copy()
    clear.putalpha(image.convert("L").point(lambda grey: 255 if grey < 128 else 0))
    file = BytesIO()
    clear.save(file, "PNG")
    assert texts(file.getvalue()) == [LINK]


async def test_it_is_read_apart_with_no_secret_at_hand(tmp_path: Path) -> None:
    assert await CodeReader().texts(PNG) == (LINK,)
    spy = tmp_path / "spy.py"
    spy.write_text("import json, os, sys; sys.stdin.buffer.read(); print(json.dumps(sorted(os.environ)))")
    with patch.dict(os.environ, {"ZHANGGUI_OTP_KEY": "secret"}):
        told = await CodeReader(decoder=spy).texts(PNG)
    assert not any("ZHANGGUI" in name for name in told)


@pytest.mark.parametrize(
    "program",
    [
        "import time; time.sleep(60)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import sys; sys.stdin.buffer.read(); sys.exit(3)",
        "import sys; sys.stdin.buffer.read(); print('x' * 1_000_000)",
        "import sys; sys.stdin.buffer.read(); print('no JSON')",
        "import sys; sys.stdin.buffer.read(); print(7)",
    ],
)
async def test_a_reader_that_hangs_dies_or_babbles_is_ended_and_the_picture_refused(
    tmp_path: Path, program: str
) -> None:
    decoder = tmp_path / "decoder.py"
    decoder.write_text(program)
    with patch.object(reading, "LIMITS", replace(reading.LIMITS, clock_s=1.0)), pytest.raises(PictureRefused):
        await CodeReader(decoder=decoder).texts(PNG)


async def test_the_program_has_little_memory_and_nothing_to_write_to(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(
        f"""
import json, sys
found = []
try:
    bytearray({reading.LIMITS.memory_bytes})
except MemoryError:
    found.append("memory")
try:
    with open({str(tmp_path / "written")!r}, "w") as file:
        file.write("x")
except OSError:
    found.append("file")
sys.stdout.write(json.dumps(found))
"""
    )
    told = await apart(probe, b"", limits=reading.LIMITS)
    assert json.loads(told) == ["memory", "file"]


async def test_too_many_at_once_are_refused_at_once(tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import sys, time; sys.stdin.buffer.read(); time.sleep(30)")
    reader = CodeReader(decoder=slow)
    waiting = [asyncio.create_task(reader.texts(PNG)) for _ in range(reading.WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(PictureRefused):
        await reader.texts(PNG)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert reader._inside == 0


async def test_who_refuses_says_nothing(tmp_path: Path) -> None:
    script = tmp_path / "refuses.py"
    script.write_text("import sys; print('half'); sys.exit(1)")
    with pytest.raises(ApartFailed):
        await apart(script, b"", limits=reading.LIMITS)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, len(PNG) - 1), st.binary(min_size=1, max_size=40))
def test_a_broken_picture_gives_texts_or_an_error_of_python(at: int, noise: bytes) -> None:
    try:
        found = texts(PNG[:at] + noise + PNG[at + len(noise) :])
    except Exception as error:  # the program answers each with one refusal
        assert not isinstance(error, AssertionError)
    else:
        assert found in ([], [LINK])
