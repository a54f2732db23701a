// The page's functions: search, copy, expand, theme, try. Reading needs none of them.
// Closed parts open when a link leads into them.

function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
$("#contents").addEventListener("click", (event) => {
  if (event.target.closest("a") && $("#contents").matches(":popover-open")) $("#contents").hidePopover();
});

// The contents mark the current section.

const marks = $$("#contents a[href^='#']").map((link) => [link, document.getElementById(link.hash.slice(1))]).filter(([, place]) => place);
function mark() {
  const above = marks.filter(([, place]) => place.getBoundingClientRect().top < innerHeight / 4);
  const [here] = scrollY < 50 ? marks[0] : above.reduce((best, each) => (each[1].getBoundingClientRect().top >= best[1].getBoundingClientRect().top ? each : best), above[0] ?? marks[0]);
  for (const [link] of marks) {
    if (link === here && !link.hasAttribute("aria-current")) {
      link.setAttribute("aria-current", "location");
      if (link.checkVisibility()) link.scrollIntoView({ block: "nearest" });
    } else if (link !== here) link.removeAttribute("aria-current");
  }
}
let isMarking = false;
addEventListener("scroll", () => {
  if (isMarking) return;
  isMarking = true;
  requestAnimationFrame(() => { mark(); isMarking = false; });
}, { passive: true });
mark();

// Expand all, collapse all.

const expand = $("#expand");
expand.addEventListener("click", () => {
  const open = expand.getAttribute("aria-pressed") !== "true";
  for (const part of $$("main details")) part.open = open;
  expand.setAttribute("aria-pressed", open);
  expand.textContent = open ? "Collapse all" : "Expand all";
});

// One language for all requests.

function speak(language) {
  for (const radio of $$(`.languages input[value="${language}"]`)) radio.checked = true;
}
addEventListener("change", (event) => {
  if (!event.target.matches(".languages input")) return;
  const before = event.target.getBoundingClientRect().top;
  speak(remembered("language", event.target.value) ?? event.target.value);
  scrollBy({ top: event.target.getBoundingClientRect().top - before, behavior: "instant" });
});
if (/^[a-z]+$/.test(remembered("language") ?? "")) speak(remembered("language"));

// Copy.

for (const button of $$("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const shown = $$("pre", button.closest(".panel, .request")).find((pre) => pre.checkVisibility());
    if (!await copied(shown.textContent, button, "Copy", "Press Ctrl+C")) getSelection().selectAllChildren(shown);
  });
}

// Search: every named part, by its name, its other names (`x-search`), and its text.

const field = $("#search");
const results = $("#results");
let active = -1;
let places = null;

