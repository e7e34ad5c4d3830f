// The desk's page: its parts, how they hear of each other, and who is logged in.

import { api, LOCKED } from "./api.js";
import { DayBoard } from "./board.js";
import { ComplaintBoard } from "./complaints.js";
import { Conversation } from "./conversation.js";
import { Customers } from "./customers.js";
import { Door } from "./door.js";
import { byId, setBadge, setText } from "./dom.js";
import { renderFacts } from "./facts.js";
import { Floor } from "./floor.js";
import { Live } from "./live.js";
import { Lock } from "./lock.js";
import { showMiddle } from "./middle.js";
import { announce, ask, prepareDialog, toast } from "./notices.js";
import { Presence } from "./presence.js";
import { session, Shelf } from "./shelf.js";
import { shortcuts } from "./shortcuts.js";
import { Sound } from "./sound.js";
import { Tabs } from "./tabs.js";
import { TicketBoard } from "./tickets.js";
import { hearServer, tickClocks } from "./times.js";
import { Trail } from "./trail.js";

const shelf = new Shelf();
const sound = new Sound(byId("sound"));
const line = { state: "down", retryAtMs: 0 };
const door = new Door(sitDown);
const presence = new Presence(failed);
const tickets = new TicketBoard({ opened: () => takeMiddle("ticket"), failed });
const complaints = new ComplaintBoard({ opened: () => takeMiddle("complaint"), failed });
const board = new DayBoard({ opened: () => takeMiddle("board"), show: showLate, failed });
const trail = new Trail({ opened: () => takeMiddle("trail"), failed });
const conversation = new Conversation(shelf, sound, {
  opening,
  changed: () => customers.render(),
  dropped: (id) => customers.forget(id),
  known: (id) => customers.known(id),
  isUp: () => line.state === "up",
  failed,
  seatLost: toDoor,
});
const customers = new Customers(shelf, sound, {
  open: (id, queued) => conversation.open(id, queued),
  lose: (id) => conversation.lose(id),
  refresh: (talk) => conversation.refresh(talk),
  calling: (id) => conversation.call.state === "on" && conversation.call.id === id,
  tickets: countTickets,
  failed,
});
const floor = new Floor({
  opened: () => takeMiddle("watch"),
  taking: (id) => customers.claiming.add(id),
  taken: (id) => conversation.open(id),
  failed,
});
const lock = new Lock({ unlocked, seatLost: toDoor });
const LISTS = { tickets: () => tickets.refresh(), complaints: () => complaints.refresh() };
const tabs = new Tabs((name) => {
  LISTS[name]?.();
  floor.show(name === "floor");
});
const FRAMES = {
  welcome: ({ now }) => {
    hearServer(now);
    conversation.again();
  },
  beat: ({ now }) => {
    hearServer(now);
    customers.tick(); // a page in the background is given no seconds of its own
  },
  me: ({ agent }) => {
    session.agent = agent;
    presence.render();
    customers.renderQueue();
  },
  queue: (frame) => customers.takeQueue(frame),
  mine: ({ items }) => customers.takeMine(items),
  alerts: ({ items }) => hearAlerts(items),
  complaints: (frame) => hearComplaints(frame),
  message: (frame) => conversation.take(frame.conversation_id, frame.message),
  state: (frame) => conversation.stateChanged(frame.conversation_id, frame.first),
  locked: () => lock.shut(),
  typing: (frame) => conversation.typing(frame.conversation_id),
};
const live = new Live({ frame: (frame) => FRAMES[frame.type]?.(frame), link: onLink, gone: toDoor });

// --- who sits here --------------------------------------------------------------------------------------------

function toDoor(text = "") {
  live.stop();
  conversation.call.stop();
  byId("dialog").close();
  byId("replies").close();
  lock.drop();
  door.show(text);
  Customers.hideTitle();
}

