// Building blocks for the page. Text only ever enters as text nodes, so nothing a person typed can become markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element with attributes ("data-testid", "class", "onclick" ...) and children (nodes or strings). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** One of the drawings in the page's sprite. */
export function icon(name, className = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A bar of a width that is `part` of the whole, 0 to 100. Its looks are the stylesheet's. */
export function barElement(part) {
  const svg = document.createElementNS(SVG, "svg");
  const bar = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" })) svg.setAttribute(name, value);
  for (const [name, value] of Object.entries({ width: Math.max(1, part), height: 1 })) bar.setAttribute(name, value);
  svg.append(bar);
  return svg;
}

/** A random identifier; crypto.randomUUID exists on https and localhost only. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** "0:45" */
export function clockText(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

/** Calls `tick(secondsLeft)` now and twice a second until it reaches zero; returns a function that stops it. */
export function countdown(seconds, tick) {
  const end = performance.now() + seconds * 1000;
  let timer = 0;
  const step = () => {
    const left = (end - performance.now()) / 1000;
    tick(Math.max(0, left));
    if (left <= 0) clearInterval(timer);
  };
  timer = setInterval(step, 500);
  step();
  return () => clearInterval(timer);
}
