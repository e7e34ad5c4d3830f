"""Signatures and envelopes agree with those of `wechatpy`, and whatever was not sealed for us is not opened."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import check_signature

from bot.channels.wechat.callback import Callbacks, sealed
from bot.channels.wechat.errors import CallbackRefused, EnvelopeWrong, OutOfTime, SignatureWrong
from bot.channels.wechat.messages import Text
from bot.channels.wechat.sealing import Envelopes, is_signed, signature
from bot.channels.wechat.xml import parse_xml
from tests.bot.channels.wechat.accounts import AES_KEY, APP_ID, NOW, TOKEN, account, stamp, text_xml

ENVELOPES = Envelopes(AES_KEY, APP_ID)
ORACLE = WeChatCrypto(TOKEN, AES_KEY, APP_ID)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
typed = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300)


@settings(derandomize=True)
@given(words, words, words)
def test_our_signature_is_the_one_the_oracle_accepts(token: str, timestamp: str, nonce: str) -> None:
    ours = signature(token, timestamp, nonce)
    check_signature(token, ours, timestamp, nonce)
    assert is_signed(token, ours, timestamp, nonce)


@settings(derandomize=True)
@given(st.text(max_size=60))
def test_a_guessed_signature_is_refused_whatever_it_is(guess: str) -> None:
    assert not is_signed(TOKEN, guess, "1", "2")
    with pytest.raises(InvalidSignatureException):
        check_signature(TOKEN, guess, "1", "2")


@settings(derandomize=True, deadline=None)
@given(typed)
def test_the_oracle_opens_what_we_seal_and_we_open_what_it_seals(content: str) -> None:
    text = text_xml(content.replace("]]>", ""))
    ours = sealed(TOKEN, ENVELOPES, text, NOW)
    fields = parse_xml(ours.encode())
    opened = ORACLE.decrypt_message(ours, fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"])
    assert opened == text
    theirs = parse_xml(ORACLE.encrypt_message(text, "nonce", str(int(NOW.timestamp()))).encode())
    assert ENVELOPES.open(theirs["Encrypt"]) == text
    assert is_signed(TOKEN, theirs["MsgSignature"], theirs["TimeStamp"], "nonce", theirs["Encrypt"])


@settings(derandomize=True, deadline=None)
@given(
    st.one_of(st.binary(max_size=400).map(lambda raw: base64.b64encode(raw).decode()), st.text(max_size=200))
)
def test_no_envelope_of_a_stranger_is_opened_and_none_is_a_fault(envelope: str) -> None:
    with pytest.raises(EnvelopeWrong):
        ENVELOPES.open(envelope)


@settings(derandomize=True, deadline=None)
@given(st.data())
def test_an_envelope_with_one_byte_changed_is_not_the_message_it_was(data: st.DataObject) -> None:
    sealed_bytes = bytearray(base64.b64decode(ENVELOPES.seal(text_xml())))
    at = data.draw(st.integers(len(sealed_bytes) - 32, len(sealed_bytes) - 1))
    sealed_bytes[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(EnvelopeWrong):
        ENVELOPES.open(base64.b64encode(sealed_bytes).decode())


def test_an_envelope_for_another_account_is_refused() -> None:
    for_another = Envelopes(AES_KEY, "wx0000000000000000").seal(text_xml())
    with pytest.raises(EnvelopeWrong):
        ENVELOPES.open(for_another)


@pytest.mark.parametrize("length", [31, 32, 33, 63, 64, 65])
def test_padding_fills_blocks_of_32_bytes_as_the_oracle_s_does(length: int) -> None:
    ours = ENVELOPES.seal("x" * length)
    assert len(base64.b64decode(ours)) % 32 == 0
    theirs = parse_xml(ORACLE.encrypt_message("x" * length, "n", "1").encode())["Encrypt"]
    assert len(base64.b64decode(ours)) == len(base64.b64decode(theirs))


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_each_mode_opens_its_own_callbacks(mode: str) -> None:
    callbacks = Callbacks(account(mode))  # type: ignore[arg-type]
    envelope = ENVELOPES.seal(text_xml("你好"))
    bodies = {
        "plain": text_xml("你好"),
        "compatible": text_xml("假的").replace("</xml>", f"<Encrypt>{envelope}</Encrypt></xml>"),
        "safe": f"<xml><ToUserName>gh_bank</ToUserName><Encrypt>{envelope}</Encrypt></xml>",
    }
    proof = stamp(envelope=envelope)
    callbacks.prove(proof, NOW)
    assert callbacks.open(proof, bodies[mode].encode()).content == Text("你好")


@pytest.mark.parametrize("mode", ["compatible", "safe"])
def test_a_readable_body_is_not_believed_where_bodies_are_sealed(mode: str) -> None:
    callbacks = Callbacks(account(mode))  # type: ignore[arg-type]
    with pytest.raises(EnvelopeWrong):
        callbacks.open(stamp(), text_xml().encode())
    envelope = ENVELOPES.seal(text_xml())
    with pytest.raises(SignatureWrong):  # signed, but not with this envelope
        callbacks.open(stamp(envelope="another"), f"<xml><Encrypt>{envelope}</Encrypt></xml>".encode())


@pytest.mark.parametrize("seconds", [-301, 301, 86400])
def test_a_stamp_of_another_time_is_refused(seconds: int) -> None:
    callbacks = Callbacks(account())
    at = NOW.fromtimestamp(NOW.timestamp() + seconds, NOW.tzinfo)
    with pytest.raises(OutOfTime):
        callbacks.prove(stamp(at), NOW)
    callbacks.prove(stamp(at), at)


@settings(derandomize=True, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["signature", "timestamp", "nonce", "msg_signature"]), st.text(max_size=30)
    )
)
def test_no_query_is_a_fault(query: dict[str, str]) -> None:
    from bot.channels.wechat.callback import Stamp

    with pytest.raises(CallbackRefused):
        Callbacks(account()).prove(Stamp.of(query), NOW)


def test_nothing_secret_is_shown_by_repr() -> None:
    shown = repr(account())
    assert TOKEN not in shown and AES_KEY not in shown and "a-secret-for-tests" not in shown
