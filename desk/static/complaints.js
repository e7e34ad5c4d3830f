// Complaints: the list on the left, one with its log and what may be done about it in the middle.

import { api } from "./api.js";
import { byId, el, options, part, pressOne, reconcile, setBadge, setCurrent, setText, terms } from "./dom.js";
import { renderSteps } from "./facts.js";
import { ask, toast } from "./notices.js";
import { session } from "./shelf.js";
import { momentText, tickClocks } from "./times.js";

const EMPTY = { open: "没有待处理的投诉", answered: "没有等客户评价的投诉", closed: "还没有办结的投诉" };
const WHOSE = [["", "所有人的"], ["me", "我的"], ["nobody", "待认领的"]];
const STEPS = ["认领后客户会看到由谁处理", "把查到的事实记成调查记录，客户看不到", "想好再答复：答复会发到客户的对话里，并发短信", "客户不满意，由另一位同事复核"];
const NEVER = 2; // whom a complaint cannot be given to stands last
const OWN_DOING_MS = 3000; // by then the counts that our own act changed have arrived

export class ComplaintBoard {
  /** `on` has opened() when a complaint takes the middle, and failed(error). */
  constructor(on) {
    this.on = on;
    this.status = "open";
    this.items = [];
    this.current = null;
    this.categories = [];
    this.whose = "";
    this.drafts = new Map(); // what was typed, by number
    this.counts = null;
    this.actedAtMs = 0;
    this.shown = null; // the complaint in the middle, as it was read last
    byId("complaints-whose").addEventListener("change", (event) => this.narrow(event.target.value));
    for (const status of Object.keys(EMPTY)) byId(`complaints-${status}`).addEventListener("click", () => this.show(status));
  }

  async show(status) {
    this.status = status;
    pressOne("complaints-", Object.keys(EMPTY), status);
    await this.refresh();
  }

  async narrow(whose) {
    this.whose = whose;
    await this.refresh();
  }

  /** How many this agent looks into and how many nobody does; returns how many came to them without their own doing. */
  take({ mine, nobody }) {
    const before = this.counts;
    this.counts = { mine, nobody };
    const badge = byId("badge-complaints");
    setBadge(badge, mine + nobody);
    badge.title = `我的 ${mine} 件，待认领 ${nobody} 件`;
    if (before && !byId("panel-complaints").hidden) this.refresh();
    return before && Date.now() - this.actedAtMs > OWN_DOING_MS ? Math.max(0, mine - before.mine) : 0;
  }

  renderWhose(agents) {
    const rows = [...WHOSE, ...agents.map(([username, name]) => [`agent:${username}`, `${name}的`])];
    options(byId("complaints-whose"), rows);
  }

  async refresh() {
    try {
      const answer = await api.complaints(this.status, this.whose);
      this.items = answer.items;
      this.categories = answer.categories;
      this.renderWhose(answer.agents);
    } catch (error) {
      return this.on.failed(error);
    }
    reconcile(byId("complaints"), this.items, (item) => item.number, (item) => this.card(item), (node, item) => this.update(node, item));
    byId("complaints-empty").hidden = this.items.length > 0;
    setText(byId("complaints-empty"), this.whose ? "没有符合条件的投诉" : EMPTY[this.status]);
    tickClocks();
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
    const due = part(node, "due");
    if (item.open) {
      due.dataset.until = item.due_at;
      due.dataset.before = item.due_text;
      due.title = `${item.due_text}期限：${momentText(item.due_at)}`;
    } else {
      delete due.dataset.until;
      due.dataset.late = due.title = "";
      setText(due, item.status_text);
    }
    setCurrent(node.firstElementChild, this.current === item.number);
  }

  async open(number) {
    try {
      const { complaint } = await api.complaint(number);
      this.current = number;
      this.on.opened();
      this.render(complaint);
      renderSteps("诉", "投诉", number, STEPS);
      byId("complaint").querySelector("h2").focus();
      await this.refresh();
    } catch (error) {
      this.on.failed(error);
    }
  }

  close() {
    this.current = null;
  }

  /** A promise with its clock, or when it was kept. */
  promise(dueAt, doneAt, item) {
    if (doneAt) return [`${momentText(doneAt)}${Date.parse(doneAt) > Date.parse(dueAt) ? "（超时）" : ""}`];
    return [`${momentText(dueAt)}前`, item.open ? el("b", { class: "clock", "data-until": dueAt, "data-testid": "complaint-clock" }) : null];
  }

  heads(item) {
    const acts = [];
    if (item.status === "filed" && session.agent?.acts) acts.push(this.button("认领", "complaint-take", () => this.act(item, () => api.complaintAct(item.number, "take", {}))));
    if (item.open && session.agent?.leads) acts.push(this.button(item.assignee ? "改派" : "分派", "complaint-assign", () => this.assign(), "", "分派给同事（A）"));
    return el("div", { class: "talk-acts" }, ...acts);
  }

