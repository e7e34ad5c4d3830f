// Small helpers for the page's elements. Text only ever becomes text: nothing here parses HTML.

export const byId = (id) => document.getElementById(id);

/** Makes an element. `props` are attributes, except `text` and on... listeners; null children are skipped. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The element within `node` that is called `name`. */
export const part = (node, name) => node.querySelector(`[data-part="${name}"]`);

/** Gives a select its rows of [value, text], keeping what is chosen; nothing happens when it has them already. */
export function options(select, rows) {
  const chosen = select.value;
  if ([...select.options].map((option) => option.value).join() === rows.map(([value]) => value).join()) return;
  select.replaceChildren(...rows.map(([value, text]) => el("option", { value, text, selected: value === chosen })));
}

/** A number that asks for attention; none shows for 0. */
export function setBadge(node, count) {
  node.hidden = !count;
  setText(node, String(count || ""));
}

/** Whether the element is the one of its list that is open. */
export function setCurrent(node, on) {
  if (on) node.setAttribute("aria-current", "true");
  else node.removeAttribute("aria-current");
}

/** Of the buttons called `prefix` + name, the chosen one is pressed. */
export function pressOne(prefix, names, chosen) {
  for (const name of names) byId(prefix + name).setAttribute("aria-pressed", String(name === chosen));
}

/** A list of terms: rows are [label, ...values], each a text or elements. */
export function terms(rows, props = {}) {
  return el("dl", props, ...rows.map(([label, ...values]) => el("div", {}, el("dt", { text: label }), el("dd", {}, ...values.filter((value) => value !== null)))));
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Makes the list show `items` in order, keeping the elements it has, so that focus and scrolling survive. */
export function reconcile(list, items, keyOf, create, update) {
  const known = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const wanted = new Set(items.map((item) => String(keyOf(item))));
  // What is gone goes first: an element that is moved loses the focus, so as few as possible are.
  for (const [key, node] of known) if (!wanted.has(key)) node.remove();
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  let place = list.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let node = known.get(key);
    if (!node) {
      node = create(item);
      node.dataset.key = key;
    }
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else list.insertBefore(node, place);
  }
  if (focused && focused !== document.activeElement) focused.focus();
}
