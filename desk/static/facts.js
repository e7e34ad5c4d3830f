// The right column: what is known of the customer, so that nobody has to ask again.

import { byId, el, terms } from "./dom.js";
import { session } from "./shelf.js";
import { durationText } from "./times.js";

export const VOUCH = "@vouch"; // where what is typed about the customer's identity is kept
const EMPTY_AUDIT = "在“全场”打开一段对话，这里显示客户资料、验证情况和正在办理的业务。";
const EMPTY = "接待客户后，这里显示客户资料、验证情况和正在办理的业务。";

function block(title, rows, ...more) {
  const filled = rows.filter(([, value]) => value);
  const extra = more.filter(Boolean);
  if (!filled.length && !extra.length) return null;
  return el("section", { class: "facts-block" },
    el("h3", { text: title }),
    filled.length ? terms(filled.map(([label, value, kind]) => [label, kind ? el("span", { class: kind, text: value }) : value])) : null,
    ...extra);
}

/** A masked name gives its first character in the clear ("*伟" -> "伟"), a stranger none. */
function initialOf(name) {
  return name.startsWith("*") ? name.replaceAll("*", "").slice(0, 1) : "客";
}

/**
 * Shows what is known in `talk`. `on` has propose(slot, text), vouch(note), again() (draw anew), card() and unmask(field); without them one only looks.
 * Nothing is drawn again while it stays the same, and what the agent is typing survives.
 */
export function renderFacts(talk, on = {}) {
  const shelf = byId("facts");
  const facts = talk?.facts;
  const key = facts ? JSON.stringify([talk.id, facts, talk.card, Object.keys(talk.filling), Object.keys(on)]) : "";
  if (shelf.dataset.key === key) return;
  shelf.dataset.key = key;
  if (!facts) {
    shelf.replaceChildren(el("p", { class: "facts-empty", text: session.agent?.acts === false ? EMPTY_AUDIT : EMPTY }));
    return;
  }
  const writing = shelf.contains(document.activeElement) ? document.activeElement.dataset.slot : null;
  const top = shelf.scrollTop;
  shelf.replaceChildren(
    header(facts, talk, on),
    verifiedNode(facts),
    el("p", { class: "facts-wait" }, el("span", { class: "reason", "data-reason": facts.reason, text: facts.reason_text }), facts.waited_s === null ? null : `等了 ${durationText(facts.waited_s)}`),
    ...[
      ...facts.orders.filter((order) => order.stopped).map((order) => orderBlock(order, facts)),
      formBlock(talk, on),
      ...facts.orders.filter((order) => !order.stopped).map((order) => orderBlock(order, facts)),
      cardBlock(talk, on),
      block("刚才聊过", [["业务", facts.topics.join("、")]]),
    ].filter(Boolean));
  shelf.scrollTop = top;
  if (writing) shelf.querySelector(`[data-slot="${CSS.escape(writing)}"]`)?.focus();
}

function header(facts, talk, on) {
  return el("div", { class: "facts-who" },
    el("span", { class: "avatar", "aria-hidden": "true", text: initialOf(facts.name) }),
    el("div", {},
      el("strong", { text: facts.name }),
      el("p", { class: "facts-sub", text: [facts.level_text, facts.channel].filter(Boolean).join(" · ") }),
      el("p", { class: "facts-sub mono", text: facts.phone })),
    on.card && facts.known && !talk.card
      ? el("button", { type: "button", class: "button small facts-card", "data-testid": "card-open", title: "查看客户资料（I），会留下记录", text: "资料", onclick: () => on.card() })
      : null);
}

function verifiedNode(facts) {
  const verified = facts.verified && facts.verified !== "未登录";
  return el("p", { class: `verified ${verified ? "yes" : "no"}`, "data-testid": "facts-verified" },
    el("b", { text: verified ? "已验证" : "未验证" }),
    el("span", { text: verified ? facts.verified : "客户没有登录，不要透露账户信息" }));
}

function cardBlock(talk, on) {
  const card = talk.card;
  if (!card || !on.unmask) return null;
  const masked = (label, field) => [
    label, el("span", { class: "mono", "data-testid": `card-${field}`, text: card.revealed?.[field] ?? card[field] }),
    card.revealed?.[field] ? null : el("button", { type: "button", class: "link-button", "data-testid": `unmask-${field}`, text: "显示", title: "会留下记录", onclick: () => on.unmask(field) }),
  ];
  const rows = [["开户", card.since], ...(card.accounts ?? []), ["限制", (card.restrictions ?? []).join("、")]].filter(([, value]) => value);
  return el("section", { class: "facts-block", "data-testid": "card" },
    el("h3", { text: "客户资料" }),
    terms([masked("姓名", "name"), masked("手机", "phone"), ...rows]));
}

