// Runs beside the page: the microphone at the call's 8000 samples a second, the other side at the sound card's rate.
//
// To the page go pieces of 20 ms (ArrayBuffer) and {mark}; from it come sound (ArrayBuffer), {mark}, to be told when
// the sound before it has been played, and {clear}, which drops all of it.

const CALL_HZ = 8000;
const PIECE = 160; // 20 ms
const LATE = CALL_HZ / 4; // more than a quarter of a second behind: the oldest is dropped
const EARLY = PIECE * 3; // so much is waited for before it is played
const KEPT = 4096; // samples that may lie behind the place before they are thrown away
const PASS = 0.45; // of the lower rate: what lies above would come back as another tone
const ZEROS = 8;
const PHASES = 64;

/** Reads samples between samples, with a low-pass for the lower of the two rates: a windowed sinc. */
class Kernel {
  constructor(fromHz, toHz) {
    const cutoff = (PASS * Math.min(fromHz, toHz)) / fromHz;
    this.reach = Math.ceil(ZEROS / (2 * cutoff));
    this.taps = Array.from({ length: PHASES + 1 }, (_, phase) => this.tapsAt(cutoff, phase / PHASES));
  }

  tapsAt(cutoff, shift) {
    const taps = Float32Array.from({ length: 2 * this.reach + 1 }, (_, index) => {
      const at = index - this.reach - shift;
      const angle = 2 * Math.PI * cutoff * at;
      const window = Math.abs(at) < this.reach ? 0.5 + 0.5 * Math.cos((Math.PI * at) / this.reach) : 0;
      return (angle === 0 ? 1 : Math.sin(angle) / angle) * window;
    });
    const sum = taps.reduce((total, tap) => total + tap, 0);
    return taps.map((tap) => tap / sum);
  }

  read(samples, position) {
    const whole = Math.floor(position);
    const taps = this.taps[Math.round((position - whole) * PHASES)];
    const first = whole - this.reach;
    let sum = 0;
    for (let index = Math.max(0, -first); index < taps.length && first + index < samples.length; index += 1)
      sum += samples[first + index] * taps[index];
    return sum;
  }
}

class Telephone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.down = new Kernel(sampleRate, CALL_HZ);
    this.up = new Kernel(CALL_HZ, sampleRate);
    this.spoken = []; // samples of the microphone
    this.spokenAt = 0; // the next sample of the call, as a position within them
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.heard = []; // samples of the other side, still to be played
    this.at = 0; // position within them
    this.marks = []; // [position, name]
    this.flowing = false;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(data) {
    if (data instanceof ArrayBuffer) {
      for (const sample of new Int16Array(data)) this.heard.push(sample / 32768);
      if (this.heard.length - this.at > LATE) this.at = this.heard.length - EARLY;
    } else if (data.clear) {
      this.heard = [];
      this.marks = [];
      this.at = 0;
      this.flowing = false;
    } else {
      this.marks.push([this.heard.length, data.mark]);
    }
  }

  process(inputs, outputs) {
    const [microphone] = inputs[0];
    if (microphone) this.speak(microphone);
    const [speaker] = outputs[0];
    for (let index = 0; index < speaker.length; index += 1) speaker[index] = this.next();
    while (this.marks.length && this.at >= this.marks[0][0]) this.port.postMessage({ mark: this.marks.shift()[1] });
    this.forget();
    return true;
  }

  speak(microphone) {
    for (const sample of microphone) this.spoken.push(sample);
    for (; this.spokenAt + this.down.reach < this.spoken.length; this.spokenAt += sampleRate / CALL_HZ) {
      const sample = this.down.read(this.spoken, this.spokenAt);
      this.piece[this.filled] = Math.max(-1, Math.min(1, sample)) * 32767;
      this.filled += 1;
      if (this.filled < PIECE) continue;
      this.port.postMessage(this.piece.slice().buffer);
      this.filled = 0;
    }
  }

  next() {
    const left = this.heard.length - this.at;
    // A mark says that nothing more belongs to what is there.
    if (!this.flowing && left < EARLY && !(left > 0 && this.marks.length)) return 0;
    this.flowing = left > 0;
    if (!this.flowing) return 0;
    const sample = this.up.read(this.heard, this.at);
    this.at = Math.min(this.heard.length, this.at + CALL_HZ / sampleRate);
    return sample;
  }

  forget() {
    const spoken = Math.floor(this.spokenAt) - this.down.reach;
    if (spoken > KEPT) {
      this.spoken.splice(0, spoken);
      this.spokenAt -= spoken;
    }
    const heard = Math.floor(this.at) - this.up.reach;
    if (heard <= KEPT) return;
    this.heard.splice(0, heard);
    this.at -= heard;
    for (const mark of this.marks) mark[0] -= heard;
  }
}

registerProcessor("telephone", Telephone);
