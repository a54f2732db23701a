// The console: a client of the controls, whose reads change nothing.

const facts = data("facts");
const HISTORY = 500; // as many requests are shown
const LINES = 3000; // of one body

const button = (text, onclick, attributes = {}) => h("button", { type: "button", onclick, ...attributes }, text);
const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const parsed = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
const method = (name) => h("span", { class: `method ${name.toLowerCase()}` }, name);
const status = (code) => h("span", { class: `status s${String(code ?? "")[0] ?? ""}` }, code ?? "none");
const rulePage = (rule) => h("a", { href: `${facts.rules_of_engine.includes(rule) ? "/_mock" : facts.api}/docs#rule-${rule}` }, rule);
const when = (instant) => new Date(instant).toLocaleTimeString("en-GB");

// Messages about actions and errors.

let silence;
function say(...parts) {
  $("#said").replaceChildren(...parts);
  clearTimeout(silence);
  silence = setTimeout(() => $("#said").replaceChildren(), 8000);
}
const doing = (act) => async (event) => {
  event?.preventDefault();
  try {
    await act(event?.target);
  } catch (error) {
    say(h("b", {}, error.message), ...(error.errors ?? []).map(({ pointer, name, detail }) => h("p", {}, `${pointer ?? name ?? ""} ${detail}`)));
  }
  await refresh();
};
const onsubmit = (id, act) => $(id).addEventListener("submit", doing(act));
const onclick = (id, act) => $(id).addEventListener("click", doing(act));

// The controls, in the selected session.

let session = new URLSearchParams(location.search).get("session") ?? "default";
let token = null;
try { token = sessionStorage.getItem("token"); } catch { /* it is asked for again */ }

