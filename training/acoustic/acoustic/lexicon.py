"""The words of the bundled model and how they are said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pypinyin import Style, lazy_pinyin

from acoustic import phones, sentences

UNKNOWN: Final = "[unk]"
# Characters with a second reading that is heard at the counter; the first is what pypinyin gives them alone.
_ALSO: Final = {
    one.split()[0]: one.split()[1:]
    for one in (
        "行 xing hang; 长 chang zhang; 重 zhong chong; 还 hai huan; 都 dou du; 得 de dei; 地 di de; "
        "着 zhe zhao; 了 le liao; 觉 jue jiao; 乐 le yue; 数 shu; 调 diao tiao; 率 lv shuai; 说 shuo; "
        "种 zhong chong; 差 cha chai; 给 gei; 单 dan shan; 查 cha zha; 曾 ceng zeng; 仇 chou qiu; "
        "解 jie xie; 任 ren; 尉 wei yu; 朴 pu piao; 区 qu ou; 盖 gai ge; 参 can shen; 朝 chao zhao; "
        "传 chuan zhuan; 便 bian pian; 藏 cang zang; 弹 dan tan; 折 zhe she; 期 qi; 和 he huo; "
        "没 mei mo; 干 gan; 系 xi ji; 会 hui kuai; 什 shen shi; 大 da dai; 谁 shei shui; 那 na nei; "
        "哪 na nei; 这 zhe zhei; 车 che ju; 卡 ka qia; 血 xue xie; 角 jiao jue; 供 gong; 省 sheng xing; "
        "石 shi dan; 乘 cheng sheng; 嗯 en; 哦 o; 呃 e; 万 wan; 六 liu; 百 bai; 一 yi; 二 er; 不 bu; "
        "零 ling; "
    ).split("; ")
    if one
}


def _common() -> list[str]:
    """The 3,755 characters of GB 2312's first level."""
    found = []
    for row in range(0xB0, 0xD8):
        for column in range(0xA1, 0xFF):
            try:
                found.append(bytes((row, column)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


def _readings(word: str) -> list[tuple[str, ...]]:
    if len(word) == 1 and word in _ALSO:
        return [(one,) for one in _ALSO[word]]
    return [tuple(phones.bare(one) for one in lazy_pinyin(word, style=Style.NORMAL, v_to_u=False))]


def words(root: Path) -> list[str]:
    """Characters, then the counter's words, which are more certain whole than character by character."""
    found = dict.fromkeys([*_common(), *"幺〇", *sentences.menu(), *sentences.bills()])
    for name in ("banks", "people", "places", "surnames"):
        for line in (root / f"nlu_data/lexicons/{name}.txt").read_text("utf-8").splitlines():
            if not line.startswith("#"):
                found.update(dict.fromkeys(line.split()))
    for text in sentences.examples(root):
        found.update(dict.fromkeys(text))
    return [word for word in found if re.fullmatch(r"[一-鿿〇]{1,6}", word)]


Reading = tuple[tuple[int, ...], ...]  # phone numbers by syllable


def lexicon(root: Path) -> list[tuple[str, Reading]]:
    """(word, reading), a line a reading; the unknown word may be any syllable."""
    entries: list[tuple[str, Reading]] = []
    heard: set[str] = set()
    for word in words(root):
        for reading in _readings("零" if word == "〇" else word):
            try:
                numbers = tuple(tuple(phones.indices([one])) for one in reading)
            except KeyError:
                continue
            entries.append((word, numbers))
            heard.update(reading)
    entries += [(UNKNOWN, (tuple(phones.indices([name])),)) for name in sorted(heard)]
    return list(dict.fromkeys(entries))
