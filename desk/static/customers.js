// The customers of the left column: those one serves and those who wait; taking one, and who came or went.

import { api } from "./api.js";
import { byId, setBadge, setText } from "./dom.js";
import { renderMine, renderQueue } from "./lists.js";
import { announce, notify, toast } from "./notices.js";
import { isBroken, Promises, waitOf } from "./promises.js";
import { ONLY_LOOKS, session } from "./shelf.js";
import { standingOffer, whyNot } from "./taking.js";
import { nowMs, tickClocks } from "./times.js";

const TITLE = "掌柜坐席台";
const LIST_LAG_MS = 5000;

export class Customers {
  /** `on` has open(id, queued), lose(id), refresh(talk), calling(id) for a call that is heard here, tickets(count) and failed(error). */
  constructor(shelf, sound, on) {
    Object.assign(this, { shelf, sound, on });
    this.queue = [];
    this.mine = [];
    this.seen = null; // who waited when the queue was told last
    this.seenMine = false;
    this.claiming = new Set(); // ids that come to us by our own doing
    this.promises = new Promises();
    this.late = 0; // of our own customers, how many wait longer than was promised
  }

  takeQueue(frame) {
    const now = nowMs();
    const before = new Map(this.queue.map((item) => [item.conversation_id, item]));
    this.queue = frame.items.map((item) => {
      const known = before.get(item.conversation_id);
      return { ...item, busy: known?.busy, sinceMs: now - item.waited_s * 1000 };
    });
    if (this.seen) this.call(before);
    this.seen = new Set(this.queue.map((item) => item.conversation_id));
    setText(byId("crew"), `在岗 ${frame.on_duty} 人`);
    this.on.tickets(frame.open_tickets);
    this.renderQueue();
    tickClocks();
  }

  /** Who has come, or is offered to this agent now; not whom somebody else is to take. `before` is the queue that was, by id. */
  call(before) {
    const same = (item, was) => was?.offered === item.offered && was.offered_until === item.offered_until;
    const offered = this.queue.find((item) => standingOffer(item) === "me" && !same(item, before.get(item.conversation_id)));
    const arrived = this.queue.find((item) => !this.seen.has(item.conversation_id) && !item.barred && standingOffer(item) !== "other");
    const item = offered ?? arrived;
    if (!item) return;
    const words = `${offered ? "派给您一位客户" : "新的客户在排队"}：${item.customer_name}，${item.reason_text}。共${this.queue.length}位。`;
    this.sound.play();
    announce(words);
    notify(words);
    if (byId("panel-talks").hidden) toast(words);
  }

  takeMine(items) {
    const ids = new Set(items.map((item) => item.conversation_id));
    for (const talk of this.shelf.all) {
      // A list made before our own claim may arrive after it: it must not take the customer away again.
      if (!ids.has(talk.id) && (talk.listed || Date.now() - talk.bornMs > LIST_LAG_MS)) this.on.lose(talk.id);
    }
    for (const item of items) if (!this.known(item.conversation_id)) this.promises.came(item);
    const unlisted = this.mine.filter((item) => !ids.has(item.conversation_id));
    this.mine = [...items, ...unlisted];
    for (const item of items) this.takeOne(item);
    this.seenMine = true;
    const order = [...this.shelf.talks.keys()];
    this.mine.sort((a, b) => order.indexOf(a.conversation_id) - order.indexOf(b.conversation_id));
    this.render();
  }

  takeOne(item) {
    const id = item.conversation_id;
    if (this.seenMine && !this.shelf.talks.has(id) && !this.claiming.has(id)) this.arrived(item);
    const talk = this.shelf.of(id);
    talk.listed = true;
    if (!talk.seen && item.waiting_since && !talk.unread && id !== this.shelf.current) talk.unread = 1;
    if (talk.loaded && item.last_seq > talk.lastSeq) this.on.refresh(talk);
  }

  /** A customer came to us without our own claim: from a colleague. */
  arrived(item) {
    this.shelf.of(item.conversation_id).unread = 1;
    this.sound.play();
    notify(`同事转来一位客户：${item.customer_name}`);
    toast(`同事转来一位客户：${item.customer_name}`, "good");
  }

  async claim(id) {
    const item = this.queue.find((candidate) => candidate.conversation_id === id);
    if (!item || item.busy) return;
    const why = whyNot(item, this.mine.length);
    if (why) return toast(why);
    item.busy = true;
    this.claiming.add(id);
    this.renderQueue();
    try {
      await api.claim(id);
      this.queue = this.queue.filter((other) => other !== item);
      this.renderQueue();
      await this.on.open(id, item);
    } catch (error) {
      item.busy = false;
      this.on.failed(error);
      if (error.code === "claim_lost" || error.code === "not_found") api.queue().then((frame) => this.takeQueue(frame), () => {});
      else this.renderQueue();
    } finally {
      this.claiming.delete(id);
    }
  }

