// The desk's page: who is logged in, what is open, and how news reaches the columns.

import { api, newClientId } from "./api.js";
import { Canned, renderReach, Suggestions } from "./assist.js";
import { Call } from "./call.js";
import { Composer } from "./composer.js";
import { byId, setText } from "./dom.js";
import { renderFacts } from "./facts.js";
import { DayBoard } from "./board.js";
import { ComplaintBoard } from "./complaints.js";
import { Floor } from "./floor.js";
import { Keys } from "./keys.js";
import { renderMine, renderQueue } from "./lists.js";
import { Live } from "./live.js";
import { announce, ask, prepareDialog, Sound, toast } from "./notices.js";
import { ReplyEditor } from "./replies.js";
import { Outbox, Talk } from "./talks.js";
import { TicketBoard } from "./tickets.js";
import { tickClocks } from "./times.js";
import { Trail } from "./trail.js";
import { Transcript } from "./transcript.js";

const TITLE = "掌柜坐席台";
const TYPING_SHOWN_MS = 5000;
const LIST_LAG_MS = 5000;
const STATE_PAUSE_MS = 600;
const SOUND_KEY = "zg_desk_sound";

const state = { agent: null, limits: { note_chars_max: 200 }, wrapUps: [], queue: [], mine: [], talks: new Map(), current: null, link: "down", retryAtMs: 0, seen: null, seenMine: false, claiming: new Set() };
const sound = new Sound();
const transcript = new Transcript();
const PHONE = "电话";
const call = new Call((callState, text) => {
  if (text) toast(text, "bad");
  else if (callState === "on") announce("语音已接通。");
  renderCall();
});
const outbox = new Outbox({ changed: (talk) => renderTalk(talk), gone: (talk, text) => lose(talk.id, text), seatLost: () => toDoor() });
const composer = new Composer({
  send: (text) => current() && outbox.send(current(), text),
  note: (text) => current() && addNote(current(), text),
  draft: (text) => current() && (current().draft = text),
  typing: () => state.current && api.typing(state.current).catch(() => {}),
});
const tickets = new TicketBoard({ opened: () => { leaveTalk(); floor.close(); showMiddle("ticket"); }, failed });
const replies = new ReplyEditor({ changed: () => canned.load(), failed, textMax: () => state.limits.text_chars_max });
const canned = new Canned(composer, () => current()?.facts?.fillings ?? {}, () => replies.open(composer.text.value.trim().replace(/^\/.*$/, "")));
const suggestions = new Suggestions((text) => composer.replace(text));
const complaints = new ComplaintBoard({ opened: () => takeMiddle("complaint"), failed });
const board = new DayBoard({ opened: () => takeMiddle("board"), failed });
const trail = new Trail({ opened: () => takeMiddle("trail"), failed });
const floor = new Floor({
  opened: () => { leaveTalk(); tickets.close(); showMiddle("watch"); },
  taking: (id) => state.claiming.add(id),
  taken: (id) => openTalk(id),
  failed,
});
const helping = { propose, again: () => renderFacts(current(), helping), card: openCard, unmask };
const live = new Live({ frame: onFrame, link: onLink, gone: (text) => toDoor(text) });

const current = () => (state.current ? state.talks.get(state.current) : null);

// --- door -----------------------------------------------------------------------------------------------------

function toDoor(text = "") {
  live.stop();
  call.stop();
  byId("dialog").close();
  byId("desk").hidden = true;
  byId("door").hidden = false;
  setText(byId("door-error"), text);
  document.title = TITLE;
  byId(byId("desk-user").value ? "desk-pass" : "desk-user").focus();
}

async function login(event) {
  event.preventDefault();
  const [user, pass, button] = [byId("desk-user"), byId("desk-pass"), event.target.querySelector("button")];
  const missing = !user.value.trim() ? user : !pass.value ? pass : null;
  if (missing) {
    setText(byId("door-error"), missing === user ? "请输入用户名。" : "请输入密码。");
    return missing.focus();
  }
  button.disabled = true;
  setText(byId("door-error"), "");
  try {
    sitDown(await api.login(user.value, pass.value));
  } catch (error) {
    setText(byId("door-error"), error.text);
    pass.select();
    pass.focus();
  } finally {
    button.disabled = false;
    if (state.agent && byId("door").hidden) pass.value = "";
  }
}

