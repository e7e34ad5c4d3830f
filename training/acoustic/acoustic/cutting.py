"""Numerals cut out of whole sentences by a network that is half trained: one more voice that says digits, and one
that says them as they are said among others."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from acoustic import features
from acoustic.corpus import RATE_HZ, Clip
from acoustic.mixing import words_of
from acoustic.network import SUBSAMPLING, Network

NUMERALS: Final = frozenset("零一二三四五六七八九十百千万两幺点")
LEAD_S: Final = 0.05  # a phone is found a little after it begins
TAIL_S: Final = 0.02
LEAST_S, MOST_S = 0.1, 0.7
_OUTPUT_S: Final = SUBSAMPLING * features.HOP / features.RATE_HZ


def numerals(clips: list[Clip], network: Network) -> list[Clip]:
    """Of the sentences among `clips`, every numeral as a syllable of its own."""
    found = []
    network = network.eval()
    for clip in clips:
        text = "".join(char for char in clip.text if "一" <= char <= "鿿")
        if clip.kind != "sentences" or len(text) != len(clip.starts) or not NUMERALS & set(text):
            continue
        spans = _spans(_scores(clip, network), words_of(clip))
        for char, labels, (start, end) in zip(text, words_of(clip), spans, strict=True):
            left, right = max(0.0, start * _OUTPUT_S - LEAD_S), end * _OUTPUT_S + TAIL_S
            if char in NUMERALS and LEAST_S < right - left < MOST_S:
                cut = clip.samples[int(left * RATE_HZ) : int(right * RATE_HZ)]
                found.append(Clip(cut, labels, [0], clip.speaker, "syllables", char))
    return found


def _scores(clip: Clip, network: Network) -> np.ndarray:
    frames = features.mfcc(features.downsampled(clip.samples, RATE_HZ))
    padded = np.pad(frames, ((network.context, network.context), (0, 0)), mode="edge")
    with torch.no_grad():
        return network(torch.from_numpy(padded[None]), "zh")[0].numpy()


def _spans(scores: np.ndarray, words: list[list[int]]) -> list[tuple[int, int]]:
    """First and last output (exclusive) of every word on the likeliest path; silence may stand around each."""
    places: list[tuple[int, int]] = [(0, -1)]  # (phone, word)
    for at, word in enumerate(words):
        places += [*((phone, at) for phone in word), (0, -1)]
    phone = np.array([one for one, _ in places])
    skip = np.array([at > 1 and places[at - 1][1] < 0 for at in range(len(places))])
    count, size = len(scores), len(places)
    first, more = scores[:, 2 * phone], scores[:, 2 * phone + 1]
    best = np.where(np.arange(size) < 2, first[0], -np.inf)
    came = np.zeros((count, size), np.int64)  # how many places on from the output before
    for at in range(1, count):
        ways = np.full((3, size), -np.inf)
        ways[0] = best + more[at]
        ways[1, 1:] = best[:-1] + first[at, 1:]
        ways[2, 2:] = np.where(skip[2:], best[:-2] + first[at, 2:], -np.inf)
        came[at] = ways.argmax(axis=0)
        best = ways.max(axis=0)
    place = size - 1 if best[-1] > best[-2] else size - 2
    path = np.empty(count, np.int64)
    for at in range(count - 1, -1, -1):
        path[at] = place
        place -= int(came[at, place])
    word = np.array([one for _, one in places])[path]
    return [
        (int(own[0]), int(own[-1]) + 1) if len(own := np.flatnonzero(word == at)) else (0, 0)
        for at in range(len(words))
    ]