  /** The one offered to us, else the first that we may take and that is not offered to somebody else; who waits is asked for when it was not told yet. */
  async claimNext() {
    if (!this.seen) {
      try {
        this.takeQueue(await api.queue());
      } catch (error) {
        return this.on.failed(error);
      }
    }
    if (!session.agent.acts) return toast(ONLY_LOOKS);
    const open = this.queue.filter((item) => !item.barred);
    const next = open.find((item) => standingOffer(item) === "me") ?? open.find((item) => standingOffer(item) !== "other");
    if (next) return this.claim(next.conversation_id);
    const offered = "排队的客户都派给了同事，请稍等。";
    toast(open.length ? offered : this.queue.length ? "现在排队的客户要由其他同事接待。" : "现在没有人排队。");
  }

  /** Lets an offer go by: a colleague gets it at once. */
  async passBy(id) {
    try {
      await api.passBy(id);
    } catch (error) {
      this.on.failed(error);
    }
  }

  /** The next one served (1) or the one before (-1) is opened. */
  switch(step) {
    if (!this.mine.length) return;
    const at = this.mine.findIndex((item) => item.conversation_id === this.shelf.current);
    const next = at < 0 ? 0 : (at + step + this.mine.length) % this.mine.length;
    this.on.open(this.mine[next].conversation_id);
  }

  /** Ours from now on; what the queue said of them is shown until more is known. */
  enter(id, queued) {
    if (this.mine.some((item) => item.conversation_id === id)) return;
    const item = { customer_name: "", level: "", level_text: "", ...queued, conversation_id: id, last_seq: 0, last_sender: "" };
    this.mine = [...this.mine, item];
    this.promises.came(item);
  }

  forget(id) {
    this.mine = this.mine.filter((item) => item.conversation_id !== id);
  }

  /** What the lists know of one we serve. */
  known(id) {
    return this.mine.find((item) => item.conversation_id === id);
  }

  /** Time alone lets offers lapse and breaks promises. */
  tick() {
    if (!session.agent) return;
    this.renderQueue();
    const lines = this.mine.map((item) => this.line(item));
    this.late = lines.filter((line) => isBroken(line.due)).length;
    const fresh = this.promises.fresh(lines).filter((line) => !this.on.calling(line.conversation_id));
    for (const line of fresh) {
      const words = `${line.customer_name || "客户"}等您回复已经超时`;
      notify(words);
      toast(`${words}，请尽快回复。`, "bad");
    }
    if (fresh.length) this.sound.play();
    this.renderTitle();
  }

  renderQueue() {
    const lines = this.queue.map((item) => ({ ...item, why: item.barred ? "" : whyNot(item, this.mine.length) }));
    renderQueue(lines, (id) => this.claim(id), (id) => this.passBy(id));
    setBadge(byId("badge-queue"), this.queue.length);
    this.renderTitle();
  }

  render() {
    const items = this.mine.map((item) => this.line(item));
    renderMine(items, session.agent.max_load, (id) => this.on.open(id));
    setBadge(byId("badge-talks"), items.reduce((sum, item) => sum + item.unread, 0));
    this.renderTitle();
    tickClocks();
  }

  /** A card's words: the list's, or what the conversation itself knows better. */
  line(item) {
    const talk = this.shelf.of(item.conversation_id);
    const last = talk.last();
    const newer = last && last.seq >= item.last_seq;
    return {
      ...item,
      customer_name: talk.facts?.name ?? item.customer_name,
      last_sender: newer ? last.sender : item.last_sender,
      last_text: newer ? last.text : item.last_text,
      ...waitOf(item, talk),
      unread: talk.unread,
      current: item.conversation_id === this.shelf.current,
    };
  }

  /** What waits elsewhere shows in the browser's tab: broken promises first, then new words of our own customers. */
  renderTitle() {
    if (byId("lock").open) return; // the title says that the page is locked, whatever news was under way
    const { unread } = this.shelf;
    const words = this.late ? `【${this.late}位超时】` : unread ? `【${unread}条新消息】` : "";
    document.title = words + (this.queue.length ? `(${this.queue.length}) ${TITLE}` : TITLE);
  }

  /** Nothing of the customers shows in the browser's tab while nobody is logged in. */
  static hideTitle() {
    document.title = TITLE;
  }
}
