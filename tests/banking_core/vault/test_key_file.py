"""The key file is made once, tight, whole, and never with a key that is not on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from banking_core.vault import KeyFile, KeyRingInvalid
from tests.keys import MADE_AT


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    made = KeyFile(tmp_path / "inner" / "keys.json")
    assert made.create(MADE_AT)
    return made


def test_a_key_file_is_made_once_and_closed_to_others(file: KeyFile) -> None:
    assert file.path.stat().st_mode & 0o777 == 0o600
    first = file.load()
    assert not file.create(MADE_AT)
    assert file.load() == first
    assert [path.name for path in file.path.parent.iterdir()] == ["keys.json"], "nothing is left lying about"


def test_of_many_processes_that_start_at_once_one_makes_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: KeyFile(path).create(MADE_AT), range(8)))
    assert made.count(True) == 1


def test_writers_take_turns_and_no_key_is_lost(file: KeyFile) -> None:
    before = file.stamp()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: KeyFile(file.path).update(lambda ring: ring.with_new_key(MADE_AT)), range(8)))
    ring = file.load()
    assert sorted(ring.keys) == [f"k{number}" for number in range(1, 10)]
    assert (ring.current, ring.rotating) == ("k9", True)
    assert file.stamp() != before
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_group_that_may_read_the_file_still_may_afterwards(file: KeyFile) -> None:
    file.path.chmod(0o640)
    file.update(lambda ring: ring.with_new_key(MADE_AT))
    assert file.path.stat().st_mode & 0o777 == 0o640


def test_a_file_open_to_everybody_is_refused(file: KeyFile) -> None:
    file.path.chmod(0o604)
    with pytest.raises(KeyRingInvalid, match="chmod"):
        file.load()


def test_a_missing_file_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(KeyRingInvalid, match="FileNotFoundError"):
        KeyFile(tmp_path / "keys.json").load()


def without(name: str) -> Callable[[dict[str, object]], None]:
    return lambda ring: ring.pop(name) and None


def put(name: str, value: object) -> Callable[[dict[str, object]], None]:
    return lambda ring: ring.update({name: value})


@pytest.mark.parametrize(
    "spoil",
    [
        without("current"),
        without("keys"),
        without("index_secret"),
        put("current", "k7"),
        put("version", 2),
        put("keys", {}),
        put("keys", []),
        put("keys", {"k1": {"secret": "c2hvcnQ=", "made_at": "2026-11-01T00:00:00+00:00"}}),
        put("index_secret", "!"),
        put("index_secret", 7),
    ],
)
def test_a_spoilt_file_is_a_typed_error_that_quotes_nothing(
    file: KeyFile, spoil: Callable[[dict[str, object]], None]
) -> None:
    ring = json.loads(file.path.read_text())
    secret = ring["keys"]["k1"]["secret"]
    spoil(ring)
    file.path.write_text(json.dumps(ring))
    with pytest.raises(KeyRingInvalid) as refused:
        file.load()
    assert secret not in str(refused.value)
    file.path.write_text("{")
    with pytest.raises(KeyRingInvalid):
        file.load()