function sitDown({ agent, limits, wrap_ups: wrapUps }) {
  if (state.agent && state.agent.username !== agent.username) location.reload(); // nothing of a colleague's stays
  state.agent = agent;
  state.limits = limits;
  state.wrapUps = wrapUps;
  composer.charsMax = limits.text_chars_max;
  canned.load();
  byId("tab-floor").hidden = byId("tab-board").hidden = !agent.sees_all;
  complaints.agent = agent;
  byId("presence").disabled = !agent.acts;
  byId("take-over").hidden = byId("whisper").hidden = !agent.leads;
  byId("door").hidden = true;
  byId("desk").hidden = false;
  renderAgent();
  renderFacts(null);
  live.start();
  tickets.refresh();
  for (const talk of state.talks.values()) outbox.work(talk);
  if (current()) openTalk(state.current);
}

async function logout() {
  if (state.mine.length) {
    const text = `您手上还有 ${state.mine.length} 位客户。退出后他们会回到队列，由同事接待。`;
    if (!(await ask({ title: "现在退出？", text, ok: "退出", danger: true }))) return;
  }
  try {
    await api.logout();
  } catch (error) {
    if (error.status !== 401) return failed(error);
  }
  live.stop();
  location.reload();
}

// --- news -----------------------------------------------------------------------------------------------------

function onFrame(frame) {
  switch (frame.type) {
    case "welcome":
      for (const talk of state.talks.values()) if (talk.loaded) refresh(talk);
      break;
    case "me":
      state.agent = frame.agent;
      renderAgent();
      break;
    case "queue":
      takeQueue(frame);
      break;
    case "alerts":
      takeAlerts(frame.items);
      break;
    case "complaints": {
      const given = complaints.take(frame);
      if (!given) break;
      sound.play();
      toast(`主管给您分派了 ${given} 件投诉，在“投诉”里。`, "good");
      break;
    }
    case "mine":
      takeMine(frame.items);
      break;
    case "message":
      takeMessage(frame.conversation_id, frame.message);
      break;
    case "state": {
      const talk = state.talks.get(frame.conversation_id);
      if (talk?.loaded) refreshSoon(talk);
      break;
    }
    case "typing": {
      const talk = state.talks.get(frame.conversation_id);
      if (talk) talk.typingUntilMs = Date.now() + TYPING_SHOWN_MS;
      renderTyping();
      break;
    }
  }
}

function takeQueue(frame) {
  const now = Date.now();
  const before = new Map(state.queue.map((item) => [item.conversation_id, item]));
  state.queue = frame.items.map((item) => {
    const known = before.get(item.conversation_id);
    return { ...item, busy: known?.busy, sinceMs: now - item.waited_s * 1000 };
  });
  const ids = new Set(state.queue.map((item) => item.conversation_id));
  const arrived = state.queue.filter((item) => !state.seen?.has(item.conversation_id));
  if (arrived.length && state.seen) {
    sound.play();
    announce(`新的客户在排队：${arrived[0].customer_name}，${arrived[0].reason_text}。共${state.queue.length}位。`);
  }
  state.seen = ids;
  setText(byId("crew"), `在岗 ${frame.on_duty} 人`);
  const badge = byId("badge-tickets");
  if (badge.textContent !== String(frame.open_tickets || "")) tickets.refresh();
  badge.hidden = !frame.open_tickets;
  setText(badge, String(frame.open_tickets || ""));
  renderQueue(state.queue, claim);
  renderTitle();
  tickClocks();
}

function takeAlerts(items) {
  const fresh = board.takeAlerts(items);
  if (!fresh.length) return;
  sound.play();
  announce(`超时提醒：${fresh[0].kind_text}，${fresh[0].about}。共${items.length}项。`);
}

