"""What training promises. Run in bot/nlu with its own Python: `python -m unittest discover -s tests -t .`"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import unittest
from pathlib import Path

from tests.support import write_data
from zhanggui_nlu.data import Span, parse_annotated, read_corpus, read_dev
from zhanggui_nlu.errors import DataError, ModelError
from zhanggui_nlu.hashing import file_hash
from zhanggui_nlu.train import ARCHIVE_NAME, MEASURING, PACKAGE, main, read_card, train


class Training(unittest.TestCase):
    """One tiny model, trained once."""

    @classmethod
    def setUpClass(cls) -> None:
        cls._folder = tempfile.TemporaryDirectory()
        root = Path(cls._folder.name)
        cls.data, cls.out = write_data(root / "data"), root / "model"
        with contextlib.redirect_stdout(io.StringIO()):
            cls.card = train(cls.data, cls.out)

    @classmethod
    def tearDownClass(cls) -> None:
        cls._folder.cleanup()

    def test_the_card_holds_the_hash_of_the_archive(self) -> None:
        self.assertEqual(self.card["sha256"], file_hash(self.out / ARCHIVE_NAME))
        self.assertEqual(self.card, read_card(self.out))
        self.assertEqual(self.card["intents"], ["account_balance", "transfer_make"])

    def test_training_again_with_nothing_changed_trains_nothing(self) -> None:
        before = (self.out / ARCHIVE_NAME).stat().st_mtime_ns
        with contextlib.redirect_stdout(io.StringIO()) as said:
            again = train(self.data, self.out)
        self.assertEqual(again, self.card)
        self.assertEqual((self.out / ARCHIVE_NAME).stat().st_mtime_ns, before)
        self.assertIn("不用重新训练", said.getvalue())

    def test_code_that_only_measures_is_there_and_nothing_that_is_trained_or_served_imports_it(self) -> None:
        measuring = {path.stem for path in PACKAGE.glob("*.py") if path.name in MEASURING}
        self.assertEqual({f"{name}.py" for name in measuring}, MEASURING)
        for path in PACKAGE.rglob("*.py"):
            if path.name not in MEASURING:
                used = set(re.findall(r"zhanggui_nlu\.(\w+)", path.read_text(encoding="utf-8")))
                self.assertFalse(used & measuring, path.name)

    def test_the_trained_model_tells_the_two_intents_apart_and_finds_a_payee_it_never_saw(self) -> None:
        from zhanggui_nlu.runtime import Understanding

        model = Understanding(self.out / ARCHIVE_NAME)
        self.assertEqual(model.parse("查余额多少")["intent"]["name"], "account_balance")
        said = model.parse("轉賬給赵六")
        self.assertEqual(said["text"], "轉賬給赵六")
        self.assertEqual(said["intent"]["name"], "transfer_make")
        entities = [(e["entity"], e["value"], e["start"], e["end"]) for e in said["entities"]]
        self.assertEqual(entities, [("payee", "赵六", 3, 5)])
        self.assertAlmostEqual(sum(i["confidence"] for i in said["intent_ranking"]), 1.0, places=5)

    def test_two_trainings_of_the_same_data_give_the_same_probabilities(self) -> None:
        from zhanggui_nlu.runtime import Understanding

        with tempfile.TemporaryDirectory() as other, contextlib.redirect_stdout(io.StringIO()):
            train(self.data, Path(other))
            second = Understanding(Path(other) / ARCHIVE_NAME).parse("帮我转五百")
        self.assertEqual(Understanding(self.out / ARCHIVE_NAME).parse("帮我转五百"), second)

    def test_a_file_that_is_no_model_is_a_model_error(self) -> None:
        from zhanggui_nlu.runtime import Understanding

        broken = self.out / "broken.tar.gz"
        broken.write_bytes(b"not an archive")
        self.addCleanup(broken.unlink)
        with self.assertRaises(ModelError):
            Understanding(broken)


class BadData(unittest.TestCase):
    """Files that cannot be used are named in one sentence."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = write_data(Path(folder.name) / "data")

    def test_a_broken_yaml_file_ends_training_with_code_2_and_one_sentence(self) -> None:
        (self.data / "broken.yml").write_text("nlu: [", encoding="utf-8")
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = main(["--data", str(self.data), "--out", str(self.data / "out")])
        self.assertEqual(code, 2)
        self.assertIn("broken.yml", said.getvalue())
        self.assertEqual(len(said.getvalue().strip().splitlines()), 1)
        self.assertFalse((self.data / "out" / ARCHIVE_NAME).exists())

    def test_an_unknown_entity_is_refused(self) -> None:
        with self.assertRaises(DataError):
            parse_annotated("转[五百](amount)", "here")

    def test_a_dev_line_without_a_tab_is_refused(self) -> None:
        (self.data / "dev" / "bad.tsv").write_text("没有制表符\n", encoding="utf-8")
        with self.assertRaises(DataError):
            read_dev(self.data)

    def test_annotations_become_offsets_of_the_plain_sentence(self) -> None:
        text, spans = parse_annotated("给[张三](payee)的[工行](bank)卡", "here")
        self.assertEqual(text, "给张三的工行卡")
        self.assertEqual(spans, (Span(1, 3, "payee"), Span(4, 6, "bank")))

    def test_faq_phrasings_are_examples_of_faq_and_contradictions_are_told(self) -> None:
        (self.data / "faq").mkdir()
        entry = "- id: a\n  question: 转账收费吗\n  phrasings: [我要转钱, 要手续费吗]\n  answer: 不收\n"
        (self.data / "faq" / "a.yml").write_text(entry, encoding="utf-8")
        corpus = read_corpus(self.data)
        faq = [e.text for e in corpus.examples if e.intent == "faq"]
        self.assertEqual(faq, ["转账收费吗", "要手续费吗"])
        self.assertEqual(len(corpus.warnings), 1)
        self.assertIn("我要转钱", corpus.warnings[0])


if __name__ == "__main__":
    unittest.main()
