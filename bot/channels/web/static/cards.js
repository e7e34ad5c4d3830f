// Cards: what a reply shows besides its sentence. One table of looks, the rest is the same for all kinds.

import { barElement, el, icon } from "./dom.js";

const LOOKS = {
  balance: { icon: "balance", big: /余额|合计|总额/ },
  statement: { icon: "statement" },
  spending: { icon: "statement", big: /合计/ },
  readback: { icon: "readback", big: /金额/ },
  receipt: { icon: "check", big: /金额/ },
  list: { icon: "list" },
  branches: { icon: "branch" },
  ticket: { icon: "ticket", big: /单号|编号/ },
  code: { icon: "code", big: /金额/ },
};
const TABLES = new Set(["statement", "spending", "balance"]);
const SHARE = /^\d+(\.\d+)?%$/;
const ITEMISED = new Set(["list", "branches"]);
const AMOUNT = /^[+\-−]?\s?[¥￥]?\s?[+\-−]?[\d,]+(\.\d+)?\s?元?$/;
const DATE = /^\d{1,4}[-/.月]\d{1,2}/;
const NUMBER = /单号|流水|编号|回单|订单/;

/** The card of message `seq` as an element; `choices` become its buttons. */
export function cardElement(card, choices, seq) {
  const look = LOOKS[card.kind] ?? LOOKS.list;
  const facts = [...(card.facts ?? [])];
  const big = takeBig(facts, look, card.kind);
  return el(
    "article",
    { class: "card", "data-kind": card.kind, "data-testid": `card-${card.kind}`, "aria-label": card.title },
    el("h2", { class: "card-head" }, icon(look.icon), card.title),
    big && bigElement(big),
    card.code ? codeElement(card, seq) : null,
    facts.length > 0 ? factsElement(facts) : null,
    rowsElement(card),
    choices.length > 0 ? el("div", { class: "choices" }, ...choices) : null,
    card.note ? el("p", { class: "card-note" }, card.note) : null,
  );
}

/** The sentences that say more than the card: reading it aloud is for the telephone. */
export function wordsBeside(text, card) {
  const values = (card.facts ?? []).map((fact) => fact.value).filter((value) => value.length > 1);
  const enough = Math.max(2, Math.ceil(values.length / 2));
  const saysTheCard = (sentence) => {
    const named = card.kind === "receipt" && sentence.includes(card.title) ? 1 : enough;
    return values.filter((value) => sentence.includes(value)).length >= named;
  };
  const sentences = text.match(/[^。！？\n]+[。！？\n]*/g) ?? [];
  return sentences.filter((one) => !saysTheCard(one)).map((one) => withoutItems(one, card)).join("").trim();
}

/** "您有2位收款人：李四、王五。" beside the list of the two: the part after the colon goes. */
function withoutItems(sentence, card) {
  const at = sentence.indexOf("：");
  if (at < 0 || !ITEMISED.has(card.kind)) return sentence;
  const cells = new Set((card.rows ?? []).flat().filter((cell) => cell.length > 1));
  const named = [...cells].filter((cell) => sentence.indexOf(cell, at) > 0).length;
  return named >= (card.kind === "branches" ? 1 : 2) ? `${sentence.slice(0, at)}。` : sentence;
}

/** The QR picture, which the server draws, and ways to pass it on. */
function codeElement(card, seq) {
  const source = `/chat/code/${seq}`;
  const tools = [el("a", { href: source, download: `${card.title}.png`, "data-testid": "code-save" }, "保存图片")];
  if (navigator.clipboard) {
    const copy = el("button", { type: "button", "data-testid": "code-copy" }, "复制链接");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(card.code).then(
        () => (copy.textContent = "已复制"),
        () => (copy.textContent = "没复制上"),
      );
    });
    tools.push(copy);
  }
  const picture = el("img", { src: source, alt: `${card.title}，请付款人扫`, width: 240, height: 240, "data-testid": "code" });
  return el("div", { class: "code" }, picture, el("div", { class: "code-tools" }, ...tools));
}

/** Takes out the one fact that is shown large. */
function takeBig(facts, look, kind) {
  if (!look.big) return null;
  let index = facts.findIndex((fact) => look.big.test(fact.label));
  if (index < 0 && kind === "balance") index = facts.findIndex((fact) => AMOUNT.test(fact.value));
  return index < 0 ? null : facts.splice(index, 1)[0];
}

/** "¥500.00（伍佰元整）": the capitals go on their own line. */
function bigElement(fact) {
  const [, plain, capital] = fact.value.match(/^(.*?)[（(](.+)[)）]$/) ?? [null, fact.value, null];
  const value = el("dd", { "data-testid": "card-amount" }, plain);
  if (capital) value.append(el("span", { class: "capital" }, capital));
  return el("dl", { class: "card-big" }, el("dt", {}, fact.label), value);
}

function factsElement(facts) {
  const rows = facts.map((fact) => {
    const value = NUMBER.test(fact.label) ? el("span", { class: "number" }, fact.value) : fact.value;
    return el("div", { class: "fact", "data-testid": "fact" }, el("dt", {}, fact.label), el("dd", {}, value));
  });
  return el("dl", { class: "facts" }, ...rows);
}

function rowsElement(card) {
  const rows = card.rows ?? [];
  if (rows.length === 0) return null;
  return TABLES.has(card.kind) ? tableElement(card) : itemsElement(card);
}

function tableElement(card) {
  const numeric = card.columns.map((_, at) => card.rows.every((row) => AMOUNT.test(row[at]) || row[at] === ""));
  const head = card.columns.map((name, at) => el("th", { scope: "col", class: numeric[at] ? "num" : null }, name));
  const body = card.rows.map((row) => el("tr", {}, ...row.map((cell, at) => cellElement(cell, numeric[at]))));
  const table = el(
    "table",
    {},
    el("caption", { class: "vh" }, card.title),
    el("thead", {}, el("tr", {}, ...head)),
    el("tbody", {}, ...body),
  );
  return el("div", { class: "table-wrap", tabindex: "0", role: "group", "aria-label": card.title }, table);
}

function cellElement(cell, numeric) {
  if (SHARE.test(cell)) {
    return el("td", { class: "share" }, el("div", {}, barElement(Number(cell.slice(0, -1))), el("span", {}, cell)));
  }
  const income = numeric && cell.trim().startsWith("+");
  const names = [numeric && "num", income && "in", !numeric && DATE.test(cell) && "date"].filter(Boolean);
  return el("td", { class: names.join(" ") || null }, cell);
}

/** A list on a narrow screen: the first column is the name, the others are labelled lines. */
function itemsElement(card) {
  const items = card.rows.map(([name, ...rest]) => {
    const lines = rest.map((value, at) => value && itemLine(card.columns[at + 1], value)).filter(Boolean);
    return el("li", { class: "item", "data-testid": "item" }, el("div", { class: "item-name" }, name), ...lines);
  });
  return el("ul", { class: "items" }, ...items);
}

function itemLine(label, value) {
  return el("div", { class: "item-line" }, el("span", {}, label), el("span", {}, value));
}