function takeMine(items) {
  const ids = new Set(items.map((item) => item.conversation_id));
  for (const talk of [...state.talks.values()]) {
    // A list made before our own claim may arrive after it: it must not take the customer away again.
    if (!ids.has(talk.id) && (talk.listed || Date.now() - talk.bornMs > LIST_LAG_MS)) lose(talk.id);
  }
  const unlisted = state.mine.filter((item) => !ids.has(item.conversation_id));
  state.mine = [...items, ...unlisted];
  for (const item of items) {
    if (state.seenMine && !state.talks.has(item.conversation_id) && !state.claiming.has(item.conversation_id)) arrived(item);
    const talk = talkOf(item.conversation_id);
    talk.listed = true;
    if (!talk.seen && item.waiting_since && !talk.unread && talk.id !== state.current) talk.unread = 1;
    if (talk.loaded && item.last_seq > talk.lastSeq) refresh(talk);
  }
  state.seenMine = true;
  const order = [...state.talks.keys()];
  state.mine.sort((a, b) => order.indexOf(a.conversation_id) - order.indexOf(b.conversation_id));
  renderLists();
}

/** A customer came to us without our own claim: from a colleague. */
function arrived(item) {
  talkOf(item.conversation_id).unread = 1;
  sound.play();
  toast(`同事转来一位客户：${item.customer_name}`, "good");
}

function takeMessage(id, message) {
  const talk = talkOf(id);
  const gap = talk.loaded && message.seq > talk.lastSeq + 1;
  if (!talk.add(message)) return;
  if (message.sender === "customer" && (id !== state.current || document.hidden)) {
    talk.unread += 1;
    sound.play();
  }
  if (gap) refresh(talk);
  renderTalk(talk);
}

async function refresh(talk) {
  const known = talk.loaded ? new Set(talk.notes.map((note) => note.id)) : null;
  try {
    await talk.catchUp();
    if (known) hearWhispers(talk, known);
    renderTalk(talk);
  } catch (error) {
    if (error.status === 403 || error.status === 404) lose(talk.id, talk.id === state.current ? error.text : "");
    else if (error.status === 401) toDoor(error.text);
    else setTimeout(() => state.talks.has(talk.id) && state.link === "up" && refresh(talk), 3000);
  }
}

/** A word in the agent's ear must not be overlooked, wherever they are looking. */
function hearWhispers(talk, known) {
  const fresh = talk.notes.filter((note) => note.kind === "whisper" && !known.has(note.id));
  if (!fresh.length) return;
  sound.play();
  if (talk.id !== state.current) talk.unread += fresh.length;
  toast(`${fresh.at(-1).author_name}提示（${talk.facts.name}）：${fresh.at(-1).text.slice(0, 60)}`);
}

/** The state is told after every message: several tellings make one request. */
function refreshSoon(talk) {
  clearTimeout(talk.refreshTimer);
  talk.refreshTimer = setTimeout(() => state.talks.get(talk.id) === talk && refresh(talk), STATE_PAUSE_MS);
}

function talkOf(id) {
  if (!state.talks.has(id)) state.talks.set(id, new Talk(id));
  return state.talks.get(id);
}

/** The conversation is no longer ours: what was not sent is given back to the agent rather than lost in silence. */
function lose(id, text = "") {
  if (call.id === id) call.stop();
  const talk = state.talks.get(id);
  if (!talk) return;
  state.talks.delete(id);
  state.mine = state.mine.filter((item) => item.conversation_id !== id);
  if (talk.pending.length) toast(`有 ${talk.pending.length} 条没有发给客户：${talk.pending[0].text.slice(0, 30)}`, "bad");
  if (state.current === id) {
    if (text) toast(text, "bad");
    leaveTalk();
    showMiddle("blank");
    renderFacts(null);
  }
  renderLists();
}

function onLink(link, retryAtMs) {
  state.link = link;
  state.retryAtMs = retryAtMs;
  renderLink();
}

// --- acts -----------------------------------------------------------------------------------------------------

