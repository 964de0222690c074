// Helps for those who have script: light or dark, figures that update themselves, signing in with a key file,
// and what is signed here. Every page can be read without.
"use strict";

import { CANNOT, canSign, readKey, signIn } from "./key.js";

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

for (const part of document.querySelectorAll(".script")) part.hidden = false;
if (document.getElementById("confirm")) import("./acts.js");
if (document.getElementById("list")) import("./list.js");
if (document.querySelector(".address")) import("./names.js");

// Names are this window's: they end with the session.
document.querySelector("form[action='/sign-out']")?.addEventListener("submit", () => sessionStorage.clear());

const form = document.getElementById("key-form");
if (form) {
  const note = document.getElementById("key-note");
  const told = (words) => { note.textContent = words; };
  canSign().then((can) => {
    form.hidden = !can;
    if (!can) told(CANNOT);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told("Signing in…");
    try {
      await signIn(await readKey(document.getElementById("key-file").files[0]));
      location.assign("/");
    } catch (error) {
      told(error.message);
    }
  });
}
