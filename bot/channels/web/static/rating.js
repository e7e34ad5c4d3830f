// One to five stars and a word, at the end of a human service.

import { el, icon } from "./dom.js";

const WORDS = ["", "很不满意", "不太满意", "一般", "满意", "非常满意"];

/** The rating as an element; `submit(score, comment)` is called once, `leave()` when the customer does not want to. */
export function ratingElement(submit, leave) {
  const word = el("p", { class: "rating-word", "aria-live": "polite" });
  const send = el("button", { type: "submit", class: "primary wide", "data-testid": "rate-submit", disabled: true }, "提交评价");
  const later = el("button", { type: "button", class: "rating-leave", "data-testid": "rating-leave", "aria-label": "不评价" }, "×");
  later.addEventListener("click", leave);
  const comment = el("textarea", { "data-testid": "rate-comment", maxlength: "200", placeholder: "想说点什么？（选填）", "aria-label": "评价内容，选填" });
  const labels = WORDS.slice(1).map((text, at) => starElement(at + 1, text));
  const form = el(
    "form",
    { class: "rating", "data-testid": "rating" },
    later,
    el("fieldset", {}, el("legend", {}, "这次服务您满意吗？"), el("div", { class: "stars" }, ...labels), word),
    comment,
    send,
  );
  form.addEventListener("change", () => {
    const score = Number(new FormData(form).get("score"));
    if (!score) return;
    word.textContent = WORDS[score];
    send.disabled = false;
    labels.forEach((label, at) => label.classList.toggle("lit", at < score));
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const score = Number(new FormData(form).get("score"));
    if (!score || send.disabled) return;
    send.disabled = true;
    if (!submit(score, comment.value.trim())) send.disabled = false;
  });
  return form;
}

function starElement(score, text) {
  const input = el("input", { type: "radio", name: "score", value: score, "data-testid": `star-${score}`, "aria-label": `${score}星，${text}` });
  return el("label", {}, input, icon("star"));
}
