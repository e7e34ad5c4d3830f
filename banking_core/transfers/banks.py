"""The banks of the country by the names people call them."""

from __future__ import annotations

from dataclasses import dataclass

from banking_core.checked import checked_function

OUR_BANK_NAME = "掌柜银行"
OUR_BANK_NAMES = frozenset({OUR_BANK_NAME, "掌柜", "本行", "你们银行", "咱们银行", "你行", "我行"})


@dataclass(frozen=True)
class BankInfo:
    """A bank. `code` None is ours."""

    code: str | None
    name: str
    aliases: tuple[str, ...] = ()


OUR_BANK = BankInfo(None, OUR_BANK_NAME, tuple(sorted(OUR_BANK_NAMES - {OUR_BANK_NAME})))
OTHER_BANKS = (
    BankInfo("ICBC", "工商银行", ("工行", "中国工商银行")),
    BankInfo("ABC", "农业银行", ("农行", "中国农业银行")),
    BankInfo("BOC", "中国银行", ("中行",)),
    BankInfo("CCB", "建设银行", ("建行", "中国建设银行")),
    BankInfo("BCOM", "交通银行", ("交行",)),
    BankInfo("PSBC", "邮储银行", ("邮政储蓄", "邮政银行", "邮政储蓄银行", "邮储", "中国邮政储蓄银行")),
    BankInfo("CMB", "招商银行", ("招行",)),
    BankInfo("CITIC", "中信银行", ("中信",)),
    BankInfo("CEB", "光大银行", ("光大", "中国光大银行")),
    BankInfo("HXB", "华夏银行", ("华夏",)),
    BankInfo("CMBC", "民生银行", ("民生", "中国民生银行")),
    BankInfo("CGB", "广发银行", ("广发", "广东发展银行")),
    BankInfo("PAB", "平安银行", ("平安",)),
    BankInfo("CIB", "兴业银行", ("兴业",)),
    BankInfo("SPDB", "浦发银行", ("浦发", "上海浦东发展银行", "浦东发展银行")),
    BankInfo("CZB", "浙商银行", ("浙商",)),
    BankInfo("CBHB", "渤海银行", ("渤海",)),
    BankInfo("HFB", "恒丰银行", ("恒丰",)),
    BankInfo("BOB", "北京银行", ()),
    BankInfo("BOS", "上海银行", ()),
    BankInfo("NBCB", "宁波银行", ()),
    BankInfo("JSB", "江苏银行", ()),
    BankInfo("NJCB", "南京银行", ()),
    BankInfo("HZCB", "杭州银行", ()),
    BankInfo("CDCB", "成都银行", ()),
    BankInfo("SRCB", "上海农商银行", ("上海农商行",)),
    BankInfo("BJRCB", "北京农商银行", ("北京农商行",)),
    BankInfo("WEBANK", "微众银行", ("微众",)),
    BankInfo("MYBANK", "网商银行", ("网商",)),
)
_BY_NAME = {name: bank for bank in (OUR_BANK, *OTHER_BANKS) for name in (bank.name, *bank.aliases)}
_BY_CODE = {bank.code: bank for bank in OTHER_BANKS}


@checked_function
def find_bank(name: str) -> BankInfo | None:
    """The bank people mean by a name ('工行', '掌柜银行'), with or without 股份有限公司.

    None when unknown.
    """
    plain = name.strip().removesuffix("股份有限公司")
    return _BY_NAME.get(plain) or _BY_NAME.get(plain.removeprefix("中国"))


@checked_function
def bank_name(code: str | None) -> str | None:
    """The Chinese name for a bank code; ours for None, None for an unknown code."""
    if code is None:
        return OUR_BANK_NAME
    bank = _BY_CODE.get(code)
    return None if bank is None else bank.name
