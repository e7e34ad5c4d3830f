// What was promised to one's own customers: until when each is owed a reply, and what is broken.

import { nowMs } from "./times.js";

/**
 * {sinceMs, due}: since when the customer waits for us (epoch ms, 0 for not at all), and until when this wait was promised an
 * end (ISO, "" where nothing is known). `item` is of the list; `talk` hears of an answer, and of the next words, before it does.
 */
export function waitOf(item, talk) {
  const sinceMs = talk.loaded ? talk.waitingSinceMs() : Date.parse(item?.waiting_since ?? "") || 0;
  const owedMs = Date.parse(item?.owed_since ?? "");
  if (!sinceMs || !item?.due_at || talk.answeredMs() >= owedMs) return { sinceMs, due: "" };
  return { sinceMs: Math.min(sinceMs, owedMs), due: item.due_at }; // words said meanwhile do not begin the wait anew
}

/** Tells of each broken promise once. */
export class Promises {
  constructor() {
    this.told = new Set(); // conversation and due time
  }

  /** A customer came to us: what is broken already is plain from the colour. */
  came(item) {
    if (isBroken(item.due_at)) this.told.add(keyOf(item.conversation_id, item.due_at));
  }

  /** Of `lines` {conversation_id, due} those whose promise has been broken since the last look. */
  fresh(lines) {
    const found = lines.filter((line) => isBroken(line.due) && !this.told.has(keyOf(line.conversation_id, line.due)));
    for (const line of found) this.told.add(keyOf(line.conversation_id, line.due));
    return found;
  }
}

export const isBroken = (due) => Date.parse(due ?? "") < nowMs();

const keyOf = (id, due) => `${id} ${due}`;
