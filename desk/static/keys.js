// The keyboard: one table, from which the help is made too. A single letter works outside text fields, Alt with it always.

import { byId, el } from "./dom.js";

/** {key, label, run, alt}: `key` as in KeyboardEvent.code without "Key"/"Digit"; `show` is what the help prints. */
export class Keys {
  constructor(rows) {
    this.rows = rows;
    document.addEventListener("keydown", (event) => this.pressed(event));
    byId("help").addEventListener("click", (event) => event.target === byId("help") && byId("help").close());
    byId("help-close").addEventListener("click", () => byId("help").close());
    byId("help-open").addEventListener("click", () => this.help());
    byId("help-keys").replaceChildren(
      ...rows.filter((row) => row.label).map((row) =>
        el("div", {}, el("dt", {}, ...(row.show ?? [row.key]).map((key) => el("kbd", { text: key }))), el("dd", { text: row.label }))));
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.isComposing || event.keyCode === 229) return;
    if (byId("desk").hidden || document.querySelector("dialog[open]")) return;
    const writing = event.target.closest?.("textarea, input:not([type=radio]), select");
    if (writing && !event.altKey && event.key !== "Escape") return;
    const row = this.rows.find((candidate) => fits(candidate, event));
    if (!row || (row.outside && writing)) return;
    event.preventDefault();
    row.run(event);
  }

  help() {
    byId("help").showModal();
    byId("help-close").focus();
  }
}

function fits(row, event) {
  if (row.altOnly && !event.altKey) return false;
  if (row.key.length === 1 && /[A-Z0-9]/.test(row.key)) return event.code === `Key${row.key}` || event.code === `Digit${row.key}`;
  return event.key === row.key || (event.key === "？" && row.key === "?") || (event.key === "、" && row.key === "/");
}
