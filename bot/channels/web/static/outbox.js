// What the customer sent and the server has not acknowledged yet. Sentences survive a reload of the tab; secrets
// (codes, passwords) live in memory only. Each entry keeps its client_id, so sending it again has no second effect.

const KEY = "zg.outbox";
const ENTRIES_MAX = 20;

export class Outbox {
  #entries = [];

  constructor(storage) {
    this.storage = storage;
    try {
      const kept = JSON.parse(storage.getItem(KEY) ?? "[]");
      this.#entries = kept.filter((entry) => typeof entry?.client_id === "string" && typeof entry.text === "string");
    } catch {
      this.#entries = []; // unreadable or forbidden storage: start empty
    }
  }

  get entries() {
    return [...this.#entries];
  }

  get isFull() {
    return this.#entries.length >= ENTRIES_MAX;
  }

  add(entry) {
    this.#entries.push(entry);
    this.#keep();
  }

  find(clientId) {
    return this.#entries.find((entry) => entry.client_id === clientId);
  }

  remove(clientId) {
    this.#entries = this.#entries.filter((entry) => entry.client_id !== clientId);
    this.#keep();
  }

  clear() {
    this.#entries = [];
    this.#keep();
  }

  #keep() {
    const kept = this.#entries.filter((entry) => !entry.secret);
    try {
      this.storage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // private mode or full storage: memory alone still works
    }
  }
}
