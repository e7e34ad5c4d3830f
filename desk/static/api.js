// REST calls. Every failure is an ApiError with a Chinese sentence; `again` says whether trying again may help.

const BASE = "/desk/api";
const TIMEOUT_MS = 12000;
export const LOCKED = "seat_locked"; // the code of a refusal, and the event that tells the page of it

class ApiError extends Error {
  constructor(status, code, text, details = {}) {
    super(code);
    Object.assign(this, { status, code, text, details });
  }

  get again() {
    return this.status === 0 || this.status === 429 || this.status >= 500 || this.code === LOCKED;
  }
}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers: method === "POST" ? { "Content-Type": "application/json" } : {},
      body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiError(0, "network", "网络不通，正在重试。");
  }
  let answer = {};
  try {
    answer = await response.json();
  } catch {
    if (response.ok) throw new ApiError(0, "network", "网络不稳，请再试一次。");
  }
  if (!response.ok) {
    const error = answer.error ?? {};
    if (error.code === LOCKED) dispatchEvent(new CustomEvent(LOCKED, { detail: error }));
    throw new ApiError(response.status, error.code ?? "http", error.text ?? "系统没有处理成功，请稍后再试。", error);
  }
  return answer;
}

/** The address of a web socket of the desk. */
export const socketUrl = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${BASE}${path}`;

const one = (id) => `/conversations/${encodeURIComponent(id)}`;

export const api = {
  login: (username, password) => call("POST", "/login", { username, password }),
  logout: () => call("POST", "/logout"),
  me: () => call("GET", "/me"),
  active: () => call("POST", "/active"),
  lock: () => call("POST", "/lock"),
  unlock: (password) => call("POST", "/unlock", { password }),
  presence: (state, reason = "rest") => call("POST", "/presence", { state, reason }),
  passBy: (id) => call("POST", `${one(id)}/pass`),
  complaints: (status, whose) => call("GET", `/complaints?status=${status}&whose=${encodeURIComponent(whose)}`),
  complaintAgents: (number) => call("GET", `/complaints/${number}/agents`),
  complaint: (number) => call("GET", `/complaints/${number}`),
  complaintAct: (number, act, body) => call("POST", `/complaints/${number}/${act}`, body),
  trail: (asked) => call("GET", `/trail?${new URLSearchParams(asked)}`),
  board: (day) => call("GET", day ? `/board?day=${encodeURIComponent(day)}` : "/board"),
  queue: () => call("GET", "/queue"),
  mine: () => call("GET", "/mine"),
  claim: (id) => call("POST", `${one(id)}/claim`),
  conversation: (id, afterSeq = 0) => call("GET", `${one(id)}?after_seq=${afterSeq}`),
  say: (id, clientId, text) => call("POST", `${one(id)}/say`, { client_id: clientId, text }),
  typing: (id) => call("POST", `${one(id)}/typing`),
  handBack: (id, note, summary) => call("POST", `${one(id)}/hand-back`, { note, summary }),
  close: (id, wrapUp) => call("POST", `${one(id)}/close`, { wrap_up: wrapUp }),
  card: (id) => call("GET", `${one(id)}/card`),
  unmask: (id, field) => call("POST", `${one(id)}/unmask`, { field }),
  suggestions: (id) => call("GET", `${one(id)}/suggestions`),
  note: (id, text) => call("POST", `${one(id)}/note`, { text }),
  vouch: (id, note) => call("POST", `${one(id)}/vouch`, { note }),
  propose: (id, clientId, slot, text) => call("POST", `${one(id)}/propose`, { client_id: clientId, slot, text }),
  transfer: (id, to) => call("POST", `${one(id)}/transfer`, to),
  colleagues: () => call("GET", "/colleagues"),
  replies: () => call("GET", "/replies"),
  keptReplies: () => call("GET", "/replies/kept"),
  addReply: (reply) => call("POST", "/replies", reply),
  changeReply: (id, reply) => call("POST", `/replies/${encodeURIComponent(id)}`, reply),
  replyAct: (id, act, body) => call("POST", `/replies/${encodeURIComponent(id)}/${act}`, body),
  floor: () => call("GET", "/floor"),
  watch: (id, afterSeq = 0) => call("GET", `${one(id)}/watch?after_seq=${afterSeq}`),
  whisper: (id, text) => call("POST", `${one(id)}/whisper`, { text }),
  takeOver: (id) => call("POST", `${one(id)}/take-over`),
  tickets: (status) => call("GET", `/tickets?status=${status}`),
  finishTicket: (number, note, isOwner = null) => call("POST", `/tickets/${number}/finish`, { note, is_owner: isOwner }),
  ticketPhone: (number) => call("POST", `/tickets/${number}/phone`),
  putTicketBack: (number) => call("POST", `/tickets/${number}/put-back`),
};

/** A random id of 36 characters; randomUUID exists on https and localhost only. */
export function newClientId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
