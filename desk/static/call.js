// The customer's telephone call in this browser: their voice in the speaker, the agent's microphone in the call.

import { socketUrl } from "./api.js";

const WHY = {
  4401: "登录已经失效，请重新登录。",
  4403: "这段会话已经不在您手里。",
  4404: "这位客户现在不在电话上。",
};

export class Call {
  /** `changed` hears "off", "opening" or "on", and a sentence when there is something to say. */
  constructor(changed) {
    this.changed = changed;
    this.state = "off";
    this.id = null;
  }

  async start(id) {
    if (this.state !== "off") return;
    this.id = id;
    this.set("opening");
    try {
      this.microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
      this.context = new AudioContext();
      await this.context.audioWorklet.addModule("/desk/static/telephone.js");
    } catch {
      this.stop("用不了麦克风：请插好耳麦，并允许这个页面使用它。");
      return;
    }
    if (this.id !== id) return; // stopped meanwhile
    const telephone = new AudioWorkletNode(this.context, "telephone", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] });
    this.context.createMediaStreamSource(this.microphone).connect(telephone).connect(this.context.destination);
    this.connect(id, telephone);
  }

  connect(id, telephone) {
    const socket = new WebSocket(socketUrl(`/conversations/${encodeURIComponent(id)}/sound`));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => socket === this.socket && this.set("on");
    socket.onmessage = (event) => {
      if (typeof event.data !== "string") telephone.port.postMessage(event.data, [event.data]);
    };
    socket.onclose = (event) => socket === this.socket && this.stop(WHY[event.code] ?? "通话已经断开。");
    telephone.port.onmessage = (event) => socket.readyState === WebSocket.OPEN && socket.send(event.data);
  }

  stop(text = "") {
    const { socket, context, microphone } = this;
    this.socket = this.context = this.microphone = this.id = null;
    socket?.close();
    context?.close();
    microphone?.getTracks().forEach((track) => track.stop());
    this.set("off", text);
  }

  set(state, text = "") {
    if (state === this.state && !text) return;
    this.state = state;
    this.changed(state, text);
  }
}
