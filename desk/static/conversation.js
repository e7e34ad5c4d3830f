// The open conversation: what is said and noted in it, what is known of its customer, the call, and letting go of it.

import { api, newClientId } from "./api.js";
import { Canned, renderReach, Suggestions } from "./assist.js";
import { Call } from "./call.js";
import { Composer } from "./composer.js";
import { byId, setText } from "./dom.js";
import * as endings from "./endings.js";
import { renderFacts, VOUCH } from "./facts.js";
import { showMiddle } from "./middle.js";
import { announce, notify, toast } from "./notices.js";
import { waitOf } from "./promises.js";
import { ReplyEditor } from "./replies.js";
import { session } from "./shelf.js";
import { Outbox } from "./talks.js";
import { tickClocks } from "./times.js";
import { Transcript } from "./transcript.js";

const TYPING_SHOWN_MS = 5000;
const STATE_PAUSE_MS = 600;
const RETRY_MS = 3000;
const PHONE = "电话";

export class Conversation {
  /**
   * `on` has opening(id, queued) before one is shown, changed() when the lists show something else now, dropped(id) when one is no
   * longer ours, known(id) for what the lists show of it, isUp() for the line, failed(error) and seatLost(text).
   */
  constructor(shelf, sound, on) {
    Object.assign(this, { shelf, sound, on });
    this.transcript = new Transcript();
    this.outbox = new Outbox({ changed: (talk) => this.render(talk), gone: (talk, text) => this.lose(talk.id, text), seatLost: () => on.seatLost("") });
    const open = () => shelf.open;
    this.composer = new Composer({
      send: (text) => open() && this.outbox.send(open(), text),
      note: (text) => open() && this.note(open(), text),
      draft: (text) => open() && (open().draft = text),
      typing: () => shelf.current && api.typing(shelf.current).catch(() => {}),
    });
    this.suggestions = new Suggestions((text) => this.composer.replace(text));
    const replies = new ReplyEditor({ changed: () => this.canned.load(), failed: on.failed, textMax: () => session.limits.text_chars_max });
    this.canned = new Canned(this.composer, () => open()?.facts?.fillings ?? {}, () => replies.open(this.composer.text.value.trim().replace(/^\/.*$/, "")));
    this.call = new Call((state, text) => this.called(state, text));
    this.helping = {
      propose: (slot, text) => this.propose(slot, text),
      vouch: (note) => this.vouch(note),
      again: () => renderFacts(shelf.open, this.helping),
      card: () => this.card(),
      unmask: (field) => this.unmask(field),
    };
    for (const act of Object.keys(endings)) byId(act === "handBack" ? "hand-back" : act).addEventListener("click", () => this.end(act));
    byId("call").addEventListener("click", () => this.toggleCall());
    document.addEventListener("visibilitychange", () => this.looked());
  }

  async open(id, queued = null) {
    const talk = this.shelf.of(id);
    this.on.opening(id, queued);
    this.shelf.current = id;
    talk.seen = true;
    talk.unread = 0;
    showMiddle("talk");
    this.composer.open(talk.draft);
    this.render(talk);
    await this.refresh(talk);
  }

  /** Something else takes the middle. */
  leave() {
    this.shelf.current = null;
    this.transcript.clear();
    this.on.changed();
  }

  /** The conversation is no longer ours: what was not sent is given back to the agent rather than lost in silence. */
  lose(id, text = "") {
    if (this.call.id === id) this.call.stop();
    const talk = this.shelf.talks.get(id);
    if (!talk) return;
    this.shelf.talks.delete(id);
    this.on.dropped(id);
    const unsent = [...talk.pending.map((entry) => entry.text), talk.draft.trim()].filter(Boolean);
    if (unsent.length) toast(`有 ${unsent.length} 条没有发给客户：${unsent[0].slice(0, 60)}`, "bad");
    if (this.shelf.current === id) {
      const focus = document.activeElement;
      const here = focus === document.body || byId("talk").contains(focus);
      if (text) toast(text, "bad");
      this.leave();
      showMiddle("blank");
      renderFacts(null);
      if (here) focusNext();
    }
    this.on.changed();
  }

  // --- news ---------------------------------------------------------------------------------------------------

  take(id, message) {
    const talk = this.shelf.of(id);
    const gap = talk.loaded && message.seq > talk.lastSeq + 1;
    if (!talk.add(message)) return;
    if (message.sender === "customer" && (id !== this.shelf.current || document.hidden)) {
      talk.unread += 1;
      this.sound.play();
      notify(`${talk.facts?.name ?? "客户"}说了新的话`);
    }
    if (gap) this.refresh(talk);
    this.render(talk);
  }

  typing(id) {
    const talk = this.shelf.talks.get(id);
    if (talk) talk.typingUntilMs = Date.now() + TYPING_SHOWN_MS;
    this.renderTyping();
  }

  /** The state is told after every message: several tellings make one request. */
  stateChanged(id, first = false) {
    const talk = this.shelf.talks.get(id);
    if (!talk || (first && !talk.loaded)) return; // nobody has opened it yet, and a look is noted
    clearTimeout(talk.refreshTimer);
    talk.refreshTimer = setTimeout(() => this.shelf.talks.get(id) === talk && this.refresh(talk), STATE_PAUSE_MS);
  }

  /** After a line that was down, or a log-in: whatever was missed is asked for, whatever waits is sent. */
  again() {
    for (const talk of this.shelf.all) if (talk.loaded || talk.id === this.shelf.current) this.refresh(talk);
  }

  resume() {
    this.canned.load();
    for (const talk of this.shelf.all) this.outbox.work(talk);
    if (this.shelf.open) this.open(this.shelf.current);
  }

