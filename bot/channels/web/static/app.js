// The page: session, socket, log, composer and sheets put together.

import { api } from "./api.js";
import { CallBar } from "./callbar.js";
import { Composer } from "./composer.js";
import { byId, newId } from "./dom.js";
import { LoginSheet } from "./login.js";
import { Outbox } from "./outbox.js";
import { ratingElement } from "./rating.js";
import { ChatLog } from "./render.js";
import { takeLink, wireScan } from "./scan.js";
import { ChatSocket, CLOSED } from "./socket.js";

const GREETING =
  "您好，我是小掌柜，掌柜银行的智能柜员。\n查余额、转账、交水电费、充话费、挂失、找网点，用一句话告诉我就行。\n想找真人，说“转人工”。";
const EXAMPLES = ["我还有多少钱", "给妈妈转五百块", "上个月吃饭花了多少"].map((say) => ({ label: say, say }));
const UNDER_LABEL = {
  bot: "掌柜银行 · 对话柜台",
  queue: "正在为您接通同事",
  agent: "同事正在为您服务",
  closed: "再说一句就能继续",
};
const LARGE_KEY = "zg.large";
const LOGIN_WORDS = new Set(["登录", "去登录", "我要登录"]);
const TOAST_MS_MIN = 2200;
const TOAST_MS_PER_CHAR = 90;
const TYPING_DELAY_MS = 400;
const TYPING_SHOWN_MS = 6000;
const TYPING_SENT_EVERY_MS = 3000;

const outbox = new Outbox(sessionStorage);
const socket = new ChatSocket("/chat/ws");
const log = new ChatLog(byId("log"), byId("scroller"), byId("jump"), {
  choose,
  retry: (clientId) => transmit(outbox.find(clientId)),
  choices: (choices, sender) => showChoices(choices, sender),
});
let composer = null;
let conversationId = null;
let ready = false; // the server has told us everything it had: what waits in the outbox may go
let state = { owner: "bot", customer_name: null };
let offered = []; // what was offered last
let offeredBy = "bot";
let rated = false;
let unwilling = false; // does not want to rate this service
let typingTimer = 0;
let toastTimer = 0;
let typingSentAt = 0;

const scan = wireScan({ busy: (on) => (on ? showTyping("bot") : hideTyping()), notice: toast });
composer = new Composer({ say, choose, typing: tellTyping, secret: (text) => say(text, true), scan });
let shown = takeLink(); // a receiving code in the address: paid as soon as the line is up
const call = new CallBar(toast);
const sheets = new LoginSheet({ loggedIn, loggedOut: startOver, notice: toast });

// --- sending -------------------------------------------------------------------------------------------------

function say(text, secret = false) {
  if (outbox.isFull) {
    toast("还有好几条没发出去，等网络恢复了再接着说。");
    return false;
  }
  const entry = { client_id: newId(), text, secret, at: new Date().toISOString() };
  outbox.add(entry);
  log.addPending(entry);
  transmit(entry);
  return true;
}

function transmit(entry) {
  if (!entry || !ready) return;
  const sent = socket.send({ type: entry.secret ? "secret" : "say", client_id: entry.client_id, text: entry.text });
  if (sent && state.owner === "bot") expectTyping();
}

function choose(choice) {
  if (LOGIN_WORDS.has(choice.say) && !state.customer_name) sheets.openLogin();
  else say(choice.say);
}

/** While a human is in charge the assistant offers nothing. */
/** With an agent the assistant's offers no longer hold, and without one the agent's do not. */
function showChoices(choices, sender = offeredBy) {
  offered = choices;
  offeredBy = sender ?? "bot";
  const silent = state.owner === "closed" || (state.owner === "agent") !== (offeredBy === "agent");
  composer?.showChoices(silent ? [] : choices, choices === EXAMPLES);
}

function tellTyping() {
  const now = Date.now();
  if (state.owner !== "agent" || now - typingSentAt < TYPING_SENT_EVERY_MS) return;
  typingSentAt = now;
  socket.send({ type: "typing" });
}

// --- receiving -----------------------------------------------------------------------------------------------

const frames = {
  welcome(frame) {
    if (conversationId !== null && conversationId !== frame.conversation_id) resetLog();
    conversationId = frame.conversation_id;
  },
  message({ message }) {
    if (message.client_id) outbox.remove(message.client_id);
    if (message.sender !== "customer") hideTyping();
    log.add(message);
  },
  state: applyState,
  ack(frame) {
    outbox.remove(frame.client_id);
    log.acknowledge(frame.client_id, frame.seq);
    if (outbox.entries.length === 0) hideTyping();
  },
  typing(frame) {
    if (frame.who !== "customer") showTyping(frame.who === "bot" ? "bot" : "agent");
  },
  error: applyError,
  pong() {},
};

function applyState(frame) {
  const first = !ready;
  // Logged in inside the chat: the page fetches the new cookie that is owed to it.
  if (!first && frame.customer_name && !state.customer_name) api.session().catch(() => {});
  state = frame;
  byId("state-label").textContent = frame.label;
  byId("state-label").dataset.owner = frame.owner;
  byId("bar-sub").textContent = UNDER_LABEL[frame.owner] ?? UNDER_LABEL.bot;
  byId("account-name").textContent = frame.customer_name ?? "登录";
  byId("account").setAttribute("aria-label", frame.customer_name ? `已登录：${frame.customer_name}` : "登录");
  const left = frame.expects_until ? (Date.parse(frame.expects_until) - Date.parse(frame.server_time)) / 1000 : null;
  composer.expect(frame.expects, left, frame.owner);
  showChoices(offered);
  if (frame.owner !== "agent") hideTyping();
  showRating(frame.can_rate);
  if (first) becomeReady();
  log.settle();
}

