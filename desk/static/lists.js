// The left column: customers one serves, and customers who wait.

import { byId, el, part, reconcile, setBadge, setCurrent, setText } from "./dom.js";
import { session } from "./shelf.js";
import { offerLeftS, standingOffer } from "./taking.js";

const LEVELS = new Set(["gold", "vip"]);

export function setLevel(node, item) {
  const chip = part(node, "level");
  const shown = LEVELS.has(item.level);
  chip.hidden = !shown;
  chip.className = `tag ${shown ? item.level : ""}`;
  setText(chip, shown ? item.level_text : "");
}

function queueCard(claim, passBy) {
  return (item) =>
    el(
      "li",
      { class: "card", "data-testid": "queue-item", "data-conversation": item.conversation_id },
      el("div", { class: "card-top" },
        el("strong", { "data-part": "name" }),
        el("span", { "data-part": "level", class: "tag" }),
        el("span", { class: "wait", "data-part": "wait", title: "已等待" })),
      el("p", { class: "card-text", "data-part": "text" }),
      el("div", { class: "card-foot" },
        el("span", { class: "reason", "data-part": "reason" }),
        el("span", { class: "offer", "data-part": "offer" }),
        el("span", { class: "card-acts" },
          el("button", {
            type: "button", class: "button small", "data-testid": "pass", "data-part": "pass", text: "让给同事", hidden: true,
            onclick: (event) => passBy(event.currentTarget.closest("li").dataset.conversation),
          }),
          el("button", {
            type: "button", class: "button primary small", "data-testid": "claim", "data-part": "claim", text: "接待",
            onclick: (event) => claim(event.currentTarget.closest("li").dataset.conversation),
          }))),
    );
}

function updateQueueCard(node, item) {
  setText(part(node, "name"), item.customer_name);
  setLevel(node, item);
  setText(part(node, "text"), item.last_text || "（没有留言）");
  const why = item.case_reason_text === item.reason_text ? "" : item.case_reason_text;
  const reason = [why, item.reason_text, item.team].filter(Boolean).join(" · ");
  setText(part(node, "reason"), reason);
  part(node, "reason").title = reason;
  part(node, "reason").dataset.reason = item.case_reason ?? item.reason;
  part(node, "wait").dataset.since = String(item.sinceMs);
  part(node, "wait").dataset.due = item.due_at ?? "";
  const offered = standingOffer(item);
  const offer = remark(item, offered);
  setText(part(node, "offer"), offer);
  part(node, "offer").hidden = !offer;
  part(node, "offer").dataset.barred = String(Boolean(item.barred));
  part(node, "pass").hidden = offered !== "me";
  node.dataset.offered = offered;
  updateClaim(part(node, "claim"), item);
}

/** Beside the reason: who may take the customer, or to whom they are offered and for how much longer. */
function remark(item, offered) {
  if (session.agent.acts && item.barred) return item.barred; // an auditor takes nobody: that need not stand on every card
  if (!offered) return item.certification_text ?? "";
  return `派给${offered === "me" ? "您" : item.offered_name} · ${offerLeftS(item)}秒`;
}

/** A button that would be refused says why: it stays in its place and can be reached, since the reason may pass by itself. */
function updateClaim(button, item) {
  button.hidden = Boolean(item.barred);
  button.disabled = Boolean(item.busy);
  button.title = item.why;
  if (item.why) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  button.setAttribute("aria-label", `接待${item.customer_name}，${item.why || item.reason_text}`);
}

export function renderQueue(items, claim, passBy) {
  reconcile(byId("queue"), items, (item) => item.conversation_id, queueCard(claim, passBy), updateQueueCard);
  byId("queue-empty").hidden = items.length > 0;
  setText(byId("queue-count"), items.length ? `${items.length} 位` : "");
}

function mineCard(open) {
  return (item) =>
    el(
      "li",
      { "data-testid": "mine-item", "data-conversation": item.conversation_id },
      el("button", {
        type: "button", class: "card own", "data-part": "open",
        onclick: (event) => open(event.currentTarget.closest("li").dataset.conversation),
      },
        el("span", { class: "card-top" },
          el("strong", { "data-part": "name" }),
          el("span", { "data-part": "level", class: "tag" }),
          el("span", { class: "wait", "data-part": "wait" }),
          el("b", { class: "badge", "data-part": "unread", hidden: true })),
        el("span", { class: "card-text one", "data-part": "text" })),
    );
}

const SAID_BY = { agent: "我：" };

function updateMineCard(node, item) {
  const [button, wait, unread] = [part(node, "open"), part(node, "wait"), part(node, "unread")];
  setText(part(node, "name"), item.customer_name);
  setLevel(node, item);
  setText(part(node, "text"), (SAID_BY[item.last_sender] ?? "") + (item.last_text || "……"));
  wait.dataset.due = item.due;
  if (item.sinceMs) wait.dataset.since = String(item.sinceMs);
  else {
    delete wait.dataset.since;
    delete wait.dataset.late;
    setText(wait, "");
  }
  setBadge(unread, item.unread);
  setCurrent(button, item.current);
  const news = item.unread ? `，${item.unread}条新消息` : "";
  button.setAttribute("aria-label", `${item.customer_name}${news}`);
}

export function renderMine(items, maxLoad, open) {
  reconcile(byId("mine"), items, (item) => item.conversation_id, mineCard(open), updateMineCard);
  byId("mine-empty").hidden = items.length > 0;
  setText(byId("mine-count"), `${items.length} / ${maxLoad}`);
}
