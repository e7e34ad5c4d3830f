"""The comparison on public sets: both formats are read, our part runs whole, and bad data is one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import cli
from bot.evaluation.public_sets import as_table
from tests.needs import needs_nlu

LOST = ["I lost my card", "my card is lost", "somebody stole my card", "card gone, help"]
RATE = ["what is the rate", "which exchange rate applies", "rate for dollars, please", "is the rate fixed"]
ODD = ["sing me a song", "who won the match", "is it raining", "tell me a joke"]


def banking77(folder: Path) -> None:
    rows = [f'"{text}",{intent}' for intent, texts in (("lost", LOST), ("rate", RATE)) for text in texts]
    (folder / "train.csv").write_text("\n".join(["text,category", *rows]), encoding="utf-8")
    test = 'text,category\n"the card,\nI lost it",lost\nwhat rate,rate\n'
    (folder / "test.csv").write_text(test, encoding="utf-8")


def clinc150(folder: Path) -> None:
    train = [[text, "lost"] for text in LOST] + [[text, "rate"] for text in RATE]
    parts = {
        "train": train,
        "oos_train": [[text, "oos"] for text in ODD],
        "test": [["lost card", "lost"], ["what rate", "rate"]],
        "oos_test": [["sing a song", "oos"], ["tell me who won", "oos"]],
    }
    (folder / "data_full.json").write_text(json.dumps(parts), encoding="utf-8")


@needs_nlu
@pytest.mark.nlu
@pytest.mark.parametrize(("write", "intents"), [(banking77, 2), (clinc150, 3)])
def test_our_pipeline_learns_either_set_and_tells_all_figures(
    write: Callable[[Path], None], intents: int, tmp_path: Path
) -> None:
    write(tmp_path)
    command = ["eval", "public", write.__name__, "--data", str(tmp_path), "--only", "ours", "--json"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    [ours] = report["candidates"]
    outside = 2 if write is clinc150 else 0
    assert report["sentences"] == {"train": intents * 4, "test": 2, "out_of_scope": outside}
    assert ours["candidate"] == "ours" and ours["accuracy"] == 1.0 and ours["macro_f1"] == 1.0
    assert ours.get("out_of_scope_recall") == (1.0 if outside else None)
    assert 0 < ours["parse_ms_p50"] <= ours["parse_ms_p95"]
    assert ours["training_s"] > 0 and ours["resident_mb"] > 0
    assert "[public]" in result.stderr
    assert ("范围外召回" in as_table(report)[0]) is bool(outside)


@needs_nlu
@pytest.mark.nlu
@pytest.mark.parametrize("name", ["banking77", "clinc150"])
def test_a_folder_without_the_set_ends_with_one_sentence(name: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["eval", "public", name, "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "请检查数据目录" in result.stderr and "No such file" in result.stderr
