"""Which of a bank's products is meant. A word that covers several (贷款, 存单) is reported with all of them: ask."""

from __future__ import annotations

import re
from typing import Final, Literal

from bot.dialogue.reading.canon import canon
from bot.dialogue.reading.types import Reading

Product = Literal[
    "current_deposit",
    "time_deposit",
    "large_cd",
    "notice_deposit",
    "instalment_deposit",
    "money_fund",
    "fund",
    "wealth",
    "bond",
    "gold",
    "insurance",
    "debit_card",
    "credit_card",
    "mortgage",
    "fund_loan",
    "car_loan",
    "consumer_loan",
    "business_loan",
    "ecny",
    "shield",
]

_LOANS: Final[tuple[Product, ...]] = ("mortgage", "car_loan", "consumer_loan", "business_loan", "fund_loan")
# Patterns and what they mean, the likeliest first. Longer words stand above the words they hold.
_TABLE: Final[tuple[tuple[str, tuple[Product, ...]], ...]] = (
    (r"大额存单|大额定存|cd存单", ("large_cd",)),
    (r"通知存款|[17一七]天通知|通知存", ("notice_deposit",)),
    (r"零存整取|教育储蓄", ("instalment_deposit",)),
    (r"整存整取|定期存款|定期存单|定期储蓄|死期|定存|存定期|定期(?!转账|汇款|扣款|投|寿|还|账单|体检|检查)", ("time_deposit",)),
    (r"活期存款|活期(?!贷)", ("current_deposit",)),
    (r"存单(?!号)|存折?款(?=产品)", ("time_deposit", "large_cd")),
    (r"货币基金|零钱理财|活钱理财|现金管理", ("money_fund",)),
    (r"养老金?理财|银行理财|理财产品|净值型?理财|理财(?!经理|师|规划|课|顾问|风险|小知识|知识|公司|室)", ("wealth",)),
    (r"公积金(?:贷款?|按揭)", ("fund_loan",)),
    (r"基金定投|指数基金|股票基金|债券基金|债基|股基|混合基金|etf|基金(?!会|从业|经理|公司)", ("fund",)),
    (r"储蓄国债|记账式国债|电子式国债|凭证式国债|国债(?!逆回购)|国库券", ("bond",)),
    (r"积存金|纸黄金|实物金|金条|黄金(?!周|时间|时段|地段|海岸|会员|搭档)|投资金", ("gold",)),
    (r"(?:车|寿|重疾|意外|医疗|年金|养老|财产|家财|健康|分红)险|保单|保险(?!柜|箱|起见|丝|杠)", ("insurance",)),
    (r"信用卡|贷记卡", ("credit_card",)),
    (r"借记卡|储蓄卡|工资卡", ("debit_card",)),
    (r"二手房贷|房屋贷款|住房贷款|按揭(?!车)|房贷|房子贷款|买房贷款", ("mortgage",)),
    (r"车贷|汽车贷款|按揭车|买车贷款", ("car_loan",)),
    (r"消费贷款?|信用贷款?|装修贷款?|快贷|闪贷|现金贷", ("consumer_loan",)),
    (r"经营性?贷款?|企业贷款|小微贷款?|税贷|商户贷款?|流动资金贷款", ("business_loan",)),
    (r"贷款(?!卡)|(?<=[还借])贷(?!记)", _LOANS),
    (r"数字人民币|数币|电子人民币|e-?cny|数字钱包", ("ecny",)),
    (r"掌柜盾|u盾|优盾|网银盾|k宝|usbkey", ("shield",)),
)  # fmt: skip
_PATTERN: Final = re.compile("|".join(f"(?P<p{place}>{words})" for place, (words, _) in enumerate(_TABLE)))


def read_products(text: str) -> list[Reading[Product]]:
    """Every product named, in order."""
    copy = canon(text)
    found = []
    for match in _PATTERN.finditer(copy.text):
        first, *others = _TABLE[int((match.lastgroup or "p0")[1:])][1]
        found.append(copy.reading(first, *match.span(), tuple(others)))
    return found
