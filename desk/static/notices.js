// Toasts and questions.

import { byId, el } from "./dom.js";

const TOAST_MS = 5000;
const BAD_TOAST_MS = 10000; // what went wrong is read to its end

/** A short notice; kind is "good", "bad" or "plain". */
export function toast(text, kind = "plain") {
  const node = el("div", { class: `toast ${kind}`, "data-testid": "toast" }, el("span", { text }));
  node.append(el("button", { type: "button", "aria-label": "关闭提示", text: "×", onclick: () => node.remove() }));
  const shelf = byId("toasts");
  for (const other of [...shelf.children]) if (other.firstElementChild.textContent === text) other.remove(); // said again, shown once
  shelf.append(node);
  while (shelf.children.length > 4) shelf.firstElementChild.remove();
  const ms = kind === "bad" ? BAD_TOAST_MS : TOAST_MS;
  let timer = setTimeout(() => node.remove(), ms);
  node.addEventListener("mouseenter", () => clearTimeout(timer));
  node.addEventListener("mouseleave", () => (timer = setTimeout(() => node.remove(), ms / 2)));
}

/** Outside the page, while nobody looks at it and the agent has allowed it. Says nothing that the queue would not. */
export function notify(text) {
  if (!document.hidden || window.Notification?.permission !== "granted") return;
  const shown = new Notification("掌柜坐席台", { body: text, tag: "zg-desk" });
  shown.addEventListener("click", () => {
    window.focus();
    shown.close();
  });
}

/** For screen readers only. */
export function announce(text) {
  byId("announce").textContent = text;
}

/**
 * Asks before something is done. Gives null for no, otherwise the values of the `fields` by name.
 *
 * A field is {name, label, kind: "text" | "line" | "choice", max, options: [[value, text]], required, value}. Required ones must
 * be filled before the button works.
 */
export function ask({ title, text = "", ok, danger = false, fields = [] }) {
  const dialog = byId("dialog");
  const [form, okButton] = [byId("dialog-form"), byId("dialog-ok")];
  byId("dialog-title").textContent = title;
  byId("dialog-text").textContent = text;
  byId("dialog-text").hidden = !text;
  byId("dialog-fields").replaceChildren(...fields.map(fieldNode));
  okButton.textContent = ok;
  okButton.className = danger ? "button danger solid" : "button primary";
  const values = () => Object.fromEntries(fields.map(({ name }) => [name, String(new FormData(form).get(name) ?? "").trim()]));
  const check = () => (okButton.disabled = fields.some(({ name, required }) => required && !values()[name]));
  check();
  dialog.returnValue = "";
  dialog.showModal();
  (byId("dialog-fields").querySelector("textarea, input:not(:disabled)") ?? okButton).focus();
  return new Promise((resolve) => {
    const done = (answer) => {
      form.removeEventListener("submit", submit);
      form.removeEventListener("input", check);
      resolve(answer);
    };
    const submit = (event) => {
      event.preventDefault();
      if (okButton.disabled) return;
      const answer = values();
      dialog.removeEventListener("close", refuse);
      dialog.close();
      done(answer);
    };
    const refuse = () => done(null);
    form.addEventListener("submit", submit);
    form.addEventListener("input", check);
    dialog.addEventListener("close", refuse, { once: true });
  });
}

function fieldNode({ name, label, kind = "text", max = 200, options = [], value = "" }) {
  if (kind === "choice") {
    return el("fieldset", { class: "dialog-choices", "data-testid": `dialog-${name}` },
      el("legend", { text: label }),
      ...options.map(([code, text, disabled]) =>
        el("label", {}, el("input", { type: "radio", name, value: code, disabled, checked: code === value, "data-testid": `${name}-${code}` }), el("span", { text }))));
  }
  if (kind === "line") {
    return el("div", {}, el("label", { for: `dialog-${name}`, text: label }),
      el("input", { id: `dialog-${name}`, name, maxlength: String(max), value, autocomplete: "off", "data-testid": `dialog-${name}` }));
  }
  const box = el("textarea", { id: `dialog-${name}`, name, rows: "3", maxlength: String(max), "data-testid": `dialog-${name}` });
  box.value = value;
  return el("div", {}, el("label", { for: `dialog-${name}`, text: label }), box);
}

export function prepareDialog() {
  byId("dialog-cancel").addEventListener("click", () => byId("dialog").close());
  byId("dialog-form").addEventListener("keydown", (event) => {
    const sends = event.target.type === "radio" || event.ctrlKey || event.metaKey;
    if (event.key !== "Enter" || !sends) return;
    event.preventDefault();
    byId("dialog-form").requestSubmit();
  });
}
