// What the page knows of each conversation it serves, and the outbox that loses and doubles nothing.

import { api, newClientId } from "./api.js";
import { nowMs } from "./times.js";

const WAIT_MS_MAX = 15000;

export class Talk {
  constructor(id) {
    this.id = id;
    this.messages = new Map(); // by seq
    this.facts = null;
    this.notes = []; // of the staff, which no customer sees
    this.card = null; // the customer's card, once it was looked at
    this.filling = {}; // what the agent has typed for a slot, by its name
    this.loaded = false;
    this.loading = null;
    this.missed = false;
    this.unread = 0;
    this.seen = false; // opened by the agent at least once
    this.draft = "";
    this.pending = [];
    this.sending = false;
    this.typingUntilMs = 0;
    this.bornMs = Date.now();
    this.bornAtBankMs = nowMs();
    this.listed = false; // the server has named it as ours
    this.refreshTimer = 0;
  }

  get lastSeq() {
    return Math.max(0, ...this.messages.keys());
  }

  inOrder() {
    return [...this.messages.values()].sort((a, b) => a.seq - b.seq);
  }

  /** What customer or agent said last: where the service stands. */
  last() {
    return this.inOrder().findLast((message) => message.sender === "customer" || message.sender === "agent") ?? null;
  }

  /** When the customer last spoke, epoch ms; 0 when the agent has answered since. */
  waitingSinceMs() {
    const last = this.last();
    return last?.sender === "customer" ? Date.parse(last.created_at) : 0;
  }

  /** When an agent last spoke, epoch ms; 0 when none has. */
  answeredMs() {
    return Date.parse(this.inOrder().findLast((message) => message.sender === "agent")?.created_at ?? "") || 0;
  }

  /** Takes a message in once; the one it was sent as leaves the outbox. Gives whether it was new. */
  add(message) {
    if (message.client_id) this.pending = this.pending.filter((entry) => entry.clientId !== message.client_id);
    if (message.sender === "customer") this.typingUntilMs = 0;
    if (this.messages.has(message.seq)) return false;
    this.messages.set(message.seq, message);
    return true;
  }

  /** Reads what is missing, one request at a time; a wish that comes meanwhile is granted afterwards. */
  catchUp() {
    if (this.loading) {
      this.missed = true;
      return this.loading;
    }
    this.loading = this.read().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  ask(afterSeq) {
    return api.conversation(this.id, afterSeq);
  }

  async read() {
    do {
      this.missed = false;
      const answer = await this.ask(this.loaded ? this.lastSeq : 0);
      for (const message of answer.messages) this.add(message);
      this.facts = answer.facts;
      this.notes = answer.notes;
      this.owner = answer.owner ?? "agent";
      this.agentName = answer.agent_name ?? "";
      this.loaded = true;
    } while (this.missed);
  }
}

export class Outbox {
  /** `on` has changed(talk), gone(talk, text) and seatLost(). */
  constructor(on) {
    this.on = on;
  }

  send(talk, text) {
    talk.pending.push({ clientId: newClientId(), text, state: "waiting", error: "", talk });
    this.on.changed(talk);
    this.work(talk);
  }

  retry(entry) {
    entry.state = "waiting";
    this.on.changed(entry.talk);
    this.work(entry.talk);
  }

  drop(entry) {
    entry.talk.pending = entry.talk.pending.filter((other) => other !== entry);
    this.on.changed(entry.talk);
  }

  /** One message after the other, each with the id it was born with, until the server has taken it or refused it. */
  async work(talk) {
    if (talk.sending) return;
    talk.sending = true;
    let tries = 0;
    try {
      for (;;) {
        const entry = talk.pending.find((candidate) => candidate.state === "waiting");
        if (!entry) return;
        try {
          const { message } = await api.say(talk.id, entry.clientId, entry.text);
          talk.add(message);
          talk.pending = talk.pending.filter((other) => other !== entry);
          tries = 0;
        } catch (error) {
          if (error.status === 401) return this.on.seatLost();
          if (error.again) {
            await pause(error.details?.retry_after_s * 1000 || Math.min(WAIT_MS_MAX, 1000 * 2 ** tries));
            tries += 1;
          } else {
            entry.state = "failed";
            entry.error = error.text ?? "请再试一次";
            if (error.status === 403) this.on.gone(talk, error.text);
          }
        }
        this.on.changed(talk);
      }
    } finally {
      talk.sending = false;
    }
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
