// Whether the agent is there: on duty, on a break with a reason, or off.

import { api } from "./api.js";
import { byId, setText } from "./dom.js";
import { session } from "./shelf.js";
import { tickClocks } from "./times.js";

const IDLE = { on_duty: "从左边的排队列表接一位客户，对话会显示在这里" };
const AWAY = "您现在不在岗，切换到“在岗”后可以接客户";
const radios = () => document.querySelectorAll('input[name="presence"]');

export class Presence {
  constructor(failed) {
    this.failed = failed;
    byId("presence").addEventListener("change", () => this.say());
    byId("break-reason").addEventListener("change", () => this.say());
  }

  render() {
    const { agent } = session;
    setText(byId("who"), agent.display_name);
    for (const radio of radios()) radio.checked = radio.value === agent.presence;
    const resting = agent.presence === "break";
    const clock = byId("break-clock");
    byId("break-reason").hidden = clock.hidden = !resting;
    if (resting) {
      byId("break-reason").value = agent.break_reason;
      clock.dataset.since = String(Date.parse(agent.presence_since));
    } else delete clock.dataset.since;
    tickClocks();
    setText(byId("blank-text"), agent.acts ? IDLE[agent.presence] ?? AWAY : "您可以看全场的对话、看板和审计记录，不接待客户");
  }

  async say() {
    const chosen = [...radios()].find((radio) => radio.checked).value;
    try {
      session.agent = (await api.presence(chosen, byId("break-reason").value)).agent;
    } catch (error) {
      this.failed(error);
    }
    this.render();
  }
}
