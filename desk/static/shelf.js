// What the whole page knows: who sits here, and the conversations they have, one of them open.

import { Talk } from "./talks.js";

/** Said to an auditor, who takes and changes nothing. */
export const ONLY_LOOKS = "您的账号只能查看，不接待客户。";

/** The agent with their limits and the results a service may have; filled in at log-in. */
export const session = { agent: null, idleLockMs: Infinity, limits: { note_chars_max: 200 }, wrapUps: [] };

/** Every conversation this page serves, by id. */
export class Shelf {
  constructor() {
    this.talks = new Map();
    this.current = null; // id of the open one
  }

  /** The open conversation, or null. */
  get open() {
    return this.current ? this.talks.get(this.current) : null;
  }

  get all() {
    return [...this.talks.values()];
  }

  get unread() {
    return this.all.reduce((sum, talk) => sum + talk.unread, 0);
  }

  of(id) {
    if (!this.talks.has(id)) this.talks.set(id, new Talk(id));
    return this.talks.get(id);
  }
}
