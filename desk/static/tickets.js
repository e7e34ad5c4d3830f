// Call-back tickets: the list on the left, one of them in the middle.

import { api } from "./api.js";
import { byId, el, part, pressOne, reconcile, setCurrent, setText, terms } from "./dom.js";
import { renderSteps } from "./facts.js";
import { toast } from "./notices.js";
import { session } from "./shelf.js";
import { momentText, nowMs } from "./times.js";

const STEPS = ["点“我来回电”，拨打显示的号码（会留下记录，同事看到您在处理）", "先核对客户身份，再谈账户上的事", "写下处理结果，办结工单"];

export class TicketBoard {
  /** `on` has opened() when a ticket takes the middle, and failed(error). */
  constructor(on) {
    this.on = on;
    this.status = "open";
    this.items = [];
    this.current = null;
    this.notes = new Map(); // what was typed, by number
    byId("tickets-open").addEventListener("click", () => this.show("open"));
    byId("tickets-done").addEventListener("click", () => this.show("done"));
  }

  async show(status) {
    this.status = status;
    pressOne("tickets-", ["open", "done"], status);
    await this.refresh();
  }

  async refresh() {
    try {
      this.items = (await api.tickets(this.status)).items;
    } catch (error) {
      return this.on.failed(error);
    }
    this.renderList();
  }

  renderList() {
    reconcile(byId("tickets"), this.items, (item) => item.number, (item) => this.card(item), (node, item) => this.update(node, item));
    byId("tickets-empty").hidden = this.items.length > 0;
    setText(byId("tickets-empty"), this.status === "open" ? "没有待回电的工单" : "还没有办结的工单");
  }

  card(item) {
    return el("li", { "data-testid": "ticket-item" },
      el("button", { type: "button", class: "card own", onclick: () => this.open(item.number) },
        el("span", { class: "card-top" }, el("strong", { "data-part": "phone" }), el("b", { class: "tag bad", "data-part": "urgent", text: "紧急" }), el("span", { class: "due", "data-part": "due" })),
        el("span", { class: "card-text", "data-part": "text" }),
        el("span", { class: "card-foot" }, el("span", { class: "mono faint", "data-part": "number" }), el("span", { class: "faint who-has-it", "data-part": "who" }))));
  }

  update(node, item) {
    setText(part(node, "phone"), item.phone);
    setText(part(node, "text"), item.content);
    setText(part(node, "number"), item.number);
    const late = item.status === "open" && Date.parse(item.promised_at) < nowMs();
    const open = item.status === "open";
    setText(part(node, "due"), open ? `${late ? "已超时 " : ""}${momentText(item.promised_at)}前` : "已办结");
    setText(part(node, "who"), open ? (item.taken_by ? `${item.taken_by}处理中` : "") : item.finished_by);
    part(node, "urgent").hidden = !open || !item.urgent;
    part(node, "due").dataset.late = late ? "late" : "";
    setCurrent(node.firstElementChild, this.current === item.number);
  }

  open(number) {
    const item = this.items.find((candidate) => candidate.number === number);
    if (!item) return;
    this.current = number;
    this.on.opened();
    this.renderList();
    this.renderView(item);
    renderSteps("单", "回电工单", item.number, STEPS);
  }

  close() {
    this.current = null;
    this.renderList();
  }

  /** `whole` is the number, once it was asked for. */
  renderView(item, whole = "") {
    const phone = el("b", { class: "mono", "data-testid": "ticket-phone", text: whole || item.phone });
    const reveal = el("button", {
      type: "button", class: "button small", "data-testid": "ticket-reveal", text: "我来回电",
      onclick: () => this.take(item),
    });
    const back = el("button", {
      type: "button", class: "button small", "data-testid": "ticket-put-back", text: "放回", hidden: !item.taken_by,
      onclick: () => this.putBack(item),
    });
    const open = item.status === "open";
    const others = open && item.taken_by && !item.mine; // a colleague works on it
    const acts = open && session.agent.acts;
    const calls = acts && (!others || session.agent.leads);
    const rows = [
      ["联系电话", phone, calls && !whole ? reveal : null, calls ? back : null],
      ...(item.kind === "bank" ? [["谁要回电", "银行发起，号码是客户预留的"]] : [["谁要回电", "客户自己留的，号码未经核实"]]),
      ["提交时间", momentText(item.created_at)], ["承诺回电", `${momentText(item.promised_at)}前`],
    ];
    byId("ticket").replaceChildren(
      el("header", { class: "talk-head" },
        el("div", { class: "talk-who" }, el("h2", { tabindex: "-1", text: item.status === "open" ? "待回电工单" : "已办结工单" }), el("p", { class: "mono", text: item.number }))),
      el("div", { class: "ticket-body" },
        el("h3", { text: item.kind === "bank" ? "为什么回电" : "客户说" }),
        el("p", { class: "ticket-content", text: item.content }),
        terms(rows, { class: "ticket-facts" }),
        acts && others ? this.busy(item) : acts ? this.form(item) : open ? null : this.answer(item)));
    byId("ticket").querySelector("h2").focus();
  }

