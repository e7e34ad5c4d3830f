// A call by voice: the browser's microphone and loudspeaker, and a web socket that carries them.

const DOING = new Set(["listening", "speaking", "working", "queue", "agent"]);
const OR_WRITE = "也可以直接打字。";
const NO_MICROPHONE = {
  NotAllowedError: `麦克风没有打开：请在浏览器里允许本页使用麦克风，再点一次语音通话。${OR_WRITE}`,
  NotFoundError: `没有找到麦克风：请插好耳机或麦克风再试。${OR_WRITE}`,
  NotReadableError: `麦克风正被别的程序占用：请关掉它再试。${OR_WRITE}`,
};
const NOT_HERE = `这个浏览器或网址不能用麦克风：请换成 https 网址或新版浏览器。${OR_WRITE}`;
const NO_LINE = `通话没有接通，请检查网络后再试。${OR_WRITE}`;
const BROKEN = "通话断开了，需要的话请再拨一次。";
const CLOSED_WELL = new Set([1000, 1005]);

export class Call {
  #handlers;
  #attempt = 0;
  #refusal = "";

  /** `handlers`: state(name) of "off", "opening" and what the line does; words(heard, saying); ended(why). */
  constructor(handlers) {
    this.#handlers = handlers;
    this.state = "off";
    this.muted = false;
  }

  get isOn() {
    return this.state !== "off";
  }

  async start() {
    if (this.isOn) return;
    const attempt = ++this.#attempt;
    this.#refusal = "";
    this.#set("opening");
    try {
      if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) throw new Error("no microphone here");
      // The context is made within the click that asked for it: later it would stay silent.
      this.context = new AudioContext();
      const microphone = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      if (attempt !== this.#attempt) return microphone.getTracks().forEach((track) => track.stop());
      this.microphone = microphone;
      await this.context.audioWorklet.addModule("/static/telephone.js");
      if (attempt !== this.#attempt) return;
      await this.context.resume();
    } catch (error) {
      if (attempt === this.#attempt) this.stop(NO_MICROPHONE[error.name] ?? NOT_HERE);
      return;
    }
    this.#connect();
  }

  #connect() {
    const options = { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] };
    const telephone = new AudioWorkletNode(this.context, "telephone", options);
    this.context.createMediaStreamSource(this.microphone).connect(telephone).connect(this.context.destination);
    const url = new URL("/chat/call", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.telephone = telephone;
    socket.onmessage = ({ data }) => socket === this.socket && this.#heard(data);
    socket.onclose = ({ code }) => socket === this.socket && this.#closed(code);
    telephone.port.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.#transmit(data);
      else this.#send({ type: "mark", name: data.mark });
    };
  }

  #heard(data) {
    if (data instanceof ArrayBuffer) return this.telephone.port.postMessage(data, [data]);
    const frame = JSON.parse(data);
    if (frame.type === "clear") this.telephone.port.postMessage({ clear: true });
    else if (frame.type === "mark") this.telephone.port.postMessage({ mark: frame.name });
    else if (frame.type === "error") this.#refusal = frame.text;
    else if (frame.type === "glance" && DOING.has(frame.doing)) {
      this.#set(frame.doing);
      this.#handlers.words(frame.heard, frame.saying);
    }
  }

  #closed(code) {
    const answered = this.state !== "opening";
    const fault = answered ? BROKEN : NO_LINE;
    this.stop(this.#refusal || (answered && CLOSED_WELL.has(code) ? "" : fault));
  }

  press(digit) {
    this.#send({ type: "key", digit });
  }

  mute(muted) {
    this.muted = muted;
    this.microphone?.getAudioTracks().forEach((track) => (track.enabled = !muted));
  }

  /** Hangs up, whatever has been reached; `text` says why when it was not the customer. */
  stop(text = "") {
    if (!this.isOn) return;
    this.#attempt += 1;
    this.#send({ type: "bye" });
    const { socket, context, microphone } = this;
    this.socket = this.context = this.microphone = this.telephone = null;
    socket?.close();
    context?.close();
    microphone?.getTracks().forEach((track) => track.stop());
    this.muted = false;
    this.#set("off");
    this.#handlers.ended(text);
  }

  #send(frame) {
    this.#transmit(JSON.stringify(frame));
  }

  #transmit(data) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(data);
  }

  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.#handlers.state(state);
  }
}
