"""What normalisation promises."""

from __future__ import annotations

import unittest

from zhanggui_nlu.normalise import for_intent, same_length, without_fillers
from zhanggui_nlu.tables import CHARACTERS, HOMOPHONES


class SameLength(unittest.TestCase):
    """Offsets survive."""

    def test_traditional_full_width_and_homophones_become_one_spelling(self) -> None:
        self.assertEqual(same_length("轉帳５００給張三"), "转账500给张三")
        self.assertEqual(same_length("我要登陆"), same_length("我要登录"))

    def test_no_table_entry_changes_the_length(self) -> None:
        self.assertEqual([k for k, v in HOMOPHONES.items() if len(k) != len(v)], [])
        self.assertEqual([k for k, v in CHARACTERS.items() if len(v) != 1], [])

    def test_letters_that_grow_when_lowered_keep_the_length(self) -> None:
        self.assertEqual(len(same_length("İABC转账")), len("İABC转账"))


class ForIntent(unittest.TestCase):
    """Meaning without the noise of writing."""

    def test_numbers_punctuation_and_stretched_characters_do_not_matter(self) -> None:
        self.assertEqual(for_intent("转账500！"), for_intent("转账38."))
        self.assertEqual(for_intent("好好好好好"), "好好")

    def test_a_sentence_of_punctuation_is_not_empty(self) -> None:
        self.assertEqual(for_intent("。。。"), "?")
        self.assertEqual(without_fillers("嗯嗯"), "嗯嗯")


if __name__ == "__main__":
    unittest.main()