async function claim(id) {
  const item = state.queue.find((candidate) => candidate.conversation_id === id);
  if (!item || item.busy) return;
  item.busy = true;
  state.claiming.add(id);
  renderQueue(state.queue, claim);
  try {
    await api.claim(id);
    state.queue = state.queue.filter((other) => other !== item);
    renderQueue(state.queue, claim);
    renderTitle();
    await openTalk(id, item);
    state.claiming.delete(id);
  } catch (error) {
    state.claiming.delete(id);
    item.busy = false;
    failed(error);
    if (error.code === "claim_lost" || error.code === "not_found") api.queue().then(takeQueue, () => {});
    else renderQueue(state.queue, claim);
  }
}

async function openTalk(id, queued = null) {
  const talk = talkOf(id);
  if (!state.mine.some((item) => item.conversation_id === id)) {
    const item = { customer_name: "", level: "", level_text: "", ...queued, conversation_id: id, last_seq: 0, last_sender: "" };
    state.mine = [...state.mine, item];
  }
  state.current = id;
  talk.seen = true;
  talk.unread = 0;
  tickets.close();
  floor.close();
  showMiddle("talk");
  selectTab("talks");
  composer.open(talk.draft);
  renderTalk(talk);
  await refresh(talk);
}

/** The button for the sound of the call; the caller hears the agent only while it is pressed. */
function renderCall() {
  const talk = current();
  const button = byId("call");
  button.hidden = !talk || (talk.facts?.channel !== PHONE && !talk.facts?.calling && call.state === "off");
  const here = call.state !== "off" && call.id === talk?.id;
  button.disabled = call.state === "opening" || (call.state === "on" && !here);
  button.setAttribute("aria-pressed", String(here));
  setText(button, here ? "挂断语音" : "接通语音");
}

function toggleCall() {
  if (call.state === "off") call.start(state.current);
  else call.stop();
}

function leaveTalk() {
  state.current = null;
  transcript.clear();
  renderLists();
}

async function addNote(talk, text) {
  try {
    talk.notes = (await api.note(talk.id, text)).notes;
    renderTalk(talk);
  } catch (error) {
    failed(error);
    if (talk.id === state.current && !composer.text.value) composer.replace(text);
  }
}

async function propose(slot, text) {
  const talk = current();
  if (!talk) return;
  try {
    const { message } = await api.propose(talk.id, newClientId(), slot, text);
    delete talk.filling[slot];
    talk.add(message);
    await refresh(talk);
    toast("已请客户核对，采用了才会填上。", "good");
  } catch (error) {
    failed(error);
  }
}

async function openCard() {
  const talk = current();
  if (!talk?.facts?.known || talk.card) return;
  try {
    talk.card = (await api.card(talk.id)).card;
    renderTalk(talk);
  } catch (error) {
    failed(error);
  }
}

async function unmask(field) {
  const talk = current();
  try {
    const { value } = await api.unmask(talk.id, field);
    talk.card = { ...talk.card, revealed: { ...talk.card.revealed, [field]: value } };
    renderTalk(talk);
  } catch (error) {
    failed(error);
  }
}

async function transfer() {
  const talk = current();
  if (!talk) return;
  let colleagues;
  try {
    colleagues = (await api.colleagues()).items;
  } catch (error) {
    return failed(error);
  }
  const teams = [...new Set(colleagues.map((each) => each.team).filter(Boolean))];
  const options = [
    ...colleagues.map((each) => [`agent:${each.username}`, `${each.display_name}（${each.on_duty ? `${each.load}/${each.max_load}` : "不在岗"}）`, !each.can_take]),
    ...teams.map((team) => [`team:${team}`, team, !colleagues.some((each) => each.team === team && each.on_duty)]),
  ];
  if (!options.length) return toast("没有可以转接的同事。");
  const answer = await ask({
    title: "转接给谁？",
    ok: "转接",
    fields: [
      { name: "to", label: "同事或小组", kind: "choice", required: true, options },
      { name: "note", label: "给接手同事的说明（客户看不到）", required: true, max: state.limits.text_chars_max, value: summaryOf(talk.facts) },
    ],
  });
  if (!answer) return;
  const [kind, name] = answer.to.split(/:(.*)/s);
  await finish(talk, () => api.transfer(talk.id, { [kind]: name, note: answer.note }), "已转接。");
}

