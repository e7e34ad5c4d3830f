// Where the agent writes. Enter sends, but not the Enter that picks a word in a Chinese input method.

import { byId, pressOne, setText } from "./dom.js";

const TYPING_EVERY_MS = 3000;
const WARN_CHARS = 50;
const WORDS = {
  reply: { placeholder: "回复客户，Enter 发送，Shift+Enter 换行，/ 打开常用语", send: "发送", label: "回复客户" },
  note: { placeholder: "只给同事看的备注，客户看不到", send: "记下", label: "写备注，客户看不到" },
};

export class Composer {
  /** `on` has send(text), note(text), typing() and draft(text). */
  constructor(on) {
    this.on = on;
    this.charsMax = 500;
    this.typedAt = 0;
    this.mode = "reply";
    this.text = byId("composer-text");
    for (const mode of Object.keys(WORDS)) byId(`mode-${mode}`).addEventListener("click", () => this.switch(mode));
    this.text.addEventListener("input", () => this.changed());
    this.text.addEventListener("keydown", (event) => this.key(event));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  open(draft) {
    this.switch("reply");
    this.text.value = draft;
    this.typedAt = 0;
    this.fit();
    this.text.focus();
  }

  insert(phrase) {
    const { selectionStart: start, selectionEnd: end, value } = this.text;
    this.text.value = value.slice(0, start) + phrase + value.slice(end);
    this.text.setSelectionRange(start + phrase.length, start + phrase.length);
    this.text.focus();
    this.changed();
  }

  /** Puts a text in place of everything, to be edited before it is sent. */
  replace(text) {
    this.text.value = text;
    this.text.setSelectionRange(text.length, text.length);
    this.text.focus();
    this.changed();
  }

  /** "reply" for the customer, "note" for colleagues only; it shows in colour and words. */
  switch(mode) {
    this.mode = mode;
    byId("composer").dataset.mode = mode;
    pressOne("mode-", Object.keys(WORDS), mode);
    this.text.placeholder = WORDS[mode].placeholder;
    setText(byId("composer-label"), WORDS[mode].label);
    setText(byId("composer-send"), WORDS[mode].send);
    this.text.focus();
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.send();
  }

  changed() {
    this.fit();
    this.on.draft(this.text.value);
    if (this.mode === "reply" && this.text.value.trim() && Date.now() - this.typedAt > TYPING_EVERY_MS) {
      this.typedAt = Date.now();
      this.on.typing();
    }
  }

  fit() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight + 2, 160)}px`;
    const left = this.charsMax - this.text.value.trim().length;
    setText(byId("composer-left"), left < 0 ? `超出 ${-left} 字，请分几条发送` : left <= WARN_CHARS ? `还可以写 ${left} 字` : "");
    byId("composer-left").classList.toggle("over", left < 0);
    byId("composer-send").disabled = left < 0 || left === this.charsMax;
  }

  send() {
    const text = this.text.value.trim();
    if (!text || text.length > this.charsMax) return this.fit();
    this.text.value = "";
    this.typedAt = 0;
    this.fit();
    this.on.draft("");
    if (this.mode === "note") {
      this.on.note(text);
      this.switch("reply");
    } else this.on.send(text);
    this.text.focus();
  }
}
