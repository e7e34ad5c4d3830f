"""A sealed value opens where it was sealed, with the key it was sealed with, and nowhere else."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.vault import (
    CIPHER_NAMES,
    CipherName,
    FixedKeys,
    KeyRing,
    KeyUnknown,
    Place,
    SealBroken,
    Vault,
)
from tests.keys import MADE_AT, ring, vault

PLACE = Place("customer", "phone", "a" * 32)
ciphers = pytest.mark.parametrize("cipher", CIPHER_NAMES)
VAULTS = {cipher: vault(cipher) for cipher in CIPHER_NAMES}


@settings(derandomize=True, max_examples=200)
@given(st.sampled_from(CIPHER_NAMES), st.binary(max_size=500))
def test_what_was_sealed_opens_and_says_cipher_and_key_only(cipher: CipherName, plain: bytes) -> None:
    box = VAULTS[cipher]
    sealed = box.seal(plain, PLACE)
    assert box.open(sealed, PLACE) == plain
    assert sealed.startswith(box.prefix) and box.prefix[2:] == "k1."
    raw = base64.urlsafe_b64decode(sealed.removeprefix(box.prefix))
    assert len(raw) == 12 + len(plain) + 16
    assert len(plain) < 4 or plain not in raw


@ciphers
def test_equal_values_look_different_each_time(cipher: CipherName) -> None:
    box = vault(cipher)
    assert len({box.seal(b"13800000004", PLACE) for _ in range(50)}) == 50


@ciphers
@pytest.mark.parametrize(
    "place",
    [
        PLACE._replace(row="b" * 32),
        PLACE._replace(column="name"),
        PLACE._replace(table="payee"),
        Place("customer", "phone\x1f" + "a" * 32, ""),
    ],
)
def test_a_value_moved_to_another_row_column_or_table_does_not_open(cipher: CipherName, place: Place) -> None:
    box = vault(cipher)
    sealed = box.seal(b"13800000004", PLACE)
    with pytest.raises(SealBroken):
        box.open(sealed, place)


@ciphers
def test_another_key_does_not_open_it_though_it_has_the_same_id(cipher: CipherName) -> None:
    sealed = vault(cipher).seal(b"13800000004", PLACE)
    with pytest.raises(SealBroken):
        vault(cipher).open(sealed, PLACE)


@settings(derandomize=True, max_examples=300)
@given(st.sampled_from(CIPHER_NAMES), st.data())
def test_a_changed_or_truncated_value_does_not_open(cipher: CipherName, data: st.DataObject) -> None:
    box = VAULTS[cipher]
    sealed = box.seal("张伟 13800000004".encode(), PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    cut = sealed[:at]
    changed = sealed[:at] + data.draw(st.characters(codec="ascii")) + sealed[at + 1 :]
    for value in {cut, changed} - {sealed}:
        with pytest.raises((SealBroken, KeyUnknown)):
            box.open(value, PLACE)


@settings(derandomize=True, max_examples=200)
@given(st.text(max_size=60))
def test_whatever_else_a_column_holds_is_a_typed_error(text: str) -> None:
    with pytest.raises((SealBroken, KeyUnknown)) as broken:
        VAULTS["aes-256-gcm"].open(text, PLACE)
    assert len(text) < 8 or text not in str(broken.value)


def test_a_value_sealed_with_one_cipher_opens_while_another_is_in_use() -> None:
    keys = FixedKeys(ring())
    old, new = Vault(keys), Vault(keys, cipher="sm4-gcm")
    assert new.open(old.seal(b"x", PLACE), PLACE) == b"x"
    assert old.open(new.seal(b"x", PLACE), PLACE) == b"x"
    relabelled = "S" + old.seal(b"x", PLACE)[1:]
    with pytest.raises(SealBroken):
        old.open(relabelled, PLACE)


def test_an_old_key_opens_and_the_new_one_seals() -> None:
    first = ring()
    sealed = Vault(FixedKeys(first)).seal(b"x", PLACE)
    second = first.with_new_key(MADE_AT)
    box = Vault(FixedKeys(second))
    assert box.open(sealed, PLACE) == b"x"
    assert box.seal(b"x", PLACE).startswith("A.k2.")
    with pytest.raises(KeyUnknown, match="k1"):
        Vault(FixedKeys(second.without("k1"))).open(sealed, PLACE)


def test_a_blind_index_finds_equal_values_of_one_column_and_depends_on_the_index_key() -> None:
    keys = ring()
    box = Vault(FixedKeys(keys))
    found = box.index("customer", "phone", "13800000004")
    assert found == box.index("customer", "phone", "13800000004")
    assert found == Vault(FixedKeys(keys.with_new_key(MADE_AT))).index("customer", "phone", "13800000004")
    others = {
        box.index("customer", "phone", "13800000005"),
        box.index("customer", "id_number", "13800000004"),
        vault().index("customer", "phone", "13800000004"),
    }
    assert found not in others and len(others) == 3
    assert len(found) == 32


class Moving:
    """A source whose ring a test changes."""

    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys
        self.loads = 0

    def load(self) -> KeyRing:
        self.loads += 1
        return self.keys

    def stamp(self) -> object:
        return self.keys.current


def test_a_running_process_takes_up_a_new_key_within_a_second_and_at_once_when_it_meets_it() -> None:
    source, now_s = Moving(ring()), [0.0]
    box = Vault(source, monotonic_s=lambda: now_s[0])
    source.keys = source.keys.with_new_key(MADE_AT)
    assert box.seal(b"x", PLACE).startswith("A.k1."), "it has not looked yet"
    met = Vault(FixedKeys(source.keys)).seal(b"y", PLACE)
    assert box.open(met, PLACE) == b"y"
    assert box.seal(b"x", PLACE).startswith("A.k2.")
    source.keys = source.keys.with_new_key(MADE_AT)
    now_s[0] = 1.5
    assert box.seal(b"x", PLACE).startswith("A.k3.")
    assert source.loads == 3


def test_keys_are_not_printed() -> None:
    keys = ring()
    shown = repr(keys) + repr(FixedKeys(keys)) + repr(Vault(FixedKeys(keys)))
    for secret in (keys.index_secret, keys.keys["k1"].secret):
        assert repr(secret) not in shown and secret.hex() not in shown


def test_a_ring_keeps_its_current_key() -> None:
    from banking_core.vault import KeyRingInvalid

    keys = ring()
    for key_id in ("k1", "k9"):
        with pytest.raises(KeyRingInvalid):
            keys.without(key_id)
    assert replace(keys.with_new_key(MADE_AT), rotating=False).current == "k2"
