"""Words that steer the conversation itself: 取消, 再说一遍, 上一步, 确认 ... Rules first, then the model."""

from __future__ import annotations

import re
from enum import Enum

from bot.dialogue.understanding import Understanding

MODEL_SURE = 0.6  # a steering word heard only by the model needs at least this probability
AFFIRM_LENGTH_MAX = 12  # a longer "yes" says something else as well


class Command(Enum):
    """What the customer wants of the conversation."""

    AFFIRM = "affirm"
    DENY = "deny"
    CORRECT = "correct"
    CANCEL = "cancel"
    GO_BACK = "go_back"
    REPEAT = "service_repeat"
    HUMAN = "service_human"
    HELP = "service_help"
    RESUME = "resume"
    DONT_KNOW = "dont_know"
    WAIT = "wait"


_NOISE = re.compile(r"[\s，。！？、,.!?~～…：:；;“”\"'（）()]+")
_TAIL = re.compile(r"(吧|啊|呀|哈|呢|哦|噢|喔|啦|嘛|了|的|滴|哒|咯|喽)+$")

_DEED = "(办|弄|转|交|充|搞|找|查|加|登录?|删|锁|挂失?|存|取|留|买|缴|付|还|绑)"
_RULES: tuple[tuple[Command, re.Pattern[str]], ...] = tuple(
    (command, re.compile(pattern))
    for command, pattern in (
        (
            Command.RESUME,
            r"^(我们|咱们|咱|请|那)?(接着|继续)(办|刚才|刚刚|之前|上次|做|弄|来|下去|说)?.{0,8}$",
        ),
        (Command.RESUME, r"^(回到|回去|还是办).{0,6}(刚才|刚刚|之前).{0,6}$"),
        (
            Command.DONT_KNOW,
            r"^(我|俺)?(也)?(不知道|不清楚|不晓得|不懂|记不得|不记得|忘了|忘记|说不准|想不起来|不确定).{0,6}$",
        ),
        (
            Command.WAIT,
            r"^(请)?(等一下|等等|稍等|等会|等会儿|等我一下|等一等|我看看|我想想|让我想想|先等等|慢着).{0,4}$",
        ),
        (Command.HUMAN, r"^(我要|帮我|请)?(转|找|要|接|叫)?(人工|真人)(客服|服务|坐席)?$"),
        (
            Command.CANCEL,
            r"^(那|我|还是|就|先|等等|等下|哎|唉|全部|都|快|赶紧)*"
            rf"((取消|算了?|放弃|退出|停止?|撤销|先?(不|不要|别|不用|不想){_DEED}了?)(这笔|那笔|这|那|了|转账|吧|先|我|就|还是)*)+$",
        ),
        (Command.GO_BACK, r"^(返回|回到|退回)?(上一步|前一步)$"),
        (Command.REPEAT, r"^(请|麻烦)?(再|重新|重复)(说|讲|念|来|重复)?(一遍|一次|一下)$"),
        (
            Command.AFFIRM,
            r"^(确认|确定|是|对|对对|对对对|嗯|嗯嗯|好|好好|行|可以|没错|没问题|对没问题|是这样|就这样|就这个|那就这个|就是这个|同意|要|需要|ok|OK|Ok|yes|中|得|转)$",
        ),
        (Command.DENY, r"^(不|不是|不对|不行|不要|不用|没有|错|不可以|不同意|不需要|no|NO|否|别)$"),
        (Command.CORRECT, r"^(修改|改|改一下|我要改|要改|我说错|说错|弄错|搞错)$"),
    )
)
ANSWERS = (Command.AFFIRM, Command.DENY, Command.CORRECT)  # they answer something that was said before
_BY_INTENT = {command.value: command for command in Command}
_NEGATION = re.compile(r"不|别|没|等|先|吗|？|\?|怎么|多少|错")


def plain(text: str) -> str:
    """The text without punctuation and closing particles."""
    bare = _NOISE.sub("", text)
    return _TAIL.sub("", bare) or bare


def recognise_by_rule(text: str) -> Command | None:
    """The steering command that the words themselves say, without the model."""
    bare = plain(text)
    return next((command for command, rule in _RULES if rule.match(bare)), None)


def recognise(text: str, heard: Understanding) -> Command | None:
    """The steering command of a message, or None. A yes is only taken from short texts without any negation."""
    ruled = recognise_by_rule(text)
    if ruled is not None:
        return ruled
    bare = plain(text)
    command_heard = _BY_INTENT.get(heard.intent)
    if command_heard is None or heard.confidence < MODEL_SURE:
        return None
    if command_heard is Command.AFFIRM and (len(bare) > AFFIRM_LENGTH_MAX or _NEGATION.search(text)):
        return None
    return command_heard


_QUESTION = re.compile(
    r"吗|么[？?]?$|[？?]|怎么|干嘛|干啥|咋|如何|多少钱一|为什么|为啥|是不是|要不要|能不能|会不会|可不可以|什么|啥|几天|多久|多长时间|哪里|有没有|收不收|区别|([^不]{1,2})不\1"
)


def sounds_like_question(text: str) -> bool:
    """True when the sentence asks rather than orders."""
    return _QUESTION.search(text) is not None


_BANKING = re.compile(r"银行|[农工建招交邮]行|信用社|行号|存款|贷款|信用卡|储蓄卡|转账|理财|投资|利息|利率")


def speaks_of_banking(text: str) -> bool:
    """True when the words name a bank or what only banks do: such a sentence is never off the topic."""
    return _BANKING.search(text) is not None
