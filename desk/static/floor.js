// For who leads or audits: everybody being served, one of them to look at, a word in the agent's ear, taking over.

import { api } from "./api.js";
import { byId, el, part, reconcile, setCurrent, setText } from "./dom.js";
import { renderFacts } from "./facts.js";
import { setLevel } from "./lists.js";
import { toast } from "./notices.js";
import { Talk } from "./talks.js";
import { nowMs, tickClocks } from "./times.js";
import { Transcript } from "./transcript.js";

const LOOK_MS = 3000;

/** A conversation of somebody else's. */
class Watched extends Talk {
  ask(afterSeq) {
    return api.watch(this.id, afterSeq);
  }
}

export class Floor {
  /** `on` has opened() when a conversation takes the middle, taking(id) before and taken(id) after a take-over, and failed(error). */
  constructor(on) {
    this.on = on;
    this.talk = null;
    this.shown = false;
    this.transcript = new Transcript("watch-log", "watch-newer");
    byId("whisper").addEventListener("submit", (event) => this.whisper(event));
    byId("take-over").addEventListener("click", () => this.takeOver());
    setInterval(() => this.look(), LOOK_MS);
  }

  /** The tab is open or not. */
  show(shown) {
    this.shown = shown;
    if (shown) this.refresh();
  }

  async refresh() {
    try {
      const { served, queue } = await api.floor();
      const lines = [...served, ...queue.map((line) => ({ ...line, agent_name: line.reason_text }))];
      reconcile(byId("floor"), lines, (line) => line.conversation_id, () => this.card(), (node, line) => this.update(node, line));
      byId("floor-empty").hidden = lines.length > 0;
      tickClocks();
    } catch (error) {
      this.on.failed(error);
    }
  }

  card() {
    return el("li", { "data-testid": "floor-item" },
      el("button", { type: "button", class: "card own", onclick: (event) => this.open(event.currentTarget.parentElement.dataset.key) },
        el("span", { class: "card-top" }, el("strong", { "data-part": "name" }), el("span", { "data-part": "level", class: "tag" }), el("span", { class: "due", "data-part": "agent" }), el("span", { class: "wait", "data-part": "wait" })),
        el("span", { class: "card-text one", "data-part": "text" })));
  }

  update(node, line) {
    setText(part(node, "name"), line.customer_name);
    setLevel(node, line);
    const wait = part(node, "wait");
    wait.hidden = line.waited_s === undefined;
    if (wait.hidden) delete wait.dataset.since;
    else Object.assign(wait.dataset, { since: String(nowMs() - line.waited_s * 1000), due: line.due_at ?? "" });
    setText(part(node, "agent"), line.agent_name);
    setText(part(node, "text"), line.last_text || "……");
    setCurrent(node.firstElementChild, this.talk?.id === line.conversation_id);
  }

  async open(id) {
    this.talk = new Watched(id);
    this.on.opened();
    await this.look();
    this.refresh();
    byId("watch-name").focus();
  }

  close() {
    this.talk = null;
  }

  async look() {
    if (this.shown && !document.hidden) this.refresh();
    const talk = this.talk;
    if (!talk || document.hidden) return;
    try {
      await talk.catchUp();
      if (talk === this.talk) this.render();
    } catch (error) {
      if (error.again) return;
      this.close();
      this.on.failed(error);
    }
  }

  render() {
    const { facts, owner, agentName } = this.talk;
    setText(byId("watch-name"), facts.name);
    setText(byId("watch-sub"), owner === "agent" ? `${agentName}正在接待 · ${facts.channel}` : { queue: "排队中", closed: "已结束", bot: "小掌柜接待中" }[owner]);
    byId("take-over").disabled = owner !== "agent" && owner !== "queue";
    byId("whisper-text").disabled = owner !== "agent";
    this.transcript.render(this.talk, null);
    renderFacts(this.talk, {});
  }

  async whisper(event) {
    event.preventDefault();
    const text = byId("whisper-text").value.trim();
    if (!text || !this.talk) return;
    try {
      this.talk.notes = (await api.whisper(this.talk.id, text)).notes;
      byId("whisper-text").value = "";
      this.render();
      toast("已提示坐席，客户看不到。", "good");
    } catch (error) {
      this.on.failed(error);
    }
  }

  async takeOver() {
    const id = this.talk?.id;
    if (!id) return;
    try {
      this.on.taking(id);
      await api.takeOver(id);
      this.close();
      this.on.taken(id);
    } catch (error) {
      this.on.failed(error);
    }
  }
}
