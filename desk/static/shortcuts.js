// What each key does, and what the help says of it.

import { byId } from "./dom.js";
import { Keys } from "./keys.js";
import { toast } from "./notices.js";
import { ONLY_LOOKS, session } from "./shelf.js";

/** Keys of the page's parts: {shelf, customers, conversation, complaints, tabs, lock}. */
export function shortcuts({ shelf, customers, conversation, complaints, tabs, lock }) {
  const withTalk = (act) => () => shelf.open && act();
  const keys = new Keys([
    { key: "J", altOnly: true, run: () => customers.claimNext() },
    { key: "J", show: ["J", "↓"], label: "下一位（回车打开或接待）", run: () => tabs.step(1), outside: true },
    { key: "K", show: ["K", "↑"], label: "上一位", run: () => tabs.step(-1), outside: true },
    { key: "ArrowDown", altOnly: true, run: () => customers.switch(1) },
    { key: "ArrowUp", altOnly: true, run: () => customers.switch(-1) },
    { key: "ArrowDown", run: () => tabs.step(1), outside: true },
    { key: "ArrowUp", run: () => tabs.step(-1), outside: true },
    { key: "C", show: ["C", "Alt+J"], label: "接下一位客户", run: () => customers.claimNext() },
    { key: "]", show: ["Alt+↓", "Alt+↑"], label: "在接待中的客户之间切换", run: () => customers.switch(1), outside: true },
    { key: "R", label: "写回复", run: withTalk(() => conversation.composer.switch("reply")) },
    { key: "N", label: "写备注（客户看不到）", run: withTalk(() => conversation.composer.switch("note")) },
    { key: "Enter", show: ["Enter"], label: "发送；Shift+Enter 换行", run: () => {}, altOnly: true },
    { key: "1", show: ["1", "2", "3"], label: "把建议的回答放进输入框", run: withTalk(() => conversation.suggestions.pick(0)) },
    { key: "2", run: withTalk(() => conversation.suggestions.pick(1)) },
    { key: "3", run: withTalk(() => conversation.suggestions.pick(2)) },
    { key: "/", label: "常用语；接着打快捷词", run: withTalk(() => conversation.canned.open()), outside: true },
    { key: "M", label: "管理常用语", run: () => (session.agent.acts ? conversation.canned.manage() : toast(ONLY_LOOKS)) },
    { key: "P", label: "替客户填办到一半的业务", run: withTalk(focusForm) },
    { key: "I", label: "客户资料（会留下记录）", run: withTalk(() => conversation.card()) },
    { key: "T", label: "转接给同事或小组", run: () => conversation.end("transfer") },
    { key: "B", label: "交回小掌柜", run: () => conversation.end("handBack") },
    { key: "A", label: "把打开的投诉分派给同事（主管）", run: () => complaints.assign() },
    { key: "E", label: "结束服务", run: () => conversation.end("close") },
    { key: "L", label: "锁定坐席台", run: () => lock.now() },
    { key: "Escape", show: ["Esc"], label: "离开输入框，回到列表", run: leaveField },
    { key: "?", label: "显示这张表", run: () => keys.help(), outside: true },
  ]);
  return keys;
}

function focusForm() {
  const facts = byId("facts");
  (facts.querySelector("input[data-slot]") ?? facts.querySelector("[data-slot]"))?.focus();
}

function leaveField() {
  document.activeElement?.blur();
  (document.querySelector('.panel:not([hidden]) [aria-current="true"]') ?? byId("transcript")).focus();
}
