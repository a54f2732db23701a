// The script of all pages.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const data = (id) => JSON.parse($(`#${id}`).textContent);

// An element with its attributes, its listeners by `on…`, and its children.

function h(tag, attributes = {}, ...children) {
  const made = ["svg", "rect", "title"].includes(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function remembered(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

// The theme: the chosen one, or else the system's.

const theme = $("#theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (prefersDark.matches ? "dark" : "light")) === "dark";
const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
theme.addEventListener("click", () => {
  const chosen = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = chosen;
  remembered("theme", chosen);
  nameTheme();
});
prefersDark.addEventListener("change", nameTheme);
nameTheme();

// Copying, where the browser allows it; the button confirms it for a while.

async function copied(text, button, name, failure = name) {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  button.textContent = done ? "Copied" : failure;
  setTimeout(() => { button.textContent = name; }, 1500);
  return done;
}

// Highlighted JSON.

const TOKENS = /("(?:[^"\\\n]|\\.)*")(?=:)|("(?:[^"\\\n]|\\.)*")|(-?\b\d[\d.eE+-]*)|\b(true|false|null)\b/g;
function coloured(text) {
  const made = document.createDocumentFragment();
  let end = 0;
  for (const found of text.matchAll(TOKENS)) {
    const kind = ["nt", "s", "m", "k"][found.slice(1).findIndex((each) => each !== undefined)];
    made.append(text.slice(end, found.index), h("span", { class: kind }, found[0]));
    end = found.index + found[0].length;
  }
  made.append(text.slice(end));
  return made;
}