function becomeReady() {
  ready = true;
  hideBanner();
  if (!byId("log").querySelector('[data-testid="greeting"]')) log.greet(GREETING);
  for (const entry of outbox.entries) {
    log.addPending(entry);
    transmit(entry);
  }
  if (log.isEmpty) showChoices(EXAMPLES);
  log.goLive();
  if (shown) say(shown);
  shown = null;
}

function applyError(frame) {
  hideTyping();
  if (frame.code === "no_session") return; // the socket closes next and a new session is fetched
  toast(frame.text);
  if (!frame.client_id) return showRating(state.can_rate);
  const entry = outbox.find(frame.client_id);
  if (frame.code === "too_fast") setTimeout(() => transmit(outbox.find(frame.client_id)), frame.retry_after_s * 1000);
  else if (entry?.secret || frame.code === "bad_request") forget(frame.client_id);
  else log.fail(frame.client_id);
}

/** A secret is never kept for another try, and what the server cannot read will not get better. */
function forget(clientId) {
  outbox.remove(clientId);
  log.drop(clientId);
}

function showRating(shown) {
  const place = byId("after-log");
  const has = place.childElementCount > 0;
  if (state.owner === "agent") unwilling = false; // whoever is served again may rate again
  if (unwilling) return;
  if (shown && !has) place.replaceChildren(ratingElement(rate, leaveUnrated));
  if (shown && has) place.querySelector('[type="submit"]').disabled = !place.querySelector(":checked");
  if (shown || !has) return;
  if (rated) toast("谢谢您的评价。");
  rated = false;
  place.replaceChildren();
}

function leaveUnrated() {
  unwilling = true;
  byId("after-log").replaceChildren();
  composer.focus();
}

function rate(score, comment) {
  rated = socket.send({ type: "rate", score, comment });
  return rated;
}

// --- typing, toast, banner -----------------------------------------------------------------------------------

function expectTyping() {
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => showTyping("bot"), TYPING_DELAY_MS);
}

function showTyping(who) {
  clearTimeout(typingTimer);
  byId("typing-face").setAttribute("href", `#i-${who}`);
  byId("typing").hidden = false;
  log.settle();
  if (who === "agent") typingTimer = setTimeout(hideTyping, TYPING_SHOWN_MS);
}

function hideTyping() {
  clearTimeout(typingTimer);
  byId("typing").hidden = true;
}

function toast(text) {
  clearTimeout(toastTimer);
  byId("toast").textContent = text;
  byId("toast").hidden = false;
  toastTimer = setTimeout(() => (byId("toast").hidden = true), Math.max(TOAST_MS_MIN, text.length * TOAST_MS_PER_CHAR));
}

function showBanner() {
  const words = navigator.onLine ? "连接断开了，正在重新连接…" : "网络已断开，消息会在恢复后自动发出。";
  byId("banner").textContent = words;
  byId("banner").hidden = false;
}

function hideBanner() {
  byId("banner").hidden = true;
}

// --- session and connection ----------------------------------------------------------------------------------

async function openSession() {
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 1.8, 15_000)) {
    try {
      const me = await api.session();
      composer.charsMax = me.text_chars_max;
      sheets.showDeveloperLink(me.developer_pages);
      call.offer(me.calls);
      return;
    } catch (error) {
      if (error.code === "too_fast") toast(error.text);
      showBanner();
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

function resetLog() {
  log.clear();
  byId("after-log").replaceChildren();
  showChoices([]);
}

function loggedIn() {
  toast("登录成功。");
  socket.restart();
  composer.focus();
}

/** After logging out nothing of the old conversation stays on this device. */
async function startOver() {
  call.stop();
  socket.stop();
  outbox.clear();
  conversationId = null;
  resetLog();
  await openSession();
  socket.start();
}

socket.addEventListener("up", () => {
  socket.send({ type: "hello", after_seq: log.lastSeq, conversation_id: conversationId });
});
socket.addEventListener("frame", ({ detail }) => frames[detail.type]?.(detail));
socket.addEventListener("down", async ({ detail }) => {
  ready = false;
  hideTyping();
  if (detail.code !== CLOSED.noSession) {
    if (detail.wanted && detail.code !== CLOSED.sessionChanged) showBanner();
    return;
  }
  socket.stop();
  await openSession();
  socket.start();
});
byId("account").addEventListener("click", () => {
  if (state.customer_name) sheets.openProfile(state.customer_name);
  else sheets.openLogin();
});

// --- large text ----------------------------------------------------------------------------------------------

function setLarge(large) {
  document.documentElement.toggleAttribute("data-large", large);
  byId("large-toggle").setAttribute("aria-pressed", String(large));
  log.settle();
}

byId("large-toggle").addEventListener("click", () => {
  const large = !document.documentElement.hasAttribute("data-large");
  setLarge(large);
  try {
    localStorage.setItem(LARGE_KEY, large ? "1" : "0");
  } catch {
    // private mode: it holds for this visit
  }
});
try {
  setLarge(localStorage.getItem(LARGE_KEY) === "1");
} catch {
  setLarge(false);
}

await openSession();
socket.start();
