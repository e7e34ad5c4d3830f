// Canned replies as a list to keep: add, change, put in order, take out of use. For oneself, and for a team or all by who may.

import { api } from "./api.js";
import { byId, el, options, part, reconcile, setCurrent, setText } from "./dom.js";

export class ReplyEditor {
  /** `on` has changed() when other replies are ready than before, failed(error), and textMax(), the longest text. */
  constructor(on) {
    this.on = on;
    this.scope = "own";
    this.items = [];
    this.chosen = ""; // id of the one in the form, "" for a new one
    this.dialog = byId("replies");
    byId("replies-close").addEventListener("click", () => this.dialog.close());
    byId("replies-new").addEventListener("click", () => this.choose(""));
    byId("replies-scope").addEventListener("change", (event) => this.narrow(event.target.value));
    byId("reply-form").addEventListener("submit", (event) => this.save(event));
    byId("reply-retire").addEventListener("click", () => this.retire());
    byId("replies-list").addEventListener("keydown", (event) => this.key(event));
  }

  /** Opens the list; `text` is a beginning for a new one. */
  async open(text = "") {
    try {
      this.take(await api.keptReplies());
    } catch (error) {
      return this.on.failed(error);
    }
    this.dialog.showModal();
    this.choose("", text);
  }

  take({ items, scopes, placeholders }) {
    this.items = items;
    if (!scopes.some(([code]) => code === this.scope)) this.scope = "own";
    options(byId("replies-scope"), scopes);
    byId("replies-scope").value = this.scope;
    byId("reply-placeholders").replaceChildren(
      ...placeholders.map(([name, words]) => el("button", { type: "button", class: "chip", text: `${name} ${words}`, "data-testid": "placeholder", onclick: () => this.insert(name) })));
    this.render();
  }

  get listed() {
    return this.items.filter((item) => item.scope === this.scope);
  }

  narrow(scope) {
    this.scope = scope;
    this.render();
    this.choose("");
  }

  render() {
    reconcile(byId("replies-list"), this.listed, (item) => item.id, (item) => this.row(item), (node, item) => this.update(node, item));
    byId("replies-empty").hidden = this.listed.length > 0;
    byId("replies-keys").hidden = this.listed.length < 2;
  }

  row({ id }) {
    const step = (text, by, label) => el("button", { type: "button", class: "button small", "data-part": by < 0 ? "up" : "down", tabindex: "-1", title: label, text, onclick: () => this.move(id, by) });
    return el("li", { class: "reply-row", "data-testid": "reply-row" },
      el("button", { type: "button", class: "card own", "data-part": "open", onclick: () => this.choose(id) },
        el("span", { class: "card-top" }, el("strong", { "data-part": "shortcut" }), el("span", { class: "due", "data-part": "state" })),
        el("span", { class: "card-text one", "data-part": "text" })),
      step("↑", -1, "上移（Alt+↑）"), step("↓", 1, "下移（Alt+↓）"));
  }

  update(node, item) {
    setText(part(node, "shortcut"), `/${item.shortcut}`);
    setText(part(node, "text"), item.text);
    setText(part(node, "state"), item.retired ? "已停用" : "");
    node.classList.toggle("retired", item.retired);
    part(node, "up").hidden = part(node, "down").hidden = item.retired;
    setCurrent(part(node, "open"), item.id === this.chosen);
  }

  choose(id, text = "") {
    const item = this.items.find((candidate) => candidate.id === id);
    this.chosen = item ? id : "";
    setText(byId("reply-title"), item ? "修改常用语" : "新的常用语");
    byId("reply-shortcut").value = item?.shortcut ?? "";
    byId("reply-text").value = item?.text ?? text;
    byId("reply-text").maxLength = this.on.textMax();
    setText(byId("reply-error"), "");
    setText(byId("reply-done"), "");
    byId("reply-retire").hidden = !item;
    setText(byId("reply-retire"), item?.retired ? "恢复使用" : "停用");
    setText(byId("reply-save"), item ? "保存" : "添加");
    this.render();
    byId("reply-shortcut").focus();
  }

  insert(name) {
    const box = byId("reply-text");
    box.setRangeText(name, box.selectionStart, box.selectionEnd, "end");
    box.focus();
  }

  key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const row = event.target.closest("li");
    if (!step || !row) return;
    event.preventDefault();
    if (event.altKey) return this.move(row.dataset.key, step);
    const next = step < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (next) part(next, "open").focus();
  }

  async save(event) {
    event.preventDefault();
    const reply = { shortcut: byId("reply-shortcut").value.trim(), text: byId("reply-text").value.trim() };
    const send = this.chosen ? () => api.changeReply(this.chosen, reply) : () => api.addReply({ ...reply, scope: this.scope });
    const answer = await this.act(send);
    if (!answer) return;
    this.choose("");
    setText(byId("reply-done"), `已保存 /${reply.shortcut}`);
  }

  async retire() {
    const item = this.items.find(({ id }) => id === this.chosen);
    if (item && (await this.act(() => api.replyAct(item.id, item.retired ? "restore" : "retire")))) this.choose(item.id);
  }

  async move(id, step) {
    if (!(await this.act(() => api.replyAct(id, "move", { step })))) return;
    part(byId("replies-list").querySelector(`[data-key="${CSS.escape(id)}"]`), "open").focus();
  }

  /** Sends, and shows the list as it is then; gives null, and says why, when it was refused. */
  async act(send) {
    try {
      const answer = await send();
      this.take(answer);
      this.on.changed();
      setText(byId("reply-error"), "");
      return answer;
    } catch (error) {
      if (error.status === 401) {
        this.dialog.close();
        this.on.failed(error);
      } else setText(byId("reply-error"), error.text ?? "没有保存成功，请再试一次。");
      return null;
    }
  }
}
