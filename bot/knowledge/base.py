"""The knowledge base: which entry answers a question, and how surely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.dialogue.understanding import KnowledgeHit
from bot.knowledge import store
from bot.knowledge.corpus import announced_files, gather, training_files
from bot.knowledge.entries import Entry, Renders, entry_files, load_entries
from bot.knowledge.lexicon import Lexicon
from bot.knowledge.model import Model
from bot.knowledge.space import TermSpace
from bot.knowledge.text import Reader

SCORE_EXACT = 0.97  # a wording we wrote ourselves, typed or tapped as it stands
FOLLOW_UP_CANDIDATES = 8
ANSWERED_SHARE = 0.2  # who asks on rarely wants the same answer again
SCORE_MIN = 0.02  # below this an entry is not worth naming


class KnowledgeBase:
    """Keeps to the port `bot.dialogue.understanding.Knowledge`. Read-only and deterministic once loaded."""

    def __init__(self, entries: tuple[Entry, ...], reader: Reader, space: TermSpace, model: Model) -> None:
        self.entries = entries
        self._reader = reader
        self._space = space
        self._model = model
        self._often_asked: Sequence[str] = ()
        self._questions = {entry.entry_id: entry.question for entry in entries}
        self._exact = _exact_wordings(entries, reader)

    @classmethod
    def load(
        cls, folder: Path, terms: Renders, cache_dir: Path | None = None, *, lexicons: Path | None = None
    ) -> KnowledgeBase:
        """The knowledge base of a folder of entries, with answers filled from the bank's terms.

        `lexicons` holds synonyms.yml and banks.txt, by default the folder of that name beside `folder`;
        training files beside `folder` teach what is no question to it. Fitting takes some seconds; with a
        `cache_dir` it happens once per state of the inputs. Raises MalformedKnowledge, DuplicateEntry or
        UnknownPlaceholder.
        """
        words = lexicons if lexicons is not None else folder.parent / "lexicons"
        entries = load_entries(folder, terms)
        lexicon = Lexicon.load(words / "synonyms.yml", words / "banks.txt")
        reader = Reader(lexicon)
        key = store.key_of(
            lexicon.digest, (*entry_files(folder), *training_files(folder), *announced_files(folder))
        )
        kept = store.fetch(cache_dir, key) if cache_dir is not None else None
        if kept is None:
            from bot.knowledge.fitting import fit  # brings scikit-learn, which a kept model can do without

            kept = fit(gather(entries, folder), len(entries), lexicon, reader)
            if cache_dir is not None:
                store.keep(cache_dir, key, *kept)
        return cls(entries, reader, *kept)

    def find(self, text: str, limit: int = 3) -> list[KnowledgeHit]:
        """At most `limit` entries, best first; score is the probability (0..1) that it answers the text.

        The scores of one text sum to at most 1. Empty when nothing comes near. Never raises on any text.
        """
        terms = self._reader.read(text)
        query = self._space.vector(terms)
        if limit < 1 or not query.ids.size:
            return []
        likeness = self._model.likeness(query)
        votes = self._model.votes(likeness)
        numbers, chances = self._model.probabilities(votes, likeness, query.known_share)
        scores = dict(zip(numbers.tolist(), chances.tolist(), strict=True))
        exact = self._exact.get(terms.plain)
        if exact is not None and scores.get(exact, 0.0) < SCORE_EXACT:
            rest = 1.0 - scores.pop(exact, 0.0)
            scores = {number: score * (1.0 - SCORE_EXACT) / rest for number, score in scores.items()}
            scores[exact] = SCORE_EXACT
        best = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
        return [self._hit(number, score) for number, score in best if score >= SCORE_MIN]

    def follow_up(self, more: str, whole: str, answered: str, limit: int = 3) -> list[KnowledgeHit]:
        """那跨行呢: an entry must suit both the new words alone and together with the earlier ones.

        `whole` repeats most words of what was answered, so the entry `answered` counts for less. Scores sum to at
        most 1; best first. Never raises on any text.
        """
        alone = {hit.entry_id: hit for hit in self.find(more, FOLLOW_UP_CANDIDATES)}
        joined = {hit.entry_id: hit for hit in self.find(whole, FOLLOW_UP_CANDIDATES)}
        weights = {
            entry_id: (alone[entry_id].score if entry_id in alone else SCORE_MIN)
            * (joined[entry_id].score if entry_id in joined else SCORE_MIN / 2)
            * (ANSWERED_SHARE if entry_id == answered else 1.0)
            for entry_id in alone | joined
        }
        total = sum(weights.values()) + SCORE_MIN * SCORE_MIN
        best = sorted(weights, key=lambda entry_id: (-weights[entry_id], entry_id))[:limit]
        return [replace((joined | alone)[entry_id], score=weights[entry_id] / total) for entry_id in best]

    def often_asked(self) -> Sequence[str]:
        """The questions asked most these days, the most frequent first."""
        return self._often_asked

    def note_often_asked(self, entry_ids: Iterable[str]) -> None:
        """Takes over which entries answered most; ids that are gone are left out."""
        self._often_asked = [self._questions[name] for name in entry_ids if name in self._questions]

    def question(self, entry_id: str) -> str | None:
        """The canonical question of an entry, None when there is no such entry."""
        return self._questions.get(entry_id)

    def _hit(self, number: int, score: float) -> KnowledgeHit:
        entry = self.entries[number]
        return KnowledgeHit(entry.entry_id, entry.question, entry.answer, score, entry.skill)


def _exact_wordings(entries: tuple[Entry, ...], reader: Reader) -> Mapping[str, int]:
    """Folded wordings that belong to one entry alone; a canonical question goes before phrasings."""
    questions: dict[str, set[int]] = {}
    phrasings: dict[str, set[int]] = {}
    for number, entry in enumerate(entries):
        questions.setdefault(reader.plain(entry.question), set()).add(number)
        for phrasing in entry.phrasings:
            phrasings.setdefault(reader.plain(phrasing), set()).add(number)
    owned = phrasings | questions
    return {plain: min(numbers) for plain, numbers in owned.items() if plain and len(numbers) == 1}
