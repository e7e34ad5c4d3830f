"""The acoustic model's training: its arithmetic is Kaldi's, and a tiny run learns and comes out as a model.

Runs where the training's own packages are installed (training/acoustic/requirements.txt); the app does not need them.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
REASON = "the training packages are not installed here (training/acoustic/requirements.txt)"
torch = pytest.importorskip("torch", reason=REASON)
kaldi_native_fbank = pytest.importorskip("kaldi_native_fbank", reason=REASON)
pytest.importorskip("soxr", reason=REASON)
sys.path.insert(0, str(ROOT / "training" / "acoustic"))

from acoustic import corpus, cutting, features, kaldi, losses, mixing, phones, sentences, train, voices  # noqa: E402
from acoustic.network import SUBSAMPLING, Network  # noqa: E402

WORDS = ["一", "二", "三", "四", "余额", "转账"]


@pytest.fixture(scope="module")
def clips():
    """Tones of different pitch and length for the syllables of a few words, by two "speakers"."""
    rng = np.random.default_rng(1)
    made = []
    for speaker, text in itertools.product(("one", "two"), WORDS):
        names = phones.syllables(text)
        labels = phones.indices(names)
        waves = []
        for label in labels:
            time = np.arange(3200) / corpus.RATE_HZ
            tone = sum(np.sin(2 * np.pi * (150 + 61 * label) * (1 + n) * time) / (1 + n) for n in range(3))
            waves.append(4000 * tone * (1.1 if speaker == "two" else 1.0) + rng.normal(0, 20, 3200))
        starts = [len(phones.indices(names[:at])) for at in range(len(names))]
        samples = np.clip(np.concatenate(waves), -32768, 32767).astype(np.int16)
        for kind in ("hsk", "words", "sentences", "espeak", "english"):
            made.append(
                corpus.Clip(
                    samples,
                    [1] if kind == "english" else labels,
                    starts[:1] if kind == "english" else starts,
                    speaker,
                    kind,
                    text,
                )
            )
        if len(names) == 1:
            made.append(corpus.Clip(samples, labels, starts, speaker, "syllables", text))
    return made


def test_features_are_kaldis():
    wave = np.random.default_rng(2).normal(0, 1500, 12345).astype(np.float32)
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.samp_freq, options.frame_opts.dither = features.RATE_HZ, 0.0
    options.mel_opts.num_bins = options.num_ceps = features.BINS
    options.mel_opts.low_freq, options.mel_opts.high_freq = features.LOW_HZ, features.HIGH_HZ
    options.use_energy = False
    online = kaldi_native_fbank.OnlineMfcc(options)
    online.accept_waveform(features.RATE_HZ, wave.tolist())
    online.input_finished()
    theirs = np.array([online.get_frame(at) for at in range(online.num_frames_ready)])
    ours = features.mfcc(wave)
    assert ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-3


def _brute(out, ways):
    """Log-sum of the scores of all (phone, is first) sequences in `ways`."""
    scores = [sum(float(out[t, 2 * p + (not first)]) for t, (p, first) in enumerate(way)) for way in ways]
    return float(np.logaddexp.reduce(scores))


def _paths(sequence, time):
    """All ways to spread the phones of a sequence over `time` outputs."""
    for cut in itertools.combinations(range(1, time), len(sequence) - 1):
        bounds = [0, *cut, time]
        yield [
            (phone, t == 0)
            for phone, a, b in zip(sequence, bounds, bounds[1:], strict=False)
            for t in range(b - a)
        ]


def test_the_numerator_is_the_sum_over_all_ways_to_place_the_words():
    out = torch.tensor(np.random.default_rng(3).normal(0, 1, (1, 5, 8)), dtype=torch.float32)
    words = [[1, 2], [3]]
    ways = []
    for silent in itertools.product((False, True), repeat=3):
        sequence = [*([0] * silent[0]), 1, 2, *([0] * silent[1]), 3, *([0] * silent[2])]
        ways += list(_paths(sequence, 5))
    got = float(losses.numerator(out, [words], torch.tensor([5]))[0])
    assert got == pytest.approx(_brute(out[0].numpy(), ways), abs=1e-4)


def test_the_denominator_is_the_sum_over_all_phone_sequences():
    rng = np.random.default_rng(4)
    out = torch.tensor(rng.normal(0, 1, (1, 4, 6)), dtype=torch.float32)
    made = losses.Denominator([[1, 2], [2, 2, 1]], 3)
    total = []
    for length in range(1, 5):
        for sequence in itertools.product(range(3), repeat=length):
            chance = float(made.start[sequence[0]]) * np.prod(
                [float(made.follow[a, b]) for a, b in itertools.pairwise(sequence)]
            )
            total.append(np.log(chance) + _brute(out[0].numpy(), list(_paths(sequence, 4))))
    assert float(made.score(out, torch.tensor([4]))[0]) == pytest.approx(np.logaddexp.reduce(total), abs=1e-4)


def test_the_gradients_of_both_sums_are_those_of_small_changes():
    rng = np.random.default_rng(5)
    out = torch.tensor(rng.normal(0, 1, (2, 6, 6)), dtype=torch.float32, requires_grad=True)
    made = losses.Denominator([[1, 2], [2, 2, 1]], 3)
    words, lengths = [[[1, 2], [1]], [[2]]], torch.tensor([6, 4])

    def summed(of):
        return (made.score(of, lengths) - losses.numerator(of, words, lengths)).sum()

    summed(out).backward()
    for place in ((0, 0, 0), (0, 3, 3), (0, 5, 2), (1, 3, 5), (1, 4, 1)):
        step = torch.zeros_like(out)
        step[place] = 1e-2
        change = float((summed(out.detach() + step) - summed(out.detach() - step)) / 2e-2)
        assert float(out.grad[place]) == pytest.approx(change, abs=2e-3)


def test_an_utterance_without_room_for_its_phones_has_no_way():
    out = torch.zeros(1, 3, 12)
    assert float(losses.numerator(out, [[[1, 2], [3, 4, 5]]], torch.tensor([3]))[0]) < -1e20


def test_the_map_of_a_speaker_undoes_how_he_differs():
    rng = np.random.default_rng(6)
    centres = rng.normal(0, 3, (20, features.BINS))
    plain = centres[rng.integers(20, size=8000)] + rng.normal(0, 1, (8000, features.BINS))
    mixture = voices.fit(plain, rng, 20)
    matrix = np.eye(features.BINS) + rng.normal(0, 0.05, (features.BINS, features.BINS))
    found = voices.affine((plain - 1.0) @ matrix.T, mixture)
    undone = (plain - 1.0) @ matrix.T @ found[:, :-1].T + found[:, -1]
    assert np.abs(undone - plain).mean() < 0.5 * np.abs((plain - 1.0) @ matrix.T - plain).mean()


def test_words_are_found_where_the_scores_put_them():
    scores = np.full((9, 8), -5.0)
    for at, (phone, first) in enumerate(
        [(0, 1), (1, 1), (1, 0), (2, 1), (0, 1), (0, 0), (3, 1), (3, 0), (0, 1)]
    ):
        scores[at, 2 * phone + (not first)] = 0.0
    assert cutting._spans(scores, [[1, 2], [3]]) == [(1, 4), (6, 8)]


def test_utterances_are_the_same_for_the_same_seed(clips):
    one, other = mixing.Mixer(clips, ROOT), mixing.Mixer(clips, ROOT)
    for at in range(5):
        left, right = one.make((1, at)), other.make((1, at))
        assert np.array_equal(left.powers, right.powers) and left.words == right.words


def test_held_out_speakers_are_not_in_training():
    assert corpus.HELD_OUT and corpus.HELD_OUT_DIGITS and not corpus.HELD_OUT & corpus.HELD_OUT_DIGITS


@pytest.mark.parametrize(
    ("value", "words"), [(0, "零"), (10, "十"), (105, "一百零五"), (20010, "二万零一十")]
)
def test_numbers_are_said_the_chinese_way(value, words):
    import random

    said = {sentences.number(value, random.Random(seed)).replace("两", "二") for seed in range(20)}
    assert {one.replace("零一十", "零十") for one in said} == {words.replace("零一十", "零十")}


def test_a_tiny_run_learns_goes_on_and_comes_out_as_a_model(clips, tmp_path):
    stage = train.Stage(24, 2e-3, 1e-4, english_batches=1)
    plan = train.Plan((stage,), align_steps=12, utterances=6, pool=3, save_every=1)
    small = {"width": 32, "bottleneck": 16, "strides": (1, 1)}
    mixer = mixing.Mixer(clips, ROOT)
    before = train.Training(mixer, plan, stage, tmp_path / "a", Network(**small))
    first = [loss for task, loss in before.next_pool() if task == "zh"]
    train.run(mixer, plan, stage, tmp_path / "a", 24, Network(**small))
    stopped = Network(**small)
    train.run(mixer, plan, stage, tmp_path / "b", 12, stopped)
    mean = train.run(mixer, plan, stage, tmp_path / "b", 24, Network(**small))
    whole = torch.load(tmp_path / "a" / "checkpoint.pt", weights_only=True)["mean"]
    assert all(torch.allclose(whole[name], value, atol=1e-5) for name, value in mean.state_dict().items())
    again = train.Training(mixer, plan, stage, tmp_path / "a", Network(**small))
    last = [
        loss
        for task, loss in [
            (b.task, again._loss(b).item()) for b in train.Supply(mixer, plan, mean.context, 1).pool(0)
        ]
        if task == "zh"
    ]
    assert np.isfinite(last).all() and np.mean(last) < np.mean(first)
    model = kaldi.final_mdl(mean)
    assert model[:2] == b"\0B" and b"<Nnet3>" in model and b"output-node name=output" in model
    with torch.no_grad():
        out = mean(torch.zeros(1, 30 + 2 * mean.context, features.BINS), "zh")
    assert out.shape == (1, (30 - 1) // SUBSAMPLING + 1, 2 * len(phones.PHONES))