  async refresh(talk) {
    const known = talk.loaded ? new Set(talk.notes.map((note) => note.id)) : null;
    try {
      await talk.catchUp();
      this.hearWhispers(talk, known);
      this.render(talk);
    } catch (error) {
      if (error.status === 403 || error.status === 404) this.lose(talk.id, talk.id === this.shelf.current ? error.text : "");
      else if (error.status === 401) this.on.seatLost(error.text);
      else setTimeout(() => this.shelf.talks.has(talk.id) && this.on.isUp() && this.refresh(talk), RETRY_MS);
    }
  }

  /** A word in the agent's ear must not be overlooked, wherever they are looking. */
  hearWhispers(talk, known) {
    const news = (note) => (known ? !known.has(note.id) : Date.parse(note.created_at) > talk.bornAtBankMs);
    const fresh = talk.notes.filter((note) => note.kind === "whisper" && news(note));
    if (!fresh.length) return;
    this.sound.play();
    if (talk.id !== this.shelf.current) talk.unread += fresh.length;
    notify(`${fresh.at(-1).author_name}有一句提示`);
    toast(`${fresh.at(-1).author_name}提示（${talk.facts.name}）：${fresh.at(-1).text.slice(0, 60)}`);
  }

  looked() {
    const talk = this.shelf.open;
    if (document.hidden || !talk?.unread) return;
    talk.unread = 0;
    this.on.changed();
  }

  // --- acts ---------------------------------------------------------------------------------------------------

  async note(talk, text) {
    try {
      talk.notes = (await api.note(talk.id, text)).notes;
      this.render(talk);
    } catch (error) {
      this.on.failed(error);
      if (talk.id === this.shelf.current && !this.composer.text.value) this.composer.replace(text);
    }
  }

  async propose(slot, text) {
    const talk = this.shelf.open;
    if (!talk) return;
    try {
      const { message } = await api.propose(talk.id, newClientId(), slot, text);
      delete talk.filling[slot];
      talk.add(message);
      await this.refresh(talk);
      toast("已请客户核对，采用了才会填上。", "good");
    } catch (error) {
      this.on.failed(error);
    }
  }

  /** What was held goes on, once the customer has it back and confirms it. */
  async vouch(note) {
    const talk = this.shelf.open;
    if (!talk) return;
    try {
      await api.vouch(talk.id, note);
      delete talk.filling[VOUCH];
      await this.refresh(talk);
      toast("已登记核实。交回小掌柜后，由客户本人确认办理。", "good");
    } catch (error) {
      this.on.failed(error);
    }
  }

  async card() {
    const talk = this.shelf.open;
    if (!talk?.facts?.known || talk.card) return;
    try {
      talk.card = (await api.card(talk.id)).card;
      this.render(talk);
    } catch (error) {
      this.on.failed(error);
    }
  }

  async unmask(field) {
    const talk = this.shelf.open;
    try {
      const { value } = await api.unmask(talk.id, field);
      talk.card = { ...talk.card, revealed: { ...talk.card.revealed, [field]: value } };
      this.render(talk);
    } catch (error) {
      this.on.failed(error);
    }
  }

  /** "transfer", "handBack" or "close". */
  async end(how) {
    const talk = this.shelf.open;
    if (!talk) return;
    try {
      const ending = await endings[how](talk);
      if (!ending) return;
      await ending.act();
      this.lose(talk.id);
      toast(ending.text, "good");
      focusNext();
    } catch (error) {
      this.on.failed(error);
      if (error.status === 403) this.lose(talk.id);
    }
  }

  called(state, text) {
    if (text) toast(text, "bad");
    else if (state === "on") announce("语音已接通。");
    this.renderCall();
  }

  toggleCall() {
    if (this.call.state === "off") this.call.start(this.shelf.current);
    else this.call.stop();
  }

  // --- looks --------------------------------------------------------------------------------------------------

  render(talk) {
    this.on.changed();
    if (talk.id !== this.shelf.current) return;
    setText(byId("talk-name"), talk.facts?.name || this.on.known(talk.id)?.customer_name || "客户");
    this.renderWait(talk);
    this.transcript.render(talk, this.outbox);
    renderFacts(talk, this.helping);
    renderReach(talk.facts);
    this.suggestions.follow(talk);
    this.renderCall();
    this.renderTyping();
    tickClocks();
  }

  renderWait(talk) {
    const sub = byId("talk-sub");
    const { sinceMs, due } = waitOf(this.on.known(talk.id), talk);
    if (talk.loaded && sinceMs) {
      sub.dataset.before = "等您回复 ";
      sub.dataset.since = String(sinceMs);
      sub.dataset.due = due;
    } else {
      delete sub.dataset.since;
      delete sub.dataset.late;
      setText(sub, talk.loaded ? talk.facts?.channel ?? "" : "正在打开对话…");
    }
  }

  /** The button for the sound of the call; the caller hears the agent only while it is pressed. */
  renderCall() {
    const talk = this.shelf.open;
    const button = byId("call");
    button.hidden = !talk || (talk.facts?.channel !== PHONE && !talk.facts?.calling && this.call.state === "off");
    const here = this.call.state !== "off" && this.call.id === talk?.id;
    button.disabled = this.call.state === "opening" || (this.call.state === "on" && !here);
    button.setAttribute("aria-pressed", String(here));
    setText(button, here ? "挂断语音" : "接通语音");
  }

  renderTyping() {
    const typing = (this.shelf.open?.typingUntilMs ?? 0) > Date.now();
    setText(byId("typing"), typing ? "客户正在输入…" : "");
  }
}

/** The next customer of ours, else who waits first: Enter goes on with them. */
function focusNext() {
  (byId("mine").querySelector("button") ?? byId("queue").querySelector("button"))?.focus();
}
