"""What the classifier is shown of a sentence, by language."""

from __future__ import annotations

import unittest

from zhanggui_nlu.features import END, START, WORD, Knowledge, features, is_pair, is_word

NOTHING = Knowledge({}, {})


class Features(unittest.TestCase):
    """Chinese by characters, languages with blanks by words and within them."""

    def test_without_words_a_sentence_is_its_characters_across_blanks(self) -> None:
        found = features("查 余额", NOTHING, 2)
        singles = [START, "查", " ", "余", "额", END]
        pairs = [START + "查", "查 ", " 余", "余额", "额" + END]
        self.assertEqual(list(found), [*singles, *pairs])

    def test_with_words_there_are_word_ngrams_and_no_characters_across_blanks(self) -> None:
        found = features("My card!", NOTHING, 3, words=2)
        words = {WORD + "my", WORD + "card", WORD + "my card"}
        within = {" m", "my", "y ", " my", "my ", " c", "ca", "ar", "rd", "d ", " ca", "car", "ard", "rd "}
        self.assertEqual(set(found), words | within)
        self.assertEqual({name for name in found if is_word(name)}, words)
        self.assertFalse(any(is_pair(name) for name in found))


if __name__ == "__main__":
    unittest.main()