function textOf(place) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
    node.nodeType === Node.ELEMENT_NODE && (node.matches("[data-search], .member, pre, form, button, .anchor, .languages")) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  let text = "";
  while (walker.nextNode()) {
    const { data, tagName } = walker.currentNode;
    text += data ?? (/^(A|B|CODE|EM|SMALL|SPAN|STRONG|WBR)$/.test(tagName) ? "" : " ");
  }
  return text.replaceAll(/\s+/g, " ");
}
const plain = (text) => text.toLowerCase().replaceAll("_", " ");
function indexed() {
  return places ??= $$("[data-search], .member").map((place) => {
    const inside = place.id.slice(0, place.id.lastIndexOf("."));
    const { search: title = $("code", place).textContent, kind = inside, words = "" } = place.dataset;
    const text = textOf(place);
    return { id: place.id, title, kind, text, folded: place.closest("details") !== null, name: plain(title), called: plain(words).split("|").filter(Boolean), all: plain(`${title} ${kind} ${words} ${text}`) };
  });
}
const hasWord = (text, word) => new RegExp(`(^|[^\\p{L}\\p{N}])${word.replaceAll(/[$()*+./?[\\\]^{|}]/g, "\\$&")}($|[^\\p{L}\\p{N}])`, "u").test(text);
function score({ name, called, kind, all }, query) {
  if (name === query) return 9;
  if (called.includes(query)) return 8;
  if (name.startsWith(query)) return 7;
  if (hasWord(name, query)) return 6;
  if (called.some((each) => each.startsWith(query))) return 5;
  if (name.includes(query)) return 4;
  if (query.split(" ").every((word) => plain(`${name} ${kind} ${called}`).includes(word))) return 3;
  if (hasWord(all, query)) return 2;
  return query.split(" ").every((word) => all.includes(word)) ? 1 : 0;
}
function context(text, query) {
  const word = [query, ...query.split(" ")].find((each) => plain(text).includes(each));
  if (word === undefined) return text.slice(0, 110);
  const from = Math.max(0, plain(text).indexOf(word) - 40);
  return (from ? "… " : "") + text.slice(from ? text.indexOf(" ", from) + 1 : 0, from + 110);
}
function find(query) {
  return indexed()
    .map((place) => ({ ...place, score: score(place, query) }))
    .filter((place) => place.score)
    .sort((one, other) => other.score - one.score || one.folded - other.folded)
    .slice(0, 12);
}
function choose(index) {
  const options = $$("[role=option]", results);
  active = options.length ? (index + options.length) % options.length : -1;
  options.forEach((option, at) => option.setAttribute("aria-selected", at === active));
  options[active]?.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", options[active]?.id ?? "");
}
function show() {
  const query = plain(field.value).trim().split(/\s+/).join(" ");
  const found = query ? find(query) : [];
  results.replaceChildren(...found.map(({ id, title, kind, text }, at) =>
    h("li", { id: `result-${at}`, role: "option", "data-place": id }, title, h("small", {}, kind), h("span", {}, context(text, query)))));
  if (query && !found.length) results.append(h("li", { class: "nothing", role: "option", "aria-disabled": "true" }, "No results."));
  results.hidden = !query;
  field.setAttribute("aria-expanded", !results.hidden);
  if (found.length) choose(0);
  else active = -1;
}
function go(option) {
  if (!option?.dataset.place) return;
  field.blur();
  if (location.hash === `#${option.dataset.place}`) reveal();
  else location.hash = option.dataset.place;
}
field.addEventListener("input", show);
field.addEventListener("focus", show);
field.addEventListener("blur", () => { results.hidden = true; field.setAttribute("aria-expanded", false); });
results.addEventListener("mousedown", (event) => { event.preventDefault(); go(event.target.closest("li")); });
field.addEventListener("keydown", (event) => {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) { event.preventDefault(); choose(active + steps[event.key]); }
  else if (event.key === "Enter") go($$("li", results)[active]);
  else if (event.key === "Escape") { field.value = ""; field.blur(); }
});
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  const isCalled = event.key === "k" ? event.ctrlKey || event.metaKey : event.key === "/" && !typing && !event.ctrlKey && !event.metaKey;
  if (isCalled) { event.preventDefault(); field.select(); field.focus(); }
});

// Try it: the request of an example, unchanged or edited, to the page's server or an entered one.

const operations = data("operations");
const served = data("server"); // null for a page from a file
const servedFrom = served && location.origin + served.api;
let session = null; // the one that this page has for itself
let server = servedFrom ?? remembered("server");

