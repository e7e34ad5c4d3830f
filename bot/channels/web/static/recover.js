// The sheet for a forgotten password: phone number, then code and papers, then a new password.

import { api } from "./api.js";
import { byId, countdown } from "./dom.js";
import { Sheet } from "./sheets.js";

const STEPS = {
  phone: { title: "找回登录密码", field: "recover-phone" },
  papers: { title: "核对身份", field: "recover-code" },
  password: { title: "设置新密码", field: "recover-password" },
};

export class RecoverSheet extends Sheet {
  #id = null;
  #stop = () => {};
  #handlers;

  /** `handlers`: done(phone, text) when the new password is set. */
  constructor(handlers) {
    super();
    this.#handlers = handlers;
    this.wire(byId("recover"));
    const steps = { phone: () => this.#start(), papers: () => this.#prove(), password: () => this.#finish() };
    for (const [step, action] of Object.entries(steps)) {
      byId(`recover-${step}-step`).addEventListener("submit", (event) => this.#do(event, step, action));
    }
    byId("recover-resend").addEventListener("click", (event) => this.#do(event, "papers", () => this.#start()));
  }

  open(phone) {
    byId("recover-phone").value = phone;
    for (const id of ["recover-code", "recover-name", "recover-id", "recover-password", "recover-again"]) byId(id).value = "";
    this.showOver("recover");
    this.#show("phone");
  }

  #do(event, step, action) {
    this.say(`recover-${step}-error`, "");
    return this.run(event, action, (error, text) => {
      if (error.code === "recovery_stale") this.#show("phone");
      this.say(`recover-${error.code === "recovery_stale" ? "phone" : step}-error`, text);
    });
  }

  async #start() {
    const phone = byId("recover-phone").value.replace(/\D/g, "");
    if (!/^1\d{10}$/.test(phone)) return this.refuse("recover-phone", "recover-phone-error", "请输入11位手机号。");
    const { recovery_id: id, masked_phone: masked, resend_after_s: wait } = await api.recover(phone);
    this.#id = id;
    this.#show("papers");
    byId("recover-sent").textContent = `如果 ${masked} 是在本行登记的手机号，验证码已经发出`;
    const again = byId("recover-resend");
    this.#stop();
    this.#stop = countdown(wait, (seconds) => {
      again.disabled = seconds > 0;
      again.textContent = seconds > 0 ? `${Math.ceil(seconds)}秒后可重新获取` : "重新获取";
    });
  }

  async #prove() {
    const code = byId("recover-code").value.trim();
    const name = byId("recover-name").value.trim();
    const idNumber = byId("recover-id").value.trim();
    if (!/^\d{6}$/.test(code)) return this.refuse("recover-code", "recover-papers-error", "请输入6位数字验证码。");
    if (!name) return this.refuse("recover-name", "recover-papers-error", "请输入姓名。");
    if (!/^\d{17}[\dXx]$/.test(idNumber)) return this.refuse("recover-id", "recover-papers-error", "请输入18位身份证号码。");
    await api.recoverProve(this.#id, code, name, idNumber);
    this.#show("password");
  }

  async #finish() {
    const password = byId("recover-password").value;
    if (password !== byId("recover-again").value) {
      return this.refuse("recover-again", "recover-password-error", "两次输入的新密码不一样。");
    }
    const { text } = await api.recoverFinish(this.#id, password);
    const phone = byId("recover-phone").value;
    byId("recover").close();
    this.#handlers.done(phone, text);
  }

  #show(step) {
    for (const name of Object.keys(STEPS)) {
      byId(`recover-${name}-step`).hidden = name !== step;
      this.say(`recover-${name}-error`, "");
    }
    byId("recover-title").textContent = STEPS[step].title;
    if (step !== "papers") this.#stop();
    byId(STEPS[step].field).focus();
  }
}
