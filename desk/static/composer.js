// Where the agent writes. Enter sends, but not the Enter that picks a word in a Chinese input method.

import { byId, el, setText } from "./dom.js";

const TYPING_EVERY_MS = 3000;
const WARN_CHARS = 50;
const PHRASES = [
  ["问好", (name) => `您好，我是客服${name}，前面的对话我都看到了，马上帮您处理。`],
  ["请稍等", () => "好的，请您稍等，我正在为您查询。"],
  ["核实中", () => "这一项我需要和后台同事核实一下，最多几分钟，请不要离开。"],
  ["防骗提醒", () => "提醒您：银行不会向您索要密码和验证码，请不要告诉任何人。"],
  ["还有吗", () => "请问还有其他可以帮您的吗？"],
  ["道别", () => "感谢您的耐心，祝您生活愉快，再见。"],
];

export class Composer {
  /** `on` has send(text), typing() and draft(text). */
  constructor(on) {
    this.on = on;
    this.charsMax = 500;
    this.typedAt = 0;
    this.text = byId("composer-text");
    this.text.addEventListener("input", () => this.changed());
    this.text.addEventListener("keydown", (event) => this.key(event));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  phrases(agentName) {
    byId("phrases").replaceChildren(...PHRASES.map(([label, text]) =>
      el("button", { type: "button", class: "chip", text: label, title: text(agentName), onclick: () => this.insert(text(agentName)) })));
  }

  open(draft) {
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

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.send();
  }

  changed() {
    this.fit();
    this.on.draft(this.text.value);
    if (this.text.value.trim() && Date.now() - this.typedAt > TYPING_EVERY_MS) {
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
    this.on.send(text);
    this.text.focus();
  }
}
