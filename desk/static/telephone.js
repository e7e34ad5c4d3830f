// Runs beside the page: the microphone at the call's 8000 samples a second, the caller at the sound card's rate.

const CALL_HZ = 8000;
const PIECE = 160; // 20 ms
const LATE = CALL_HZ / 4; // more than a quarter of a second behind: the oldest is dropped
const EARLY = PIECE * 3; // so much is waited for before the caller is played

class Telephone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / CALL_HZ;
    this.heard = []; // samples of the caller, still to be played
    this.at = 0; // position within them
    this.flowing = false;
    this.sum = 0;
    this.count = 0;
    this.owed = 0; // parts of a sample of the call
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.port.onmessage = (event) => {
      for (const sample of new Int16Array(event.data)) this.heard.push(sample / 32768);
      if (this.heard.length - this.at > LATE) this.at = this.heard.length - EARLY;
    };
  }

  process(inputs, outputs) {
    const microphone = inputs[0][0];
    if (microphone) for (const sample of microphone) this.take(sample);
    const [speaker] = outputs[0];
    for (let index = 0; index < speaker.length; index += 1) speaker[index] = this.next();
    const played = Math.floor(this.at);
    if (played > CALL_HZ) {
      this.heard.splice(0, played);
      this.at -= played;
    }
    return true;
  }

  // The mean of the samples that fall into one of the call's is filter enough for speech.
  take(sample) {
    this.sum += sample;
    this.count += 1;
    this.owed += CALL_HZ / sampleRate;
    if (this.owed < 1) return;
    this.owed -= 1;
    this.piece[this.filled] = Math.max(-1, Math.min(1, this.sum / this.count)) * 32767;
    this.sum = this.count = 0;
    this.filled += 1;
    if (this.filled < PIECE) return;
    this.port.postMessage(this.piece.slice().buffer);
    this.filled = 0;
  }

  next() {
    const left = this.heard.length - this.at;
    if (!this.flowing && left < EARLY) return 0;
    this.flowing = left > 1;
    if (!this.flowing) return 0;
    const whole = Math.floor(this.at);
    const part = this.at - whole;
    this.at += 1 / this.step;
    return this.heard[whole] * (1 - part) + this.heard[whole + 1] * part;
  }
}

registerProcessor("telephone", Telephone);
