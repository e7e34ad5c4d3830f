// Whether a waiting customer can be taken at this moment. The server decides; the page says beforehand what it would say.

import { session } from "./shelf.js";
import { nowMs } from "./times.js";

/** Whole seconds for which the offer stands; 0 once it has lapsed, or where there is none. */
export function offerLeftS(item) {
  const left = (Date.parse(item.offered_until ?? "") - nowMs()) / 1000;
  return item.offered && left > 0 ? Math.ceil(left) : 0;
}

/** "me", "other" or "": to whom the customer is offered now. */
export const standingOffer = (item) => (offerLeftS(item) ? item.offered : "");

/** In a sentence why this agent, who serves `held` customers, cannot take the customer now; "" when they can. */
export function whyNot(item, held) {
  const { agent } = session;
  if (agent.presence !== "on_duty") return "您现在不在岗，请先切换到“在岗”再接客户。";
  if (held >= agent.max_load) return `您正在接待${held}位客户，已经满了，请先结束一位再接。`;
  if (standingOffer(item) !== "other") return "";
  return `这位客户正派给${item.offered_name}，${offerLeftS(item)}秒内没接的话您就可以接。`;
}
