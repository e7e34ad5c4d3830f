"""`zhanggui bench calls`: what it prints, and that its callers ask something the bank has to answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from bot.cli.bench import bench
from bot.evaluation import calls
from bot.evaluation.callers import LogInFailed
from bot.evaluation.demo_bank import make_template, settings_for

KEYS = ["calls", "first_audio_ms_p50", "first_audio_ms_p95", "parts", "gaps", "cpu"]
PARTS = ["endpointing", "recognition", "understanding", "bank", "synthesis"]


def of(count: int, seconds: float) -> dict[str, tuple[float, float]]:
    return {part: (seconds * (at + 1), count) for at, part in enumerate(PARTS)}


def test_the_report_has_the_keys_it_was_promised_with_and_each_part_of_a_turn():
    report = calls.report(2, [float(ms) for ms in range(1, 101)], (of(2, 1.0), of(4, 2.0)), 3, 0.123)
    assert list(report) == KEYS
    assert report == {
        "calls": 2,
        "first_audio_ms_p50": 50,
        "first_audio_ms_p95": 96,
        "parts": dict(zip(PARTS, (500.0, 1000.0, 1500.0, 2000.0, 2500.0), strict=True)),
        "gaps": 3,
        "cpu": 0.12,
    }


def test_without_a_single_turn_no_time_is_made_up():
    report = calls.report(1, [], (of(0, 0.0), of(0, 0.0)), 0, 0.0)
    assert (report["first_audio_ms_p50"], report["first_audio_ms_p95"]) == (None, None)


def test_the_command_prints_one_object_with_exactly_these_keys(monkeypatch: pytest.MonkeyPatch):
    async def measured(_settings: object, count: int, _seconds: float, _say: object) -> dict[str, object]:
        return calls.report(count, [120.0], (of(0, 0.0), of(1, 0.1)), 0, 0.05)

    monkeypatch.setattr(calls, "measure_calls", measured)
    done = CliRunner().invoke(bench, ["calls", "--calls", "3", "--json"])
    assert done.exit_code == 0, done.output
    printed: dict[str, Any] = json.loads(done.stdout)
    assert list(printed) == KEYS and list(printed["parts"]) == PARTS and printed["calls"] == 3


def test_a_call_that_is_not_let_in_ends_the_measurement_with_one_sentence(monkeypatch: pytest.MonkeyPatch):
    async def refused(*_: object) -> dict[str, object]:
        raise LogInFailed("电话没有接通")

    monkeypatch.setattr(calls, "measure_calls", refused)
    done = CliRunner().invoke(bench, ["calls"])
    assert done.exit_code == 1
    assert done.stderr.strip() == "Error: 有来电没能登录，这次没有测：电话没有接通"


async def _nlu(request: web.Request) -> web.Response:
    text = (await request.json())["text"]
    intent = {"name": "account_balance", "confidence": 0.98}
    return web.json_response({"text": text, "intent": intent, "intent_ranking": [intent], "entities": []})


async def _ready(_: web.Request) -> web.Response:
    return web.json_response({"ready": True})


@pytest.mark.process
async def test_callers_log_in_and_ask_for_what_goes_through_understanding_and_bank(tmp_path: Path):
    app = web.Application()
    app.add_routes([web.post("/model/parse", _nlu), web.get("/health", _ready)])
    await make_template(tmp_path, datetime.now(UTC))
    async with TestServer(app) as nlu:
        settings = settings_for(tmp_path, hearing_model="no-such-model")  # callers press keys
        url = str(nlu.make_url("/"))
        report: dict[str, Any] = await calls.measure_with(settings, tmp_path, url, 1, 2.0, lambda _: None)
    assert report["first_audio_ms_p50"] is not None
    assert all(report["parts"][part] > 0 for part in ("understanding", "bank", "synthesis"))
