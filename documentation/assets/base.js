// What all pages share.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const data = (id) => JSON.parse($(`#${id}`).textContent);

function remembered(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

// Dark and light: what was chosen, or else what the system prefers.

const theme = $("#theme");
const isDark = () => getComputedStyle(document.documentElement).getPropertyValue("--is-dark").trim() === "1";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
theme.addEventListener("click", () => {
  const chosen = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = chosen;
  remembered("theme", chosen);
  nameTheme();
});
prefersDark.addEventListener("change", nameTheme);
nameTheme();

// Copying, where the browser allows it.

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// JSON in colour.

const TOKENS = /("(?:[^"\\\n]|\\.)*")(?=:)|("(?:[^"\\\n]|\\.)*")|(-?\b\d[\d.eE+-]*)|\b(true|false|null)\b/g;
function coloured(text) {
  const made = document.createDocumentFragment();
  let end = 0;
  for (const found of text.matchAll(TOKENS)) {
    const part = document.createElement("span");
    part.className = ["nt", "s", "m", "k"][found.slice(1).findIndex((each) => each !== undefined)];
    part.textContent = found[0];
    made.append(text.slice(end, found.index), part);
    end = found.index + found[0].length;
  }
  made.append(text.slice(end));
  return made;
}
