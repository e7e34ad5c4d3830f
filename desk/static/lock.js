// The page of an agent who has left the seat: covered until the password is typed. Nothing is lost below the cover.

import { api, LOCKED } from "./api.js";
import { byId, setText } from "./dom.js";
import { session } from "./shelf.js";

const TELL_MS = 30000; // input within so long is told once
const INPUT = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"];

export class Lock {
  /** `on` has unlocked(answer) and seatLost(text). */
  constructor(on) {
    Object.assign(this, { on, usedAtMs: Date.now(), toldAtMs: Date.now(), asking: false });
    this.cover = byId("lock");
    this.pass = byId("lock-pass");
    for (const kind of INPUT) addEventListener(kind, () => this.used(), { capture: true, passive: true });
    addEventListener("keydown", (event) => this.swallow(event), { capture: true });
    addEventListener(LOCKED, ({ detail }) => this.shut(detail));
    this.cover.addEventListener("cancel", (event) => event.preventDefault());
    this.cover.addEventListener("close", () => this.shown && this.cover.showModal()); // browsers let a second Esc through
    byId("lock-form").addEventListener("submit", (event) => this.open(event));
    byId("lock-now").addEventListener("click", () => this.now());
    setInterval(() => this.look(), 1000);
  }

  /** In the moment in which a second Esc has closed the cover no key reaches what is below it. */
  swallow(event) {
    if (!this.shown || this.cover.open) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  used() {
    if (this.shown || !session.agent) return;
    this.usedAtMs = Date.now();
    if (this.usedAtMs - this.toldAtMs < TELL_MS) return;
    this.toldAtMs = this.usedAtMs;
    api.active().catch(() => {});
  }

  /** After a long while without input here: the server knows whether there was some in another window. */
  async look() {
    if (this.shown || this.asking || !session.agent || Date.now() - this.usedAtMs < session.idleLockMs) return;
    this.asking = true;
    try {
      await api.me();
      this.usedAtMs = Date.now();
    } catch (error) {
      if (error.status !== 401) this.shut(); // whatever is the matter, the page is covered
    } finally {
      this.asking = false;
    }
  }

  async now() {
    this.shut();
    try {
      await api.lock();
    } catch (error) {
      if (error.status === 401) this.lost(error.text);
    }
  }

  shut(who = {}) {
    const name = who.display_name ?? session.agent?.display_name;
    if (name) setText(byId("lock-who"), name);
    byId("lock-user").value = who.username ?? session.agent?.username ?? byId("lock-user").value;
    if (this.shown) return;
    this.shown = true;
    document.title = "已锁定 · 掌柜坐席台";
    setText(byId("lock-error"), "");
    this.pass.value = "";
    this.cover.showModal();
    this.pass.focus();
  }

  /** The cover goes, since there is nothing below it any more. */
  drop() {
    if (!this.shown) return;
    this.shown = false;
    this.cover.close();
  }

  lost(text) {
    this.drop();
    this.on.seatLost(text);
  }

  async open(event) {
    event.preventDefault();
    if (!this.pass.value) {
      setText(byId("lock-error"), "请输入密码。");
      return this.pass.focus();
    }
    const button = event.target.querySelector("button");
    button.disabled = true;
    setText(byId("lock-error"), "");
    try {
      const answer = await api.unlock(this.pass.value);
      this.usedAtMs = this.toldAtMs = Date.now();
      this.drop();
      this.on.unlocked(answer);
    } catch (error) {
      if (error.code === "no_session") return this.lost(error.text);
      setText(byId("lock-error"), error.text);
      this.pass.select();
      this.pass.focus();
    } finally {
      button.disabled = false;
    }
  }
}