async function handBack() {
  const talk = current();
  if (!talk) return;
  const answer = await ask({
    title: "交回小掌柜？",
    text: "机器人会接着办客户没办完的业务，客户会知道是小掌柜在接待。",
    ok: "交回",
    fields: [
      { name: "summary", label: "小结（只给下一位同事看）", max: state.limits.text_chars_max, value: summaryOf(talk.facts) },
      { name: "note", label: "给客户的留言（可选）", max: state.limits.note_chars_max },
    ],
  });
  if (answer) await finish(talk, () => api.handBack(talk.id, answer.note, answer.summary), "已交回小掌柜。");
}

/** A beginning for the agent's summary: what is half done, and how far. */
function summaryOf(facts) {
  if (!facts?.skill) return "";
  const filled = facts.slots.map(([label, value]) => `${label}${value}`).join("，");
  return `${facts.skill}${facts.phase ? `（${facts.phase}）` : ""}${filled ? `：${filled}` : ""}`;
}

async function closeTalk() {
  const talk = current();
  if (!talk) return;
  const answer = await ask({
    title: "结束这次服务？",
    text: "客户会看到服务结束，并可以打分。",
    ok: "结束服务",
    danger: true,
    fields: [{ name: "wrap_up", label: "这次的结果", kind: "choice", required: true, options: state.wrapUps.map(({ code, text }) => [code, text]) }],
  });
  if (answer) await finish(talk, () => api.close(talk.id, answer.wrap_up), "服务已结束。");
}

async function finish(talk, act, text) {
  try {
    await act();
    lose(talk.id);
    toast(text, "good");
    (byId("mine").querySelector("button") ?? byId("queue").querySelector("button"))?.focus();
  } catch (error) {
    failed(error);
    if (error.status === 403) lose(talk.id);
  }
}

/** Something of the lists takes the middle; no customer is open then. */
function takeMiddle(which) {
  leaveTalk();
  floor.close();
  tickets.close();
  if (which !== "complaint") complaints.close();
  showMiddle(which);
}

async function setPresence() {
  const chosen = document.querySelector('input[name="presence"]:checked').value;
  try {
    state.agent = (await api.presence(chosen, byId("break-reason").value)).agent;
  } catch (error) {
    failed(error);
  }
  renderAgent();
}

function failed(error) {
  if (error.status === 401) toDoor(error.text);
  else toast(error.text ?? "页面出错了，请刷新再试。", "bad");
}

// --- looks ----------------------------------------------------------------------------------------------------

function renderAgent() {
  setText(byId("who"), state.agent.display_name);
  for (const radio of document.querySelectorAll('input[name="presence"]')) radio.checked = radio.value === state.agent.presence;
  byId("break-reason").hidden = state.agent.presence !== "break";
  setText(byId("blank-text"), state.agent.presence === "on_duty" ? "从左边的排队列表接一位客户，对话会显示在这里" : "您现在不在岗，切换到“在岗”后可以接客户");
}

function renderLists() {
  const items = state.mine.map((item) => {
    const talk = talkOf(item.conversation_id);
    const last = talk.last();
    const newer = last && last.seq >= item.last_seq;
    return {
      ...item,
      customer_name: talk.facts?.name ?? item.customer_name,
      last_sender: newer ? last.sender : item.last_sender,
      last_text: newer ? last.text : item.last_text,
      sinceMs: talk.loaded ? talk.waitingSinceMs() : Date.parse(item.waiting_since ?? "") || 0,
      unread: talk.unread,
      current: item.conversation_id === state.current,
    };
  });
  renderMine(items, state.agent.max_load, (id) => openTalk(id));
  const unread = items.reduce((sum, item) => sum + item.unread, 0);
  byId("badge-talks").hidden = !unread;
  setText(byId("badge-talks"), unread ? String(unread) : "");
  renderTitle();
  tickClocks();
}

