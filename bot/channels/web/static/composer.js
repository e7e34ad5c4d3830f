// Everything under the log: quick replies, text field, secret field, panel.

import { byId, clockText, countdown, el, icon } from "./dom.js";

const COUNTER_FROM = 400;
const PANEL = [
  ["查余额", "balance", "查余额"],
  ["转账", "transfer", "我要转账"],
  ["收款码", "code", "我的收款码"],
  ["扫一扫", "scan", null],
  ["查明细", "statement", "查明细"],
  ["生活缴费", "living", "生活缴费"],
  ["话费充值", "topup", "话费充值"],
  ["挂失", "loss", "银行卡挂失"],
  ["网点", "branch", "附近的网点"],
  ["转人工", "human", "转人工"],
];
const PLACEHOLDERS = {
  bot: "说说您想办什么",
  queue: "可以先把要办的事写下来",
  agent: "回复同事",
  closed: "发消息可以重新开始",
};
const SECRETS = {
  otp: { label: "短信验证码", placeholder: "6位数字", digits: true, resend: "重发" },
  totp: { label: "动态口令", placeholder: "App上的6位数字，或恢复码", digits: false, fill: "one-time-code", resend: "用短信" },
  id_tail: { label: "证件后四位", placeholder: "证件号码的最后4位", digits: false, fill: "off" },
  password: { label: "登录密码", placeholder: "请输入密码", digits: false, fill: "current-password" },
};
const SECRET_ACTIONS = new Set(["重发", "取消"]); // the secret field has its own buttons for these

export class Composer {
  #handlers;
  #charsMax = 500;
  #expects = "text";
  #choices = [];
  #examples = false;
  #stopCountdown = () => {};

  /** `handlers`: say(text), secret(text), typing(), choose(choice), scan(). */
  constructor(handlers) {
    this.#handlers = handlers;
    this.text = byId("composer-text");
    this.secret = byId("secret-text");
    this.#wireText();
    this.#wireSecret();
    this.#wirePanel();
  }

  set charsMax(value) {
    this.#charsMax = value;
    this.#measure();
  }

  focus() {
    (this.#expects === "text" ? this.text : this.secret).focus();
  }

  /** The quick replies above the field; `examples` of what one may say carry a title. */
  showChoices(choices, examples = false) {
    this.#choices = choices;
    this.#examples = examples;
    const row = byId("quick");
    const shown = this.#expects === "text" ? choices : choices.filter((choice) => !SECRET_ACTIONS.has(choice.say));
    row.replaceChildren(
      ...shown.map((choice) =>
        el("button", { type: "button", "data-testid": "choice", onclick: () => this.#handlers.choose(choice) }, choice.label),
      ),
    );
    row.hidden = shown.length === 0;
    byId("quick-title").hidden = row.hidden || !examples;
  }

  /** Text field or secret field, as the conversation stands. `secondsLeft` is null without a limit. */
  expect(expects, secondsLeft, owner) {
    const wasFocused = [document.body, this.text, this.secret].includes(document.activeElement);
    const changed = this.#expects !== expects;
    this.#expects = SECRETS[expects] ? expects : "text";
    const asksSecret = this.#expects !== "text" && owner !== "closed";
    byId("composer").hidden = asksSecret;
    byId("secret").hidden = !asksSecret;
    this.text.placeholder = PLACEHOLDERS[owner] ?? PLACEHOLDERS.bot;
    this.showChoices(this.#choices, this.#examples);
    if (asksSecret) this.#openPanel(false);
    this.#stopCountdown();
    if (!asksSecret) {
      this.#clearSecret();
      if (changed && wasFocused && matchMedia("(hover: hover)").matches) this.text.focus();
      return;
    }
    this.#labelSecret(SECRETS[this.#expects]);
    this.#showLeft(secondsLeft);
    if (changed) {
      this.#clearSecret();
      if (wasFocused) this.secret.focus();
    }
  }

  #labelSecret({ label, placeholder, digits, fill = "one-time-code", resend = "" }) {
    byId("secret").dataset.expects = this.#expects;
    byId("secret-label").textContent = label;
    byId("secret-resend").hidden = !resend;
    byId("secret-resend").textContent = resend;
    this.secret.placeholder = placeholder;
    this.secret.setAttribute("inputmode", digits ? "numeric" : "text");
    this.secret.setAttribute("autocomplete", fill);
    this.secret.maxLength = digits ? 6 : 64;
  }

  #showLeft(secondsLeft) {
    const left = byId("secret-left");
    left.classList.remove("over");
    left.textContent = "";
    if (secondsLeft === null) return;
    this.#stopCountdown = countdown(secondsLeft, (seconds) => {
      left.textContent = seconds > 0 ? `剩余 ${clockText(seconds)}` : "已过期，请点“重发”";
      left.classList.toggle("over", seconds <= 0);
    });
  }

