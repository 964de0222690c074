// Acts: asked of the service, read in plain words, signed here, followed until they are final.
"use strict";

import { CANNOT, ask, blake2b256, canSign, fromHex, hex, readKey, sign, signIn } from "./key.js";

// What the payload of each act begins with: the pallet, and the call in it.
const CALLS = {
  grant: "0b05", grant_many: "0b06", revoke: "0b08", freeze: "0b09", offboard: "0b0a",
  give_back: "0b0b", register_key: "0b0c", revoke_key: "0b0d", set_limits: "0b0e",
};

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// The bytes to sign, if they are such an act: never something else that this key could sign.
export function signable(name, payload) {
  const bytes = fromHex(payload);
  if (!CALLS[name] || hex(bytes.slice(0, 2)) !== CALLS[name]) {
    throw new Error("The service asks for a signature under something else than this. Nothing was signed; tell its operator.");
  }
  return bytes.length > 256 ? blake2b256(bytes) : bytes;
}

// Asks again while the service or the node is away; signs in again where a session ended meanwhile.
export async function patiently(path, body, held, told) {
  for (;;) {
    try {
      return await ask(path, body);
    } catch (error) {
      if (error.status === 401 && held) {
        told("The session ended; signing in again…");
        await signIn(held).catch(() => {});
      } else if (error.status === undefined || error.status >= 500) {
        told("The service does not answer at the moment; trying again…");
      } else {
        throw error;
      }
    }
    await pause(1000);
  }
}

// Follows an act until it is decided. An act that the service does not know was carried by one that ended.
export async function follow(sent, held, told) {
  let seen = sent;
  while (seen.state === "pending" || seen.state === "in_block") {
    told(seen.state === "pending"
      ? "Sent; waiting for a block…"
      : `In a block (the newest is ${seen.block}); waiting until it is final…`);
    await pause(400);
    try {
      seen = await patiently(`/api/v1/acts/${sent.act}`, undefined, held, told);
    } catch (error) {
      if (error.status !== 404) throw error;
      return { state: "unknown", reason: "The service was started anew and does not know what became of it. Reload the page and look." };
    }
  }
  return seen;
}

const dialog = document.getElementById("confirm");
const part = (name) => document.getElementById(`confirm-${name}`);
let held = null;
let open = null;

const told = (words) => { part("note").textContent = words; };

// "12.5" as micro-credits.
const micro = (text) => {
  const [whole, fraction = ""] = text.trim().split(".");
  return (BigInt(whole) * 1000000n + BigInt(fraction.padEnd(6, "0"))).toString();
};
const number = (text) => (text === "" ? null : Number(text));
const utc = (text) => (text === "" ? null : Date.parse(text.includes("T") ? `${text}Z` : `${text}T00:00:00Z`));
const amount = (text) => (text.trim() === "" ? null : micro(text));

function limits(form) {
  const fields = new FormData(form);
  const caps = [...form.querySelectorAll("input[name='model_cap']")].filter((field) => field.value.trim() !== "");
  return {
    models: fields.getAll("models").map(Number),
    request_cost_max: amount(fields.get("request_cost_max")),
    requests_per_minute_max: number(fields.get("requests_per_minute_max")),
    expires_at: utc(fields.get("expires_at")),
    credits_per_day_max: amount(fields.get("credits_per_day_max")),
    credits_per_minute_max: amount(fields.get("credits_per_minute_max")),
    tokens_per_minute_max: number(fields.get("tokens_per_minute_max")),
    model_credits_per_day_max: caps.map((field) => ({ model: Number(field.dataset.model), credits_max: micro(field.value) })),
  };
}

const BUILD = {
  register_key: (form) => {
    const text = `sk-stipend-${hex(crypto.getRandomValues(new Uint8Array(32)))}`;
    return { secret: text, hash: `0x${hex(blake2b256(new TextEncoder().encode(text)))}`, limits: limits(form) };
  },
  set_limits: (form) => ({ hash: form.dataset.hash, limits: limits(form) }),
  revoke_key: (form) => ({ hash: form.dataset.hash }),
  give_back: (form, field) => ({ entitlement: Number(field("entitlement")), amount: micro(field("amount")) }),
  grant: (form, field) => ({
    owner: field("owner"), program: Number(field("program")), amount: micro(field("amount")),
    valid_from: utc(field("valid_from")), valid_until: utc(field("valid_until")),
  }),
  revoke: (form, field) => ({ entitlement: Number(field("entitlement")), amount: amount(field("amount")) }),
  freeze: (form, field) => ({ owner: field("owner"), frozen: field("frozen") === "true" }),
  offboard: (form, field) => ({ owner: field("owner") }),
};

