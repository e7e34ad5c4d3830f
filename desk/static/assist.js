// What helps the agent write: answers the knowledge base suggests, and replies kept ready under /shortcuts.

import { api } from "./api.js";
import { byId, el, setText } from "./dom.js";

const CHIPS = 6;
const SHOWN_MAX = 8;

/** The three answers above the composer. The strip keeps its height, so that nothing below it ever jumps. */
export class Suggestions {
  /** `use(text)` puts an answer into the composer, to be edited before it is sent. */
  constructor(use) {
    this.use = use;
    this.items = [];
    this.key = "";
    this.timer = 0;
  }

  /** Asks again when the customer has said something new. */
  follow(talk) {
    const last = talk?.loaded ? talk.inOrder().findLast((message) => message.sender === "customer") : null;
    const key = last ? `${talk.id} ${last.seq}` : "";
    if (key === this.key) return;
    if (!this.key.startsWith(`${talk?.id} `)) this.clear(); // what helped with another customer is not picked for this one
    this.key = key;
    clearTimeout(this.timer);
    if (!key) return this.show([]);
    this.timer = setTimeout(() => this.fetch(talk.id, key), 250);
  }

  async fetch(id, key) {
    let items = [];
    try {
      ({ items } = await api.suggestions(id));
    } catch {
      // Nothing to suggest is no reason to disturb anybody.
    }
    if (key === this.key) this.show(items);
  }

  clear() {
    this.items = [];
    byId("suggest").replaceChildren();
  }

  show(items) {
    this.items = items;
    const strip = byId("suggest");
    strip.replaceChildren(
      ...items.map((item, at) =>
        el("button", { type: "button", class: "suggestion", title: item.answer, "data-testid": "suggestion", onclick: () => this.pick(at) },
          el("kbd", { text: String(at + 1) }), el("span", { text: item.question }), el("small", { text: `${item.sure}%` }))));
    const empty = this.key ? "知识库里没有合适的回答" : "客户提问后，这里给出知识库的建议回答";
    if (!items.length) strip.append(el("span", { class: "faint", text: empty }));
  }

  pick(at) {
    if (this.items[at]) this.use(this.items[at].answer);
  }
}

/** Replies by shortcut: chips above the composer, and a list that opens with / in an empty composer. */
export class Canned {
  /** `fillings()` gives what stands for each placeholder in the open conversation, `manage()` opens the list to keep. */
  constructor(composer, fillings, manage) {
    this.composer = composer;
    this.fillings = fillings;
    this.manage = manage;
    this.items = [];
    this.at = 0;
    this.list = byId("canned");
    byId("canned-manage").addEventListener("click", () => this.manage());
    const text = composer.text;
    text.addEventListener("input", () => this.filter());
    text.addEventListener("blur", () => setTimeout(() => document.activeElement !== text && this.close(), 150));
    text.addEventListener("keydown", (event) => this.key(event), { capture: true });
  }

  async load() {
    try {
      this.take((await api.replies()).items);
    } catch {
      this.take([]);
    }
  }

  take(items) {
    this.items = items;
    byId("phrases").replaceChildren(
      ...items.slice(0, CHIPS).map((item) =>
        el("button", { type: "button", class: "chip", text: item.shortcut, title: item.text, onclick: () => this.composer.insert(this.filled(item)) })));
    if (!this.list.hidden) this.render();
  }

  /** The text with what stands for its placeholders; one that nothing is known for stays for the agent to see. */
  filled(item) {
    const known = this.fillings();
    return item.text.replace(/\{([^{}]+)\}/g, (whole, name) => known[name] ?? whole);
  }

  get matches() {
    const wanted = /^\/(\S*)$/.exec(this.composer.text.value);
    if (!wanted) return null;
    const fits = this.items.filter((item) => item.shortcut.startsWith(wanted[1]) || (wanted[1].length > 1 && item.text.includes(wanted[1])));
    return fits.slice(0, SHOWN_MAX);
  }

  filter() {
    this.at = 0;
    this.render();
  }

  render() {
    const matches = this.matches;
    this.list.hidden = !matches;
    this.composer.text.setAttribute("aria-expanded", String(Boolean(matches)));
    if (!matches) return;
    this.list.replaceChildren(
      ...matches.map((item, at) =>
        el("li", { role: "option", id: `canned-${at}`, "aria-selected": String(at === this.at), "data-testid": "canned-item", onmousedown: (event) => (event.preventDefault(), this.pick(item)) },
          el("b", { text: `/${item.shortcut}` }), el("span", { text: this.filled(item) }), item.scope === "all" ? null : el("small", { text: item.scope === "own" ? "我的" : "小组" }))));
    if (!matches.length) this.list.append(el("li", { class: "faint", text: "没有这个快捷词，接着写就当普通文字发送" }));
    this.composer.text.setAttribute("aria-activedescendant", matches.length ? `canned-${this.at}` : "");
  }

  key(event) {
    const matches = this.matches;
    if (!matches || this.list.hidden || event.isComposing || event.keyCode === 229) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && matches.length) this.at = (this.at + step + matches.length) % matches.length;
    else if (event.key === "Escape") this.list.hidden = true;
    else if ((event.key === "Enter" || event.key === "Tab") && matches.length) this.pick(matches[this.at]);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (step) this.render();
  }

  open() {
    this.composer.text.focus();
    if (!this.composer.text.value) this.composer.insert("/");
    this.filter();
  }

  pick(item) {
    this.composer.replace(this.filled(item));
    this.close();
  }

  close() {
    this.list.hidden = true;
    this.composer.text.setAttribute("aria-expanded", "false");
  }
}

/** Under the composer: what WeChat still lets through, when it is little. */
export function renderReach(facts) {
  const left = facts?.messages_left ?? null;
  const note = byId("reach");
  note.hidden = left === null;
  note.dataset.low = String(left !== null && left <= 1);
  setText(note, left === null ? "" : left > 0 ? `微信还能发 ${left} 条` : "微信额度已用完，客户再来消息才发得出");
}
