// The audit trail, to be read only: who did what when, narrowed by person, matter and day, page by page into the past.

import { api } from "./api.js";
import { byId, el, options } from "./dom.js";
import { stampText } from "./times.js";

const FILTERS = ["agent", "kind", "area", "day"];

export class Trail {
  /** `on` has opened() when the trail takes the middle, and failed(error). */
  constructor(on) {
    this.on = on;
    this.before = null;
    byId("trail-open").addEventListener("click", () => this.open());
    byId("trail-more").addEventListener("click", () => this.more());
    for (const name of FILTERS) byId(`trail-${name}`).addEventListener("change", () => this.open());
  }

  get asked() {
    return Object.fromEntries(FILTERS.map((name) => [name, byId(`trail-${name}`).value]));
  }

  async open() {
    const answer = await this.read(null);
    if (!answer) return;
    this.on.opened();
    options(byId("trail-agent"), [["", "所有同事"], ...answer.agents]);
    options(byId("trail-area"), answer.areas);
    options(byId("trail-kind"), answer.kinds);
    byId("trail-kind").hidden = !answer.kinds.length;
    byId("trail-rows").replaceChildren(...answer.items.map((item) => row(item)));
    byId("trail-empty").hidden = answer.items.length > 0;
    byId("trail-body").scrollTop = 0;
    if (!byId("trail").contains(document.activeElement)) byId("trail-title").focus();
  }

  async more() {
    const answer = await this.read(this.before);
    if (!answer) return;
    const rows = answer.items.map((item) => row(item));
    byId("trail-rows").append(...rows);
    rows[0]?.focus();
  }

  async read(before) {
    try {
      const answer = await api.trail({ ...this.asked, before: before ?? "" });
      this.before = answer.next_before;
      byId("trail-more").hidden = this.before === null;
      return answer;
    } catch (error) {
      this.on.failed(error);
      return null;
    }
  }
}

const details = (pairs) => pairs.map(([label, value]) => `${label}：${value}`).join("　");

function row(item) {
  const was = item.before.length ? el("p", { class: "faint", text: `原来　${details(item.before)}` }) : null;
  return el("tr", { "data-testid": "trail-row", tabindex: "-1", class: item.allowed ? null : "refused" },
    el("td", { class: "mono", text: stampText(item.at) }),
    el("td", { text: item.who }),
    el("td", { title: item.action }, item.action_text, item.allowed ? null : el("b", { class: "tag bad", text: "被拒" })),
    el("td", {}, el("p", { text: [item.object, item.customer ? `客户 ${item.customer.slice(0, 8)}` : ""].filter(Boolean).join(" · ") }), el("p", { class: "wrapped", text: details(item.after) }), was),
    el("td", { class: "mono", text: item.address }));
}
