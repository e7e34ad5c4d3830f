// Toasts, questions and the sound.

import { byId, el } from "./dom.js";

const TOAST_MS = 5000;

/** A short notice; kind is "good", "bad" or "plain". */
export function toast(text, kind = "plain") {
  const node = el("div", { class: `toast ${kind}`, "data-testid": "toast" }, el("span", { text }));
  node.append(el("button", { type: "button", "aria-label": "关闭提示", text: "×", onclick: () => node.remove() }));
  const shelf = byId("toasts");
  shelf.append(node);
  while (shelf.children.length > 4) shelf.firstElementChild.remove();
  let timer = setTimeout(() => node.remove(), TOAST_MS);
  node.addEventListener("mouseenter", () => clearTimeout(timer));
  node.addEventListener("mouseleave", () => (timer = setTimeout(() => node.remove(), TOAST_MS / 2)));
}

/** For screen readers only. */
export function announce(text) {
  byId("announce").textContent = text;
}

/** Asks before something is done. Gives null for no, otherwise {note}. */
export function ask({ title, text, ok, danger = false, noteLabel = "", noteMax = 200 }) {
  const dialog = byId("dialog");
  const [note, okButton] = [byId("dialog-note"), byId("dialog-ok")];
  byId("dialog-title").textContent = title;
  byId("dialog-text").textContent = text;
  byId("dialog-note-label").textContent = noteLabel;
  byId("dialog-note-box").hidden = !noteLabel;
  note.value = "";
  note.maxLength = noteMax;
  okButton.textContent = ok;
  okButton.className = danger ? "button danger solid" : "button primary";
  dialog.returnValue = "";
  dialog.showModal();
  (noteLabel ? note : okButton).focus();
  return new Promise((resolve) => {
    const form = byId("dialog-form");
    const done = (event) => {
      form.removeEventListener("submit", submit);
      resolve(event ? { note: note.value.trim() } : null);
    };
    const submit = (event) => {
      event.preventDefault();
      dialog.removeEventListener("close", refuse);
      dialog.close();
      done(true);
    };
    const refuse = () => done(false);
    form.addEventListener("submit", submit);
    dialog.addEventListener("close", refuse, { once: true });
  });
}

export function prepareDialog() {
  byId("dialog-cancel").addEventListener("click", () => byId("dialog").close());
  byId("dialog-note").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("dialog-form").requestSubmit();
  });
}

/** Two soft tones; silent until the agent switches it on (browsers want a click first). */
export class Sound {
  constructor() {
    this.on = false;
    this.context = null;
  }

  toggle(on) {
    this.on = on;
    if (on) {
      this.context ??= new AudioContext();
      this.context.resume();
    }
  }

  play() {
    if (!this.on || this.context?.state !== "running") return;
    for (const [frequency, at] of [[660, 0], [880, 0.14]]) {
      const [tone, gain] = [this.context.createOscillator(), this.context.createGain()];
      const start = this.context.currentTime + at;
      tone.frequency.value = frequency;
      gain.gain.setValueAtTime(0.0001, start);
      gain.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + 0.22);
      tone.connect(gain).connect(this.context.destination);
      tone.start(start);
      tone.stop(start + 0.25);
    }
  }
}