async function control(verb, path, body) {
  const headers = { "X-Mock-Session": session };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(`/_mock${path}`, { method: verb, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  const answered = text ? parsed(text) : null;
  if (response.status === 401) {
    await askForToken(answered?.detail);
    return control(verb, path, body);
  }
  if (response.ok) return answered;
  throw Object.assign(new Error(answered?.detail ?? `${response.status} ${response.statusText}`), { status: response.status, type: answered?.type, errors: answered?.errors });
}

// One dialog for all input.

const dialog = $("#dialog");
const shown = { target: $(".target", dialog), text: $(".text", dialog), token: $(".token", dialog) };
let settle = null;
function ask({ title, note = "", act, done, more, ...fields }) {
  $("h2", dialog).textContent = title;
  $("p", dialog).textContent = note;
  $("[role=alert]", dialog).replaceChildren();
  for (const [name, label] of Object.entries(shown)) {
    label.hidden = !(name in fields);
    $("input, textarea", label).value = fields[name] ?? "";
  }
  $(".main", dialog).textContent = act;
  const other = $(".more", dialog);
  other.hidden = !more;
  other.textContent = more?.title;
  const finish = (run) => async (event) => {
    event.preventDefault();
    try {
      await run(Object.fromEntries(new FormData($("form", dialog))));
      dialog.close();
    } catch (error) {
      const places = (error.errors ?? []).map(({ pointer, name, detail, rule }) => h("li", {}, h("code", {}, pointer ?? name ?? ""), ` ${detail} `, rulePage(rule)));
      $("[role=alert]", dialog).replaceChildren(h("p", {}, error.message), h("ul", {}, places));
      return;
    }
    await refresh();
  };
  $("form", dialog).onsubmit = finish(done);
  other.onclick = more && finish(more.done);
  if (!dialog.open) dialog.showModal();
  $("textarea", dialog).setSelectionRange(0, 0);
  $("textarea", dialog).scrollTop = 0;
}
$(".cancel", dialog).addEventListener("click", () => dialog.close());

function askForToken(detail) {
  return settle ??= new Promise((resolve, reject) => {
    ask({ title: "The controls require a token", note: detail ?? "", token: "", act: "Use it", done: ({ token: given }) => {
      token = given;
      try { sessionStorage.setItem("token", given); } catch { /* for this page only */ }
      resolve();
    } });
    dialog.addEventListener("close", () => {
      settle = null;
      reject(Object.assign(new Error("Without the token, nothing can be shown."), { locked: true })); // unless it was given
    }, { once: true });
  });
}
function json(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${error.message}`);
  }
}

// The journal: every request up to the number `after` is loaded, and the later ones in `entries`.

let entries = new Map();
let after = 0;
let waitingSince = null;
let following = 0;
let openNext = false;

async function follow() {
  const own = ++following;
  entries = new Map();
  rows.clear();
  open(null);
  let first = true;
  while (own === following) {
    if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
    try {
      if (first) after = Math.max(0, (await control("POST", "/requests/find", { limit: 0 })).last - HISTORY);
      const known = [...entries.keys()].filter((number) => number > after).length;
      const found = await control("POST", "/requests/find", { after, at_least: known + 1, timeout: first ? 0 : 5, limit: 100000 });
      if (own !== following) return;
      $("#live").replaceChildren("live");
      $("#live").className = "on";
      if (found.last < after) return follow(); // the session began anew
      take(found, known);
      if (first || found.met) showRequests();
      first = false;
      await refresh();
    } catch (error) {
      const again = error.locked ? button("Enter the token", () => {}) : "not reached";
      $("#live").replaceChildren(again);
      $("#live").className = "off";
      await new Promise((resolve) => (error.locked ? again.addEventListener("click", resolve) : setTimeout(resolve, 1500)));
    }
  }
}
function take({ requests, met, last }, known) {
  const fresh = requests.filter(({ number }) => !entries.has(number));
  for (const entry of fresh) entries.set(entry.number, entry);
  if (after === 0 && entries.size) after = Math.min(...entries.keys()) - 1;
  while (entries.has(after + 1)) after += 1;
  waitingSince = met || !known ? null : waitingSince ?? Date.now();
  if (waitingSince && Date.now() - waitingSince > 70_000) after = last; // what is missing will not come
  for (const number of [...entries.keys()].sort((a, b) => a - b).slice(0, -HISTORY)) entries.delete(number);
  if (openNext && fresh.length) {
    openNext = false;
    open(fresh.at(-1));
  }
}

// The list of requests.

const rows = new Map();
const list = $("#list");
const target = ({ request }) => { const url = new URL(request.url); return url.pathname + url.search; };
const header = (fields, name) => fields.find(([each]) => each.toLowerCase() === name)?.[1];
const isForced = (entry) => entry.rule !== null || header(entry.response.headers, "preference-applied") !== undefined;
const kinds = {
  all: () => true,
  refused: ({ response }) => !response.status || response.status >= 400,
  forced: isForced,
  writes: ({ request }) => !["GET", "HEAD", "OPTIONS"].includes(request.method),
};
function reason({ findings, response }) {
  if (findings.length) {
    const { pointer, name, detail } = findings[0];
    return `${pointer ?? name ?? ""} ${detail}${findings.length > 1 ? ` (and ${findings.length - 1} more)` : ""}`;
  }
  if (!response.status) return "a fault left it without an answer";
  return response.status >= 400 ? wordsIn(response.body) : "";
}
function wordsIn(text) {
  // The message of an error in the contract's own form.
  let told = parsed(text) ?? text;
  while (told && typeof told === "object") {
    const inside = Array.isArray(told) ? told[0] : told;
    const names = Object.keys(inside ?? {}).sort((one, other) => one.length - other.length);
    told = facts.words.map((word) => inside?.[names.find((name) => inside[name] && name.toLowerCase().endsWith(word))]).find(Boolean);
  }
  return told === null || told === undefined ? "" : String(told);
}
function row(entry) {
  if (!rows.has(entry.number)) {
    const why = reason(entry);
    rows.set(entry.number, h("li", {}, h("button", { type: "button", "data-number": entry.number, onclick: () => open(entry, true) },
      h("span", { class: "line1" }, status(entry.response.status), " ", method(entry.request.method), " ", h("span", { class: "path" }, target(entry)), isForced(entry) && h("span", { class: "chip" }, entry.rule ?? "prefer"), h("time", { datetime: entry.started }, when(entry.started))),
      why && h("span", { class: "why" }, why))));
  }
  return rows.get(entry.number);
}
function showRequests() {
  const which = kinds[$("[name=which]:checked").value];
  const text = $("#text").value.toLowerCase();
  const all = [...entries.values()].sort((one, other) => other.number - one.number);
  const fit = all.filter((entry) => which(entry) && (!text || JSON.stringify(entry).toLowerCase().includes(text)));
  const focused = document.activeElement;
  list.replaceChildren(...fit.map(row));
  if (list.contains(focused)) focused.focus();
  const refused = fit.filter(kinds.refused).length;
  $("#count").textContent = all.length ? `${plural(fit.length, "request")}${fit.length < all.length ? ` of ${all.length}` : ""}, ${refused} refused` : "";
  $("#tab-requests b").textContent = all.length || "";
  $("#nothing").hidden = fit.length > 0;
  if (!fit.length) $("#nothing").replaceChildren(...(all.length ? [h("p", {}, "No request matches.")] : nothingYet()));
}
function nothingYet() {
  const others = sessions.filter(({ name, requests }) => requests && name !== session);
  const sample = facts.sample && { ...facts.sample, target: facts.api + facts.sample.target };
  return [
    h("p", {}, `No requests in the session ${session} yet.`),
    others.length > 0 && h("p", {}, "Requests in ", others.map(({ name, requests }, at) => [at ? ", " : "", button(`${name} (${requests})`, () => enter(name), { class: "link" })]), "."),
    sample && h("p", {}, "For example:"),
    sample && h("pre", { tabindex: 0 }, writers.curl(sample)),
    sample && h("p", {}, button("Send it", doing(() => send(sample)))),
  ].filter(Boolean);
}

// A JSON text with a line for each member, and unchanged values. Null for a text that is not JSON.

function layout(text) {
  if (parsed(text) === undefined) return null;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
  const lines = [];
  let at = 0;
  const put = (depth, pointer, ...parts) => lines[lines.push({ depth, pointer, parts, findings: [] }) - 1];
  const kind = (token) => (token[0] === '"' ? "s" : /^[tfn]/.test(token) ? "k" : "m");
  function value(depth, pointer, label) {
    const opening = tokens[at++];
    if (opening !== "{" && opening !== "[") return put(depth, pointer, ...label, [kind(opening), opening]);
    const closing = opening === "{" ? "}" : "]";
    if (tokens[at] === closing) return put(depth, pointer, ...label, ["", opening + tokens[at++]]);
    put(depth, pointer, ...label, ["", opening]);
    for (let index = 0; ; index++) {
      const name = opening === "{" ? tokens[at] : null;
      if (name) at += 2;
      const step = name ? JSON.parse(name).replaceAll("~", "~0").replaceAll("/", "~1") : index;
      const last = value(depth + 1, `${pointer}/${step}`, name ? [["nt", name], ["", ": "]] : []);
      if (tokens[at++] === closing) break;
      last.parts.push(["", ","]);
    }
    return put(depth, `${pointer}/`, ["", closing]);
  }
  try {
    value(0, "", []);
  } catch {
    return null; // nested more deeply than a browser goes
  }
  return lines;
}
function raw(text) {
  return text.split("\n").map((line) => ({ depth: 0, pointer: null, parts: [["", line]], findings: [] }));
}

// The findings on their lines. A missing member gets an added line; findings without a place are returned.

function placed(text, findings) {
  const lines = layout(text) ?? raw(text);
  const over = [];
  for (const finding of findings) {
    const { pointer, detail } = finding;
    const number = /\bline (\d+)/.exec(detail)?.[1];
    let line = finding.in !== "body" ? null : lines.findLast((each) => each.pointer === pointer && (pointer || each.parts.length)) ?? null;
    if (!line && finding.in === "body" && lines[0].pointer === null && number) line = lines[number - 1];
    if (!line && finding.in === "body" && pointer) {
      const cut = pointer.lastIndexOf("/");
      const parent = pointer.slice(0, cut);
      const name = pointer.slice(cut + 1).replaceAll("~1", "/").replaceAll("~0", "~");
      const around = lines.find((each) => each.pointer === parent && /[{[]/.test(each.parts.at(-1)[1] ?? ""));
      const brackets = around?.parts.findLast(([, part]) => part.startsWith("{}"));
      if (brackets) {
        brackets[1] = "{";
        lines.splice(lines.indexOf(around) + 1, 0, { depth: around.depth, pointer: `${parent}/`, parts: [["", "}"]], findings: [] });
      }
      const end = lines.findIndex((each) => each.pointer === `${parent}/`);
      if (around && end >= 0) {
        line = { depth: around.depth + 1, pointer, parts: [["", `${JSON.stringify(name)}: …`]], findings: [], missing: true };
        lines.splice(end, 0, line);
      }
    }
    (line?.findings ?? over).push(finding);
  }
  return { lines, over };
}
function showLines(lines, label) {
  const made = lines.slice(0, LINES).map(({ depth, parts, findings, missing }) => h("li", { class: missing ? "missing" : findings.length ? "wrong" : null },
    h("code", {}, "  ".repeat(depth), parts.map(([kind, text]) => (kind ? h("span", { class: kind }, text) : text)), missing && h("span", { class: "hidden" }, " is not there")),
    findings.map(({ detail, rule }) => h("p", { class: "finding" }, detail, " ", rulePage(rule)))));
  if (lines.length > LINES) made.push(h("li", {}, `… and ${lines.length - LINES} more lines`));
  return h("div", { class: "lines", tabindex: 0, role: "group", "aria-label": label }, h("ol", {}, made));
}

// The opened request.

const opened = $("#opened");
let current = null;
function open(entry, byHand = false) {
  current = entry;
  for (const each of $$("[aria-current]", list)) each.removeAttribute("aria-current");
  $("#requests").classList.toggle("reading", entry !== null);
  if (entry === null) return opened.replaceChildren();
  if (byHand) history.replaceState(null, "", `#request-${entry.number}`);
  $("button", row(entry)).setAttribute("aria-current", "true");
  const { request, response, findings } = entry;
  const { lines, over } = placed(request.encoding ? "" : request.body ?? "", findings);
  const problem = response.status >= 400 ? parsed(response.body) : null;
  opened.replaceChildren(
    h("p", { class: "back" }, button("Back to the list", () => { const { number } = current; open(null); $("button", rows.get(number)).focus(); })),
    h("h2", { class: "route" }, method(request.method), " ", h("span", { class: "path" }, target(entry)), " ", status(response.status)),
    h("p", { class: "quiet" }, `${entry.operation ?? "no operation"}, ${when(entry.started)}, ${entry.milliseconds} ms, number ${entry.number}`),
    why(entry, over, problem),
    h("div", { class: "tools" },
      h("span", { class: "choice copies", role: "group", "aria-label": "Copy as" }, h("span", {}, "Copy as"), Object.keys(writers).map((name) => button(name, async ({ target: pressed }) => {
        const text = writers[name](sendable(entry), entry);
        if (!await copied(text, pressed, name)) say(h("p", {}, "The browser does not permit copying. The text is:"), h("pre", { tabindex: 0 }, text));
      }))),
      button("Send again", doing(() => send(sendable(entry)))),
      button("Edit and send …", () => edit(sendable(entry))),
      button("Give this response to the next requests", doing(() => force(entry)), { disabled: !response.status })),
    h("h3", {}, "Request"),
    headersOf(request.headers),
    request.body === null ? h("p", { class: "quiet" }, "No body, or one too large for the journal.") : showLines(lines, "Body of the request"),
    h("h3", {}, "Response"),
    headersOf(response.headers),
    response.body === null ? h("p", { class: "quiet" }, response.status ? "No body, or one too large for the journal." : "Nothing.") : showLines(layout(response.body) ?? raw(response.body), "Body of the answer"),
  );
  opened.scrollTop = 0;
  if (!byHand) return;
  opened.focus({ preventScroll: true });
  scrollTo(0, 0);
}
function headersOf(fields) {
  return h("details", { class: "headers" }, h("summary", {}, plural(fields.length, "header field")), h("dl", {}, fields.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
}
function why(entry, over, problem) {
  const { response, findings, rule } = entry;
  const wish = header(response.headers, "preference-applied");
  const parts = [];
  if (!response.status) parts.push(h("p", {}, "No response, because of a fault."));
  else if (problem?.title && problem.type) {
    const title = h("b", {}, problem.title);
    parts.push(h("p", {}, /^(\/|https?:)/.test(problem.type) ? h("a", { href: problem.type }, title) : title, `. ${problem.detail ?? ""}`));
  } else if (response.status >= 400 && wordsIn(response.body)) parts.push(h("p", {}, h("b", {}, wordsIn(response.body))));
  for (const { in: place, name, pointer, detail, rule: broken } of over) {
    parts.push(h("p", { class: "finding" }, `In the ${place}: `, h("code", {}, name ?? pointer ?? ""), ` ${detail} `, rulePage(broken)));
  }
  const refused = findings.length > 0;
  const known = rules.find(({ id }) => id === rule);
  const answers = known && !known.off_contract && (known.answer !== undefined || known.answers);
  if (rule && refused && answers) parts.push(h("p", {}, h("b", {}, rule), " matched, but its answer is for requests that keep the contract. This one was refused, and the rule is not used up."));
  else if (rule) parts.push(h("p", {}, h("b", {}, rule), known ? `: ${wordsOf(known)}.` : " matched, and is not there any more."));
  else if (wish) parts.push(h("p", {}, "The request selected this response: ", h("code", {}, `Prefer: ${wish}`), "."));
  else parts.push(h("p", { class: "quiet" }, refused ? "No rule: the contract refuses it." : "No rule: this is the usual response."));
  if (!rule) {
    const told = h("ul", {});
    parts.push(h("details", { ontoggle: ({ target: { open: isOpen } }) => isOpen && explain(entry, told) }, h("summary", {}, "Why no rule applied"), told));
  }
  return h("div", { class: kinds.refused(entry) ? "verdict refused" : "verdict" }, parts);
}
async function explain(entry, told) {
  const all = await control("GET", "/rules");
  if (!all.length) return told.replaceChildren(h("li", {}, "There are no rules."));
  const reasons = await Promise.all(all.map(async (rule) => {
    const { status: _status, valid: _valid, ...match } = rule.match ?? {};
    const { count, near_misses: [miss] } = await control("POST", "/requests/find", { match, after: entry.number - 1, before: entry.number + 1, limit: 0 });
    if (miss) return miss.mismatches.map(({ in: place, pointer, detail }) => `${place} ${pointer} ${detail}`).join("; ");
    if (isSpent(rule)) return "it is used up";
    if (rule.until && rule.until < clock.now) return "it has ended";
    if (!entry.operation && !match.path) return "it is for operations only, and this path is none";
    return count ? "it would match now: it came later, was lost by chance, or has no such answer for this operation" : "the journal does not hold the request any more";
  }));
  told.replaceChildren(...all.map((rule, at) => h("li", {}, h("b", {}, rule.id), ` (${wordsOf(rule)}): ${reasons[at]}.`)));
}

// Sending and copying: a request without the fields that each client sets itself.

const OF_CONNECTION = /^(host|connection|content-length|transfer-encoding|user-agent|accept-encoding|accept-language|origin|referer|cookie|cache-control|pragma|dnt|te|priority|x-mock-session|sec-.*)$/i;
const sendable = (entry) => ({
  method: entry.request.method,
  target: target(entry),
  headers: entry.request.headers.filter(([name, value]) => !OF_CONNECTION.test(name) && !(/^accept$/i.test(name) && value === "*/*")),
  body: entry.request.encoding ? null : entry.request.body,
});
async function send({ method: verb, target: where, headers, body }) {
  const secret = headers.some(([, value]) => value.includes("[redacted]")) || body?.includes("[redacted]");
  openNext = true;
  const response = await fetch(where, { method: verb, headers: [...headers.filter(([, value]) => !value.includes("[redacted]")), ["X-Mock-Session", session]], body: ["GET", "HEAD"].includes(verb) ? undefined : body ?? undefined });
  say(h("p", {}, "Sent: ", status(response.status), ` ${response.statusText}.`, secret && " Its secrets are not known here, and were not sent."));
}
function edit(sent) {
  const pretty = layout(sent.body ?? "")?.map(({ depth, parts }) => "  ".repeat(depth) + parts.map(([, text]) => text).join("")).join("\n");
  ask({ title: `Send ${sent.method}`, target: sent.target, text: pretty ?? sent.body ?? "", act: "Send", done: ({ target: where, text }) => send({ ...sent, target: where, body: text || null }) });
}
const quoted = (text) => `'${text.replaceAll("'", `'"'"'`)}'`;
const indented = (text, by) => text.replaceAll("\n", `\n${by}`);
const inSession = (headers) => (session === "default" ? headers : [...headers, ["X-Mock-Session", session]]);
const writers = {
  curl: ({ method: verb, target: where, headers, body }) => [
    `curl -i -X ${verb} ${quoted(location.origin + where)}`,
    ...inSession(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === null ? [] : [`--data-raw ${quoted(body)}`]),
  ].join(" \\\n  "),
  pytest: ({ method: verb, target: where, headers, body }, entry) => {
    const value = body === null ? undefined : parsed(body);
    const literal = (text) => text.replace(/"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g, (word) => ({ true: "True", false: "False", null: "None" })[word] ?? word);
    const given = value === undefined ? headers : headers.filter(([name]) => !/^content-type$/i.test(name));
    const lines = [
      `f"{mock.base_url}${where.slice(facts.api.length).replaceAll(/[{}"\\]/g, (mark) => encodeURIComponent(mark))}"`,
      given.length && `headers=${JSON.stringify(Object.fromEntries(given))}`,
      value !== undefined && `json=${literal(JSON.stringify(value, null, 4))}`,
      value === undefined && body !== null && `content=${JSON.stringify(body)}`,
    ].filter(Boolean);
    const name = (entry?.operation ?? verb).replaceAll(/[A-Z]/g, (letter, at) => (at ? "_" : "") + letter.toLowerCase());
    const rule = rules.find(({ id }) => id === entry?.rule);
    const { id: _id, matched: _matched, answered: _answered, ...declared } = rule ?? {};
    const first = rule ? `    mock.rules.add(**${indented(literal(JSON.stringify(declared, null, 4)), "    ")})\n` : "";
    return `import httpx\n\n\ndef test_${name}_is_answered_with_${entry?.response.status ?? "nothing"}(mock):\n${first}    response = httpx.request(\n        "${verb}",\n${lines.map((line) => `        ${indented(line, "        ")},\n`).join("")}    )\n    assert response.status_code == ${entry?.response.status ?? "None"}, response.text\n`;
  },
  JavaScript: ({ method: verb, target: where, headers, body }) => {
    const options = { method: verb, headers: Object.fromEntries(inSession(headers)), ...(body === null ? {} : { body }) };
    const value = body === null ? undefined : parsed(body);
    const text = Object.entries(options).map(([name, given]) => `  ${name}: ${name === "body" && value !== undefined ? `JSON.stringify(${indented(JSON.stringify(value, null, 2), "  ")})` : JSON.stringify(given)},\n`).join("");
    return `const response = await fetch(${JSON.stringify(location.origin + where)}, {\n${text}});\nconsole.log(response.status, await response.text());\n`;
  },
  JSON: (_sent, entry) => JSON.stringify(entry, null, 2),
};
async function force(entry) {
  const { operation, request, response } = entry;
  const match = operation ? { operation } : { method: request.method, path: new URL(request.url).pathname };
  const headers = Object.fromEntries(response.headers.filter(([name]) => /^(location|retry-after|www-authenticate|allow|link|etag)$/i.test(name)));
  const answer = { status: response.status, headers, ...(response.body === null ? {} : { body: parsed(response.body) ?? response.body }) };
  let rule;
  try {
    rule = await control("POST", "/rules", { match, answer });
  } catch (error) {
    if (!error.type?.endsWith("#not-in-contract")) throw error;
    rule = await control("POST", "/rules", { match, answer, off_contract: true });
  }
  say(h("p", {}, h("b", {}, rule.id), `: ${wordsOf(rule)}. `, button("Delete the rule", doing(() => control("DELETE", `/rules/${rule.id}`)))));
}

// The state: the documents of each resource.

let state = {};
let table = facts.resources[0]?.table;
const resource = () => facts.resources.find((each) => each.table === table);
const total = () => Object.values(state).flat().length;
const minutes = (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
function day(document, { windows }) {
  // The day, midnight to midnight: one band for each kind of window, by its own clock.
  const words = [];
  const bands = windows.flatMap(({ title, enabled, start, end, zone }, at) => {
    const [from, to] = [document[start], document[end]];
    const around = document[enabled] && !(from && to);
    words.push(`${title}: ${!document[enabled] ? "none" : around ? "around the clock" : `${from} to ${to}${zone && document[zone] ? ` ${document[zone]}` : ""}`}`);
    if (!document[enabled]) return [];
    const [first, last] = around ? [0, 1440] : [minutes(from), minutes(to) + 1];
    const parts = first < last ? [[first, last]] : [[first, 1440], [0, last]];
    return parts.map(([left, right]) => h("rect", { class: `band${at}`, x: left, y: 3 + at * 9, width: right - left, height: 7, rx: 1 }));
  });
  const told = words.join("; ");
  return h("svg", { viewBox: "0 0 1440 22", preserveAspectRatio: "none", class: "day", role: "img", "aria-label": told }, h("title", {}, told), ...[0, 360, 720, 1080, 1437].map((x) => h("rect", { class: "tick", x, y: 0, width: 3, height: 22 })), bands);
}
const grid = (titles, rows) => h("table", {},
  h("thead", {}, h("tr", {}, titles.map((title) => h("th", { scope: "col" }, title)))),
  h("tbody", {}, rows.map((cells) => h("tr", {}, cells))));
const cell = (value) => (value === null || value === undefined ? h("span", { class: "quiet" }, "–") : typeof value === "object" ? JSON.stringify(value) : String(value));
const shortTime = (value) => (typeof value === "string" ? h("time", { datetime: value }, value.slice(0, 19).replace("T", " ")) : cell(value));
function showState() {
  const shown = resource();
  const text = $("#state-text").value.toLowerCase();
  const all = state[table] ?? [];
  const fit = all.filter((each) => !text || JSON.stringify(each).toLowerCase().includes(text));
  $("#tab-state b").textContent = total() || "";
  for (const radio of $$("[name=table]")) {
    radio.checked = radio.value === table;
    $("b", radio.parentElement).textContent = state[radio.value]?.length || "";
  }
  const [{ title: identity }, ...columns] = shown.columns;
  $("#table").replaceChildren(
    !fit.length ? h("p", { class: "empty" }, all.length ? "No document matches." : "No documents. Seed some, or send a request that creates one.") : grid(
      [identity, ...columns.map(({ title }) => title), shown.day && shown.day.windows.map(({ title }, at) => h("span", { class: `key band${at}` }, title)), shown.time].filter(Boolean),
      fit.slice(0, 300).map((each) => [
        h("th", { scope: "row" }, button(String(each[shown.identity]), () => openDocument(each), { class: "link" })),
        columns.map(({ name, title }) => h("td", { "data-label": title }, cell(each[name]))),
        shown.day && h("td", { class: "of-day" }, day(each, shown.day)),
        shown.time && h("td", { "data-label": shown.time }, shortTime(each[shown.time]))])),
    fit.length > 300 ? h("p", { class: "quiet" }, `… and ${(fit.length - 300).toLocaleString("en")} more.`) : "",
  );
}
const inTable = facts.resources.length > 1 ? () => `?table=${encodeURIComponent(table)}` : () => "";
function one(document) {
  const { identity, within } = resource();
  const key = within.length ? JSON.stringify([...within, identity].map((name) => document[name])) : document[identity];
  return `/state/${encodeURIComponent(key)}${inTable()}`;
}
function openDocument(document) {
  const { identity, secrets } = resource();
  const place = one(document);
  ask({
    title: String(document[identity]),
    note: `The saved document replaces the stored one.${secrets ? " Secrets are not shown, and are lost unless you enter them." : ""}`,
    text: JSON.stringify(document, null, 2),
    act: "Save",
    done: ({ text }) => control("PUT", place, json(text)),
    more: { title: "Delete", done: () => control("DELETE", place) },
  });
}
function example() {
  // The parent is an existing document, if any.
  const { example: shown, parents } = resource();
  const above = (parent) => state[parent]?.[0]?.[facts.resources.find((each) => each.table === parent).identity];
  return { ...shown, ...Object.fromEntries(Object.entries(parents).map(([name, parent]) => [name, above(parent) ?? shown[name]])) };
}
async function seed(wanted) {
  const { varied } = resource();
  const [before, shown] = [(state[table] ?? []).length, example()];
  for (let added = 0, number = before + 1; added < wanted; number++) {
    const valueOf = ({ name, values }) => (values === null ? `${shown[name]}_${number}` : values.length ? values[number % values.length] : shown[name]);
    const other = (member) => [member.name, valueOf(member)];
    try {
      await control("POST", `/state${inTable()}`, { ...shown, ...Object.fromEntries(varied.map(other)) });
      added += 1;
    } catch (error) {
      if (error.status !== 409 || number > 2 * before + wanted + 10) throw error; // every other one may be taken
    }
  }
}
if (table) {
  $("#new").addEventListener("click", () => ask({ title: `Store in ${table}`, text: JSON.stringify(example(), null, 2), act: "Store", done: ({ text }) => control("POST", `/state${inTable()}`, json(text)) }));
  onsubmit("#seed", (form) => seed(form.elements.number.valueAsNumber));
  onclick("#clear", async () => confirm(`Delete all ${total()} documents of the session ${session}?`) && control("DELETE", "/state"));
  onsubmit("#save", (form) => control("PUT", `/snapshots/${form.elements.name.value}`));
  onsubmit("#restore", (form) => control("POST", `/snapshots/${form.elements.name.value}/restore`));
  onclick("#forget", () => control("DELETE", `/snapshots/${$("#restore select").value}`));
  onsubmit("#fork", async (form) => {
    const { name } = await control("POST", "/sessions", { name: form.elements.name.value });
    enter(name);
  });
  $("#state-text").addEventListener("input", showState);
  for (const radio of $$("[name=table]")) radio.addEventListener("change", () => { table = radio.value; showState(); });
}

// The rules.

let rules = [];
const limitOf = ({ answers, times }) => answers?.length ?? times ?? Infinity;
const isSpent = (rule) => rule.answered >= limitOf(rule);
function wordsOf({ match = {}, answer, answers, delay, fault, off_contract: off, probability, times }) {
  const { operation, method: verb, path, ...rest } = match;
  const who = operation ?? ([verb, path].filter(Boolean).join(" ") || "every operation");
  const also = Object.keys(rest).length ? ` with ${JSON.stringify(rest)}` : "";
  const code = (each) => (typeof each === "object" ? `${each.status}${each.example ? ` ${each.example}` : each.body === undefined ? "" : " with its body"}` : each);
  const gets = [delay && `${delay.milliseconds} ms of delay`, fault && `the fault ${fault}`, answer !== undefined && code(answer), answers && answers.map(code).join(", then "), off && "off the contract"].filter(Boolean).join(", ");
  const often = probability < 1 ? `, with probability ${probability}` : "";
  return `${times ? `the next ${times > 1 ? `${times} ` : ""}` : ""}${who}${also} get${times > 1 ? "" : "s"} ${gets}${often}`;
}
function showRules() {
  $("#tab-rules b").textContent = rules.filter((rule) => !isSpent(rule)).length || "";
  const open = new Set($$("#all-rules details[open]").map((each) => each.dataset.id));
  $("#all-rules").replaceChildren(...(rules.length ? [...rules].reverse().map((rule) => h("li", { class: isSpent(rule) ? "spent" : null },
    h("p", {}, h("b", {}, rule.id), ` ${wordsOf(rule)}`),
    h("p", { class: "quiet" }, `matched ${rule.matched}, answered ${rule.answered}${limitOf(rule) < Infinity ? ` of ${limitOf(rule)}` : ""}${isSpent(rule) ? ": used up" : ""}`),
    h("details", { "data-id": rule.id, open: open.has(rule.id) }, h("summary", {}, "As JSON"), h("pre", { tabindex: 0 }, JSON.stringify(rule, null, 2))),
    button("Delete", doing(() => control("DELETE", `/rules/${rule.id}`)), { "aria-label": `Delete ${rule.id}` }))) : [h("li", { class: "empty" }, "No rules: every request gets the usual response.")]));
}
const next = $("#next").elements;
next.operation.append(...facts.operations.map(({ id }) => h("option", {}, id)));
function offerAnswers() {
  const { answers } = facts.operations.find(({ id }) => id === next.operation.value);
  const offered = answers.map(({ title, ...answer }) => h("option", { value: JSON.stringify({ answer }) }, `${answer.status} ${title}`));
  const failure = answers.findIndex(({ status: code }) => code === 503);
  if (failure < 0) offered.push(h("option", { value: JSON.stringify({ answer: { status: 503 }, off_contract: true }) }, "503 (not documented)"));
  next.answer.replaceChildren(...offered);
  next.answer.selectedIndex = failure < 0 ? offered.length - 1 : failure;
}
next.operation.addEventListener("change", offerAnswers);
offerAnswers();
onsubmit("#next", async () => {
  const times = next.times.value ? { times: next.times.valueAsNumber } : {};
  const rule = await control("POST", "/rules", { match: { operation: next.operation.value }, ...JSON.parse(next.answer.value), ...times });
  say(h("p", {}, h("b", {}, rule.id), `: ${wordsOf(rule)}.`));
});
$("#rule").addEventListener("click", () => ask({
  title: "A rule", note: "The response, delay or fault of matching requests. The reference of the controls describes the members.",
  text: JSON.stringify({ match: { operation: facts.operations[0]?.id }, delay: { milliseconds: 500 }, answer: 503, times: 1 }, null, 2),
  act: "Set", done: ({ text }) => control("POST", "/rules", json(text)),
}));
onclick("#no-rules", () => control("DELETE", "/rules"));

// The clock, the ids, the sessions.

let clock = { now: "", frozen: false };
let sessions = [];
let clockRead = 0;
function showClock() {
  if (!clock.now) return;
  const now = clock.frozen ? clock.now : new Date(Date.parse(clock.now) + Date.now() - clockRead).toISOString();
  $("#now").textContent = `${now.slice(0, 19).replace("T", " ")} UTC`;
  $("#frozen").textContent = clock.frozen ? "stands still" : "runs";
}
setInterval(showClock, 1000);
function showSessions() {
  const select = $("#session");
  const names = [...new Set(["default", session, ...sessions.map(({ name }) => name)])];
  if (names.join() !== [...select.options].map(({ value }) => value).join()) select.replaceChildren(...names.map((name) => h("option", {}, name)));
  select.value = session;
  const numbers = ({ requests, rules: own, snapshots, bytes, idle_seconds: idle }) =>
    ({ requests, rules: own, snapshots, KiB: Math.ceil(bytes / 1024).toLocaleString("en"), idle: idle < 60 ? `${Math.round(idle)} s` : `${Math.round(idle / 60)} min` });
  $("#sessions").replaceChildren(grid(["Session", "requests", "rules", "snapshots", "KiB", "idle", h("span", { class: "hidden" }, "Delete")], sessions.map((each) => [
    h("th", { scope: "row" }, button(each.name, () => enter(each.name), { class: "link", "aria-current": each.name === session ? "true" : null })),
    Object.entries(numbers(each)).map(([word, number]) => h("td", { "data-label": word }, number)),
    h("td", {}, button("Delete", doing(async () => {
      if (!confirm(`Delete the session ${each.name}, with its documents and its journal?`)) return;
      await control("DELETE", `/sessions/${each.name}`);
      if (each.name === session) enter("default");
    }), { "aria-label": `Delete the session ${each.name}` })),
  ])));
}
function enter(name) {
  session = name;
  const url = new URL(location.href);
  if (name === "default") url.searchParams.delete("session");
  else url.searchParams.set("session", name);
  history.replaceState(null, "", url);
  follow();
}
$("#session").addEventListener("change", ({ target: { value } }) => enter(value));
onsubmit("#freeze", (form) => control("PUT", "/clock", form.elements.now.value ? { now: form.elements.now.value } : {}));
onsubmit("#advance", (form) => control("POST", "/clock/advance", { seconds: form.elements.seconds.valueAsNumber }));
onclick("#release", () => control("DELETE", "/clock"));
onsubmit("#ids", async ({ elements: { next: given, seed } }) => {
  const ids = given.value.split(/[\s,]+/).filter(Boolean);
  await control("PUT", "/ids", { next: ids, ...(seed.value ? { seed: seed.valueAsNumber } : {}) });
  say(h("p", {}, ids.length ? `The next ids: ${ids.join(", ")}.` : "The ids are set."));
});
onclick("#random", () => control("DELETE", "/ids"));

// The view is loaded again after each change.

let shownView = "requests";
async function refresh() {
  const own = session;
  const [newRules, newSessions] = await Promise.all([control("GET", "/rules"), control("GET", "/sessions")]);
  if (own !== session) return;
  if (JSON.stringify(newRules) !== JSON.stringify(rules)) { rules = newRules; showRules(); }
  sessions = newSessions;
  showSessions();
  if (!entries.size) showRequests();
  if (shownView === "state") {
    const [stored, snapshots] = await Promise.all([control("GET", "/state"), control("GET", "/snapshots")]);
    if (own !== session) return;
    const tables = Array.isArray(stored) ? { [table]: stored } : stored;
    if (JSON.stringify(tables) !== JSON.stringify(state) || !$("#table").hasChildNodes()) { state = tables; showState(); }
    const select = $("#restore select");
    const before = select.value;
    select.replaceChildren(...snapshots.map(({ name, configurations: size }) => h("option", { value: name }, `${name} (${size})`)));
    if (before) select.value = before;
    for (const each of $("#restore").elements) each.disabled = !snapshots.length;
  }
  clock = await control("GET", "/clock");
  clockRead = Date.now();
  showClock();
}

// Views, each with a fragment in the URL.

const tabs = $$("[role=tab]");
function view(name, focus = false) {
  shownView = name;
  for (const tab of tabs) {
    const isShown = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", isShown);
    tab.tabIndex = isShown ? 0 : -1;
    if (isShown && focus) tab.focus();
    $(`#${tab.getAttribute("aria-controls")}`).hidden = !isShown;
  }
}
function route() {
  const [, name, number] = /^#(\w+)(?:-(\d+))?/.exec(location.hash) ?? [];
  if (name === "request" && entries.has(Number(number))) open(entries.get(Number(number)));
  view(tabs.some((tab) => tab.getAttribute("aria-controls") === name) ? name : "requests");
}
for (const tab of tabs) tab.addEventListener("click", () => {
  history.pushState(null, "", `#${tab.getAttribute("aria-controls")}`); // which scrolls nothing
  view(tab.getAttribute("aria-controls"));
  doing(async () => {})();
});
$("[role=tablist]").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  tabs[(at + step + tabs.length) % tabs.length].click();
  view(shownView, true);
});
list.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const buttons = $$("button", list);
  const to = buttons[buttons.indexOf(document.activeElement) + step];
  if (!step || !to) return;
  event.preventDefault();
  to.focus();
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest?.("input, textarea, select")) return;
  event.preventDefault();
  $(shownView === "state" ? "#state-text" : "#text").focus();
});
addEventListener("hashchange", doing(async () => route()));
for (const radio of $$("[name=which]")) radio.addEventListener("change", showRequests);
$("#text").addEventListener("input", showRequests);
onclick("#empty", async () => {
  await control("DELETE", "/requests");
  entries.clear();
  open(null);
  showRequests();
});
route();
showRules();
follow();
