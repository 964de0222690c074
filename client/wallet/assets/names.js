// Names and departments from HR's own file, written beside accounts. Nothing of the file leaves this window.
"use strict";

import { ask } from "./key.js";

const KEPT = "names";
const at = (id) => document.getElementById(id);
const told = (words) => { if (at("names-note")) at("names-note").textContent = words; };

// The rows of a CSV file, quotes and all.
function rowsOf(text) {
  const rows = [];
  let row = [];
  let field = "";
  let quoted = false;
  for (let place = 0; place < text.length; place += 1) {
    const letter = text[place];
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[place + 1] === '"') { field += letter; place += 1; } else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "," || letter === "\n") {
      row.push(field.trim());
      field = "";
      if (letter === "\n") { rows.push(row); row = []; }
    } else if (letter !== "\r") field += letter;
  }
  if (field !== "" || row.length) rows.push([...row, field.trim()]);
  return rows.filter((cells) => cells.some((cell) => cell !== ""));
}

function people(text) {
  const [heading, ...rows] = rowsOf(text.replace(/^\uFEFF/, ""));
  const column = (name) => (heading ?? []).findIndex((cell) => cell.toLowerCase() === name);
  const [name, department, account] = ["name", "department", "account"].map(column);
  if (name < 0 || account < 0) throw new Error("This is no directory: its heading must have the columns name and account.");
  const found = {};
  for (const row of rows) {
    if (row[account]) found[row[account]] = { name: row[name] ?? "", department: row[department] ?? "" };
  }
  return found;
}

const kept = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "null");

function write(known) {
  for (const old of document.querySelectorAll(".person")) old.remove();
  let count = 0;
  for (const address of document.querySelectorAll(".address[title]")) {
    const person = known?.[address.title];
    if (person) {
      const label = document.createElement("span");
      label.className = "person";
      label.textContent = person.department ? `${person.name} (${person.department}) ` : `${person.name} `;
      address.before(label);
      count += 1;
    }
  }
  at("people")?.replaceChildren(...Object.entries(known ?? {}).map(([account, person]) =>
    Object.assign(document.createElement("option"), { value: account, label: `${person.name} ${person.department}`.trim() })));
  return count;
}

const thousands = (count) => count.toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
const credits = (micro) => {
  const digits = micro.toString().padStart(7, "0");
  return `${thousands(digits.slice(0, -6))}.${digits.slice(-6)}`;
};

// Everybody's figures are fetched and added up here: the service never learns who belongs together.
async function departments(known) {
  if (!at("departments")) return;
  at("departments").hidden = known === null;
  const note = at("departments-note");
  if (known === null) return;
  const sums = new Map();
  let after = "-1";
  let count = 0;
  while (after !== null) {
    const page = await ask(`/api/v1/utilisation/people?limit=500&after=${after}`);
    for (const { account, class: kind, amounts } of page.people) {
      const department = known[account] ? known[account].department || "(no department)" : "(not in the directory)";
      const key = JSON.stringify([department, kind]);
      const sum = sums.get(key) ?? { people: 0, granted: 0n, spent: 0n, held: 0n };
      sum.people += 1;
      sum.granted += BigInt(amounts.granted);
      sum.spent += BigInt(amounts.spent);
      sum.held += BigInt(amounts.available) + BigInt(amounts.reserved);
      sums.set(key, sum);
      count += 1;
    }
    note.textContent = `${thousands(count)} wallets added up…`;
    after = page.next === null || page.next === undefined ? null : String(page.next);
  }
  const cells = [...sums].map(([key, sum]) => [...JSON.parse(key), sum]).sort(([one, kind], [other, second]) =>
    one.localeCompare(other) || kind.localeCompare(second));
  at("departments").querySelector("tbody").replaceChildren(...cells.map(([department, kind, sum]) => {
    const share = sum.granted ? Number((sum.spent * 1000n) / sum.granted) : null;
    const line = document.createElement("tr");
    const texts = [department, kind, thousands(sum.people), credits(sum.granted), credits(sum.spent), credits(sum.held),
      share === null ? "–" : `${(share / 10).toFixed(1)} %`];
    texts.forEach((text, place) => {
      const cell = document.createElement(place === 0 ? "th" : "td");
      if (place === 0) cell.scope = "row";
      if (place > 1) cell.className = "number";
      cell.textContent = text;
      line.append(cell);
    });
    return line;
  }));
  note.textContent = `${thousands(count)} wallets of a class, added up in this window.`;
}

function use(known) {
  const count = write(known);
  if (at("names-forget")) at("names-forget").hidden = known === null;
  departments(known).catch((error) => { at("departments-note").textContent = error.message; });
  return count;
}

at("names-file")?.addEventListener("change", async (event) => {
  try {
    const known = people(await event.target.files[0].text());
    sessionStorage.setItem(KEPT, JSON.stringify(known));
    const count = use(known);
    told(`${thousands(Object.keys(known).length)} people are known in this window, ${thousands(count)} places on this page name one. Signing out forgets them.`);
  } catch (error) {
    told(error.message);
  }
});
at("names-forget")?.addEventListener("click", () => {
  sessionStorage.removeItem(KEPT);
  use(null);
  at("names-file").value = "";
  told("Forgotten.");
});
if (kept()) use(kept());