function show(name, secret, prepared) {
  open = { name, secret, prepared };
  part("title").textContent = prepared.summary.title;
  part("lines").replaceChildren(...prepared.summary.lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
  part("warning").hidden = !prepared.summary.warning;
  part("warning").textContent = prepared.summary.warning ?? "";
  part("sign").hidden = false;
  part("sign").disabled = false;
  part("close").textContent = "Go back";
  part("key").parentElement.hidden = held !== null;
  document.getElementById("secret").hidden = true;
  told("");
  dialog.showModal();
  part("title").focus();
}

async function begin(form) {
  const name = form.dataset.act;
  const fields = new FormData(form);
  const { secret, ...what } = BUILD[name](form, (field) => fields.get(field) ?? "");
  const note = form.querySelector(".state") ?? form.appendChild(Object.assign(document.createElement("p"), { className: "state" }));
  note.setAttribute("role", "status");
  try {
    if (!(await canSign())) throw new Error(CANNOT);
    note.textContent = "Looking what that would do…";
    show(name, secret, await ask("/api/v1/acts/prepare", JSON.stringify({ [name]: what })));
    note.textContent = "";
  } catch (error) {
    note.textContent = error.message;
  }
}

async function carry() {
  const { name, secret, prepared } = open;
  if (!held) {
    const file = part("key").files[0];
    if (!file) throw new Error("Choose your key file first.");
    const found = await readKey(file);
    if (found.account !== dialog.dataset.account) throw new Error("This key is another account's. Choose the one that you signed in with.");
    held = found;
  }
  part("key").parentElement.hidden = true;
  if (name === "register_key" && prepared.payload.slice(6, 70) !== hex(blake2b256(new TextEncoder().encode(secret)))) {
    throw new Error("The service asks for a signature under another key than this page made. Nothing was signed; tell its operator.");
  }
  const signature = await sign(held.key, signable(name, prepared.payload));
  part("sign").hidden = true;
  const sent = await patiently("/api/v1/acts/submit", JSON.stringify({ transaction: prepared.transaction, signature }), held, told);
  if (secret && sent.state !== "refused") {
    document.getElementById("secret").hidden = false;
    document.getElementById("secret-text").textContent = secret;
  }
  const done = await follow(sent, held, told);
  part("close").textContent = done.state === "final" ? "Done" : "Go back";
  open.over = done.state === "final";
  if (done.state === "final") {
    told(`Done: final in block ${done.block}.`);
  } else {
    document.getElementById("secret").hidden = secret === undefined || done.state === "refused";
    told(done.state === "refused" ? `This did not happen: ${done.reason}${done.again ? " Go back and try again." : ""}` : done.reason);
  }
  part("close").focus();
}

if (dialog) {
  // A moment that the tables keep in milliseconds, as the field wants it.
  for (const field of document.querySelectorAll("input[data-ms]")) {
    field.value = new Date(Number(field.dataset.ms)).toISOString().slice(0, 19);
  }
  for (const form of document.querySelectorAll("form[data-act]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      begin(form);
    });
  }
  part("sign").addEventListener("click", async () => {
    part("sign").disabled = true;
    try {
      await carry();
    } catch (error) {
      told(error.message);
      part("sign").disabled = false;
    }
  });
  part("close").addEventListener("click", () => {
    dialog.close();
    if (open?.over) location.reload();
  });
  // Nothing is lost by Escape but a key that was shown: that one is closed by its button.
  dialog.addEventListener("cancel", (event) => {
    if (!document.getElementById("secret").hidden) event.preventDefault();
  });
  document.getElementById("secret-copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("secret-text").textContent)
      .then(() => told("Copied."), () => told("The browser does not let this page copy; mark the key and copy it yourself."));
  });
}
