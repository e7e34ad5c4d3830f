"""What the engine itself says. One clear sentence and a next step each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.dialogue.announced import Announced
from bot.dialogue.reply import Choice, Reply, choices
from bot.dialogue.skill import Skill

SMALL_TALK: dict[str, str] = {
    "greet": "您好，我是掌柜银行的小掌柜。查余额、转账、交水电费、充话费都可以直接跟我说。",
    "thank": "不客气，能帮上您就好。还有别的要办的吗？",
    "goodbye": "好的，再见。有事随时叫我，祝您一切顺利。",
    "bot_identity": "我是掌柜银行的智能柜员小掌柜，是程序，不是真人。说“转人工”，就能找到我的同事。",
    "out_of_scope": "这个不在我的本行里，我只懂银行的事。查余额、转账、缴费或者银行业务的疑问，都可以问我。",
}

NOT_UNDERSTOOD = "没太听明白，您可以换个说法，比如“查余额”“给张三转500元”“交电费”。"
UNSURE = "我不确定您问的是不是下面这些，选一个就能看到回答；都不是的话，可以转人工。"
NEAREST = "您说的我拿不准，最接近的是下面这些，选一个就能看；都不是的话，换个说法，或者转人工。"
UNSURE_ALOUD = "您是不是想问："
NEAREST_ALOUD = "您说的我拿不准，也许是想问："
HELP_ALOUD = "我能帮您{skills}，银行业务的疑问也可以直接问。您要办什么？"
HELP_SKILLS_ALOUD_MAX = 5
NOT_KNOWN = "这个问题我不知道准确答案，不敢乱说。要不要请我的同事来回答您？"
OFFER_HUMAN = "我还是没弄明白，耽误您了。要不要请我的同事来帮您？"
NOTHING_UNDER_WAY = "现在没有正在办的业务。您想办什么，直接告诉我就行。"
NOTHING_TO_RESUME = "没有找到没办完的业务。您想办什么，直接告诉我就行。"
TAKE_YOUR_TIME = "好的，不着急，您准备好了再告诉我。"
ALREADY_DONE = "刚才那笔已经办好了，不会重复办理。"
DECLINED_HUMAN = "好的，那我继续帮您。您可以换个说法再说一次。"
LOST = "刚才没办完的业务接不上了，没有办理，也没有动您的钱。需要的话请重新告诉我。"
CANNOT_LISTEN = (
    "我的理解能力暂时出了故障，这句话处理不了。“确认”“取消”“转人工”我还听得懂，其他的请过一会儿再试。"
)
WAITING_FOR_CODE = "验证码已经发到您的手机了，请直接输入6位数字；没收到可以说“重发”，不办了说“取消”。"
WAITING_TO_LOG_IN = "还差登录：请输入密码，或者刚收到的验证码；不办了说“取消”。"
ELSEWHERE_FOR_CODE = "验证码已经发到您的手机了，请在安全页面输入；没收到可以说“重发”，不办了说“取消”。"
ELSEWHERE_TO_LOG_IN = "还差登录：请打开安全页面登录，登录好了我接着办；不办了说“取消”。"
WAITING_FOR_VOICE = "还差声音核实，请跟我念。"


def waiting(secret: str, *, login: bool, elsewhere: bool) -> Reply:
    """What is still to be given; `secret` is its kind, `elsewhere` that it must not be typed in this chat."""
    if secret == "voice":
        return Reply(WAITING_FOR_VOICE, choices=choices("用验证码", "取消"))
    if elsewhere and login:
        return Reply(ELSEWHERE_TO_LOG_IN, choices=choices("取消"))
    if elsewhere:
        return Reply(ELSEWHERE_FOR_CODE, choices=choices("重发", "取消"))
    return Reply(WAITING_TO_LOG_IN if login else WAITING_FOR_CODE, choices=choices("重发", "取消"))


def still_held(skill: Skill) -> Reply:
    """A person has not looked at it yet."""
    text = f"刚才的{skill.title}还要由同事和您核实，钱没有动。说“转人工”找同事，不办了就说“取消”。"
    return Reply(text, choices=choices("转人工", "取消"))


def suggested(questions: Sequence[str], *, sure: bool, aloud: bool) -> Reply:
    """Names what may have been meant; `sure` that one of these was."""
    offered = choices(*questions, "转人工")
    if not aloud:
        return Reply(UNSURE if sure else NEAREST, choices=offered)
    return Reply((UNSURE_ALOUD if sure else NEAREST_ALOUD) + _keys(questions), choices=offered)


def _keys(offered: Sequence[str]) -> str:
    """For who cannot see a list: what the keys choose, one sentence each."""
    return "".join(f"{said.rstrip('？?。')}，请按{key}。" for key, said in enumerate(offered, 1))


def not_known() -> Reply:
    """Says so rather than invent, and offers a human."""
    return Reply(NOT_KNOWN, choices=(Choice("转人工", "转人工"), Choice("不用了", "不用了")))


def if_you_mean(question: str, answer: str) -> str:
    """An answer to what was probably asked, which says so."""
    return f"如果您问的是“{question}”：{answer}"


def cannot_listen() -> Reply:
    """The understanding service is down."""
    return Reply(CANNOT_LISTEN, choices=choices("转人工"))


def offer_human() -> Reply:
    """After two clarifications."""
    return Reply(OFFER_HUMAN, choices=(Choice("转人工", "转人工"), Choice("不用，我再试试", "不用")))


def cancelled(skill: Skill) -> str:
    """A skill was given up by the customer."""
    money = "，没有动您的钱" if skill.manner.moves_money else ""
    return f"好的，{skill.title}已取消{money}。"


def shelved(skill: Skill) -> str:
    """A skill was put aside because nobody spoke for long."""
    return f"刚才的{skill.title}隔得有点久，我先放到一边了，没有办理。想继续就说“接着刚才的{skill.title}”。"


def confirm_reminder(skill: Skill, shown: Iterable[str]) -> Reply:
    """Brings a waiting read-back to mind without repeating the whole card."""
    what = "，".join(shown)
    wish = f"{skill.title}：{what}。" if what else f"{skill.title}，"
    return Reply(f"接着刚才的{wish}要办吗？", choices=answers(skill))


def answers(skill: Skill) -> tuple[Choice, ...]:
    """What a read-back is answered with; where nothing was asked for there is nothing to change."""
    return choices("确认", "修改", "取消") if skill.slots else choices("确认", "取消")


def what_to_change(skill: Skill) -> Reply:
    """The customer says the read-back is wrong but not where."""
    words = tuple(Choice(f"改{slot.label}", f"改{slot.label}") for slot in skill.slots)
    return Reply(
        "好的，哪里要改？直接说新的也行，比如“金额改成六百”。", choices=(*words, Choice("取消", "取消"))
    )


def help_reply(skills: Iterable[Skill], often_asked: Sequence[str] = (), *, aloud: bool = False) -> Reply:
    """What the assistant can do, with a sentence to start each, and the questions asked most these days."""
    offered = [skill for skill in skills if skill.manner.example and not skill.manner.hidden]
    offered = [skill for skill in offered if not (aloud and skill.manner.on_screen)]
    if aloud:
        titles = "、".join(skill.title for skill in offered[:HELP_SKILLS_ALOUD_MAX])
        return Reply(HELP_ALOUD.format(skills=titles), choices=choices("查余额", "转账", "交电费", "转人工"))
    lines = "\n".join(f"· {skill.title}：“{skill.manner.example}”" for skill in offered)
    asked = "".join(f"\n· {question}" for question in often_asked)
    popular = f"\n最近大家常问：{asked}" if asked else ""
    return Reply(
        f"我能帮您办这些事，照着说就行：\n{lines}{popular}\n银行业务的疑问也可以直接问；想找真人，说“转人工”。",
        choices=choices("查余额", "转账", "交电费", "转人工"),
    )


def did_you_mean(titles: list[str], *, aloud: bool = False) -> Reply:
    """Asks back instead of guessing."""
    if len(titles) == 1:
        return Reply(f"您是想办“{titles[0]}”吗？", choices=choices("是的", "不是", "转人工"))
    offered = (*titles, "都不是")
    if aloud:
        return Reply(f"您是想办哪一件？{_keys(offered)}", choices=choices(*offered))
    return Reply("您是想办下面哪一件？", choices=choices(*offered))


def in_turn(titles: list[str]) -> str:
    """Several wishes in one sentence: the order in which they are done."""
    first, *rest = titles
    return f"好的，一件一件来：先{first}，" + "，".join(f"再{title}" for title in rest) + "。"


def next_wish(title: str) -> str:
    """The wish that waited begins."""
    return f"接下来办{title}。"


def still_wanted(title: str) -> Reply:
    """One wish was given up: is the other one still wanted?"""
    return Reply(f"您刚才还说要{title}，现在办吗？", choices=choices("是的", "不是"))


def announced(row: Announced, questions: Iterable[str]) -> Reply:
    """What cannot be done here yet, what is possible today, and questions that explain it."""
    return Reply(row.today, choices=choices(*questions, "转人工"))
