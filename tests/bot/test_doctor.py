"""The operator sees how the bank's jobs ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from banking_core.scheduling import JobRun
from bot.cli.doctor import job_finding, names_finding

AT = datetime(2026, 11, 1, 16, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "good", "said"),
    [("done", True, "完成（accrued=3）"), ("failed", False, "失败（accrued=3）"), (None, True, "进行中")],
)
def test_a_failed_job_is_a_finding(outcome: str | None, good: bool, said: str) -> None:
    finding = job_finding(JobRun(job="interest", slot_at=AT, attempts=2, outcome=outcome, detail="accrued=3"))
    assert finding.good == good
    assert f"interest：2026-11-02 00:20 {said}" in finding.what


def test_a_misspelt_setting_is_found_with_what_was_meant() -> None:
    assert names_finding(["PATH", "ZHANGGUI_PORT", "ZHANGGUI_PHONE_LINES", "ZHANGGUI_SECRETS_DIR"]).good
    finding = names_finding(["ZHANGGUI_VOICE_AUDIO_DAY"])
    assert not finding.good and "是不是想写ZHANGGUI_VOICE_AUDIO_DAYS" in finding.advice
    assert "不是设置项。" in names_finding(["ZHANGGUI_XQZ"]).advice
