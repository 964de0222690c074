// A wallet's key in this page: read from its file, used to sign, never sent and never kept.
"use strict";

export const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
export const fromHex = (text) => Uint8Array.from((text.replace(/^0x/, "").match(/../g) ?? []), (pair) => parseInt(pair, 16));

// A file's key and its account. The seed is put into the envelope that WebCrypto reads (PKCS #8 of RFC 8410).
export async function readKey(file) {
  const text = (await file.text()).trim();
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new Error("This is no key file: it must hold 64 hex digits.");
  const envelope = new Uint8Array([...fromHex("302e020100300506032b657004220420"), ...fromHex(text)]);
  const key = await crypto.subtle.importKey("pkcs8", envelope, { name: "Ed25519" }, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", key);
  const bytes = Uint8Array.from(atob(x.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  return { key, account: `0x${hex(bytes)}` };
}

export async function sign(key, bytes) {
  return `0x${hex(await crypto.subtle.sign({ name: "Ed25519" }, key, bytes))}`;
}

// Whether this browser can sign.
export async function canSign() {
  try {
    await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign"]);
    return true;
  } catch {
    return false;
  }
}

export const CANNOT = "This browser cannot sign with ed25519 here (it is too old, or the address is not https). Use the command line.";

// Asks the service. What it refuses becomes an error with its sentence and its status.
export async function ask(path, body, type = "application/json") {
  const answer = await fetch(path, body === undefined
    ? {}
    : { method: "POST", headers: { "content-type": type }, body });
  const found = await answer.json().catch(() => ({}));
  if (answer.ok) return found;
  throw Object.assign(new Error(found.error ?? `The service answers ${answer.status}. Try again.`), { status: answer.status, found });
}

export async function signIn({ key, account }) {
  const { genesis, nonce, expires_at } = await ask("/api/v1/sign-in/challenge", "");
  // The origin is the browser's, not what the service says: a signature given here is worth nothing elsewhere.
  const words = `Stipend sign-in\nOrigin: ${location.origin}\nChain: ${genesis}\nAccount: ${account}\nNonce: ${nonce}\nExpires: ${expires_at}\n`;
  const signature = await sign(key, new TextEncoder().encode(words));
  await ask("/api/v1/sign-in", JSON.stringify({ account, nonce, signature }));
}

// BLAKE2b-256 (RFC 7693), which WebCrypto does not have: the chain knows keys and long payloads by it.
const MASK = (1n << 64n) - 1n;
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const SIGMA = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
];
const rotated = (word, by) => ((word >> by) | (word << (64n - by))) & MASK;

function mix(v, a, b, c, d, x, y) {
  v[a] = (v[a] + v[b] + x) & MASK;
  v[d] = rotated(v[d] ^ v[a], 32n);
  v[c] = (v[c] + v[d]) & MASK;
  v[b] = rotated(v[b] ^ v[c], 24n);
  v[a] = (v[a] + v[b] + y) & MASK;
  v[d] = rotated(v[d] ^ v[a], 16n);
  v[c] = (v[c] + v[d]) & MASK;
  v[b] = rotated(v[b] ^ v[c], 63n);
}

export function blake2b256(bytes) {
  const state = [...IV];
  state[0] ^= 0x01010020n;
  const blocks = Math.max(1, Math.ceil(bytes.length / 128));
  const padded = new Uint8Array(blocks * 128);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  for (let block = 0; block < blocks; block += 1) {
    const words = Array.from({ length: 16 }, (_, at) => view.getBigUint64(block * 128 + at * 8, true));
    const last = block === blocks - 1;
    const v = [...state, ...IV];
    v[12] ^= BigInt(last ? bytes.length : (block + 1) * 128);
    if (last) v[14] ^= MASK;
    for (let round = 0; round < 12; round += 1) {
      const s = Array.from(SIGMA[round % 10], (digit) => words[parseInt(digit, 16)]);
      mix(v, 0, 4, 8, 12, s[0], s[1]);
      mix(v, 1, 5, 9, 13, s[2], s[3]);
      mix(v, 2, 6, 10, 14, s[4], s[5]);
      mix(v, 3, 7, 11, 15, s[6], s[7]);
      mix(v, 0, 5, 10, 15, s[8], s[9]);
      mix(v, 1, 6, 11, 12, s[10], s[11]);
      mix(v, 2, 7, 8, 13, s[12], s[13]);
      mix(v, 3, 4, 9, 14, s[14], s[15]);
    }
    for (let at = 0; at < 8; at += 1) state[at] ^= v[at] ^ v[at + 8];
  }
  const hash = new DataView(new ArrayBuffer(32));
  for (let at = 0; at < 4; at += 1) hash.setBigUint64(at * 8, state[at], true);
  return new Uint8Array(hash.buffer);
}
