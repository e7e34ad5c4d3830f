"""Bank names: full, short and by nickname (宇宙行), with clearing code and canonical name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.dialogue.reading.canon import canon
from bot.dialogue.reading.types import Reading


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank: ``code`` is its customary short code, ``own`` marks the bank that speaks."""

    code: str
    name: str
    own: bool = False


OWN_CODE: Final = "ZGB"

# code, canonical name, other names; a name with a trailing ? (平安 and 民生 are ordinary words too) is only believed
# before 银行卡-like words, or alone. 北京 and 上海 without 银行 are cities and nothing else.
_TABLE: Final = """
ZGB 掌柜银行 掌柜银 本行 你们行 咱们行 我们行 贵行 你行 咱行 你们银行 你们家银行 咱们银行 本银行 贵银行
ICBC 中国工商银行 icbc 工商银行 工行 宇宙行 工商行 爱存不存 工商?
ABC 中国农业银行 农业银行 农行 农业行 农业?
BOC 中国银行 boc 中行 中银?
CCB 中国建设银行 ccb 建设银行 建行 建设行 建设?
BOCOM 交通银行 交行 交通行 交通?
PSBC 中国邮政储蓄银行 psbc 邮政储蓄银行 邮政储蓄 邮储银行 邮储 邮政银行 邮政? 邮局?
CMB 招商银行 cmb 招行 招商行 招商?
SPDB 上海浦东发展银行 spdb 浦东发展银行 浦发银行 浦发行 浦发
CIB 兴业银行 兴业行 兴业?
CITIC 中信银行 citic 中信行 中信?
CMBC 中国民生银行 cmbc 民生银行 民生行 民生?
CEB 中国光大银行 ceb 光大银行 光大行 光大?
PAB 平安银行 平安行 深圳发展银行 深发展 平安?
CGB 广发银行 广东发展银行 广发行 广发?
HXB 华夏银行 华夏行 华夏?
CZB 浙商银行 浙商行 浙商?
CBHB 渤海银行 渤海行 渤海?
EGB 恒丰银行 恒丰行 恒丰?
BOB 北京银行 京行
BOS 上海银行
JSB 江苏银行
NJCB 南京银行
NBCB 宁波银行 甬行
HZCB 杭州银行
HSB 徽商银行 徽商?
BOCD 成都银行
CQCB 重庆银行
CDCB 成都农商银行 成都农商行
CRCB 重庆农村商业银行 重庆农商银行 重庆农商行 渝农商行
XACB 西安银行
ZZB 郑州银行
TJB 天津银行
BOQD 青岛银行
DLB 大连银行
HRBB 哈尔滨银行
GZB 广州银行
CSB 长沙银行
GYB 贵阳银行
SJB 盛京银行
SZB 苏州银行
JXB 江西银行
ZYB 中原银行
HBB 河北银行
JSHB 晋商银行
GSB 甘肃银行
XMB 厦门银行
XIB 厦门国际银行
SRCB 上海农村商业银行 上海农商银行 上海农商行
BRCB 北京农村商业银行 北京农商银行 北京农商行
GRCB 广州农村商业银行 广州农商银行 广州农商行
RCC 农村信用社 农村信用合作社 农信社 农商银行 农商行 农村商业银行 信用社 农信?
WEBANK 微众银行 深圳前海微众银行 微众?
MYBANK 网商银行 浙江网商银行 网商?
AIBANK 百信银行 中信百信银行
XWB 新网银行 四川新网银行
HSBC 汇丰银行 汇丰行 汇丰?
SCB 渣打银行 渣打
HKBEA 东亚银行 东亚?
CITI 花旗银行 花旗
HSCB 恒生银行 恒生?
DBS 星展银行 星展
UOB 大华银行
NCB 南洋商业银行
BODG 东莞银行
GZCB 贵州银行
LZYH 兰州银行
JZB 锦州银行
JLB 吉林银行
LJB 龙江银行
FDB 富滇银行
HKB 汉口银行
HUBEIB 湖北银行
HUNANB 湖南银行
GLB 桂林银行
BBWB 广西北部湾银行 北部湾银行
QLB 齐鲁银行
WHCCB 威海银行 威海市商业银行
WZB 温州银行
TZB 台州银行
TLB 浙江泰隆商业银行 泰隆银行
CZCB 浙江稠州商业银行 稠州银行
SXB 绍兴银行
CQTGB 重庆三峡银行 三峡银行
SNB 江苏苏宁银行 苏宁银行
KLB 昆仑银行
NXB 宁夏银行
QHB 青海银行
XZB 西藏银行
BSB 蒙商银行
HNB 海南银行
SDEB 顺德农商银行 顺德农商行
SZRCB 深圳农村商业银行 深圳农商银行 深圳农商行
QDRCB 青岛农商银行 青岛农商行
"""

_CARD_AFTER: Final = r"(?=银?行?的?(?:卡|储蓄卡|信用卡|借记卡|账户|账号|户头|那张|尾号|网点|支行|柜台|atm))"
_ALONE_AFTER: Final = r"(?=的?吧?(?:$|[，。,！？、]))"
_ALONE_BEFORE: Final = r"(?:(?<![一-龥a-z])|(?<=[是用从到他她它选那就行转给在]))"
_NOT_BEFORE: Final = {
    "中行": "集其途空",
    "建行": "新",
    "工行": "手",
    "本行": "日原",
    "交行": "外",
    "京行": "南北东",
    "中国银行": "在",
    "平安": "路",
    "建设": "家市村乡",
}
_NOT_AFTER: Final = {
    "建行": "程为", "中行": "为走进", "中国银行": "业间", "工行": "为动", "交行": "为", "招行": "为", "本行": "业",
    "上海银行": "行业", "北京银行": "行业", "掌柜银": "子元",
}  # fmt: skip


def _compile() -> tuple[re.Pattern[str], dict[str, Bank]]:
    banks: dict[str, Bank] = {}
    patterns: list[tuple[int, str]] = []
    for line in _TABLE.strip().splitlines():
        code, name, *others = line.split()
        bank = Bank(code, name, own=code == OWN_CODE)
        for alias in (name, *others):
            word = alias.rstrip("?")
            banks[word] = bank
            before = f"(?<![{_NOT_BEFORE[word]}])" if word in _NOT_BEFORE else ""
            after = f"(?![{_NOT_AFTER[word]}])" if word in _NOT_AFTER else ""
            if word.isascii():
                before, after = "(?<![a-z0-9])", "(?![a-z0-9])"
            said = f"{before}{word}{after}"
            if alias.endswith("?"):
                said = f"{said}{_CARD_AFTER}|{_ALONE_BEFORE}{said}{_ALONE_AFTER}"
            patterns.append((len(word), said))
    patterns.sort(key=lambda item: -item[0])
    return re.compile("|".join(pattern for _, pattern in patterns)), banks


_PATTERN, _BANKS = _compile()
BANKS: Final = tuple(dict.fromkeys(_BANKS.values()))


def bank_at(text: str, at: int) -> int | None:
    """End of the bank name beginning at ``at`` in canonical text, or None."""
    match = _PATTERN.match(text, at)
    return match.end() if match else None


def read_banks(text: str) -> list[Reading[Bank]]:
    """Every bank named in the text, in order."""
    copy = canon(text)
    return [copy.reading(_BANKS[match.group()], *match.span()) for match in _PATTERN.finditer(copy.text)]
