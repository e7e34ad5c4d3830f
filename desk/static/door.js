// The way in: user name and password.

import { api } from "./api.js";
import { byId, setText } from "./dom.js";

export class Door {
  /** `entered(answer)` hears who has logged in. */
  constructor(entered) {
    this.entered = entered;
    byId("login").addEventListener("submit", (event) => this.login(event));
  }

  /** The form in place of the desk; `text` says why. */
  show(text = "") {
    byId("desk").hidden = true;
    byId("door").hidden = false;
    setText(byId("door-error"), text);
    byId(byId("desk-user").value ? "desk-pass" : "desk-user").focus();
  }

  hide() {
    byId("door").hidden = true;
    byId("desk").hidden = false;
  }

  async login(event) {
    event.preventDefault();
    const [user, pass, button] = [byId("desk-user"), byId("desk-pass"), event.target.querySelector("button")];
    const missing = !user.value.trim() ? user : !pass.value ? pass : null;
    if (missing) {
      setText(byId("door-error"), missing === user ? "请输入用户名。" : "请输入密码。");
      return missing.focus();
    }
    button.disabled = true;
    setText(byId("door-error"), "");
    try {
      this.entered(await api.login(user.value, pass.value));
      pass.value = "";
    } catch (error) {
      setText(byId("door-error"), error.text);
      pass.select();
      pass.focus();
    } finally {
      button.disabled = false;
    }
  }
}
