// How an agent lets go of a customer: passed on, handed back, closed. Each asks first and gives what to do then, or null.

import { api } from "./api.js";
import { ask, toast } from "./notices.js";
import { session } from "./shelf.js";

/** Gives {act, text}: what to send and what to say once it is done. */
export async function transfer(talk) {
  const colleagues = (await api.colleagues()).items;
  const teams = [...new Set(colleagues.map((each) => each.team).filter(Boolean))];
  const options = [
    ...colleagues.map((each) => [`agent:${each.username}`, `${each.display_name}（${each.on_duty ? `${each.load}/${each.max_load}` : "不在岗"}）`, !each.can_take]),
    ...teams.map((team) => [`team:${team}`, ...teamOption(team, colleagues)]),
  ].sort(([, , away], [, , alsoAway]) => away - alsoAway); // who can take the customer stands first
  if (!options.length) return toast("没有可以转接的同事。");
  const answer = await ask({
    title: "转接给谁？",
    text: options.every(([, , away]) => away) ? "现在没有同事能接。可以留一条备注，过一会儿再试。" : "",
    ok: "转接",
    fields: [
      { name: "to", label: "同事或小组", kind: "choice", required: true, options },
      { name: "note", label: "给接手同事的说明（客户看不到）", required: true, max: session.limits.text_chars_max, value: summaryOf(talk.facts) },
    ],
  });
  if (!answer) return null;
  const [kind, name] = answer.to.split(/:(.*)/s);
  return { act: () => api.transfer(talk.id, { [kind]: name, note: answer.note }), text: "已转接。" };
}

/** The team's name, and whether nobody of it is there. */
function teamOption(team, colleagues) {
  const away = !colleagues.some((each) => each.team === team && each.on_duty);
  return [away ? `${team}（没有人在岗）` : team, away];
}

export async function handBack(talk) {
  const answer = await ask({
    title: "交回小掌柜？",
    text: "小掌柜会接着办客户没办完的业务，客户会知道又是小掌柜在接待。",
    ok: "交回",
    fields: [
      { name: "summary", label: "小结（只给下一位同事看）", max: session.limits.text_chars_max, value: summaryOf(talk.facts) },
      { name: "note", label: "给客户的留言（可选）", max: session.limits.note_chars_max },
    ],
  });
  return answer && { act: () => api.handBack(talk.id, answer.note, answer.summary), text: "已交回小掌柜。" };
}

export async function close(talk) {
  const answer = await ask({
    title: "结束这次服务？",
    text: "客户会看到服务结束，并可以打分。",
    ok: "结束服务",
    danger: true,
    fields: [{ name: "wrap_up", label: "这次的结果", kind: "choice", required: true, options: session.wrapUps.map(({ code, text }) => [code, text]) }],
  });
  return answer && { act: () => api.close(talk.id, answer.wrap_up), text: "服务已结束。" };
}

/** A beginning for the agent's summary: what is half done, and how far. */
function summaryOf(facts) {
  if (!facts?.skill) return "";
  const filled = facts.slots.map(([label, value]) => `${label}${value}`).join("，");
  return `${facts.skill}${facts.phase ? `（${facts.phase}）` : ""}${filled ? `：${filled}` : ""}`;
}
