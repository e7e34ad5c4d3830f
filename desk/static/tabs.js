// The tabs of the left column, and walking through the cards of the open one.

import { byId } from "./dom.js";

const TABS = ["talks", "tickets", "complaints", "board", "floor"];
const tab = (name) => byId(`tab-${name}`);
const panel = (name) => byId(`panel-${name}`);

export class Tabs {
  /** `opened(name)` hears which tab is open now. */
  constructor(opened) {
    this.opened = opened;
    for (const name of TABS) {
      tab(name).addEventListener("click", () => this.select(name));
      tab(name).addEventListener("keydown", (event) => this.key(event));
    }
  }

  select(name) {
    for (const each of TABS) {
      const on = each === name;
      tab(each).setAttribute("aria-selected", String(on));
      tab(each).tabIndex = on ? 0 : -1;
      panel(each).hidden = !on;
    }
    this.opened(name);
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.stopPropagation();
    const shown = TABS.filter((name) => !tab(name).hidden);
    const at = shown.findIndex((name) => tab(name).getAttribute("aria-selected") === "true");
    const other = shown[(at + step + shown.length) % shown.length];
    this.select(other);
    tab(other).focus();
  }

  /** The focus moves through the cards of the open list, at first from the one that is open; Enter then opens or claims. */
  step(by) {
    const open = TABS.map(panel).find((each) => !each.hidden);
    const cards = [...open.querySelectorAll("li button:not([hidden], [tabindex=\"-1\"])")];
    if (!cards.length) return;
    const focused = cards.indexOf(document.activeElement);
    const at = focused < 0 ? cards.findIndex((card) => card.hasAttribute("aria-current")) : focused;
    cards[at < 0 ? (by > 0 ? 0 : cards.length - 1) : Math.min(cards.length - 1, Math.max(0, at + by))].focus();
  }
}
