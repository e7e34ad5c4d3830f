"""What callers say: digit strings, amounts, dates, orders with names, and the understanding's own examples."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Final

DIGITS: Final = "零一二三四五六七八九"
_UNITS: Final = ("", "十", "百", "千")
_GIVEN: Final = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰红梅玲建国华文志宇浩轩子涵欣怡梓晨雨佳雪婷慧琳晶莹倩鑫鹏飞龙斌峰"
    "波辉凯旭东亮成林山海江河春夏秋冬月星天云安康宁福贵祥瑞庆生光辰昊然博思远嘉琪诗晓小大玉珍凤淑贞素琴洁颖蕾薇菲蓉"
)
_MENU: Final = (
    "是 是的 对 对的 好 好的 行 可以 没错 确认 确定 嗯 不 不是 不对 不要 不行 错了 取消 算了 等一下 "
    "再说一遍 重复 慢一点 转人工 人工 人工服务 找人工 返回 上一步 继续 下一个 没有了 谢谢 再见 不用了 查余额 "
    "查询余额 余额 转账 我要转账 交电费 交水费 交话费 还信用卡 挂失 查账单 查明细 贷款 理财 存款 办卡 改密码 "
    "本人 他行 全部 一半 最低还款 全额还款 第一个 第二个 第三个 第四个 第五个 今天 明天 后天 昨天 下个月 本月 "
    "上个月 每月"
).split()
_TEMPLATES: Final = (
    "给{name}转{amount} 转{amount}给{name} 我要给{name}转{amount} "
    "给{name}汇{amount} 转账{amount} {amount} 交{bill}{amount} 交{bill} "
    "查{bill} 充{amount}话费 还信用卡{amount} 取{amount} 存{amount} {name} "
    "{date} {date}转{amount} 从{date}到{date}的账单 查{date}的明细 尾号{tail} "
    "尾号{tail}的卡 密码是{code} {code} {code} {code} {tail} 验证码{code} "
    "手机号{phone} {phone} 不对是{amount} 改成{amount} {menu} {menu} "
    "{menu} 向{name}转{amount} 帮我给{name}转{amount} 我想查一下{date}的余额"
).split()
_BILLS: Final = "电费 水费 燃气费 话费 宽带费 物业费 暖气费 房贷 车贷 学费 社保 停车费".split()


def number(value: int, rng: random.Random) -> str:
    """A whole number below 100 million in words, the way it is spoken."""
    if value >= 10000:
        rest = value % 10000
        head = number(value // 10000, rng) + "万"
        if not rest:
            return head
        return head + ("零" if rest < 1000 else "") + number(rest, rng)
    words, gap = "", False
    for place in range(3, -1, -1):
        digit = value // 10**place % 10
        if not digit:
            gap = bool(words)
            continue
        name = DIGITS[digit]
        if digit == 2 and place >= 2 and rng.random() < 0.6:
            name = "两"
        if digit == 1 and place == 1 and not words:
            name = ""
        words += ("零" if gap else "") + name + _UNITS[place]
        gap = False
    return words or "零"


def digits(text: str, rng: random.Random) -> str:
    """Digit by digit; in half of the strings 1 is yao."""
    one = "幺" if rng.random() < 0.5 else "一"
    return "".join(one if char == "1" else DIGITS[int(char)] for char in text)


def digit_string(rng: random.Random, least: int = 1, most: int = 11) -> str:
    """Random digits in words."""
    return digits("".join(rng.choice("0123456789") for _ in range(rng.randint(least, most))), rng)


def amount(rng: random.Random) -> str:
    """An amount of money in words."""
    form = rng.random()
    if form < 0.35:
        value = rng.randint(1, 99) * 10 ** rng.randint(0, 4)
    elif form < 0.6:
        value = rng.randint(1, 9999)
    else:
        value = rng.randint(1, 9) * 10 ** rng.randint(1, 5)
    words = number(value, rng)
    if value > 110 and rng.random() < 0.15 and words[-1] in "百千万":
        return words + rng.choice(DIGITS[1:])
    if rng.random() < 0.12:
        return words + rng.choice("点块") + rng.choice(DIGITS[1:]) + rng.choice(("", rng.choice(DIGITS[1:])))
    return words + rng.choice(("", "块", "元", "块钱", "元钱", "元整"))


def date(rng: random.Random) -> str:
    """A date in words."""
    month, day = number(rng.randint(1, 12), rng), number(rng.randint(1, 31), rng)
    year = digits(str(rng.randint(2020, 2029)), rng).replace("幺", "一") + "年"
    return rng.choice(
        (f"{month}月{day}{rng.choice('日号')}", f"{day}号", f"{year}{month}月", f"{month}月", year)
    )


def name(rng: random.Random, surnames: list[str]) -> str:
    """A person's name."""
    given = "".join(rng.choice(_GIVEN) for _ in range(rng.choice((1, 2, 2))))
    return rng.choice(surnames[: rng.choice((20, 100, len(surnames)))]) + given


def order(rng: random.Random, surnames: list[str]) -> str:
    """One sentence of the counter."""
    return rng.choice(_TEMPLATES).format(
        name=name(rng, surnames),
        amount=amount(rng),
        date=date(rng),
        bill=rng.choice(_BILLS),
        tail=digit_string(rng, 4, 4),
        code=digit_string(rng, 6, 6),
        phone=digit_string(rng, 11, 11),
        menu=rng.choice(_MENU),
    )


def surnames(root: Path) -> list[str]:
    """Family names, common ones first."""
    lines = (root / "nlu_data/lexicons/surnames.txt").read_text("utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


def examples(root: Path) -> list[str]:
    """The training examples of the understanding that are Chinese throughout, numbers in words."""
    found = []
    rng = random.Random(7)
    for path in sorted((root / "nlu_data").glob("*.yml")):
        for line in path.read_text("utf-8").splitlines():
            match = re.match(r"\s+- (\S.*)$", line)
            if match is None or "intent:" in line:
                continue
            text = re.sub(r"\[([^\]]*)\](\([^)]*\)|\{[^}]*\})", r"\1", match[1])
            text = re.sub(r"[，。？！、,.?!\s]", "", text)
            text = re.sub(r"\d+", lambda run: _spoken(run[0], rng), text)
            if re.fullmatch(r"[一-鿿]{2,24}", text):
                found.append(text)
    return found


def _spoken(run: str, rng: random.Random) -> str:
    return digits(run, rng) if len(run) > 4 or run[0] == "0" else number(int(run), rng)


def menu() -> list[str]:
    """What is said to a menu or a question, and nothing else."""
    return list(_MENU)


def bills() -> list[str]:
    """What is paid regularly."""
    return list(_BILLS)
