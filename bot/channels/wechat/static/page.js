// The secure page: log in and bind, type the code an order waits for, unbind.

import { ApiError, post } from "/static/api.js";

const PROOFS = {
  otp: { title: "输入短信验证码", label: "6位验证码", words: (phone) => `验证码已发到 ${phone}`, resend: true },
  totp: { title: "输入动态口令", label: "动态口令或恢复码", words: () => "请看动态口令App上的6位数字", resend: true },
  id_tail: { title: "再核对一项", label: "证件号码后四位", words: () => "请核对开户证件号码的后四位", resend: false },
};
const byId = (id) => document.getElementById(id);
let challengeId = null;

function show(...ids) {
  for (const id of ["loading", "login", "proof", "secret", "secret-resend", "bound"]) byId(id).hidden = !ids.includes(id);
  document.querySelector("form:not([hidden]) input")?.focus();
}

function say(text) {
  byId("done").textContent = text;
}

function showMe(me) {
  byId("bound-words").textContent = `已绑定客户 ${me.customer_name ?? ""}。回到公众号就可以办业务了。`;
  const shown = me.bound ? ["bound"] : ["login"];
  if (me.expects === "otp" || me.may_resend) shown.unshift("secret-resend");
  if (me.expects) shown.unshift("secret");
  show(...shown);
}

async function loadMe() {
  const response = await fetch("/wechat/api/me", { credentials: "same-origin" });
  if (response.status === 401) return location.reload();
  showMe(await response.json());
}

function showNeed(answer) {
  if (!answer.challenge_id) {
    say("绑定成功。");
    return showMe(answer);
  }
  challengeId = answer.challenge_id;
  const proof = PROOFS[answer.needs];
  byId("proof-title").textContent = proof.title;
  byId("proof-label").textContent = proof.label;
  byId("proof-words").textContent = proof.words(answer.masked_phone ?? "");
  byId("resend").hidden = !proof.resend;
  byId("proof-code").value = "";
  show("proof");
}

/** Runs one step of a form: no second press meanwhile, a refusal is shown below. */
async function run(event, step) {
  event.preventDefault();
  const buttons = document.querySelectorAll("button");
  byId("error").textContent = "";
  say("");
  for (const button of buttons) button.disabled = true;
  try {
    await step();
  } catch (error) {
    if (error instanceof ApiError && error.code === "no_session") return location.reload();
    byId("error").textContent = error instanceof ApiError ? error.text : "网络不通，请检查网络后再试。";
    if (["login_stale", "not_trusted"].includes(error.code) || error.details?.kind === "not_trusted") show("login");
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

byId("login").addEventListener("submit", (event) =>
  run(event, async () => {
    const password = byId("password").value;
    byId("password").value = "";
    showNeed(await post("/wechat/api/login", { phone: byId("phone").value, password }));
  }),
);
byId("proof").addEventListener("submit", (event) =>
  run(event, async () => {
    showNeed(await post("/wechat/api/login/verify", { challenge_id: challengeId, code: byId("proof-code").value }));
  }),
);
byId("resend").addEventListener("click", (event) => run(event, async () => showNeed(await post("/wechat/api/login/resend"))));
byId("secret").addEventListener("submit", (event) =>
  run(event, async () => {
    const code = byId("secret-code").value;
    byId("secret-code").value = "";
    const answer = await post("/wechat/api/secret", { code, client_id: crypto.randomUUID() });
    showMe(answer);
    say(answer.words.join("\n"));
  }),
);
byId("secret-resend").addEventListener("click", (event) =>
  run(event, async () => {
    const answer = await post("/wechat/api/secret/resend", { client_id: crypto.randomUUID() });
    showMe(answer);
    say(answer.words.join("\n"));
  }),
);
byId("unbind").addEventListener("click", (event) =>
  run(event, async () => {
    await post("/wechat/api/unbind");
    show();
    say("已解除绑定，可以关闭这个页面了。");
  }),
);

loadMe().catch(() => {
  byId("loading").hidden = true;
  byId("error").textContent = "网络不通，请检查网络后重新打开。";
});
