// The web socket that brings news. It comes back by itself: 1, 2, 4 ... 15 seconds, with some chance in it.

import { socketUrl } from "./api.js";

const WAIT_MS_MIN = 1000;
const WAIT_MS_MAX = 15000;
const SILENCE_MS_MAX = 40000; // the server beats every 15 seconds: longer silence is a dead line
const STAY_AWAY = { 4001: "账号已在别处登录或退出，请重新登录。", 4401: "登录已经失效，请重新登录。" };

export class Live {
  /** `on` has frame(frame), link(state: "up" | "down", retryAtMs) and gone(text). */
  constructor(on) {
    this.on = on;
    this.socket = null;
    this.wanted = false;
    this.tries = 0;
    this.timer = 0;
    this.heardAt = 0;
    setInterval(() => this.watch(), 5000);
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.drop());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
  }

  start() {
    this.wanted = true;
    this.tries = 0;
    this.connect();
  }

  stop() {
    this.wanted = false;
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  connect() {
    clearTimeout(this.timer);
    if (!this.wanted || this.socket) return;
    const socket = new WebSocket(socketUrl("/ws"));
    this.socket = socket;
    this.heardAt = Date.now();
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.heardAt = Date.now();
      const frame = JSON.parse(event.data);
      if (frame.type === "welcome") {
        this.tries = 0;
        this.on.link("up", 0);
      }
      this.on.frame(frame);
    };
    socket.onclose = (event) => socket === this.socket && this.lost(event.code);
  }

  lost(code) {
    this.socket = null;
    if (STAY_AWAY[code]) {
      this.wanted = false;
      this.on.gone(STAY_AWAY[code]);
      return;
    }
    if (!this.wanted) return;
    const base = code === 4429 ? WAIT_MS_MAX : Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** this.tries);
    const waitMs = base * (0.75 + Math.random() / 2);
    this.tries += 1;
    this.timer = setTimeout(() => this.connect(), waitMs);
    this.on.link("down", Date.now() + waitMs);
  }

  /** A line without news for too long is given up; its close event may never come. */
  watch() {
    if (Date.now() - this.heardAt > SILENCE_MS_MAX) this.drop();
  }

  drop() {
    if (!this.socket) return;
    const dead = this.socket;
    dead.onclose = null;
    dead.onmessage = null;
    dead.close();
    this.lost(1006);
  }

  hurry() {
    if (this.wanted && !this.socket) this.connect();
    else if (this.socket?.readyState === WebSocket.OPEN) this.socket.send('{"type":"ping"}');
  }
}