  busy({ taken_by: name }) {
    const next = session.agent.leads ? "点“我来回电”就由您接手。" : "放回以后您可以接。";
    return el("p", { class: "faint", "data-testid": "ticket-busy", text: `${name}正在处理这张工单，${next}` });
  }

  answer(item) {
    return el("div", {}, el("h3", { text: "处理结果" }), el("p", { class: "ticket-content", text: item.answer }),
      el("p", { class: "faint", text: `${item.finished_by}，${momentText(item.finished_at)}` }));
  }

  form(item) {
    const note = el("textarea", {
      id: "ticket-note", rows: "4", maxlength: "500", required: true, "data-testid": "ticket-note",
      placeholder: "例：已回电，客户要查的转账昨天已到账",
      oninput: () => this.notes.set(item.number, note.value),
    });
    note.value = this.notes.get(item.number) ?? "";
    return el("form", { class: "ticket-form", onsubmit: (event) => this.finish(event, item, note) },
      el("label", { for: "ticket-note", text: "处理结果" }), note,
      item.kind === "bank" ? this.settling(item) : null,
      el("button", { type: "submit", class: "button primary", "data-testid": "ticket-finish", text: "办结工单" }));
  }

  /** Only a certified agent who has called says who it was: to others it is told, instead of being refused. */
  settling(item) {
    if (session.agent.certifies && item.mine) return this.verdicts(item);
    const why = session.agent.certifies ? "点“我来回电”并打过电话以后，才能登记核实的结果。" : `核实客户身份要由有“${session.agent.certifies_text}”的同事来做。`;
    return el("p", { class: "faint", "data-testid": "ticket-unsettled", text: why });
  }

  /** Who was on the phone decides what becomes of the restriction. */
  verdicts({ restricted }) {
    return el("fieldset", { class: "ticket-verdict", "data-testid": "ticket-verdict" },
      el("legend", { text: "核实的结果" }),
      ...[["true", restricted ? "是客户本人，解除限制" : "是客户本人"], ["false", "不是本人，锁定账户"]].map(([value, text]) =>
        el("label", {}, el("input", { type: "radio", name: "owner", value, "data-testid": `ticket-owner-${value}` }), text)),
      el("p", { class: "faint", text: restricted ? "没有联系上就先不选，限制保持不变。" : "没有联系上就先不选。" }));
  }

  /** Whoever asks for the number works on the ticket. */
  async take(item) {
    try {
      const { phone } = await api.ticketPhone(item.number);
      await this.refresh();
      const taken = this.items.find((candidate) => candidate.number === item.number);
      if (taken && this.current === item.number) this.renderView(taken, phone); // with all that whoever has it may do
    } catch (error) {
      this.on.failed(error);
      if (error.status === 409) await this.refresh();
    }
  }

  async putBack(item) {
    try {
      const { ticket } = await api.putTicketBack(item.number);
      await this.refresh();
      this.renderView(ticket);
    } catch (error) {
      this.on.failed(error);
    }
  }

  async finish(event, item, note) {
    event.preventDefault();
    if (!note.value.trim()) {
      toast("请写一句处理结果。", "bad");
      return note.focus();
    }
    const chosen = event.target.querySelector('[name="owner"]:checked');
    const button = event.submitter ?? event.target.querySelector("button");
    button.disabled = true;
    try {
      const { ticket } = await api.finishTicket(item.number, note.value.trim(), chosen ? chosen.value === "true" : null);
      this.notes.delete(item.number);
      toast(`工单 ${ticket.number} 已办结。`, "good");
      await this.refresh();
      this.renderView(ticket);
    } catch (error) {
      button.disabled = false;
      this.on.failed(error);
      if (error.status === 409) await this.refresh();
    }
  }
}
