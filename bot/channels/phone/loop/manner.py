"""How the line behaves and what it says of its own accord. Sentences are short: they are heard, not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.channels.phone.loop.events import Expect

GREETING: Final = ("您好，这里是掌柜银行，我是小掌柜。", "请说您要办的事，比如查余额。")
MENU: Final = ("查余额", "转账", "交电费")  # what 1, 2, 3 mean before anything was said
FILLERS: Final = (("好的，请稍等。",), ("还在查，请稍等。",), ("快好了，请别挂机。",))
STILL_THERE: Final = ("我在听，请讲。", "还是没有听到您的声音。")
STILL_THERE_DEAF: Final = ("您还在吗？", "还是没有收到您的按键。")
DEAF: Final = "现在听不到您说话，请按键。"
HEARING_BROKE: Final = "现在听不到您说话，不过可以按键。"
NOT_HEARD: Final = "我没有听清，请再说一遍。"
TOO_NOISY: Final = "您那边有点吵，我没有听清。"
TO_HUMAN_BY_KEY: Final = "转人工请按零"
KEY_SECRETS: Final = {
    Expect.CODE: "请按键输入六位验证码。",
    Expect.ID_TAIL: "请按键输入四位，字母X请按星号。",
    Expect.PASSWORD: "请按键输入，然后按井号。",
}
KEY_NUMBERS: Final = "数字请按键输入，按井号结束。"
NO_SUCH_KEY: Final = "没有这个选项。"
SAY_AGAIN: Final = "要再听一遍数字，请说“再说一遍”。"
GOODBYE_SILENT: Final = ("一直没有听到您的声音，我先挂了。", "需要的时候请再打来，再见。")
GOODBYE_SILENT_DEAF: Final = ("一直没有收到您的按键，我先挂了。", "需要的时候请再打来，再见。")
GOODBYE_LONG: Final = ("这通电话时间很长了，我先挂了。", "需要的时候请再打来，再见。")
HUMAN_SILENT: Final = ("我请同事来接听，请稍等。",)
GOODBYE_CLOSED: Final = ("感谢来电，再见。",)
RATE: Final = (
    "请给刚才的服务打分。",
    "非常满意请按一，满意请按二，",
    "一般请按三，不满意请按四，",
    "非常不满意请按五。",
)
RATED: Final = ("谢谢您的评价。",)
TOO_SLOW: Final = ("系统现在有点慢，这一步还没有结果。", "有结果我马上告诉您，转人工请按零。")
TURN_BROKE: Final = ("刚才那一步的结果还不确定。", "请先查一下再办，或者按零转人工。")
CLEARED: Final = "已经清除，请重新输入。"
SLOWER: Final = ("好的，我说慢一点。",)
FASTER: Final = ("好的，我说快一点。",)
NOTHING_TO_REPEAT: Final = "请说您要办的事。"
AGENT_HERE: Final = ("同事已经接通，请讲。",)
AGENT_READS: Final = ("同事已经接通，请讲。", "同事看得到您说的话，回答由我念给您听。")
AGENT_READS_DEAF: Final = ("同事已经接通。", "同事的话由我念给您听，请按键回答。")
AGENT_IS_HERE: Final = ("同事已经接通了。",)
AGENT_SILENT: Final = ("同事正在看，请别挂机。",)
NOTED_IN_QUEUE: Final = ("记下了，同事接通就能看到。",)
ALL_BUSY: Final = ("现在打进来的人比较多，", "请过几分钟再打，再见。")
TO_HUMAN: Final = "转人工"
LEAVE_QUEUE: Final = "取消排队"

# Whatever the caller says: worth keeping as sound.
ALWAYS_SAID = frozenset(
    (
        *GREETING,
        *ALL_BUSY,
        *(piece for pieces in FILLERS for piece in pieces),
        *STILL_THERE,
        *STILL_THERE_DEAF,
        *KEY_SECRETS.values(),
        *(DEAF, HEARING_BROKE, NOT_HEARD, TOO_NOISY, KEY_NUMBERS, NO_SUCH_KEY, SAY_AGAIN, CLEARED),
        *GOODBYE_SILENT,
        *GOODBYE_SILENT_DEAF,
        *GOODBYE_LONG,
        *HUMAN_SILENT,
        *GOODBYE_CLOSED,
        *RATE,
        *RATED,
        *TOO_SLOW,
        *TURN_BROKE,
        *SLOWER,
        *FASTER,
        NOTHING_TO_REPEAT,
        *AGENT_HERE,
        *AGENT_READS,
        *AGENT_READS_DEAF,
        *AGENT_IS_HERE,
        *AGENT_SILENT,
        *NOTED_IN_QUEUE,
    )
)


@dataclass(frozen=True, slots=True)
class Manner:
    """Times of the call loop, in seconds."""

    # Each from the end of the prompt before; after the last, the end.
    silence_s: tuple[float, ...] = (8.0, 8.0, 8.0)
    filler_s: tuple[float, ...] = (1.0, 6.0, 11.0)  # after the caller's last word
    filler_after_asking_s: float = 0.4  # a long pause before the question is no reason to fill at once
    filler_gap_s: float = 4.0  # one that came late is not followed at once by the next
    turn_end_s: float = 20.0
    hold_s: float = 30.0
    hold_tone_s: float = 5.0
    agent_silent_s: float = 15.0  # an agent who reads and writes; then every `hold_s`
    call_max_s: float = 1800.0  # with the assistant: waiting for a human and a human end when they end
    rate_s: float = 8.0  # for a rating by key, after the caller has heard the question
    noise_s: float = 8.0  # voice without a word for so long is noise
    wordless_s: float = 1.2  # a voice without a word for so long does not keep us from speaking
    aloud_min_s: float = 1.0  # a sound that long may be digits said aloud, whatever was recognised in it
    sentence_s: float = 20.0  # nobody says one sentence for longer
    final_s: float = 2.0  # a recogniser that needs longer for the last word has failed
    false_alarms_max: int = 2  # in one utterance; then only words interrupt it
    rates: tuple[float, ...] = (0.6, 0.8, 1.0, 1.2)
    rate_normal: int = 2