function renderTalk(talk) {
  renderLists();
  if (talk.id !== state.current) return;
  const name = talk.facts?.name ?? state.mine.find((item) => item.conversation_id === talk.id)?.customer_name ?? "";
  setText(byId("talk-name"), name || "客户");
  const sub = byId("talk-sub");
  const sinceMs = talk.waitingSinceMs();
  if (sinceMs) {
    sub.dataset.before = "等您回复 ";
    sub.dataset.since = String(sinceMs);
  } else {
    delete sub.dataset.since;
    delete sub.dataset.late;
    setText(sub, talk.loaded ? talk.facts?.channel ?? "" : "正在打开对话…");
  }
  transcript.render(talk, outbox);
  renderFacts(talk, helping);
  renderReach(talk.facts);
  suggestions.follow(talk);
  renderCall();
  renderTyping();
  tickClocks();
}

function renderTyping() {
  const typing = (current()?.typingUntilMs ?? 0) > Date.now();
  setText(byId("typing"), typing ? "客户正在输入…" : "");
}

function renderLink() {
  const link = byId("link");
  link.dataset.state = state.link;
  const left = Math.ceil((state.retryAtMs - Date.now()) / 1000);
  setText(link.lastElementChild, state.link === "up" ? "已连接" : left > 0 ? "连接断了，正在重连" : "正在连接");
}

/** What waits elsewhere shows in the browser's tab: new words of our own customers first. */
function renderTitle() {
  const unread = [...state.talks.values()].reduce((sum, talk) => sum + talk.unread, 0);
  const words = unread ? `【${unread}条新消息】` : "";
  document.title = words + (state.queue.length ? `(${state.queue.length}) ${TITLE}` : TITLE);
}

function showMiddle(which) {
  for (const id of ["blank", "talk", "ticket", "watch", "complaint", "board", "trail"]) byId(id).hidden = id !== which;
}

const TABS = ["talks", "tickets", "complaints", "board", "floor"];

function selectTab(name) {
  for (const tab of TABS) {
    const on = tab === name;
    byId(`tab-${tab}`).setAttribute("aria-selected", String(on));
    byId(`tab-${tab}`).tabIndex = on ? 0 : -1;
    byId(`panel-${tab}`).hidden = !on;
  }
  if (name === "tickets") tickets.refresh();
  floor.show(name === "floor");
  if (name === "complaints") complaints.refresh();
}

function setSound(on) {
  sound.toggle(on);
  byId("sound").setAttribute("aria-pressed", String(on));
  setText(byId("sound"), `提示音：${on ? "开" : "关"}`);
  localStorage.setItem(SOUND_KEY, on ? "on" : "off");
}

function claimNext() {
  if (state.queue.length) claim(state.queue[0].conversation_id);
  else toast("现在没有人排队。");
}

function switchTalk(step) {
  if (!state.mine.length) return;
  const at = state.mine.findIndex((item) => item.conversation_id === state.current);
  const next = at < 0 ? 0 : (at + step + state.mine.length) % state.mine.length;
  openTalk(state.mine[next].conversation_id);
}

/** The focus moves through the cards of the open list; Enter then opens or claims. */
function moveInList(step) {
  const panel = TABS.map((tab) => byId(`panel-${tab}`)).find((candidate) => !candidate.hidden);
  const cards = [...panel.querySelectorAll("li button")];
  if (!cards.length) return;
  const at = cards.indexOf(document.activeElement);
  cards[at < 0 ? (step > 0 ? 0 : cards.length - 1) : Math.min(cards.length - 1, Math.max(0, at + step))].focus();
}

const withTalk = (act) => () => current() && act();

