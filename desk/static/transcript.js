// The conversation in the middle. Customer's words are only ever set as text.

import { byId, el, terms } from "./dom.js";
import { clockText, dayKey, dayText } from "./times.js";

const NEAR_PX = 80;
const SENDERS = { customer: "客户", bot: "小掌柜", agent: "我", system: "系统" };

function cardTable(card) {
  return el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": card.title || "表格" },
    el("table", {},
      el("thead", {}, el("tr", {}, ...card.columns.map((text) => el("th", { scope: "col", text })))),
      el("tbody", {}, ...card.rows.map((row) => el("tr", {}, ...row.map((text) => el("td", { text })))))));
}

/** Any card: title, facts, table, note; what it does not know of it leaves out. */
function cardNode(card) {
  const facts = card.facts ?? [];
  return el("div", { class: "bot-card", "data-kind": card.kind ?? "" },
    card.title ? el("p", { class: "bot-card-title", text: card.title }) : null,
    facts.length ? terms(facts.map(({ label, value }) => [label, value])) : null,
    card.columns?.length ? cardTable(card) : null,
    card.note ? el("p", { class: "bot-card-note", text: card.note }) : null);
}

const PICTURE = "[图片]";

/** What the customer sent instead of words; the server gives it to nobody but the agent who has them. */
function pictureNode(message, talkId) {
  if (message.sender !== "customer" || message.text !== PICTURE || !message.client_id) return null;
  const lost = () => image.replaceWith(el("p", { class: "notice", text: "图片没有保存，或者已经过期。" }));
  const src = `/desk/api/conversations/${encodeURIComponent(talkId)}/pictures/${encodeURIComponent(message.client_id)}`;
  const image = el("img", { class: "picture", alt: "客户发来的图片", "data-testid": "picture", src, onerror: lost });
  return image;
}

function messageNode(message, talkId) {
  const sender = SENDERS[message.sender] ? message.sender : "system";
  const at = el("time", { datetime: message.created_at, text: clockText(message.created_at) });
  const props = { class: `line ${sender}`, "data-testid": "message", "data-sender": sender, "data-seq": message.seq };
  if (sender === "system") return el("div", props, el("p", { class: "notice" }, el("span", { text: message.text }), " ", at));
  const topic = message.topic ? el("span", { class: "topic", title: "小掌柜听成的意思", text: message.topic }) : null;
  const name = sender === "customer" ? "客户" : message.sender_name || SENDERS[sender];
  const choices = (message.choices ?? []).map((choice) => choice.label).join(" · ");
  return el("div", props,
    el("div", { class: "line-head" }, el("span", { text: name }), at, topic),
    message.text ? el("p", { class: "bubble", text: message.text }) : null,
    pictureNode(message, talkId),
    message.card ? cardNode(message.card) : null,
    choices ? el("p", { class: "choices", text: `给客户的选项：${choices}` }) : null);
}

const NOTES = { note: "备注", whisper: "主管提示", transfer: "转交说明", summary: "小结" };

/** What a colleague noted: plainly not part of the talk. */
function noteNode(note) {
  return el("div", { class: `line side ${note.kind}`, "data-testid": "note", "data-note": note.id, "data-after": note.after_seq },
    el("div", { class: "line-head" },
      el("b", { text: NOTES[note.kind] ?? "备注" }), el("span", { text: `${note.author_name} · 客户看不到` }),
      el("time", { datetime: note.created_at, text: clockText(note.created_at) })),
    el("p", { class: "bubble", text: note.text }));
}

function pendingNode(entry, outbox) {
  const failed = entry.state === "failed";
  return el("div", { class: `line agent ${failed ? "failed" : "pending"}`, "data-testid": "pending", "data-client": entry.clientId },
    el("div", { class: "line-head" }, el("span", { text: failed ? `没有发出：${entry.error}` : "正在发送…" })),
    el("p", { class: "bubble", text: entry.text }),
    failed
      ? el("div", { class: "retry" },
        el("button", { type: "button", class: "button small", text: "重发", onclick: () => outbox.retry(entry) }),
        el("button", { type: "button", class: "button quiet small", text: "放弃", onclick: () => outbox.drop(entry) }))
      : null);
}

export class Transcript {
  constructor(list = "transcript", newer = "newer") {
    this.list = byId(list);
    this.newer = byId(newer);
    this.shown = null; // conversation id
    this.newer.addEventListener("click", () => this.toEnd());
    this.list.addEventListener("scroll", () => this.isNearEnd() && (this.newer.hidden = true));
    new ResizeObserver(() => this.stick && this.toEnd()).observe(this.list);
    this.stick = true;
    this.list.addEventListener("scroll", () => (this.stick = this.isNearEnd()));
  }

  /** Shows what is new of `talk`; starts over when it is another conversation. */
  render(talk, outbox) {
    const fresh = this.shown !== talk.id;
    const follow = fresh || this.isNearEnd();
    if (fresh) {
      this.shown = talk.id;
      // A whole conversation appearing at once is not news: nothing of it is read out.
      this.list.setAttribute("aria-live", "off");
      this.list.replaceChildren();
    }
    const had = this.list.querySelectorAll("[data-seq]").length;
    this.addMessages(talk);
    this.addNotes(talk);
    this.showPending(talk, outbox);
    this.list.setAttribute("aria-busy", String(!talk.loaded));
    if (fresh) requestAnimationFrame(() => this.list.setAttribute("aria-live", "polite"));
    if (follow) this.toEnd();
    else if (this.list.querySelectorAll("[data-seq]").length > had) this.newer.hidden = false;
  }

  clear() {
    this.shown = null;
    this.list.replaceChildren();
  }

  addMessages(talk) {
    const firstPending = () => this.list.querySelector("[data-client]");
    const last = [...this.list.querySelectorAll("[data-seq]")].at(-1);
    const lastSeq = last ? Number(last.dataset.seq) : 0;
    const messages = talk.inOrder();
    const late = messages.some((message) => message.seq < lastSeq && !this.list.querySelector(`[data-seq="${message.seq}"]`));
    if (late) this.list.replaceChildren();
    let previous = late ? null : messages.filter((message) => message.seq <= lastSeq).at(-1) ?? null;
    for (const message of messages) {
      if (!late && message.seq <= lastSeq) continue;
      if (!previous || dayKey(previous.created_at) !== dayKey(message.created_at)) {
        this.list.insertBefore(el("div", { class: "day", text: dayText(message.created_at) }), firstPending());
      }
      this.list.insertBefore(messageNode(message, talk.id), firstPending());
      previous = message;
    }
  }

  addNotes(talk) {
    for (const note of talk.notes) {
      if (this.list.querySelector(`[data-note="${CSS.escape(note.id)}"]`)) continue;
      const next = [...this.list.querySelectorAll("[data-seq]")].find((node) => Number(node.dataset.seq) > note.after_seq);
      // The line of a new day belongs to the message after it.
      const place = next?.previousElementSibling?.classList.contains("day") ? next.previousElementSibling : next;
      this.list.insertBefore(noteNode(note), place ?? this.list.querySelector("[data-client]"));
    }
  }

  showPending(talk, outbox) {
    for (const node of this.list.querySelectorAll("[data-client]")) node.remove();
    for (const entry of talk.pending) this.list.append(pendingNode(entry, outbox));
  }

  isNearEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_PX;
  }

  toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    this.newer.hidden = true;
  }
}
