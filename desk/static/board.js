// The day in figures, for who leads or audits: cards, bars as SVG, what is late, the export.

import { api } from "./api.js";
import { byId, el, part, reconcile, setBadge, setText } from "./dom.js";
import { clockText, durationText, momentText } from "./times.js";

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** Bars side by side; `rows` are [label, ...values], one bar per value. */
function bars(title, rows, names) {
  const [width, height, foot] = [560, 150, 20];
  const most = Math.max(1, ...rows.flatMap(([, ...values]) => values));
  const step = width / Math.max(rows.length, 1);
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height + foot}`, role: "img", class: "chart", "aria-label": `${title}：${rows.map(([label, ...values]) => `${label} ${values.join("、")}`).join("；")}` });
  rows.forEach(([label, ...values], at) => {
    const bar = (step * 0.7) / values.length;
    values.forEach((value, which) => {
      const tall = (value / most) * (height - 18);
      const x = at * step + step * 0.15 + which * bar;
      chart.append(svg("rect", { x: x.toFixed(1), y: (height - tall).toFixed(1), width: (bar * 0.92).toFixed(1), height: tall.toFixed(1), rx: 2, class: `bar-${which}` }));
      if (value) {
        const text = svg("text", { x: (x + bar / 2).toFixed(1), y: (height - tall - 4).toFixed(1), class: "chart-value" });
        text.textContent = value;
        chart.append(text);
      }
    });
    if (rows.length <= 14 || at % 3 === 0) {
      const text = svg("text", { x: (at * step + step / 2).toFixed(1), y: height + 14, class: "chart-label" });
      text.textContent = label;
      chart.append(text);
    }
  });
  return el("figure", { class: "board-chart" }, el("figcaption", {}, el("strong", { text: title }), ...names.map((name, which) => el("span", { class: `key-${which}`, text: name }))), chart);
}

const seconds = (value) => (value === null ? "–" : durationText(value));
const percent = ({ percent: value, kept, of }) => [value === null ? "–" : `${value}%`, of ? `${kept} / ${of}` : "还没有"];

export class DayBoard {
  /** `on` has opened() when the board takes the middle, show(alert) to see what is late, and failed(error). */
  constructor(on) {
    this.on = on;
    this.day = "";
    this.alerts = [];
    byId("board-day").addEventListener("change", (event) => this.open(event.target.value));
    byId("board-open").addEventListener("click", () => this.open(this.day));
  }

  async open(day = "") {
    try {
      const { board } = await api.board(day);
      this.day = board.day;
      byId("board-day").value = board.day;
      byId("board-csv").href = `/desk/api/board.csv?day=${encodeURIComponent(board.day)}`;
      this.on.opened();
      this.render(board);
    } catch (error) {
      this.on.failed(error);
    }
  }

  render(board) {
    const [alone, first, next, resolved] = [board.solved_alone, board.first_reply, board.next_reply, board.resolution].map(percent);
    const cards = [
      ["会话", board.conversations, `转人工 ${board.handed_over}`],
      ["小掌柜独立解决", ...alone],
      ["平均等待", seconds(board.wait_mean_s), `90% ${seconds(board.wait_p90_s)}，最长 ${seconds(board.wait_max_s)}`],
      ["首次回复达标", ...first],
      ["后续回复达标", ...next],
      ["办结达标", ...resolved],
      ["每次服务回复", board.replies_mean ?? "–", "坐席平均，已办结的"],
      ["满意度", board.csat_mean ?? "–", `${board.csat_count} 个评价`],
      ["工单", board.callbacks[0], `办结 ${board.callbacks[1]}`],
      ["投诉", board.complaints[0], `答复 ${board.complaints[1]}`],
    ];
    const list = (title, rows, empty) => el("section", { class: "board-list" }, el("h3", { text: title }),
      rows.length ? el("ol", {}, ...rows.map(([text, count]) => el("li", {}, el("span", { text }), el("b", { text: String(count) })))) : el("p", { class: "faint", text: empty }));
    byId("board-body").replaceChildren(
      el("div", { class: "board-cards" }, ...cards.map(([label, value, more]) =>
        el("div", { class: "board-card", "data-testid": "board-card" }, el("span", { class: "faint", text: label }), el("strong", { text: String(value) }), el("span", { class: "faint", text: more })))),
      el("div", { class: "board-charts" }, bars("最近两周", board.trend.map(([day, talked, handed]) => [day.slice(5), talked, handed]), ["会话", "转人工"]),
      bars("各小时转人工", board.hours.map((count, hour) => [`${hour}时`, count]), ["转人工"])),
      el("div", { class: "board-lists" },
        list("转人工原因", board.reasons, "今天没有人转人工"),
        list("结果", board.outcomes, "还没有结束的"),
        list("没有答案的问题", board.topics, "都答上来了"),
        list("小休", board.breaks.map((each) => [`${each.agent_name} · ${each.reason} · ${clockText(each.began_at)}–${each.ended_at ? clockText(each.ended_at) : "现在"}`, durationText(each.seconds)]), "没有人小休")));
  }

  /** What is late now; returns those that were not late before. */
  takeAlerts(items) {
    const known = new Set(this.alerts.map((item) => `${item.kind}:${item.number}`));
    const fresh = items.filter((item) => !known.has(`${item.kind}:${item.number}`));
    this.alerts = items;
    reconcile(byId("alerts"), items, (item) => `${item.kind}:${item.number}`, (item) => this.alert(item), (node, item) => this.update(node, item));
    byId("alerts-empty").hidden = items.length > 0;
    setBadge(byId("badge-board"), items.length);
    return fresh;
  }

  alert({ kind, number }) {
    return el("li", { "data-testid": "alert" },
      el("button", { type: "button", class: "card own", onclick: () => this.on.show(kind, number) },
        el("span", { class: "card-top" }, el("strong", { "data-part": "kind" }), el("span", { class: "due", "data-part": "due", "data-late": "late" })),
        el("span", { class: "card-text one", "data-part": "about" })));
  }

  update(node, item) {
    setText(part(node, "kind"), item.kind_text);
    setText(part(node, "due"), `应在${momentText(item.due_at)}前`);
    setText(part(node, "about"), [item.about, item.agent_name || "还没有人接", item.kind === "callback" || item.kind === "complaint" ? item.number : ""].filter(Boolean).join(" · "));
  }
}
