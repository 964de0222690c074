// Granting a list: checked whole by the service, then signed part by part here.
//
// Nothing is kept in this browser or by the service: which parts were granted stands in the chain's blocks. Each
// part is signed as of a block in which it was not there yet, with the account's number of that block. So if
// anything of this account came between, this very part perhaps, the signature is worth nothing.
"use strict";

import { follow, patiently, signable } from "./acts.js";
import { CANNOT, ask, canSign, readKey, sign } from "./key.js";

const at = (id) => document.getElementById(id);
const page = at("list");
const blank = "\u202f";
const thousands = (count) => count.toString().replace(/\B(?=(\d{3})+$)/g, blank);
const credits = (micro) => {
  const digits = micro.padStart(7, "0");
  return `${thousands(digits.slice(0, -6))}.${digits.slice(-6)}`;
};
const when = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

let list = null;
let after = null;
let stopped = false;

const told = (words) => { at("list-note").textContent = words; };
const state = (words) => { at("list-state").textContent = words; };

function rows(table, cells) {
  table.querySelector("tbody").replaceChildren(...cells.map((row) => {
    const line = document.createElement("tr");
    row.forEach(([text, kind], place) => {
      const cell = document.createElement(place === 0 ? "th" : "td");
      if (place === 0) cell.scope = "row";
      if (kind) cell.className = kind;
      cell.textContent = text;
      line.append(cell);
    });
    return line;
  }));
}

async function check() {
  const file = at("list-file").files[0];
  at("list-faults").hidden = true;
  at("list-preview").hidden = true;
  at("list-running").hidden = true;
  if (!file) return;
  told("Checking every line…");
  try {
    const past = after === null ? "" : `?after=${after}`;
    list = await ask(`/api/v1/lists/check${past}`, await file.text(), "text/csv");
  } catch (error) {
    told(error.message);
    if (error.found?.faults) wrong(error.found.faults);
    return;
  }
  told("Every line is in order. Nothing was granted yet.");
  preview();
}

function wrong(faults) {
  rows(at("list-faults"), faults.map((fault) => [[fault.lines || "the list"], [fault.column ?? "–"], [fault.reason]]));
  at("list-faults").hidden = false;
  at("faults-title").focus();
}

function preview() {
  const done = list.chunks.filter((chunk) => chunk.done);
  const words = [`${thousands(list.grants)} grants to ${thousands(list.people)} people, in ${list.chunks.length} parts.`];
  if (list.baskets) words.push(`${thousands(list.baskets)} of them are baskets; the sums count what these hold now.`);
  if (done.length) {
    const days = done.map((chunk) => chunk.done.moment);
    const [first, last] = [Math.min(...days), Math.max(...days)];
    words.push(`${thousands(list.grants - list.open)} of them were granted already, between ${when(first)} and ${when(last)} UTC. They are not granted again.`);
  }
  words.push(list.open ? `${thousands(list.open)} would be granted now.` : "Nothing is left to grant.");
  at("list-words").replaceChildren(...words.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  rows(at("list-programs"), list.programs.map((row) => [
    [`${row.name ?? ""} (${row.program})`], [row.class ?? ""], [credits(row.amount), "number"], [credits(row.unminted ?? "0"), "number"],
  ]));
  rows(at("list-classes"), list.classes.map((row) => [[row.class], [credits(row.amount), "number"], [row.left === null ? "no limit" : credits(row.left), "number"]]));
  for (const id of ["list-programs", "list-classes"]) at(id).parentElement.hidden = !list.open;
  const { alike } = list;
  at("list-alike").hidden = alike.count === 0;
  at("list-meant").checked = false;
  if (alike.count) {
    at("list-alike").querySelector("p").textContent = `${thousands(alike.count)} lines say what was granted before, beginning with line ${alike.line} (block ${alike.block}, ${when(alike.moment)} UTC). If this is a file that you mended after a part of it was granted, take these lines out.`;
  }
  at("list-again").hidden = list.open !== 0;
  at("list-sign").hidden = list.open === 0;
  at("list-start").hidden = false;
  at("list-preview").hidden = false;
  at("preview-title").focus();
}

function progress(granted, parts) {
  at("list-progress").max = list.grants;
  at("list-progress").value = granted;
  at("list-progress").textContent = `${Math.floor((100 * granted) / list.grants)} %`;
  return `${thousands(granted)} of ${thousands(list.grants)} granted, ${parts} of ${list.chunks.length} parts are final.`;
}

// Grants one part, unless the chain has it already.
async function grant(chunk, held, words) {
  for (;;) {
    const told = (more) => state(`${words} ${more}`);
    const prepared = await patiently("/api/v1/acts/prepare", JSON.stringify({ grant_many: { grants: chunk.grants, after } }), held, told);
    if (prepared.done) return;
    const payload = prepared.payload;
    if (payload.slice(6, 4 + chunk.grants.length) !== chunk.grants.slice(2)) {
      throw new Error("The service asks for a signature under another list than it checked. Nothing was signed; tell its operator.");
    }
    const signature = await sign(held.key, signable("grant_many", payload));
    const sent = await patiently("/api/v1/acts/submit", JSON.stringify({ transaction: prepared.transaction, signature }), held, told);
    const done = await follow(sent, held, told);
    if (done.state === "final") return;
    // What became of it stands in the chain: the next look finds it, or this transaction is worth nothing.
    if (done.state === "refused" && !done.again) {
      throw new Error(`Lines ${chunk.lines[0]} to ${chunk.lines[1]} were not granted: ${done.reason}`);
    }
    await pause(1000);
  }
}

async function run() {
  const file = at("list-key").files[0];
  if (!file) throw new Error("Choose your key file first.");
  const held = await readKey(file);
  if (held.account !== page.dataset.account) throw new Error("This key is another account's. Choose the one that you signed in with.");
  let granted = list.chunks.filter((chunk) => chunk.done).reduce((sum, chunk) => sum + chunk.count, 0);
  let parts = list.chunks.filter((chunk) => chunk.done).length;
  for (const chunk of list.chunks.filter((one) => !one.done)) {
    if (stopped) {
      state(`${progress(granted, parts)} Stopped. Choose the same file again to go on.`);
      return;
    }
    const words = progress(granted, parts);
    state(words);
    await grant(chunk, held, words);
    chunk.done = { block: null };
    granted += chunk.count;
    parts += 1;
  }
  state(`${progress(granted, parts)} All is granted. The same file grants nothing again.`);
}

async function start() {
  if (!at("list-alike").hidden && !at("list-meant").checked) {
    at("list-running").hidden = false;
    state("Say first whether the lines that look like earlier grants are meant.");
    at("list-meant").focus();
    return;
  }
  at("list-running").hidden = false;
  at("list-start").hidden = true;
  at("list-stop").hidden = false;
  at("list-file").disabled = true;
  stopped = false;
  try {
    await run();
  } catch (error) {
    state(`${error.message} What is granted stays granted; choose the same file again to go on.`);
  }
  at("list-stop").hidden = true;
  at("list-file").disabled = false;
  at("list-file").value = "";
}

canSign().then((can) => { if (!can) told(CANNOT); });
at("list-file").addEventListener("change", () => {
  after = null;
  check();
});
at("list-again").addEventListener("click", () => {
  after = Math.max(...list.chunks.map((chunk) => chunk.done.block));
  check();
});
at("list-start").addEventListener("click", () => start());
at("list-stop").addEventListener("click", () => {
  stopped = true;
  at("list-stop").hidden = true;
});
