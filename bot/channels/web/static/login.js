// The log-in sheet (phone and password, then a code) and the sheet to log out.

import { api } from "./api.js";
import { byId, clockText, countdown } from "./dom.js";
import { RecoverSheet } from "./recover.js";
import { Sheet } from "./sheets.js";

const PROOFS = {
  otp: {
    title: "输入短信验证码",
    label: "6位验证码",
    words: (phone) => `验证码已发到 ${phone}`,
    resend: "重新获取",
    shape: /^\d{6}$/,
    missing: "请输入6位数字验证码。",
    maxLength: 6,
  },
  totp: {
    title: "输入动态口令",
    label: "动态口令或恢复码",
    words: () => "请看动态口令App上的6位数字",
    resend: "改用短信验证码",
    shape: /^(\d{6}|[0-9A-Za-z]{5}[- ]?[0-9A-Za-z]{5})$/,
    missing: "请输入6位动态口令，或10位恢复码。",
    maxLength: 11,
  },
  id_tail: {
    title: "再核对一项",
    label: "证件号码后四位",
    words: () => "这次登录和平时不太一样，请核对开户证件号码的后四位",
    resend: "",
    shape: /^\d{3}[\dXx]$/,
    missing: "请输入证件号码的最后4位。",
    maxLength: 4,
  },
};

export class LoginSheet extends Sheet {
  #challengeId = null;
  #needs = "otp";
  #stops = [];
  #handlers;

  /** `handlers`: loggedIn(me), loggedOut(), notice(text). */
  constructor(handlers) {
    super();
    this.#handlers = handlers;
    const recover = new RecoverSheet({ done: (phone, text) => this.#recovered(phone, text) });
    for (const id of ["login", "profile"]) this.wire(byId(id));
    byId("login-forgot").addEventListener("click", () => {
      byId("login").close();
      recover.open(byId("login-phone").value);
    });
    byId("login-password-step").addEventListener("submit", (event) => this.#run(event, () => this.#start(), "login-error"));
    byId("login-code-step").addEventListener("submit", (event) => this.#run(event, () => this.#finish(), "code-error"));
    byId("code-resend").addEventListener("click", (event) => this.#run(event, () => this.#resend(), "code-error"));
    byId("code-back").addEventListener("click", () => this.#show("password"));
    byId("logout").addEventListener("click", (event) => this.#run(event, () => this.#logout(), null));
    byId("login-code").addEventListener("input", () => {
      if (this.#needs === "otp") byId("login-code").value = byId("login-code").value.replace(/\D/g, "");
    });
  }

  openLogin() {
    if (byId("login").open) return;
    this.showOver("login");
    byId(byId("login-code-step").hidden ? "login-phone" : "login-code").focus();
  }

  openProfile(name) {
    byId("profile-title").textContent = `已登录：${name}`;
    this.showOver("profile");
  }

  showDeveloperLink(shown) {
    for (const link of document.querySelectorAll("[data-dev]")) link.hidden = !shown;
  }

  /** A refusal is shown where it belongs. */
  #run(event, action, errorId) {
    if (errorId) this.say(errorId, "");
    return this.run(event, action, (error, text) => {
      if (error.code === "login_stale") this.#show("password");
      if (errorId) this.say(error.code === "login_stale" ? "login-error" : errorId, text);
      else this.#handlers.notice(text);
      if (error.code === "login_refused") this.#again(event.target.id);
    });
  }

  /** With the new password the log-in begins anew. */
  #recovered(phone, text) {
    this.#show("password");
    this.openLogin();
    byId("login-phone").value = phone;
    byId("login-password").focus();
    this.#handlers.notice(text);
  }

  /** The refused field is ready to be typed over. */
  #again(stepId) {
    const field = byId(stepId === "login-password-step" ? "login-password" : "login-code");
    field.focus();
    field.select();
  }

  async #start() {
    const phone = byId("login-phone").value.replace(/\D/g, "");
    const password = byId("login-password").value;
    if (!/^1\d{10}$/.test(phone)) return this.refuse("login-phone", "login-error", "请输入11位手机号。");
    if (!password) return this.refuse("login-password", "login-error", "请输入登录密码。");
    const answer = await api.login(phone, password, byId("login-trust").checked);
    byId("login-password").value = "";
    this.#goOn(answer);
  }

  /** Either the next proof, or the log-in is done. */
  #goOn(answer) {
    if (answer.needs) {
      this.#needs = answer.needs;
      this.#show("code");
      this.#ask(answer);
      return;
    }
    byId("login").close();
    this.#show("password");
    byId("login-phone").value = "";
    this.#handlers.loggedIn(answer);
  }

  async #resend() {
    this.#goOn(await api.resend());
  }

  async #finish() {
    const code = byId("login-code").value.trim();
    const { shape, missing } = PROOFS[this.#needs];
    if (!shape.test(code)) return this.refuse("login-code", "code-error", missing);
    byId("login-code").value = "";
    this.#goOn(await api.verify(this.#challengeId, code));
  }

  async #logout() {
    await api.logout();
    byId("profile").close();
    this.#handlers.loggedOut();
  }

  #ask({ challenge_id: challengeId, masked_phone: phone, valid_s: valid, resend_after_s: wait }) {
    const { title, label, words, resend, maxLength } = PROOFS[this.#needs];
    this.#challengeId = challengeId;
    byId("login-title").textContent = title;
    byId("login-code-label").textContent = label;
    byId("code-sent").textContent = words(phone);
    byId("login-code").maxLength = maxLength;
    byId("login-code").setAttribute("inputmode", this.#needs === "otp" ? "numeric" : "text");
    byId("login-code").value = "";
    byId("login-code").focus();
    this.#stopCountdowns();
    const left = byId("code-left");
    const again = byId("code-resend");
    left.textContent = "";
    again.textContent = resend;
    again.hidden = !resend;
    again.disabled = false;
    if (valid === undefined) return;
    this.#stops = [
      countdown(valid, (seconds) => {
        left.textContent = seconds > 0 ? `${clockText(seconds)} 内有效` : "验证码已过期";
      }),
      countdown(wait, (seconds) => {
        again.disabled = seconds > 0;
        again.textContent = seconds > 0 ? `${Math.ceil(seconds)}秒后可重新获取` : resend;
      }),
    ];
  }

  #show(step) {
    byId("login-password-step").hidden = step !== "password";
    byId("login-code-step").hidden = step !== "code";
    if (step === "password") {
      byId("login-title").textContent = "登录掌柜银行";
      this.#stopCountdowns();
    }
    this.say("login-error", "");
    this.say("code-error", "");
    if (byId("login").open && step === "password") byId("login-phone").focus();
  }

  #stopCountdowns() {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }
}