/** The business half done: what is filled in, and a field for what is missing, to be put before the customer. */
function formBlock(talk, on) {
  const { facts } = talk;
  if (!facts.skill) return null;
  const rows = facts.form.length ? facts.form : facts.slots.map(([label, shown]) => ({ label, shown }));
  return block("办到一半", [["业务", facts.skill], ["进度", facts.phase], ["订单号", facts.order_number, "mono"]],
    el("ul", { class: "form-rows" }, ...rows.map((row) => formRow(talk, row, on))),
    facts.proposal ? el("p", { class: "proposal", "data-testid": "proposal", text: `等客户采用：${facts.proposal.label} ${facts.proposal.shown}` }) : null,
    on.vouch && facts.held ? (session.agent.certifies ? vouchForm(talk, on) : el("p", { class: "faint", "data-testid": "vouch-not", text: `核实客户身份要由有“${session.agent.certifies_text}”的同事来做，请转给他们。` })) : null,
    on.propose && facts.form.length ? el("p", { class: "faint", text: "填好后由客户采用，办理前还要客户本人确认。" }) : null);
}

/** Held for a person: the agent says how they made sure; the customer confirms afterwards. */
function vouchForm(talk, on) {
  const input = el("input", {
    "aria-label": "怎么核实的", placeholder: "怎么核实的，例：核对了证件、开户网点、最近一笔消费", maxlength: "200", "data-slot": VOUCH, "data-testid": "vouch-note",
    autocomplete: "off", oninput: () => (talk.filling[VOUCH] = input.value),
  });
  input.value = talk.filling[VOUCH] ?? "";
  return el("form", { class: "form-row", "data-testid": "vouch", onsubmit: (event) => (event.preventDefault(), input.value.trim() && on.vouch(input.value.trim())) },
    input, el("button", { type: "submit", class: "button small primary", "data-testid": "vouch-send", text: "已核实本人" }));
}

/** What is missing has a field; what is filled in gets one when the agent wants to change it. */
function formRow(talk, row, on) {
  const mine = on.propose && row.name;
  const open = mine && (!row.shown || talk.filling[row.name] !== undefined);
  const value = el("span", { class: "form-value" },
    el("span", { class: row.shown ? "" : "faint", text: row.shown || (row.asking ? "正在问客户" : "还没填") }),
    mine && !open
      ? el("button", { type: "button", class: "link-button", "data-slot": row.name, "data-testid": `change-${row.name}`, text: "改", onclick: () => ((talk.filling[row.name] = ""), on.again()) })
      : null);
  const item = el("li", {}, el("span", { class: "form-label", text: row.label }), value);
  if (!open) return item;
  const input = el("input", {
    "aria-label": `替客户填${row.label}`, placeholder: row.question, maxlength: "200", "data-slot": row.name, "data-testid": `fill-${row.name}`,
    autocomplete: "off", oninput: () => (talk.filling[row.name] = input.value),
  });
  input.value = talk.filling[row.name] ?? "";
  item.append(el("form", { class: "form-row", onsubmit: (event) => (event.preventDefault(), input.value.trim() && on.propose(row.name, input.value.trim())) },
    input, el("button", { type: "submit", class: "button small", "data-testid": `propose-${row.name}`, text: "请客户核对" })));
  return item;
}

/** An order with its risk; of the one that stands in the form above already, only the risk. */
function orderBlock(order, facts) {
  const reasons = order.reasons.length
    ? el("div", { class: "risk", "data-testid": "risk" }, el("b", { text: `风险：${order.verdict || "有提示"}` }), el("ul", {}, ...order.reasons.map((text) => el("li", { text }))))
    : order.verdict ? el("p", { class: "faint", text: `风险：${order.verdict}` }) : null;
  if (order.number === facts.order_number) return reasons && block("这笔订单", [], reasons);
  return block(order.stopped ? "风险拦下的订单" : "最近订单", [["业务", `${order.kind} · ${order.status}`], ...order.facts, ["订单号", order.number, "mono"]], reasons);
}

/** For a ticket or a complaint: its number, and how it is worked off. */
export function renderSteps(initial, title, number, steps) {
  const shelf = byId("facts");
  shelf.dataset.key = `${title} ${number}`;
  shelf.replaceChildren(
    el("div", { class: "facts-who" },
      el("span", { class: "avatar", "aria-hidden": "true", text: initial }),
      el("div", {}, el("strong", { text: title }), el("p", { class: "facts-sub mono", text: number }))),
    session.agent.acts ? el("section", { class: "facts-block" },
      el("h3", { text: "怎么办" }),
      el("ol", { class: "steps" }, ...steps.map((text) => el("li", { text })))) : "");
}
