// The REST side: sessions and log-in.

export class ApiError extends Error {
  constructor(code, text, details = {}) {
    super(code);
    this.code = code;
    this.text = text;
    this.details = details;
  }
}

export function post(path, body = {}) {
  return send(path, "application/json", JSON.stringify(body));
}

async function send(path, type, body) {
  let response;
  try {
    response = await fetch(path, { method: "POST", credentials: "same-origin", headers: { "Content-Type": type }, body });
  } catch {
    throw new ApiError("offline", "网络不通，请检查网络后再试。");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const error = answer?.error ?? {};
  throw new ApiError(error.code ?? "failed", error.text ?? "系统暂时没有回应，请稍后再试。", error);
}

export const api = {
  session: () => post("/api/session"),
  login: (phone, password, trustDevice) => post("/api/login", { phone, password, trust_device: trustDevice }),
  resend: () => post("/api/login/resend"),
  verify: (challengeId, code) => post("/api/login/verify", { challenge_id: challengeId, code }),
  recover: (phone) => post("/api/recovery", { phone }),
  recoverProve: (recoveryId, code, name, idNumber) =>
    post("/api/recovery/prove", { recovery_id: recoveryId, code, name, id_number: idNumber }),
  recoverFinish: (recoveryId, password) => post("/api/recovery/finish", { recovery_id: recoveryId, password }),
  scan: (picture, clientId) => send(`/api/scan?client_id=${clientId}`, picture.type, picture),
  logout: () => post("/api/logout"),
};
