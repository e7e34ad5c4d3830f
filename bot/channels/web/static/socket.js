// The web socket with reconnection. It knows nothing of messages: it says when it is up and hands frames over.

const PING_MS = 20_000;
const SESSION_CHANGED_MS = 3000;
const SILENCE_MS_MAX = 45_000;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 15_000;

export const CLOSED = { sessionChanged: 4001, noSession: 4401, tooMany: 4429 };

export class ChatSocket extends EventTarget {
  #socket = null;
  #backoff = BACKOFF_MS_MIN;
  #retry = 0;
  #ping = 0;
  #heardAt = 0;
  #wanted = false;

  constructor(path) {
    super();
    this.path = path;
    window.addEventListener("online", () => this.#hurry());
    window.addEventListener("offline", () => this.#drop());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#hurry());
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects, and stays connected until `stop`. */
  start() {
    this.#wanted = true;
    this.#connect();
  }

  stop() {
    this.#wanted = false;
    this.#drop();
  }

  /** Drops the line and takes it up again at once, for instance with a new cookie. */
  restart() {
    this.stop();
    this.#backoff = BACKOFF_MS_MIN;
    this.start();
  }

  /** Sends a frame if the line is up; says whether it was. */
  send(frame) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #connect() {
    clearTimeout(this.#retry);
    const url = new URL(this.path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#current(socket) && this.#opened());
    socket.addEventListener("message", (event) => this.#current(socket) && this.#heard(event.data));
    socket.addEventListener("close", (event) => this.#current(socket) && this.#lost(event.code));
  }

  #current(socket) {
    return socket === this.#socket;
  }

  #opened() {
    this.#heardAt = Date.now();
    clearInterval(this.#ping);
    this.#ping = setInterval(() => this.#check(), PING_MS);
    this.dispatchEvent(new Event("up"));
  }

  #heard(data) {
    this.#heardAt = Date.now();
    const frame = JSON.parse(data);
    if (frame.type === "welcome") this.#backoff = BACKOFF_MS_MIN; // the server took us in
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #check() {
    if (Date.now() - this.#heardAt > SILENCE_MS_MAX) this.#drop();
    else this.send({ type: "ping" });
  }

  /** Gives the line up without waiting for the other side, which may be gone. */
  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.close();
    this.#lost(1006);
  }

  #lost(code) {
    clearInterval(this.#ping);
    this.#socket = null;
    clearTimeout(this.#retry);
    this.dispatchEvent(new CustomEvent("down", { detail: { code, wanted: this.#wanted } }));
    if (!this.#wanted) return;
    if (code === CLOSED.tooMany) this.#backoff = BACKOFF_MS_MAX;
    // A log-in or log-out of this page restarts the line itself, with the new cookie; other tabs follow a bit later.
    const base = code === CLOSED.sessionChanged ? SESSION_CHANGED_MS : this.#backoff;
    const wait = base * (0.75 + Math.random() * 0.5);
    this.#backoff = Math.min(this.#backoff * 1.8, BACKOFF_MS_MAX);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #hurry() {
    if (!this.#wanted) return;
    if (this.#socket) this.#check();
    else this.#connect();
  }
}
