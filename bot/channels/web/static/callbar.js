// The call as a customer sees it: above the field for writing, which goes on working.

import { Call } from "./call.js";
import { byId, clockText, el } from "./dom.js";

const LABELS = {
  opening: "正在接通…",
  listening: "正在听，请讲",
  speaking: "正在说",
  working: "正在办理…",
  queue: "正在排队，请稍等",
  agent: "同事在线",
};
const MUTED = "已静音，这边听不到您";
const HEARS = new Set(["listening", "agent", "queue"]);
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const KEY_NAMES = { "*": "星号", "#": "井号" };

export class CallBar {
  #call;
  #notice;
  #since = 0;
  #timer = 0;

  /** `notice(text)` tells the customer something. */
  constructor(notice) {
    this.#notice = notice;
    this.#call = new Call({
      state: (state) => this.#show(state),
      words: (heard, saying) => this.#words(heard, saying),
      ended: (text) => this.#ended(text),
    });
    byId("dial").addEventListener("click", () => this.#call.start());
    byId("call-end").addEventListener("click", () => this.#call.stop());
    byId("call-mute").addEventListener("click", () => this.#mute(!this.#call.muted));
    byId("call-keys").addEventListener("click", () => this.#openKeys(byId("call-keypad").hidden));
    byId("call-keypad").append(...KEYS.map((key) => this.#key(key)));
    window.addEventListener("pagehide", () => this.stop());
  }

  /** Whether the button is there at all. */
  offer(offered) {
    byId("dial").hidden = !offered;
  }

  stop() {
    this.#call.stop();
  }

  #key(key) {
    const press = () => this.#call.press(key);
    const name = KEY_NAMES[key] ?? key;
    return el("button", { type: "button", "data-testid": `call-key-${name}`, "aria-label": name, onclick: press }, key);
  }

  #show(state) {
    const on = state !== "off";
    byId("call").hidden = !on;
    byId("dial").setAttribute("aria-pressed", String(on));
    byId("dial").disabled = on;
    byId("call").dataset.state = state;
    if (on && state !== "opening" && !this.#since) this.#startClock();
    if (state === "opening") {
      this.#words("", "");
      byId("call-end").focus({ preventScroll: true });
    }
    this.#label();
  }

  #label() {
    const { state, muted } = this.#call;
    byId("call-state").textContent = muted && HEARS.has(state) ? MUTED : (LABELS[state] ?? "");
  }

  #words(heard, saying) {
    const words = heard || saying;
    byId("call-words").textContent = words;
    byId("call-words").dataset.whose = heard ? "customer" : "bot";
  }

  #mute(muted) {
    this.#call.mute(muted);
    byId("call-mute").setAttribute("aria-pressed", String(muted));
    byId("call-mute-use").setAttribute("href", muted ? "#i-mic-off" : "#i-mic");
    this.#label();
  }

  #openKeys(open) {
    byId("call-keypad").hidden = !open;
    byId("call-keys").setAttribute("aria-expanded", String(open));
  }

  #startClock() {
    this.#since = performance.now();
    const tick = () => (byId("call-clock").textContent = clockText((performance.now() - this.#since) / 1000));
    this.#timer = setInterval(tick, 1000);
    tick();
  }

  #ended(text) {
    const lasted = this.#since ? `通话已结束，时长${clockText((performance.now() - this.#since) / 1000)}。` : "";
    clearInterval(this.#timer);
    this.#since = 0;
    byId("call-clock").textContent = "";
    this.#openKeys(false);
    this.#mute(false);
    if (text || lasted) this.#notice(text || lasted);
    if (!byId("composer").hidden) byId("dial").focus({ preventScroll: true });
  }
}