const KEYS = [
  { key: "J", altOnly: true, run: claimNext },
  { key: "J", show: ["J", "↓"], label: "下一位（回车打开或接待）", run: () => moveInList(1), outside: true },
  { key: "K", show: ["K", "↑"], label: "上一位", run: () => moveInList(-1), outside: true },
  { key: "ArrowDown", altOnly: true, run: () => switchTalk(1) },
  { key: "ArrowUp", altOnly: true, run: () => switchTalk(-1) },
  { key: "ArrowDown", run: () => moveInList(1), outside: true },
  { key: "ArrowUp", run: () => moveInList(-1), outside: true },
  { key: "C", show: ["C", "Alt+J"], label: "接下一位客户", run: claimNext },
  { key: "]", show: ["Alt+↓", "Alt+↑"], label: "在接待中的客户之间切换", run: () => switchTalk(1), outside: true },
  { key: "R", label: "写回复", run: withTalk(() => composer.switch("reply")) },
  { key: "N", label: "写备注（客户看不到）", run: withTalk(() => composer.switch("note")) },
  { key: "Enter", show: ["Enter"], label: "发送；Shift+Enter 换行", run: () => {}, altOnly: true },
  { key: "1", show: ["1", "2", "3"], label: "把建议的回答放进输入框", run: withTalk(() => suggestions.pick(0)) },
  { key: "2", run: withTalk(() => suggestions.pick(1)) },
  { key: "3", run: withTalk(() => suggestions.pick(2)) },
  { key: "/", label: "常用语；接着打快捷词", run: withTalk(() => canned.open()), outside: true },
  { key: "M", label: "管理常用语", run: () => canned.manage() },
  { key: "P", label: "替客户填办到一半的业务", run: withTalk(() => (byId("facts").querySelector("input[data-slot]") ?? byId("facts").querySelector("[data-slot]"))?.focus()) },
  { key: "I", label: "客户资料（会留下记录）", run: withTalk(() => openCard()) },
  { key: "T", label: "转接给同事或小组", run: withTalk(() => transfer()) },
  { key: "B", label: "交回小掌柜", run: withTalk(() => handBack()) },
  { key: "A", label: "把打开的投诉分派给同事（主管）", run: () => complaints.assign() },
  { key: "E", label: "结束服务", run: withTalk(() => closeTalk()) },
  { key: "Escape", show: ["Esc"], label: "离开输入框，回到列表", run: () => leaveField() },
  { key: "?", label: "显示这张表", run: () => keys.help(), outside: true },
];
const keys = new Keys(KEYS);

function leaveField() {
  document.activeElement?.blur();
  (document.querySelector('#mine [aria-current="true"]') ?? byId("transcript")).focus();
}

function onTabKey(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.stopPropagation();
  const shown = TABS.filter((tab) => !byId(`tab-${tab}`).hidden);
  const at = shown.findIndex((tab) => byId(`tab-${tab}`).getAttribute("aria-selected") === "true");
  const other = shown[(at + step + shown.length) % shown.length];
  selectTab(other);
  byId(`tab-${other}`).focus();
}

function wire() {
  prepareDialog();
  byId("login").addEventListener("submit", login);
  byId("logout").addEventListener("click", logout);
  byId("presence").addEventListener("change", setPresence);
  byId("break-reason").addEventListener("change", setPresence);
  byId("transfer").addEventListener("click", transfer);
  byId("hand-back").addEventListener("click", handBack);
  byId("close").addEventListener("click", closeTalk);
  byId("call").addEventListener("click", toggleCall);
  byId("sound").addEventListener("click", () => setSound(!sound.on));
  for (const name of TABS) {
    byId(`tab-${name}`).addEventListener("click", () => selectTab(name));
    byId(`tab-${name}`).addEventListener("keydown", onTabKey);
  }
  // A sound chosen on an earlier day may only start after a first click.
  if (localStorage.getItem(SOUND_KEY) === "on") document.addEventListener("click", () => setSound(true), { once: true });
  document.addEventListener("visibilitychange", () => {
    const talk = current();
    if (document.hidden || !talk?.unread) return;
    talk.unread = 0;
    renderLists();
  });
  addEventListener("beforeunload", (event) => {
    if ([...state.talks.values()].some((talk) => talk.pending.length)) event.preventDefault();
  });
  setInterval(() => {
    tickClocks();
    renderTyping();
    if (state.link !== "up") renderLink();
  }, 1000);
}

async function start() {
  wire();
  try {
    sitDown(await api.me());
  } catch (error) {
    toDoor(error.status === 401 ? "" : error.text);
  }
}

start();