  #wireText() {
    this.text.addEventListener("input", () => {
      this.#measure();
      if (this.text.value.trim()) this.#handlers.typing();
    });
    this.text.addEventListener("focus", () => this.#openPanel(false));
    this.text.addEventListener("keydown", (event) => {
      // Enter also ends the choice of characters in a Chinese input method: that one is not ours.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      byId("composer").requestSubmit();
    });
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.text.value.trim();
      if (!text || [...text].length > this.#charsMax) return;
      if (this.#handlers.say(text) === false) return;
      this.text.value = "";
      this.#measure();
    });
    this.#measure();
  }

  #measure() {
    const length = [...this.text.value.trim()].length;
    const counter = byId("counter");
    const over = length > this.#charsMax;
    counter.hidden = length < COUNTER_FROM;
    counter.textContent = over ? `超出${length - this.#charsMax}字，请分几条发送` : `${length}/${this.#charsMax}`;
    counter.classList.toggle("over", over);
    byId("send").disabled = length === 0 || over;
    this.text.style.height = "";
    if (length > 0) this.text.style.height = `${this.text.scrollHeight + 2}px`;
  }

  #wireSecret() {
    this.secret.addEventListener("input", () => {
      if (this.#expects === "otp") this.secret.value = this.secret.value.replace(/\D/g, "");
      byId("secret-send").disabled = !this.#secretReady();
    });
    byId("secret").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#secretReady()) return;
      const text = this.secret.value;
      this.#clearSecret();
      this.secret.focus(); // a wrong code is typed again at once
      this.#handlers.secret(text);
    });
    byId("secret-resend").addEventListener("click", () => this.#handlers.say("重发"));
    byId("secret-cancel").addEventListener("click", () => this.#handlers.say("取消"));
  }

  #secretReady() {
    return this.#expects === "otp" ? this.secret.value.length === 6 : this.secret.value.length > 0;
  }

  #clearSecret() {
    this.secret.value = "";
    byId("secret-send").disabled = true;
  }

  #wirePanel() {
    const tiles = PANEL.map(([label, picture, say]) =>
      el(
        "button",
        { type: "button", "data-testid": "panel-item", onclick: () => (say ? this.#pick({ label, say }) : this.#scan()) },
        el("span", { class: "tile" }, icon(picture)),
        label,
      ),
    );
    byId("panel").append(...tiles);
    byId("plus").addEventListener("click", () => {
      const open = byId("panel").hidden;
      this.#openPanel(open);
      if (open) byId("panel").firstElementChild.focus({ preventScroll: true });
    });
    byId("panel").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.#openPanel(false);
      byId("plus").focus();
    });
  }

  #scan() {
    this.#openPanel(false);
    this.#handlers.scan();
  }

  #pick(choice) {
    this.#openPanel(false);
    byId("plus").focus();
    this.#handlers.choose(choice);
  }

  #openPanel(open) {
    byId("panel").hidden = !open;
    byId("plus").setAttribute("aria-expanded", String(open));
  }
}
