// What the sheets over the chat have in common: opening, closing, one action at a time, refusals where they belong.

import { byId } from "./dom.js";

export class Sheet {
  #busy = false;

  /** A sheet is closed by its button, by Escape, and by a click beside it. */
  wire(dialog) {
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // the backdrop
  }

  /** On a wide screen the sheet stands in the middle of the chat, not of the window. */
  showOver(id) {
    const { left, width } = document.querySelector(".phone").getBoundingClientRect();
    byId(id).style.setProperty("--aside", `${Math.round(left + width / 2 - innerWidth / 2)}px`);
    byId(id).showModal();
  }

  /** One action at a time; `refused(error, text)` shows what went wrong. */
  async run(event, action, refused) {
    event.preventDefault();
    if (this.#busy) return;
    this.#setBusy(event.target, true);
    try {
      await action();
    } catch (error) {
      refused(error, error.text ?? "没有办成，请再试一次。");
    } finally {
      this.#setBusy(event.target, false);
    }
  }

  /** A field that cannot be right, before anybody is asked. */
  refuse(fieldId, errorId, text) {
    this.say(errorId, text);
    byId(fieldId).setAttribute("aria-invalid", "true");
    byId(fieldId).addEventListener("input", () => byId(fieldId).removeAttribute("aria-invalid"), { once: true });
    byId(fieldId).focus();
  }

  say(id, text) {
    byId(id).textContent = text;
  }

  #setBusy(target, busy) {
    this.#busy = busy;
    target.closest(".step").setAttribute("aria-busy", String(busy));
  }
}
