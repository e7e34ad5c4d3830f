"""A fresh clone hears: the bundled model loads, keeps to its grammar and gives nothing for silence or noise."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

from bot.channels.phone.audio import FRAME_BYTES, SILENCE, codec
from bot.channels.phone.hearing import VoskHearing
from bot.channels.phone.hearing.grammars import closed, grammar
from bot.channels.phone.hearing.loading import BUNDLED_FOLDER, load
from bot.channels.phone.hearing.recogniser import Decoder
from bot.channels.phone.hearing.spelling import Spelling
from bot.channels.phone.loop import Expect, Final, Partial
from bot.channels.phone.speaking.espeak import synthesise

MENU = ("查余额", "转人工", "交电费", "还信用卡", "[unk]")


@pytest.fixture(scope="module")
def loaded():
    return load()


@pytest.fixture(scope="module")
def spelling(loaded):
    return Spelling(loaded.knows)


def on_the_line(text):
    """A sentence by the line's own voice, through G.711."""
    pcm = SILENCE * 15 + synthesise(text, 0.9) + SILENCE * 25
    way = codec("PCMU")
    return way.decode(way.encode(pcm))


def understood(decoder, pcm):
    for at in range(0, len(pcm), 1600):
        decoder.feed(pcm[at : at + 1600])
    return decoder.finish()


def test_the_model_says_how_well_it_hears():
    figures = json.loads((BUNDLED_FOLDER / "metrics.json").read_text("utf-8"))
    assert {"words", "strays", "espeak_menu"} <= set(figures["shipped"]["sets"])
    assert (
        "digits_strings" in figures["before_the_digits_voice"]["sets"]
    )  # the shipped weights have heard that voice
    assert "digits_strings" not in figures["shipped"]["sets"]


def test_the_model_stays_small():
    assert sum(path.stat().st_size for path in BUNDLED_FOLDER.rglob("*") if path.is_file()) < 30_000_000


def test_every_phrase_of_every_state_can_be_said_in_its_words(loaded, spelling):
    phrases = ("欧阳娜娜", "张翀", "电费")
    unsaid = [
        line for expect in Expect for line in grammar(expect, phrases).lines if spelling.words(line) is None
    ]
    assert unsaid == []


def test_it_hears_a_menu_over_the_telephone(loaded, spelling):
    decoder = Decoder(loaded, spelling)
    decoder.use(closed(MENU))
    heard = [understood(decoder, on_the_line(text)).text for text in MENU[:-1]]
    assert sum(text == said for text, said in zip(heard, MENU, strict=False)) >= 3


def test_silence_and_noise_are_nothing(loaded, spelling):
    decoder = Decoder(loaded, spelling)
    decoder.use(closed(MENU))
    noise = np.random.default_rng(1).normal(0, 300, 8000 * 2).astype("<i2").tobytes()
    assert [understood(decoder, sound).text for sound in (SILENCE * 100, noise)] == ["", ""]


def test_one_sentence_leaves_nothing_for_the_next(loaded, spelling):
    decoder = Decoder(loaded, spelling)
    decoder.use(closed(MENU))
    first = understood(decoder, on_the_line("查余额"))
    assert understood(decoder, SILENCE * 50).text == ""
    assert understood(decoder, on_the_line("查余额")).text == first.text


def test_a_code_comes_out_as_digits_only(loaded, spelling):
    decoder = Decoder(loaded, spelling)
    decoder.use(grammar(Expect.CODE))
    text = understood(decoder, on_the_line("三五八二六零")).text
    assert set(text) <= set("零一二三四五六七八九幺")


async def test_calls_side_by_side_hear_their_own_words():
    hearing = VoskHearing()
    told = [asyncio.Queue(), asyncio.Queue()]
    ears = [hearing.recogniser(found.put_nowait) for found in told]
    sounds = [on_the_line("确认"), on_the_line("转人工")]
    for at in range(0, max(map(len, sounds)), FRAME_BYTES):
        for one, pcm in zip(ears, sounds, strict=True):
            one.feed(pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0"))
    for one in ears:
        one.take_final()
    texts = []
    async with asyncio.timeout(20):
        for found in told:
            events = [await found.get()]
            while not isinstance(events[-1], Final):
                events.append(await found.get())
            assert all(isinstance(event, Partial) for event in events[:-1])
            texts.append(events[-1].text)
    assert texts[0] != texts[1]
    for one in ears:
        one.close()
    await hearing.close()


def test_of_an_order_for_somebody_unknown_all_but_the_name_is_heard(loaded, spelling):
    decoder = Decoder(loaded, spelling)
    for names in ((), ("李四", "房东")):
        decoder.use(grammar(Expect.WORDS, names))
        assert understood(decoder, on_the_line("给郑洁转九百块")).text == "给转九百块"


def test_an_account_statement_is_no_payee_that_sounds_like_one(loaded, spelling):
    decoder = Decoder(loaded, spelling)
    decoder.use(grammar(Expect.WORDS, ("张三",)))
    assert [understood(decoder, on_the_line(text)).text for text in ("查账单", "给张三转九百块")] == [
        "查账单",
        "给张三转九百块",
    ]