function sitDown({ agent, limits, wrap_ups: wrapUps, idle_lock_s: idleLockS }) {
  if (session.agent && session.agent.username !== agent.username) location.reload(); // nothing of a colleague's stays
  Object.assign(session, { agent, limits, wrapUps, idleLockMs: idleLockS * 1000 });
  conversation.composer.charsMax = limits.text_chars_max;
  byId("tab-floor").hidden = byId("tab-board").hidden = !agent.sees_all;
  byId("presence").hidden = byId("serving").hidden = byId("blank-key").hidden = !agent.acts;
  byId("take-over").hidden = byId("whisper").hidden = !agent.leads;
  door.hide();
  presence.render();
  renderFacts(null);
  live.start();
  tickets.refresh();
  conversation.resume();
}

/** Below the cover everything is where it was; what was missed is asked for. */
function unlocked(answer) {
  customers.renderTitle();
  if (byId("desk").hidden) return sitDown(answer); // the page was opened locked
  live.hurry();
  conversation.again();
  for (const talk of shelf.all) conversation.outbox.work(talk);
}

async function logout() {
  const { length } = customers.mine;
  if (length) {
    const text = `您手上还有 ${length} 位客户。退出后他们会回到队列，由同事接待。`;
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

function failed(error) {
  if (error.code === LOCKED) return; // the cover says so
  if (error.status === 401) toDoor(error.text);
  else toast(error.text ?? "页面出错了，请刷新再试。", "bad");
}

// --- the middle -----------------------------------------------------------------------------------------------

/** Something of the lists takes the middle; no customer is open then. */
function takeMiddle(which) {
  conversation.leave();
  if (which !== "watch") floor.close();
  if (which !== "ticket") tickets.close();
  if (which !== "complaint") complaints.close();
  showMiddle(which);
  renderFacts(null); // nothing of a customer stays beside something else
}

/** What an alert is about: a ticket, a complaint, or the conversation in which somebody waits. */
async function showLate(kind, number) {
  const list = kind === "callback" ? "tickets" : kind.startsWith("complaint") ? "complaints" : "floor";
  tabs.select(list);
  if (list === "floor") return floor.open(number);
  if (list === "complaints") return complaints.open(number);
  await tickets.show("open");
  tickets.open(number);
}

/** A conversation takes the middle. */
function opening(id, queued) {
  customers.enter(id, queued);
  tickets.close();
  floor.close();
  tabs.select("talks");
}

// --- news -----------------------------------------------------------------------------------------------------

function countTickets(count) {
  const badge = byId("badge-tickets");
  if (badge.textContent !== String(count || "")) tickets.refresh();
  setBadge(badge, count);
}

function hearAlerts(items) {
  const fresh = board.takeAlerts(items);
  if (!fresh.length) return;
  sound.play();
  announce(`超时提醒：${fresh[0].kind_text}，${fresh[0].about}。共${items.length}项。`);
}

function hearComplaints(frame) {
  const given = complaints.take(frame);
  if (!given) return;
  sound.play();
  toast(`主管给您分派了 ${given} 件投诉，在“投诉”里。`, "good");
}

function onLink(state, retryAtMs) {
  Object.assign(line, { state, retryAtMs });
  renderLink();
}

function renderLink() {
  const link = byId("link");
  link.dataset.state = line.state;
  const left = Math.ceil((line.retryAtMs - Date.now()) / 1000);
  setText(link.lastElementChild, line.state === "up" ? "已连接" : left > 0 ? "连接断了，正在重连" : "正在连接");
}

function everySecond() {
  tickClocks();
  customers.tick();
  conversation.renderTyping();
  if (line.state !== "up") renderLink();
}

async function start() {
  prepareDialog();
  shortcuts({ shelf, customers, conversation, complaints, tabs, lock });
  byId("logout").addEventListener("click", logout);
  addEventListener("beforeunload", (event) => {
    if (shelf.all.some((talk) => talk.pending.length)) event.preventDefault();
  });
  setInterval(everySecond, 1000);
  try {
    sitDown(await api.me());
  } catch (error) {
    if (error.code !== LOCKED) toDoor(error.status === 401 ? "" : error.text);
  }
}

start();
