"""What the service promises. It runs as a real process on a model of ten sentences."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from tests.support import Service, refusal, write_data
from zhanggui_nlu.errors import ServeRefusal
from zhanggui_nlu.serve import TEXT_LENGTH_MAX, require_loopback
from zhanggui_nlu.train import ARCHIVE_NAME, train


class Serving(unittest.TestCase):
    """One model, one running service."""

    @classmethod
    def setUpClass(cls) -> None:
        cls._folder = tempfile.TemporaryDirectory()
        root = Path(cls._folder.name)
        with contextlib.redirect_stdout(io.StringIO()):
            card = train(write_data(root / "data"), root / "model")
        cls.archive, cls.sha256 = root / "model" / ARCHIVE_NAME, card["sha256"]
        cls.service = Service(cls.archive, cls.sha256)
        cls.service.wait()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.service.stop()
        cls._folder.cleanup()

    def test_a_sentence_comes_back_in_rasas_shape(self) -> None:
        status, said = self.service.ask("POST", "/model/parse", {"text": "给张三转五百", "message_id": "m1"})
        self.assertEqual(status, 200)
        self.assertEqual(said["intent"]["name"], "transfer_make")
        self.assertEqual(said["intent"], said["intent_ranking"][0])
        self.assertEqual({"entity", "value", "start", "end", "extractor"} - set(said["entities"][0]), set())

    def test_health_names_the_model_and_the_versions(self) -> None:
        status, said = self.service.ask("GET", "/health")
        self.assertEqual((status, said["ready"], said["model_sha256"]), (200, True, self.sha256))
        self.assertEqual(said["versions"]["rasa"], "3.6.21")

    def test_a_wrong_or_absent_token_gets_401(self) -> None:
        not_latin = "密码".encode().decode("latin-1")  # as bytes of a header arrive
        for token in ("wrong", "", None, not_latin):
            for method, path in (("GET", "/health"), ("POST", "/model/parse"), ("GET", "/nowhere")):
                self.assertEqual(self.service.ask(method, path, {"text": "好"}, token)[0], 401)

    def test_five_hundred_characters_pass_and_one_more_is_413(self) -> None:
        longest = self.service.ask("POST", "/model/parse", {"text": "转" * TEXT_LENGTH_MAX})
        too_long = self.service.ask("POST", "/model/parse", {"text": "转" * (TEXT_LENGTH_MAX + 1)})
        huge = self.service.ask("POST", "/model/parse", b"x" * 100_000)
        self.assertEqual((longest[0], too_long[0], huge[0]), (200, 413, 413))
        self.assertEqual(too_long[1]["code"], "too_long")

    def test_bad_bodies_get_400_with_a_code(self) -> None:
        cases = [
            (b"{", "bad_json"),
            (b"\xff\xfe", "bad_json"),
            ([], "bad_text"),
            ({"text": 5}, "bad_text"),
            ({"text": "  "}, "bad_text"),
            ({"text": "好", "message_id": 7}, "bad_message_id"),
        ]
        for body, code in cases:
            status, said = self.service.ask("POST", "/model/parse", body)
            self.assertEqual((status, said["code"]), (400, code))

    def test_odd_characters_are_answered_not_fatal(self) -> None:
        for text in ("\ud83d", "😀😀", "\u0000", "a\u0301", "İstanbul 转账", "　　转\n账", "[张三](payee)"):
            self.assertIn(self.service.ask("POST", "/model/parse", {"text": text})[0], (200, 400), text)
        self.assertEqual(self.service.ask("POST", "/model/parse", {"text": "余额"})[0], 200)

    def test_other_paths_and_methods_are_not_found(self) -> None:
        self.assertEqual(self.service.ask("GET", "/model/parse")[0], 405)
        self.assertEqual(self.service.ask("PUT", "/model", {"model_file": "x"})[0], 404)

    def test_a_model_with_another_hash_is_refused_in_one_sentence(self) -> None:
        for wrong in ("0" * 64, "abc"):
            code, said = refusal(self.archive, wrong)
            self.assertEqual((code, len(said.strip().splitlines())), (2, 1), said)
            self.assertIn("hash", said)

    def test_a_missing_model_is_refused(self) -> None:
        code, said = refusal(self.archive.with_name("absent.tar.gz"), self.sha256)
        self.assertEqual((code, len(said.strip().splitlines())), (2, 1), said)

    def test_a_missing_token_is_refused(self) -> None:
        for token in (None, "  "):
            code, said = refusal(self.archive, self.sha256, token=token)
            self.assertEqual((code, len(said.strip().splitlines())), (2, 1), said)
            self.assertIn("NLU_TOKEN", said)

    def test_a_host_that_others_can_reach_is_refused(self) -> None:
        code, said = refusal(self.archive, self.sha256, host="0.0.0.0")
        self.assertEqual((code, len(said.strip().splitlines())), (2, 1), said)
        for host in ("::", "192.168.1.4", "example.org", ""):
            with self.assertRaises(ServeRefusal):
                require_loopback(host)
        self.assertEqual(next(require_loopback(h) for h in ("127.0.0.1", "::1", "localhost")), "127.0.0.1")

    def test_what_customers_say_is_not_printed(self) -> None:
        service = Service(self.archive, self.sha256)
        service.wait()
        service.ask("POST", "/model/parse", {"text": "我的密码是壹贰叁"})
        service.ask("POST", "/model/parse", {"text": "我的密码是壹贰叁" * 100})
        output = service.stop()
        self.assertNotIn("密码", output)
        self.assertEqual(output, "")


if __name__ == "__main__":
    unittest.main()
