// Complaints: the list on the left, one with its log and what may be done about it in the middle.

import { api } from "./api.js";
import { byId, el, reconcile, setText } from "./dom.js";
import { toast } from "./notices.js";
import { momentText } from "./times.js";

const part = (node, name) => node.querySelector(`[data-part="${name}"]`);
const EMPTY = { open: "没有待处理的投诉", answered: "没有等客户评价的投诉", closed: "还没有办结的投诉" };

export class ComplaintBoard {
  /** `on` has opened() when a complaint takes the middle, and failed(error). */
  constructor(on) {
    this.on = on;
    this.status = "open";
    this.items = [];
    this.current = null;
    this.categories = [];
    this.agent = null;
    for (const status of Object.keys(EMPTY)) byId(`complaints-${status}`).addEventListener("click", () => this.show(status));
  }

  async show(status) {
    this.status = status;
    for (const name of Object.keys(EMPTY)) byId(`complaints-${name}`).setAttribute("aria-pressed", String(name === status));
    await this.refresh();
  }

  async refresh() {
    try {
      const answer = await api.complaints(this.status);
      this.items = answer.items;
      this.categories = answer.categories;
    } catch (error) {
      return this.on.failed(error);
    }
    reconcile(byId("complaints"), this.items, (item) => item.number, (item) => this.card(item), (node, item) => this.update(node, item));
    byId("complaints-empty").hidden = this.items.length > 0;
    setText(byId("complaints-empty"), EMPTY[this.status]);
  }

  card(item) {
    return el("li", { "data-testid": "complaint-item" },
      el("button", { type: "button", class: "card own", onclick: () => this.open(item.number) },
        el("span", { class: "card-top" }, el("strong", { "data-part": "category" }), el("span", { class: "due", "data-part": "due" })),
        el("span", { class: "card-text", "data-part": "text" }),
        el("span", { class: "card-foot" }, el("span", { class: "mono faint", "data-part": "number" }), el("span", { class: "faint", "data-part": "who" }))));
  }

  update(node, item) {
    setText(part(node, "category"), item.category_text + (item.round_text ? `（${item.round_text}）` : ""));
    setText(part(node, "text"), item.content || "（由同事处理）");
    setText(part(node, "number"), item.number);
    setText(part(node, "who"), item.assignee || "待认领");
    const open = item.status === "filed" || item.status === "working";
    setText(part(node, "due"), open ? `${item.late ? "已超时 " : ""}${momentText(item.due_at)}前` : item.status_text);
    part(node, "due").dataset.late = item.late ? "late" : "";
    if (this.current === item.number) node.firstElementChild.setAttribute("aria-current", "true");
    else node.firstElementChild.removeAttribute("aria-current");
  }

  async open(number) {
    try {
      const { complaint } = await api.complaint(number);
      this.current = number;
      this.on.opened();
      this.render(complaint);
      byId("complaint").querySelector("h2").focus();
      await this.refresh();
    } catch (error) {
      this.on.failed(error);
    }
  }

  close() {
    this.current = null;
  }

  render(item) {
    const rows = [["状态", item.status_text + (item.round_text ? `，${item.round_text}` : "")], ["处理人", item.assignee || "待认领"], ["提交时间", momentText(item.filed_at)], ["期限", `${momentText(item.due_at)}前${item.late ? "（已超时）" : ""}`]];
    if (item.score) rows.push(["客户评分", `${item.score} 分`]);
    byId("complaint").replaceChildren(
      el("header", { class: "talk-head" },
        el("div", { class: "talk-who" }, el("h2", { tabindex: "-1", text: `投诉 · ${item.category_text}` }), el("p", { class: "mono", text: item.number })),
        el("div", { class: "talk-acts" }, item.status === "filed" && this.agent?.acts ? this.button("认领", "complaint-take", () => this.act(item, () => api.complaintAct(item.number, "take", {}))) : null)),
      el("div", { class: "ticket-body" },
        el("h3", { text: "客户说" }), el("p", { class: "ticket-content", text: item.content }),
        el("dl", { class: "ticket-facts" }, ...rows.map(([label, value]) => el("div", {}, el("dt", { text: label }), el("dd", { text: value })))),
        item.mine && item.status === "working" ? this.forms(item) : null,
        el("h3", { text: "处理记录" }),
        el("ol", { class: "complaint-log", "data-testid": "complaint-log" }, ...item.log.map((entry) =>
          el("li", {}, el("p", { class: "faint", text: `${momentText(entry.at)} · ${entry.kind_text} · ${entry.by}` }), el("p", { text: entry.text }))))));
  }

  button(text, testid, onclick, kind = "primary") {
    return el("button", { type: "button", class: `button ${kind}`, "data-testid": testid, text, onclick });
  }

  forms(item) {
    const words = el("textarea", { id: "complaint-words", rows: "4", maxlength: "500", "data-testid": "complaint-words", placeholder: "调查记录只有同事看得到；答复会发给客户" });
    const category = el("select", { id: "complaint-category", "aria-label": "类别", onchange: () => this.act(item, () => api.complaintAct(item.number, "category", { text: category.value })) },
      ...this.categories.map(([code, text]) => el("option", { value: code, selected: code === item.category, text })));
    const write = (what) => () => {
      if (!words.value.trim()) {
        toast("请先写内容。", "bad");
        return words.focus();
      }
      return this.act(item, () => api.complaintAct(item.number, what, { text: words.value.trim() }));
    };
    return el("div", { class: "ticket-form" },
      el("label", { for: "complaint-category", text: "类别" }), category,
      el("label", { for: "complaint-words", text: "记录或答复" }), words,
      el("div", { class: "talk-acts" },
        this.button("记一笔调查", "complaint-note", write("note"), ""),
        this.button("答复客户", "complaint-answer", write("answer"))));
  }

  async act(item, send) {
    try {
      const { complaint } = await send();
      this.render(complaint);
      toast(`投诉 ${item.number}：${complaint.status_text}`, "good");
      byId("complaint").querySelector("h2").focus();
    } catch (error) {
      this.on.failed(error);
    }
    await this.refresh();
  }
}
