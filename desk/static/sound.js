// The sound that calls an agent back to the page.

import { setText } from "./dom.js";

const KEPT = "zg_desk_sound";
const TONES = [[660, 0], [880, 0.14]]; // Hz, seconds from now

/** Two soft tones; silent until the agent switches it on (browsers want a click first), which also asks for notices outside the page. */
export class Sound {
  constructor(button) {
    this.button = button;
    this.on = false;
    this.context = null;
    button.addEventListener("click", () => {
      this.turn(!this.on);
      if (this.on && window.Notification?.permission === "default") Notification.requestPermission();
    });
    if (localStorage.getItem(KEPT) === "on") this.turnOnWithFirstInput();
  }

  /** A sound chosen on an earlier day may only start after a first click or key. */
  turnOnWithFirstInput() {
    const first = new AbortController();
    const begin = () => {
      first.abort();
      this.turn(true);
    };
    for (const kind of ["click", "keydown"]) document.addEventListener(kind, begin, { signal: first.signal });
  }

  turn(on) {
    this.on = on;
    if (on) {
      this.context ??= new AudioContext();
      this.context.resume();
    }
    this.button.setAttribute("aria-pressed", String(on));
    setText(this.button, `提示音：${on ? "开" : "关"}`);
    localStorage.setItem(KEPT, on ? "on" : "off");
  }

  play() {
    if (!this.on || this.context?.state !== "running") return;
    for (const [frequency, at] of TONES) {
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