  /** A supervisor gives the complaint in the middle to a colleague, seeing what each has to do already. */
  async assign() {
    const item = this.shown;
    if (!item?.open || !session.agent?.leads || byId("complaint").hidden) return;
    let agents;
    try {
      agents = (await api.complaintAgents(item.number)).items;
    } catch (error) {
      return this.on.failed(error);
    }
    const load = (each) => `投诉 ${each.complaints} 件，会话 ${each.load}/${each.max_load}${each.on_duty ? "" : "，不在岗"}`;
    const place = (each) => (each.has_it || !each.allowed ? NEVER : each.on_duty ? 0 : 1);
    const why = (each) => (each.has_it ? "（正在处理）" : each.allowed ? "" : "（处理过第一轮）");
    const answer = await ask({
      title: item.assignee ? "改派给谁？" : "分派给谁？",
      text: `投诉 ${item.number}，${item.category_text}`,
      ok: item.assignee ? "改派" : "分派",
      fields: [{
        name: "username", label: "处理人", kind: "choice", required: true,
        options: agents
          .sort((one, other) => place(one) - place(other))
          .map((each) => [each.username, `${each.display_name}${why(each)}\n${load(each)}`, place(each) === NEVER]),
      }],
    });
    if (!answer) return;
    await this.act(item, () => api.complaintAct(item.number, "assign", { username: answer.username }));
    byId("complaint").querySelector('[data-testid="complaint-assign"]')?.focus();
  }

  render(item) {
    this.shown = item;
    const rows = [
      ["状态", item.status_text + (item.round_text ? `，${item.round_text}` : "")],
      ["处理人", item.assignee || "待认领"],
      ["提交时间", momentText(item.filed_at)],
      ["受理", ...this.promise(item.ack_due_at, item.acked_at, item)],
      ["答复", ...this.promise(item.answer_due_at, item.open ? null : item.answered_at, item)],
    ];
    if (item.score) rows.push(["客户评分", `${item.score} 分`]);
    byId("complaint").replaceChildren(
      el("header", { class: "talk-head" },
        el("div", { class: "talk-who" }, el("h2", { tabindex: "-1", text: `投诉 · ${item.category_text}` }), el("p", { class: "mono", text: item.number })),
        this.heads(item)),
      el("div", { class: "ticket-body" },
        el("h3", { text: "客户说" }), el("p", { class: "ticket-content", text: item.content }),
        terms(rows, { class: "ticket-facts" }),
        item.mine && item.status === "working" ? this.forms(item) : null,
        el("h3", { text: "处理记录" }),
        el("ol", { class: "complaint-log", "data-testid": "complaint-log" }, ...item.log.map((entry) =>
          el("li", {}, el("p", { class: "faint", text: `${momentText(entry.at)} · ${entry.kind_text} · ${entry.by}` }), el("p", { text: entry.text }))))));
    tickClocks();
  }

  button(text, testid, onclick, kind = "primary", title = null) {
    return el("button", { type: "button", class: `button ${kind}`, "data-testid": testid, text, title, onclick });
  }

  forms(item) {
    const words = el("textarea", { id: "complaint-words", rows: "4", maxlength: "500", "data-testid": "complaint-words", placeholder: "调查记录只有同事看得到；答复会发给客户", oninput: () => this.drafts.set(item.number, words.value) });
    words.value = this.drafts.get(item.number) ?? "";
    const category = el("select", { id: "complaint-category", "aria-label": "类别", onchange: () => this.act(item, () => api.complaintAct(item.number, "category", { text: category.value })) },
      ...this.categories.map(([code, text]) => el("option", { value: code, selected: code === item.category, text })));
    const write = (what) => async () => {
      const text = words.value.trim();
      if (!text) {
        toast("请先写内容。", "bad");
        return words.focus();
      }
      if (what === "answer" && !(await ask({ title: "把这段话发给客户？", text, ok: "发给客户" }))) return words.focus();
      return this.act(item, () => api.complaintAct(item.number, what, { text }), () => this.drafts.delete(item.number));
    };
    return el("div", { class: "ticket-form" },
      el("label", { for: "complaint-category", text: "类别" }), category,
      el("label", { for: "complaint-words", text: "记录或答复" }), words,
      el("div", { class: "talk-acts" },
        this.button("记一笔调查", "complaint-note", write("note"), ""),
        this.button("答复客户", "complaint-answer", write("answer"))));
  }

  /** Does it, shows what became of it, and leaves the focus where it was, else on the title; `done` is called before it shows. */
  async act(item, send, done = () => {}) {
    const focus = document.activeElement?.dataset?.testid;
    this.actedAtMs = Date.now();
    try {
      const { complaint } = await send();
      done();
      this.render(complaint);
      toast(`投诉 ${item.number}：${complaint.status_text}${complaint.assignee ? `，由${complaint.assignee}处理` : ""}`, "good");
      (byId("complaint").querySelector(`[data-testid="${focus}"]`) ?? byId("complaint").querySelector("h2")).focus();
    } catch (error) {
      this.on.failed(error);
    }
    this.actedAtMs = Date.now();
    await this.refresh();
  }
}
