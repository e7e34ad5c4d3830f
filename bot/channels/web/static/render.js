// The log: bubbles in the order of their seq, what is still on its way after them.

import { cardElement, wordsBeside } from "./cards.js";
import { el, icon } from "./dom.js";

const GAP_MS = 5 * 60_000;
const FACES = { bot: "bot", agent: "agent", customer: "customer" };
const CODE = /^(\[收款码\])[a-z]{26}$/; // the server keeps it without the code, too
const DOTS = "••••••";
const WEEKDAYS = ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"];

/** "14:03", "昨天 14:03", "星期三 14:03", "10月2日 14:03", "2025年10月2日 14:03" */
export function whenText(at, now = new Date()) {
  const clock = `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days <= 0) return clock;
  if (days === 1) return `昨天 ${clock}`;
  if (days < 7) return `${WEEKDAYS[at.getDay()]} ${clock}`;
  const day = `${at.getMonth() + 1}月${at.getDate()}日 ${clock}`;
  return at.getFullYear() === now.getFullYear() ? day : `${at.getFullYear()}年${day}`;
}

export class ChatLog {
  #log;
  #scroller;
  #jump;
  #handlers;
  #choices = new Map(); // entry element -> its choices
  #stick = true;
  #live = false;

  /** `handlers`: choose(choice), retry(clientId), choices(list, sender) whenever the open quick replies change. */
  constructor(log, scroller, jump, handlers) {
    this.#log = log;
    this.#scroller = scroller;
    this.#jump = jump;
    this.#handlers = handlers;
    this.lastSeq = 0;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    jump.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#stick && this.toEnd()).observe(scroller);
  }

  get isEmpty() {
    return this.#log.querySelector("[data-seq], [data-client-id]") === null;
  }

  /** From now on new messages are read out and slide in. */
  goLive() {
    this.#live = true;
    this.#log.setAttribute("aria-live", "polite");
  }

  clear() {
    this.#log.replaceChildren();
    this.#choices.clear();
    this.#live = false;
    this.#log.setAttribute("aria-live", "off");
    this.lastSeq = 0;
    this.#stick = true;
  }

  /** The first words, shown by the page itself and always on top. */
  greet(text) {
    const entry = el("div", { class: "entry", "data-sender": "bot", "data-testid": "greeting" });
    entry.append(this.#row("bot", "小掌柜", [bubble("bot", text)]));
    this.#log.prepend(entry);
  }

  /** A message of the server; one that is there already (by seq or client_id) is only brought up to date. */
  add(message) {
    const mine = message.client_id && this.#byClientId(message.client_id);
    if (!mine && this.#log.querySelector(`[data-seq="${message.seq}"]`)) return;
    const entry = this.#entry(message);
    entry.setAttribute("data-seq", message.seq);
    entry.setAttribute("data-at", message.created_at);
    if (mine) mine.remove();
    else if (this.#live) entry.classList.add("fresh");
    this.#insert(entry, message.seq);
    this.lastSeq = Math.max(this.lastSeq, message.seq);
    if (message.choices?.length) this.#choices.set(entry, message.choices);
    this.#refresh(message.sender === "customer");
  }

  /** The customer's own message before the server has it. */
  addPending({ client_id: clientId, text, secret, at }) {
    if (this.#byClientId(clientId)) return;
    const entry = this.#entry({ sender: "customer", text: secret ? DOTS : text.replace(CODE, "$1") });
    entry.setAttribute("data-client-id", clientId);
    entry.setAttribute("data-at", at);
    entry.classList.add("pending");
    this.#log.append(entry);
    this.#when(entry);
    this.#refresh(true);
  }

  /** The server has it: `seq` is its place, should its own message frame stay away. */
  acknowledge(clientId, seq) {
    const entry = this.#byClientId(clientId);
    if (!entry) return;
    entry.classList.remove("pending", "failed");
    entry.querySelector(".retry")?.remove();
    if (entry.hasAttribute("data-seq")) return;
    entry.remove();
    if (this.#log.querySelector(`[data-seq="${seq}"]`)) return;
    entry.setAttribute("data-seq", seq);
    this.#insert(entry, seq);
  }

  /** It did not get through: a button to try again. */
  fail(clientId) {
    const entry = this.#byClientId(clientId);
    if (!entry || entry.classList.contains("failed")) return;
    entry.classList.replace("pending", "failed");
    const retry = el("button", { type: "button", class: "retry", "data-testid": "retry", "aria-label": "没有发出去，点这里重发" }, "!");
    retry.addEventListener("click", () => {
      retry.remove();
      entry.classList.replace("failed", "pending");
      this.#handlers.retry(clientId);
    });
    entry.querySelector(".outgoing").append(retry);
  }

  drop(clientId) {
    this.#byClientId(clientId)?.remove();
    this.#refresh(false);
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#stick = true;
    this.#jump.hidden = true;
  }

  /** Something below the log grew (typing, rating): keep the end in sight if it was. */
  settle() {
    if (this.#stick) this.toEnd();
  }

  #byClientId(clientId) {
    return this.#log.querySelector(`[data-client-id="${CSS.escape(clientId)}"]`);
  }

  #entry(message) {
    const { sender, text, card } = message;
    const entry = el("div", { class: "entry", "data-sender": sender, "data-testid": `message-${sender}` });
    if (message.client_id) entry.setAttribute("data-client-id", message.client_id);
    if (sender === "system") {
      entry.append(el("p", { class: "system", "data-testid": "bubble-system" }, text));
      return entry;
    }
    const parts = [];
    if (sender === "agent" && message.sender_name) parts.push(el("span", { class: "who", "aria-hidden": "true" }, message.sender_name));
    const words = card ? wordsBeside(text, card) : text;
    if (words) parts.push(bubble(sender, words));
    if (card) {
      entry.classList.add("has-card");
      parts.push(cardElement(card, this.#cardButtons(message), message.seq));
    }
    entry.append(this.#row(sender, message.sender_name, parts));
    return entry;
  }

  #row(sender, name, parts) {
    const who = sender === "customer" ? "我" : name || "小掌柜";
    return el(
      "div",
      { class: "row" },
      el("span", { class: "avatar" }, icon(FACES[sender] ?? "bot", "")),
      el("div", { class: "stack" }, el("span", { class: "vh" }, `${who}：`), ...parts),
    );
  }

  /** The read-back is answered on the card itself. */
  #cardButtons(message) {
    if (message.card.kind !== "readback") return [];
    return (message.choices ?? []).map((choice, at) =>
      el("button", { type: "button", class: at === 0 ? "first" : null, "data-testid": "choice", onclick: () => this.#handlers.choose(choice) }, choice.label),
    );
  }

  #insert(entry, seq) {
    const settled = [...this.#log.querySelectorAll(":scope > [data-seq]")];
    const before = settled.reverse().find((other) => Number(other.dataset.seq) < seq);
    if (before) before.after(entry);
    else {
      const first = this.#log.querySelector(":scope > [data-seq], :scope > [data-client-id]");
      this.#log.insertBefore(entry, first);
    }
    this.#when(entry);
    if (entry.nextElementSibling) this.#when(entry.nextElementSibling);
  }

  /** A time above the entry when the one before is long ago. */
  #when(entry) {
    entry.querySelector(":scope > .when")?.remove();
    const at = new Date(entry.dataset.at);
    const before = entry.previousElementSibling?.dataset.at;
    if (before && at - new Date(before) < GAP_MS) return;
    entry.prepend(el("p", { class: "when", "data-testid": "time" }, whenText(at)));
  }

  /** Only what was asked last can be answered by a button. */
  #refresh(mine) {
    const entries = [...this.#log.children];
    const lastMine = entries.findLastIndex((entry) => entry.dataset.sender === "customer");
    const open = entries.slice(lastMine + 1).findLast((entry) => this.#choices.has(entry));
    for (const choices of this.#log.querySelectorAll(".choices")) {
      const answered = !open || !open.contains(choices);
      choices.closest(".card").classList.toggle("answered", answered);
      for (const button of choices.children) button.disabled = answered;
    }
    const onCard = Boolean(open?.querySelector(".choices"));
    this.#handlers.choices(open && !onCard ? this.#choices.get(open) : [], open?.dataset.sender);
    if (mine || this.#stick) this.toEnd();
    else if (this.#live) this.#jump.hidden = false;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#stick = scrollHeight - scrollTop - clientHeight < 60;
    if (this.#stick) this.#jump.hidden = true;
  }
}

function bubble(sender, text) {
  const node = el("div", { class: "bubble", "data-testid": `bubble-${sender}` }, text);
  if (text === DOTS) node.classList.add("dots");
  return sender === "customer" ? el("div", { class: "outgoing" }, node) : node;
}
