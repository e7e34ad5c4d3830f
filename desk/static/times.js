// Times as an agent reads them, always the bank's.

const ZONE = "Asia/Shanghai";
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, month: "long", day: "numeric", weekday: "short" });
const key = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });

let aheadMs = 0; // of the server's clock before this computer's

/** The server's clock shows `iso` now. */
export function hearServer(iso) {
  aheadMs = Date.parse(iso) - Date.now();
}

/** Now, by the server's clock, epoch ms. */
export const nowMs = () => Date.now() + aheadMs;

export const clockText = (iso) => clock.format(new Date(iso));
export const dayKey = (iso) => key.format(new Date(iso));

export function dayText(iso) {
  return dayKey(iso) === dayKey(nowMs()) ? "今天" : day.format(new Date(iso));
}

export const momentText = (iso) => `${dayText(iso)} ${clockText(iso)}`;

const stamp = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** With the second: "11/20 10:03:07". */
export const stampText = (iso) => stamp.format(new Date(iso));

/** 75 -> "1:15", 3700 -> "1:01:40". */
export function durationText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const DAY_S = 86400;

/** Coarse enough for a promise of days: 90000 -> "1天1小时", 5400 -> "1小时30分", 40 -> "1分". */
function spanText(seconds) {
  const minutes = Math.max(1, Math.ceil(Math.abs(seconds) / 60));
  const [d, h, m] = [Math.floor((minutes * 60) / DAY_S), Math.floor(minutes / 60) % 24, minutes % 60];
  if (d) return h ? `${d}天${h}小时` : `${d}天`;
  return h ? (m ? `${h}小时${m}分` : `${h}小时`) : `${m}分`;
}

const SOON_S = 30; // before a promise is broken
const SLOW_S = 60; // where no promise is known
const LATE_S = 180;

/** "late" once the promise is broken, "slow" shortly before; of `seconds` of waiting where none is known of this wait. */
function lateness(seconds, dueMs) {
  if (Number.isNaN(dueMs)) return seconds >= LATE_S ? "late" : seconds >= SLOW_S ? "slow" : "";
  const left = (dueMs - nowMs()) / 1000;
  return left < 0 ? "late" : left <= SOON_S ? "slow" : "";
}

/**
 * Elements with data-since (epoch ms) show how long ago that was; colour and a word say when it is too long, by the promise
 * in data-due (ISO). Those with data-until (ISO) show how much of a promise is left, or by how much it is broken.
 */
export function tickClocks() {
  for (const node of document.querySelectorAll("[data-until]")) {
    const left = (Date.parse(node.dataset.until) - nowMs()) / 1000;
    const late = left < 0 ? "late" : left < DAY_S ? "slow" : "";
    const text = `${node.dataset.before || ""}${left < 0 ? "超时" : "还剩"}${spanText(left)}`;
    if (node.textContent !== text) node.textContent = text;
    if (node.dataset.late !== late) node.dataset.late = late;
  }
  for (const node of document.querySelectorAll("[data-since]")) {
    const sinceMs = Number(node.dataset.since);
    const seconds = (nowMs() - sinceMs) / 1000;
    const late = node.dataset.calm !== undefined ? "" : lateness(seconds, Date.parse(node.dataset.due ?? ""));
    const text = (node.dataset.before || "") + durationText(seconds);
    if (node.textContent !== text) node.textContent = text;
    if (node.dataset.late !== late) node.dataset.late = late;
  }
}
