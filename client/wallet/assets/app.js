// Three helps for those who have script: light or dark, figures that update themselves, and signing in with
// a key file. Every page works without.
"use strict";

const root = document.documentElement;
const kept = localStorage.getItem("theme");
if (kept) root.dataset.theme = kept;
const theme = document.getElementById("theme");
if (theme) {
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
}

const live = document.getElementById("live");
if (live && live.dataset.stream) {
  const stream = new EventSource(live.dataset.stream);
  // The service's own table, in which every text is escaped by the service.
  stream.addEventListener("balance", (event) => { live.innerHTML = event.data; });
  addEventListener("pagehide", () => stream.close());
}

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));

// The key's seed in the envelope that WebCrypto reads (PKCS #8 of RFC 8410).
async function readKey(seed) {
  const envelope = new Uint8Array([...fromHex("302e020100300506032b657004220420"), ...seed]);
  return crypto.subtle.importKey("pkcs8", envelope, { name: "Ed25519" }, true, ["sign"]);
}

async function signIn(file) {
  const text = (await file.text()).trim();
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new Error("This is no key file: it must hold 64 hex digits.");
  const key = await readKey(fromHex(text));
  const { x } = await crypto.subtle.exportKey("jwk", key);
  const bytes = Uint8Array.from(atob(x.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const account = `0x${hex(bytes)}`;
  const asked = await fetch("/api/v1/sign-in/challenge", { method: "POST" });
  if (!asked.ok) throw new Error("The service does not answer. Try again.");
  const { genesis, nonce, expires_at } = await asked.json();
  // The origin is the browser's, not what the service says: a signature given here is worth nothing elsewhere.
  const words = `Stipend sign-in\nOrigin: ${location.origin}\nChain: ${genesis}\nAccount: ${account}\nNonce: ${nonce}\nExpires: ${expires_at}\n`;
  const signature = await crypto.subtle.sign({ name: "Ed25519" }, key, new TextEncoder().encode(words));
  const answer = await fetch("/api/v1/sign-in", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ account, nonce, signature: `0x${hex(signature)}` }),
  });
  if (!answer.ok) throw new Error(`The service refused: ${(await answer.json()).error}`);
  location.assign("/");
}

const form = document.getElementById("key-form");
if (form) {
  const note = document.getElementById("key-note");
  const told = (words) => { note.textContent = words; };
  const trial = globalThis.crypto && crypto.subtle
    ? crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign"])
    : Promise.reject(new Error("no WebCrypto"));
  trial.then(
    () => { form.hidden = false; },
    () => told("This browser cannot sign with ed25519 here (it is too old, or the address is not https). Use the command line."),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    told("Signing in…");
    signIn(document.getElementById("key-file").files[0]).catch((error) => told(error.message));
  });
}
