"""What is kept of a voice: whole again from its bytes, refused when it is not one, and moved only slowly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.phone.errors import OtherModel, TemplateUnreadable, VoicesDiffer
from bot.channels.phone.voiceprint.embedding import Embedding, unit
from bot.channels.phone.voiceprint.scoring import PLAIN, Scorer
from bot.channels.phone.voiceprint.template import Template, averaged

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
SCORER = Scorer(PLAIN, np.zeros((0, 4), np.float32))


def voice(*numbers: float, model: str = "a", speech_s: float = 3.0) -> Embedding:
    return Embedding(unit(np.array(numbers, np.float32)), model, speech_s)


def test_a_template_comes_back_whole_from_its_bytes():
    kept = averaged([voice(1, 0, 0.1), voice(1, 0.1, 0)], NOW)
    back = Template.from_bytes(kept.to_bytes())
    assert (back.model, back.count, back.enrolled_at, back.adaptations) == ("a", 2, NOW, 0)
    assert np.array_equal(back.vector, kept.vector)


@settings(derandomize=True, max_examples=50)
@given(st.binary(max_size=60))
def test_bytes_that_are_no_template_are_refused(data):
    for given_bytes in (data, b"ZVP1" + data, averaged([voice(1, 2)], NOW).to_bytes()[:-4] + data[:3]):
        with pytest.raises(TemplateUnreadable):
            Template.from_bytes(given_bytes)


def test_a_template_of_other_weights_asks_for_a_new_enrolment():
    with pytest.raises(OtherModel):
        SCORER.score(averaged([voice(1, 0)], NOW), voice(1, 0, model="b"), NOW)


def test_enrolments_of_two_voices_are_refused():
    assert SCORER.enrol([voice(1, 0), voice(1, 0.1), voice(1, -0.1)], NOW).count == 3
    with pytest.raises(VoicesDiffer):
        SCORER.enrol([voice(1, 0), voice(1, 0.1), voice(0, 1)], NOW)


def test_a_template_moves_slowly_and_only_towards_its_own_voice():
    kept = averaged([voice(1, 0)], NOW)
    later = NOW + timedelta(days=30)
    moved = SCORER.adapt(kept, voice(1, 0.3), later)
    assert 0 < moved.vector[1] < 0.03
    assert (moved.adapted_at, moved.adaptations, moved.enrolled_at) == (later, 1, NOW)
    assert SCORER.adapt(kept, voice(0.2, 1), later) is kept


def test_an_old_template_says_less_and_at_last_nothing():
    kept = averaged([voice(1, 0)], NOW)
    same = voice(1, 0.2)
    fresh = SCORER.score(kept, same, NOW)
    old = SCORER.score(kept, same, NOW + timedelta(days=800))
    ancient = SCORER.score(kept, same, NOW + timedelta(days=1200))
    assert fresh.accepted_at("high") and not fresh.stale
    assert 0 < old.llr < fresh.llr and old.stale
    assert ancient.accepted == ()


def test_following_the_voice_makes_a_template_no_younger():
    kept = averaged([voice(1, 0)], NOW)
    moved = SCORER.adapt(kept, voice(1, 0.1), NOW + timedelta(days=500))
    assert moved.adaptations == 1
    aged = SCORER.score(moved, voice(1, 0.2), NOW + timedelta(days=501))
    assert aged.stale and aged.llr < SCORER.score(kept, voice(1, 0.2), NOW).llr
