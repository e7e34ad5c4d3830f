// Times as an agent reads them, always the bank's.

const ZONE = "Asia/Shanghai";
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, month: "long", day: "numeric", weekday: "short" });
const key = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" });

export const clockText = (iso) => clock.format(new Date(iso));
export const dayKey = (iso) => key.format(new Date(iso));

export function dayText(iso) {
  return dayKey(iso) === dayKey(Date.now()) ? "今天" : day.format(new Date(iso));
}

export const momentText = (iso) => `${dayText(iso)} ${clockText(iso)}`;

/** 75 -> "1:15", 3700 -> "1:01:40". */
export function durationText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export const SLOW_S = 60;
export const LATE_S = 180;

/** Elements with data-since (epoch ms) show how long ago that was; colour and a word say when it is too long. */
export function tickClocks() {
  for (const node of document.querySelectorAll("[data-since]")) {
    const seconds = (Date.now() - Number(node.dataset.since)) / 1000;
    const late = seconds >= LATE_S ? "late" : seconds >= SLOW_S ? "slow" : "";
    const text = (node.dataset.before || "") + durationText(seconds);
    if (node.textContent !== text) node.textContent = text;
    if (node.dataset.late !== late) node.dataset.late = late;
  }
}
