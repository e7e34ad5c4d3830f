// What the middle column shows: one of its views at a time.

import { byId } from "./dom.js";

const VIEWS = ["blank", "talk", "ticket", "watch", "complaint", "board", "trail"];

export function showMiddle(which) {
  for (const id of VIEWS) byId(id).hidden = id !== which;
}
