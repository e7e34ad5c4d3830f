// The right column: what is known of the customer, so that nobody has to ask again.

import { byId, el } from "./dom.js";

function block(title, rows) {
  const filled = rows.filter(([, value]) => value);
  if (!filled.length) return null;
  return el("section", { class: "facts-block" },
    el("h3", { text: title }),
    el("dl", {}, ...filled.map(([label, value, kind]) =>
      el("div", {}, el("dt", { text: label }), el("dd", { class: kind ?? null, text: value })))));
}

/** A masked name gives its first character in the clear ("*伟" -> "伟"), a stranger none. */
function initialOf(name) {
  return name.startsWith("*") ? name.replaceAll("*", "").slice(0, 1) : "客";
}

export function renderFacts(facts) {
  const shelf = byId("facts");
  if (!facts) {
    shelf.replaceChildren(el("p", { class: "facts-empty", text: "接待客户后，这里显示客户资料、验证情况和正在办理的业务。" }));
    return;
  }
  const verified = facts.verified && facts.verified !== "未登录";
  shelf.replaceChildren(
    el("div", { class: "facts-who" },
      el("span", { class: "avatar", "aria-hidden": "true", text: initialOf(facts.name) }),
      el("div", {},
        el("strong", { text: facts.name }),
        el("p", { class: "facts-sub", text: [facts.level_text, facts.channel].filter(Boolean).join(" · ") }))),
    el("p", { class: `verified ${verified ? "yes" : "no"}`, "data-testid": "facts-verified" },
      el("b", { text: verified ? "已验证" : "未验证" }),
      el("span", { text: verified ? facts.verified : "客户没有登录，不要透露账户信息" })),
    ...[
      block("转人工", [["原因", facts.reason_text]]),
      block("风险核实", facts.stopped),
      block("正在办理", [["业务", facts.skill], ...facts.slots, ["订单号", facts.order_number, "mono"]]),
      block("刚才聊过", [["业务", facts.topics.join("、")]]),
      block("客户", [["手机", facts.phone]]),
    ].filter(Boolean));
}

export function renderTicketFacts(ticket) {
  byId("facts").replaceChildren(
    el("div", { class: "facts-who" },
      el("span", { class: "avatar", "aria-hidden": "true", text: "单" }),
      el("div", {}, el("strong", { text: "回电工单" }), el("p", { class: "facts-sub mono", text: ticket.number }))),
    el("section", { class: "facts-block" },
      el("h3", { text: "怎么办" }),
      el("ol", { class: "steps" },
        el("li", { text: "点“显示号码”，拨打客户电话（查看会留下记录）" }),
        el("li", { text: "先核对客户身份，再谈账户上的事" }),
        el("li", { text: "写下处理结果，办结工单" }))));
}
