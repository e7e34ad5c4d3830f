"""How the line behaves and what it says of its own accord. Sentences are short: they are heard, not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.channels.phone.loop.events import Expect
from bot.dialogue.reading.speech import number_to_spoken

GREETING: Final = ("您好，这里是掌柜银行，我是小掌柜。", "请说您要办的事，比如查余额。")
MENU: Final = ("查余额", "转账", "交电费")  # what 1, 2, 3 mean before anything was said
FILLERS: Final = (("好的，请稍等。",), ("还在查，请稍等。",), ("快好了，请别挂机。",))
STILL_THERE: Final = (("我在听，请讲。",), ("还是没有听到您的声音。",))
NOT_HEARD: Final = ("我没有听清，请再说一遍。",)
TO_HUMAN_BY_KEY: Final = "转人工请按零。"
KEY_SECRETS: Final = {
    Expect.CODE: "请按键输入六位验证码。",
    Expect.ID_TAIL: "请按键输入四位，字母X请按星号。",
    Expect.PASSWORD: "请按键输入，然后按井号。",
}
SAY_AGAIN: Final = "没有听清数字，可以说“再说一遍”。"
KEYS_TOLD_MAX: Final = 3
GOODBYE_SILENT: Final = ("一直没有听到您的声音，我先挂了。", "需要的时候请再打来，再见。")
HUMAN_SILENT: Final = ("我请同事来接听，请稍等。",)
GOODBYE_CLOSED: Final = ("感谢来电，再见。",)
TOO_NOISY: Final = ("您那边有点吵，我没有听清。", "请按键输入，转人工请按零。")
HEARING_BROKE: Final = ("现在听不到您说话，不过可以按键。", "查余额请按一，转账请按二，转人工请按零。")
TOO_SLOW: Final = ("系统现在有点慢，这一步还没有结果。", "请过一会儿再试，或者按零转人工。")
TURN_BROKE: Final = ("刚才那一步的结果还不确定。", "请先查一下再办，或者按零转人工。")
CLEARED: Final = ("已经清除，请重新输入。",)
SLOWER: Final = ("好的，我说慢一点。",)
FASTER: Final = ("好的，我说快一点。",)
NOTHING_TO_REPEAT: Final = ("请说您要办的事。",)
AGENT_HERE: Final = ("同事已经接通，请讲。",)
AGENT_READS: Final = ("同事已经接通，请讲。", "同事看得到您说的话，回答由我念给您听。")
BOT_AGAIN: Final = ("小掌柜回来了，还有什么要办的？",)
ALL_BUSY: Final = ("现在打进来的人比较多，", "请过几分钟再打，再见。")
TO_HUMAN: Final = "转人工"

# Whatever the caller says: worth keeping as sound.
ALWAYS_SAID: Final = frozenset(
    (
        *GREETING,
        *ALL_BUSY,
        *(piece for pieces in (*FILLERS, *STILL_THERE) for piece in pieces),
        *KEY_SECRETS.values(),
        SAY_AGAIN,
        *NOT_HEARD,
        *GOODBYE_SILENT,
        *HUMAN_SILENT,
        *GOODBYE_CLOSED,
        *TOO_NOISY,
        *HEARING_BROKE,
        *TOO_SLOW,
        *TURN_BROKE,
        *CLEARED,
        *SLOWER,
        *FASTER,
        *NOTHING_TO_REPEAT,
        *AGENT_HERE,
        *AGENT_READS,
        *BOT_AGAIN,
    )
)


@dataclass(frozen=True, slots=True)
class Manner:
    """Times of the call loop, in seconds."""

    silence_prompts_s: tuple[float, ...] = (8.0, 16.0)
    silence_end_s: float = 24.0
    filler_s: tuple[float, ...] = (1.0, 6.0, 11.0)  # after the caller's last word
    filler_after_asking_s: float = 0.4  # a long pause before the question is no reason to fill at once
    turn_end_s: float = 20.0
    hold_s: float = 30.0
    noise_s: float = 8.0  # voice without a word for so long is noise
    wordless_s: float = 1.2  # a voice without a word for so long does not keep us from speaking
    aloud_min_s: float = 1.0  # a sound that long may be digits said aloud, whatever was recognised in it
    sentence_s: float = 20.0  # nobody says one sentence for longer
    final_s: float = 2.0  # a recogniser that needs longer for the last word has failed
    false_alarms_max: int = 2  # in one utterance; then only words interrupt it
    rates: tuple[float, ...] = (0.6, 0.8, 1.0, 1.2)
    rate_normal: int = 2


def still_there(given: int, expect: Expect, choices: tuple[str, ...]) -> tuple[str, ...]:
    """What is said into a caller's silence for the time `given` (from 0): also what the keys would say."""
    called = STILL_THERE[min(given, len(STILL_THERE) - 1)]
    if expect is Expect.SPOKEN:
        return (*called, SAY_AGAIN, keys_told(choices) + TO_HUMAN_BY_KEY)
    if expect in KEY_SECRETS:
        return (*called, KEY_SECRETS[expect])
    return (*called, keys_told(choices) + TO_HUMAN_BY_KEY)


def not_heard(expect: Expect, choices: tuple[str, ...]) -> tuple[str, ...]:
    """What is said to a caller whose words were not understood."""
    if expect in KEY_SECRETS:
        return (*NOT_HEARD, KEY_SECRETS[expect])
    return (*NOT_HEARD, keys_told(choices).rstrip("，") + "。") if choices else NOT_HEARD


def keys_told(choices: tuple[str, ...]) -> str:
    """What the keys say, as the beginning of a sentence; "" without choices."""
    keys = enumerate(choices[:KEYS_TOLD_MAX], 1)
    return "".join(f"{said}请按{number_to_spoken(key)}，" for key, said in keys)


def hold_pieces(ahead: int | None) -> tuple[str, ...]:
    """What is said to a caller who waits for a human."""
    count = "两" if ahead == 2 else number_to_spoken(ahead or 0)
    return (f"前面还有{count}位，请稍等。",) if ahead else ("马上就轮到您了，请稍等。",)
