"""What loading promises: filled answers, and every mistake in the files named before a customer meets it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from banking_core.configuration import Terms
from bot.knowledge import (
    DuplicateEntry,
    KnowledgeBase,
    KnowledgeError,
    MalformedKnowledge,
    UnknownPlaceholder,
)
from bot.knowledge.__main__ import main

from .conftest import DATA, LEXICONS, SMALL

Write = Callable[..., Path]


def load(folder: Path, terms: Terms, cache_dir: Path | None = None) -> KnowledgeBase:
    return KnowledgeBase.load(folder, terms, cache_dir=cache_dir, lexicons=LEXICONS)


def test_answers_carry_the_figures_of_the_terms_given(write: Write, terms: Terms) -> None:
    hit = load(write(small=SMALL), terms).find("补卡要多少钱")[0]
    assert (hit.entry_id, hit.answer, hit.skill) == ("cards.fee", "补卡收15元。", "card_replace")


def test_no_answer_of_the_real_base_keeps_a_brace(base: KnowledgeBase) -> None:
    assert [entry.entry_id for entry in base.entries if "{" in entry.answer or "}" in entry.answer] == []
    assert any("{" in entry.template for entry in base.entries)


def test_other_terms_change_the_answer_although_the_model_is_kept(
    write: Write, terms: Terms, tmp_path: Path
) -> None:
    folder = write(small=SMALL)
    load(folder, terms, tmp_path / "cache")
    dearer = Terms.from_mapping(
        {"cards": {"replace_fee_yuan": 20}, "transfers": {"day_yuan": 1}, "branches": {"hours": "全天"}}
    )
    assert load(folder, dearer, tmp_path / "cache").find("补卡要多少钱")[0].answer == "补卡收20元。"


def test_the_kept_model_is_read_by_another_user_than_the_one_who_made_it(
    write: Write, terms: Terms, tmp_path: Path
) -> None:
    load(write(small=SMALL), terms, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o644


def test_two_entries_of_one_id_are_refused_across_files(write: Write, terms: Terms) -> None:
    with pytest.raises(DuplicateEntry, match=r"cards\.fee") as refused:
        load(write(a=SMALL, b=SMALL), terms)
    assert refused.value.code == "duplicate_entry"


def test_an_answer_with_an_unknown_term_is_refused(write: Write, terms: Terms) -> None:
    with pytest.raises(UnknownPlaceholder, match=r"cards\.no_such_fee") as refused:
        load(write(small=SMALL.replace("replace_fee_yuan", "no_such_fee")), terms)
    assert refused.value.code == "unknown_placeholder"


@pytest.mark.parametrize(
    "answer", ["收{}元", "收{cards}元", "收{元", "收}元", "收{{cards.replace_fee_yuan}}元"]
)
def test_a_stray_brace_in_an_answer_is_refused(write: Write, terms: Terms, answer: str) -> None:
    text = f"- {{id: a.b, question: 多少钱, answer: '{answer}'}}"
    with pytest.raises(UnknownPlaceholder):
        load(write(small=text), terms)


@pytest.mark.parametrize(
    "text",
    [
        "id: a.b",
        "- just text",
        "- {id: a.b, question: 问}",
        "- {id: a.b, answer: 答}",
        "- {id: a.b, question: '', answer: 答}",
        "- {id: a.b, question: 问, answer: 5}",
        "- {id: no dots, question: 问, answer: 答}",
        "- {id: a.b, question: 问, answer: 答, phrasings: 不是列表}",
        "- {id: a.b, question: 问, answer: 答, phrasings: [5]}",
        "- {id: a.b, question: 问, answer: 答, skill: [x]}",
        "- {id: a.b, question: 问, answer: 答, phrasing: [写错的键]}",
        "- [unclosed",
        "",
    ],
)
def test_a_file_of_another_shape_is_refused(write: Write, terms: Terms, text: str) -> None:
    with pytest.raises(MalformedKnowledge) as refused:
        load(write(small=text), terms)
    assert refused.value.code == "knowledge_malformed"


def test_a_file_that_is_not_text_is_refused(write: Write, terms: Terms) -> None:
    folder = write()
    (folder / "broken.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MalformedKnowledge):
        load(folder, terms)


def test_a_folder_without_entries_or_words_is_refused(write: Write, terms: Terms) -> None:
    with pytest.raises(MalformedKnowledge, match="no entries"):
        load(write(), terms)
    with pytest.raises(MalformedKnowledge, match=r"synonyms\.yml"):
        KnowledgeBase.load(write(small=SMALL), terms)


@pytest.mark.parametrize(
    "words",
    ["[]", "objects: {a: b}", "{objects: {a: 5}, aspects: {}}", "{objects: {}, aspects: {}, spellings: [x]}"],
)
def test_a_synonym_table_of_another_shape_is_refused(
    write: Write, terms: Terms, words: str, tmp_path: Path
) -> None:
    (tmp_path / "synonyms.yml").write_text(words, encoding="utf-8")
    with pytest.raises(MalformedKnowledge):
        KnowledgeBase.load(write(small=SMALL), terms, lexicons=tmp_path)


def test_every_error_is_of_one_tree_with_its_own_code() -> None:
    kinds = [KnowledgeError, MalformedKnowledge, DuplicateEntry, UnknownPlaceholder]
    assert all(issubclass(kind, KnowledgeError) for kind in kinds)
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_a_kept_model_gives_the_same_hits_as_a_fresh_one(write: Write, terms: Terms, tmp_path: Path) -> None:
    folder, cache = write(small=SMALL), tmp_path / "cache"
    fresh = load(folder, terms)
    load(folder, terms, cache)
    kept = load(folder, terms, cache)
    assert len(list(cache.iterdir())) == 1
    for text in ("补卡贵吗", "转账最多多少", "礼拜天上班吗", "换卡"):
        assert fresh.find(text) == kept.find(text)


def test_a_changed_entry_is_fitted_anew_and_the_old_model_dropped(
    write: Write, terms: Terms, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    load(write(small=SMALL), terms, cache)
    before = list(cache.iterdir())
    changed = load(write(small=SMALL.replace("星期天营业不", "礼拜六能来吗")), terms, cache)
    assert changed.find("礼拜六能来吗")[0].entry_id == "branches.hours"
    assert len(list(cache.iterdir())) == 1
    assert list(cache.iterdir()) != before


@pytest.mark.parametrize("damage", [b"", b"not an archive", b"PK\x03\x04"])
def test_a_damaged_kept_model_is_fitted_anew(
    write: Write, terms: Terms, tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    folder, cache = write(small=SMALL), tmp_path / "cache"
    expected = load(folder, terms, cache).find("补卡贵吗")
    next(cache.iterdir()).write_bytes(damage)
    with caplog.at_level(logging.WARNING):
        assert load(folder, terms, cache).find("补卡贵吗") == expected
    assert "damaged" in caplog.text


def test_a_cache_that_cannot_be_written_stops_nothing(write: Write, terms: Terms, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands where the folder should be", encoding="utf-8")
    assert load(write(small=SMALL), terms, tmp_path / "cache").find("补卡要多少钱")


def test_the_command_prepares_the_cache_or_says_why_not(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(small="- {id: a.b, question: 问, answer: '{no.term}'}")
    assert main([str(tmp_path / "cache"), str(folder)]) == 1
    assert "unknown_placeholder" in capsys.readouterr().err


def test_phrasings_are_filed_under_one_entry_each(base: KnowledgeBase) -> None:
    owners: dict[str, set[str]] = {}
    for entry in base.entries:
        for wording in entry.wordings:
            owners.setdefault(wording, set()).add(entry.entry_id)
    assert {wording: ids for wording, ids in owners.items() if len(ids) > 1} == {}
    assert DATA.is_dir()