let named = Object.values(operations)[0]?.server;
function nameServer(url) {
  const before = named;
  named = url;
  for (const form of forms.values()) form.elements.server.value = url;
  if (!before || before === url) return;
  const walker = document.createTreeWalker($("main"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.data.includes(before) && node.parentElement.closest("pre, .listens")) {
      node.data = node.data.replaceAll(before, url);
    }
  }
}
const forms = new Map();
function formOf(anchor) {
  // Created on demand, because most are never used.
  if (forms.has(anchor)) return forms.get(anchor);
  const form = $("#try").content.firstElementChild.cloneNode(true);
  const { server: own, samples } = operations[anchor];
  forms.set(anchor, form);
  form.id = `${anchor}-try`;
  form.dataset.operation = anchor;
  form.setAttribute("aria-label", `Try it: ${document.getElementById(anchor).dataset.search}`);
  for (const label of $$("label:not(:has(input))", form)) {
    label.htmlFor = label.nextElementSibling.id = `${form.id}-${label.nextElementSibling.name}`;
  }
  const { sample, begin: fresh, server: input, token } = form.elements;
  sample.append(...Object.entries(samples).map(([value, { summary }]) => new Option(summary, value)));
  sample.addEventListener("change", () => fill(form, sample.value));
  input.value = server ?? own;
  input.closest("p").hidden = servedFrom !== null;
  fresh.closest("p").hidden = !served?.controls;
  if (token) token.value = [...forms.values()][0].elements.token.value;
  token?.addEventListener("input", () => { for (const other of forms.values()) other.elements.token.value = token.value; });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
  fill(form, sample.value);
  $(".trying", document.getElementById(anchor)).append(form);
  return form;
}
function fill(form, anchor) {
  const sample = operations[form.dataset.operation].samples[anchor];
  form.elements.sample.value = anchor;
  form.elements.target.value = sample.target;
  $("[type=submit]", form).textContent = `Send ${sample.method}`;
  form.elements.body.value = sample.body ?? "";
  $(".body", form).hidden = sample.body === null;
  form.elements.begin.checked = Boolean(served?.controls);
  $(".given", form).textContent = sample.given.length ? `, with ${sample.given.map(({ name }) => name).join(" and ")}` : "";
}
function follow(links, answered) {
  // The contract's links: members of this response become parameters of later requests.
  const value = (expression) => expression === "$response.body" ? answered : expression.startsWith("$response.body#/")
    ? expression.slice("$response.body#/".length).split("/").reduce((node, step) => node?.[step], answered)
    : expression;
  for (const link of links) {
    if (!(link.operation in operations)) continue;
    const form = formOf(link.operation);
    let target = operations[link.operation].path;
    const query = new URLSearchParams();
    for (const [name, expression] of Object.entries(link.parameters)) {
      const text = String(value(expression));
      if (target.includes(`{${name}}`)) target = target.replace(`{${name}}`, encodeURIComponent(text));
      else query.set(name, text);
    }
    form.elements.target.value = query.size ? `${target}?${query}` : target;
    form.elements.begin.checked = false; // it goes on where this one was
    if (typeof link.body === "string") form.elements.body.value = JSON.stringify(value(link.body), null, 2);
    if (!link.body || typeof link.body !== "object") continue;
    try {
      const body = JSON.parse(form.elements.body.value);
      for (const [name, expression] of Object.entries(link.body)) if (name in body) body[name] = value(expression);
      form.elements.body.value = JSON.stringify(body, null, 2);
    } catch {
      // the reader's own text stays
    }
  }
}
async function begin(given) {
  // The scenario of the examples, in a session that is new and therefore empty, and the earlier requests of this one.
  session = `docs-${crypto.randomUUID?.() ?? Date.now()}`;
  const headers = { "Content-Type": "application/json", "X-Mock-Session": session };
  if (Object.keys(served.scenario).length) await fetch("/_mock/scenario", { method: "PUT", headers, body: JSON.stringify(served.scenario) });
  for (const { method, target, headers: own, body } of given) {
    await fetch(servedFrom + target, { method, headers: { ...own, "X-Mock-Session": session }, body: body ?? undefined });
  }
}
async function send(form) {
  const operation = operations[form.dataset.operation];
  const sample = operation.samples[form.elements.sample.value];
  const state = $(".state", form);
  const result = $(".result", form);
  const body = form.elements.body.value;
  const root = form.elements.server.value.replace(/\/+$/, "");
  if (!served) nameServer(remembered("server", root) ?? root); // not earlier: what moves under the pointer is not pressed
  state.textContent = "…";
  const started = performance.now();
  try {
    if (form.elements.begin.checked) await begin(sample.given);
    const token = form.elements.token?.value;
    const response = await fetch(root + form.elements.target.value, {
      method: sample.method,
      headers: { ...(session && { "X-Mock-Session": session }), ...(token && { Authorization: `Bearer ${token}` }), ...sample.headers },
      body: $(".body", form).hidden ? undefined : body,
    });
    const text = await response.text();
    let answered = null;
    try { answered = JSON.parse(text); } catch { /* not JSON: shown as it is */ }
    const location = response.headers.get("Location");
    result.replaceChildren(location ? `Location: ${location}\n\n` : "", answered === null ? text : coloured(JSON.stringify(answered, null, 2)));
    state.textContent = `${response.status} ${response.statusText}, ${Math.round(performance.now() - started)} ms`;
    const page = !response.ok && /#([\w-]+)$/.exec(answered?.type ?? "")?.[1];
    if (page && document.getElementById(page)) state.append(" ", h("a", { href: `#${page}` }, answered.title));
    if (response.ok && answered) follow(operation.links, answered);
  } catch {
    result.textContent = `No response from ${root}. Is the server running, and does it permit requests from this page (CORS)?`;
    state.textContent = "failed";
  }
  result.hidden = false;
}
for (const part of $$(".trying")) {
  part.hidden = false;
  part.addEventListener("toggle", () => formOf(part.closest(".operation").id));
}
for (const button of $$("[data-try]")) {
  button.closest("p").hidden = false;
  button.addEventListener("click", () => {
    const form = formOf(button.dataset.try);
    fill(form, button.dataset.sample);
    form.closest("details").open = true;
    form.scrollIntoView({ block: "nearest" });
    $("[type=submit]", form).focus({ preventScroll: true });
  });
}
if (server) nameServer(server);
for (const part of $$(".search, .tools")) part.hidden = false;
