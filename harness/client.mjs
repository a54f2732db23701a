// The client of the mock for JavaScript tests: a session with the methods of the pytest plugin. Nothing to install:
// the mock serves this file at /_mock/client.mjs, for Node.js 18 or later and for browsers.
//
//     const source = await (await fetch("http://127.0.0.1:8080/_mock/client.mjs")).text();
//     const { openSession } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
//     const mock = await openSession("http://127.0.0.1:8080");

/** @typedef {{$absent: true} | {$any_of: unknown[]} | {$pattern: string}} Matcher */
/**
 * The criteria of a matching request.
 * @typedef {object} Match
 * @property {string} [operation]
 * @property {string} [method]
 * @property {string} [path]
 * @property {Record<string, string | Matcher>} [query]
 * @property {Record<string, string | Matcher>} [headers]
 * @property {unknown} [body]
 * @property {number} [status]
 * @property {boolean} [valid]
 */
/** @typedef {{status: number, example?: string, headers?: Record<string, string>, body?: unknown}} Answer */
/** @typedef {{milliseconds: number, distribution?: "fixed" | "uniform" | "lognormal", jitter?: number}} Delay */
/**
 * A rule to add: the response to matching requests in place of the usual one.
 * @typedef {object} NewRule
 * @property {Match} [match]
 * @property {number | Answer} [answer]
 * @property {(number | Answer)[]} [answers]
 * @property {boolean} [off_contract]
 * @property {Delay} [delay]
 * @property {"empty" | "reset" | "malformed" | "truncated" | "dribble"} [fault]
 * @property {number} [probability]
 * @property {number} [seed]
 * @property {number} [times]
 * @property {string} [until]
 */
/**
 * @typedef {NewRule & {id: string, matched: number, answered: number,
 *   off_contract: boolean, probability: number, seed: number}} Rule
 */
/** @typedef {{now?: string, frozen?: boolean}} NewClock */
/** @typedef {{next?: string[], seed?: number}} Ids */
/** @typedef {{state?: object[] | Record<string, object[]>, rules?: NewRule[], clock?: NewClock, ids?: Ids}} Scenario */
/** @typedef {{in: string, pointer?: string, name?: string, rule: string, detail: string}} Violation */
/**
 * A request to the mock, and its response.
 * @typedef {object} Recorded
 * @property {number} number
 * @property {string | null} operation
 * @property {string} method
 * @property {string} url
 * @property {Headers} headers
 * @property {string | null} body
 * @property {any} json The body, where it is JSON.
 * @property {number | null} status
 * @property {Headers} answerHeaders
 * @property {any} answer The response body, where it is JSON.
 * @property {string | null} rule
 * @property {Violation[]} findings
 */

/** The mock refused a request to its controls, or is unreachable; the message has the reasons. */
export class MockError extends Error {
  name = "MockError";
}

/** A matcher in the place of a value: no value. */
export const absent = Object.freeze({ $absent: true });
/** A matcher in the place of a value: one of these values. @param {...unknown} values */
export const anyOf = (...values) => ({ $any_of: values });
/** A matcher in the place of a value: a string in which the expression is found. @param {string | RegExp} expression */
export const pattern = (expression) => ({ $pattern: expression instanceof RegExp ? expression.source : expression });

/**
 * A new session on the mock whose API has this URL.
 * @param {string} url
 * @param {{name?: string, token?: string, strict?: boolean, scenario?: Scenario}} [options] `token` is the control
 *   token; a `strict` session lets `check` fail for each request that broke the contract.
 * @returns {Promise<Mock>}
 */
export async function openSession(url, { name, token, strict = false, scenario } = {}) {
  const mock = new Mock(url, name ?? `js-${crypto.randomUUID()}`, token, strict);
  await mock.load(scenario ?? {});
  return mock;
}

/** The rules of the session, which replace the usual responses. */
class Rules {
  /** @param {Mock} mock */
  constructor(mock) {
    this.mock = mock;
  }
  /** Adds a rule, and returns its id. @param {NewRule} rule @returns {Promise<string>} */
  async add(rule) {
    return (await this.mock.control("POST", "/rules", rule)).id;
  }
  /** Every rule, oldest first, with the numbers of requests that it matched and answered. @returns {Promise<Rule[]>} */
  all() {
    return this.mock.control("GET", "/rules");
  }
  /** @param {string} id */
  delete(id) {
    return this.mock.control("DELETE", `/rules/${id}`);
  }
  clear() {
    return this.mock.control("DELETE", "/rules");
  }
}

/** The clock of the session. Times are RFC 3339, such as `2025-01-15T10:30:00Z`. */
class Clock {
  /** @param {Mock} mock */
  constructor(mock) {
    this.mock = mock;
  }
  /** @returns {Promise<string>} */
  async now() {
    return (await this.mock.control("GET", "/clock")).now;
  }
  /** Stops the clock, at a time or now. @param {string} [at] */
  freeze(at) {
    return this.mock.control("PUT", "/clock", at ? { now: at } : {});
  }
  /** Sets the time, from which the clock goes on. @param {string} now */
  set(now) {
    return this.mock.control("PUT", "/clock", { now, frozen: false });
  }
  /** @param {number} seconds */
  advance(seconds) {
    return this.mock.control("POST", "/clock/advance", { seconds });
  }
  release() {
    return this.mock.control("DELETE", "/clock");
  }
}

/** The session of one test. A client that uses `baseUrl` is in the session, and needs no header field. */
export class Mock {
  #root;
  #basePath;
  #token;
  /** @type {[number, Match][]} */
  #expected = [];
  /** @type {Mock[]} */
  #forks = [];

  /** Use `openSession`. @param {string} url @param {string} session @param {string} [token] @param {boolean} [strict] */
  constructor(url, session, token, strict = false) {
    const { origin, pathname } = new URL(url);
    this.#root = origin;
    this.#basePath = pathname.replace(/\/$/, "");
    this.#token = token;
    this.strict = strict;
    this.session = session;
    this.baseUrl = `${origin}/_mock/in/${session}${this.#basePath}`;
    this.headers = { "X-Mock-Session": session };
    this.rules = new Rules(this);
    this.clock = new Clock(this);
  }

  /**
   * Calls any control of `/_mock/openapi.json` in this session.
   * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>}
   */
  async control(method, path, body) {
    const url = `${this.#root}/_mock${path}`;
    /** @type {Record<string, string>} */
    const headers = { ...this.headers, "Content-Type": "application/json" };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    let response, text;
    try {
      response = await fetch(url, { method, headers, body: JSON.stringify(body) });
      text = await response.text();
    } catch (/** @type {any} */ error) {
      throw new MockError(`${method} ${url}: the mock does not respond: ${error.cause?.message ?? error.message}`);
    }
    const answer = json(text) ?? text;
    if (response.ok) return text ? answer : null;
    if (typeof answer.detail !== "string") throw new MockError(`${method} ${url}: answered ${response.status}`);
    throw new MockError([`${method} /_mock${path}: ${answer.detail}`, ...violations(answer.errors)].join("\n"));
  }

  /**
   * Replaces all stored documents. A contract of several resources has a table for each; the other tables stay.
   * @param {object[]} documents @param {{table?: string}} [options] @returns {Promise<any[]>}
   */
  async seed(documents, { table } = {}) {
    if (table === undefined) {
      const stored = await this.control("PUT", "/state", documents).catch(async (error) => {
        documentsOf(await this.control("GET", "/state")); // throws where `table` is missing
        throw error;
      });
      return documentsOf(stored);
    }
    const state = await this.control("GET", "/state");
    documentsOf(state, table);
    return documentsOf(await this.control("PUT", "/state", { ...state, [table]: documents }), table);
  }
  /**
   * The stored documents, oldest first; a contract of several resources needs `table`.
   * @param {{table?: string}} [options] @returns {Promise<any[]>}
   */
  async state({ table } = {}) {
    return documentsOf(await this.control("GET", "/state"), table);
  }
  /**
   * A valid request body: the contract's example, with these members changed. Where the contract has several
   * resources, it creates one of `table`, or of the first.
   * @param {object} [changes] @param {{table?: string}} [options]
   */
  configuration(changes = {}, { table } = {}) {
    const query = table === undefined ? "" : `?table=${encodeURIComponent(table)}`;
    return this.control("POST", `/configuration${query}`, changes);
  }
  /** Loads state, rules, clock and ids. @param {Scenario} scenario */
  load(scenario) {
    return this.control("PUT", "/scenario", scenario);
  }
  /** Saves the stored documents, for `restore` and `fork`. @param {string} name */
  snapshot(name) {
    return this.control("PUT", `/snapshots/${name}`);
  }
  /** @param {string} name */
  restore(name) {
    return this.control("POST", `/snapshots/${name}/restore`);
  }
  /** A second session with the documents of this one, or of a snapshot. @param {string} [snapshot] @returns {Promise<Mock>} */
  async fork(snapshot) {
    const name = `${this.session.slice(0, 90)}-${crypto.randomUUID()}`;
    await this.control("POST", "/sessions", { name, snapshot });
    const fork = new Mock(this.#root + this.#basePath, name, this.#token, this.strict);
    this.#forks.push(fork);
    return fork;
  }
  /** Sets the ids of the next created resources. @param {string[]} next @param {{seed?: number}} [options] */
  ids(next, { seed } = {}) {
    return this.control("PUT", "/ids", { next, seed });
  }

  /**
   * The matching requests with a response, oldest first, after the request with the number `after`.
   * @param {Match} [match] @param {{after?: number}} [options] @returns {Promise<Recorded[]>}
   */
  async requests(match = {}, { after = 0 } = {}) {
    return (await this.#find(match, { after })).requests.map(recorded);
  }
  /**
   * The matching requests, as soon as there are `atLeast` of them. Throws after `timeout` seconds.
   * @param {Match} [match] @param {{atLeast?: number, timeout?: number, after?: number}} [options] Seconds.
   * @returns {Promise<Recorded[]>}
   */
  async waitFor(match = {}, { atLeast = 1, timeout = 5, after = 0 } = {}) {
    const found = await this.#find(match, { at_least: atLeast, timeout, after });
    if (found.met) return found.requests.map(recorded);
    const came = `${found.count} of ${atLeast} requests came in ${timeout} s that match ${JSON.stringify(match)}`;
    throw new Error([came, ...nearMisses(found)].join("\n"));
  }
  /** Lets `check` fail unless the number of matching requests is `times`. @param {Match} match @param {{times?: number}} [options] */
  expect(match, { times = 1 } = {}) {
    this.#expected.push([times, match]);
  }
  /** Throws for expectations that were not met; when strict, also for each request that broke the contract. */
  async check() {
    const failures = await this.failures();
    if (failures.length) throw new Error(failures.join("\n"));
  }
  /** The failures that `check` throws, a line for each. @returns {Promise<string[]>} */
  async failures() {
    const broken = this.strict ? await this.requests({ valid: false }) : [];
    const lines = broken.map((request) => `a request broke the contract: ${line(request)}`);
    for (const [times, match] of this.#expected) {
      const found = await this.#find(match, { at_least: Math.max(times, 1) });
      if (found.count === times) continue;
      lines.push(`expected ${times} requests that match ${JSON.stringify(match)}, and ${found.count} came`);
      lines.push(...found.requests.map((/** @type {any} */ each) => `  ${line(recorded(each))}`), ...nearMisses(found));
    }
    for (const fork of this.#forks) lines.push(...(await fork.failures()));
    return lines;
  }
  /** The requests so far, a line for each. @returns {Promise<string>} */
  async journal() {
    /** @type {any[]} */
    const entries = await this.control("GET", "/requests");
    return entries.map((entry) => line(recorded(entry))).join("\n");
  }
  /** Deletes the session and its forks. */
  async end() {
    for (const fork of this.#forks) await fork.end();
    await this.control("DELETE", `/sessions/${this.session}`).catch(() => {}); // it may be gone already
  }

  /** @param {Match} match @param {object} options @returns {Promise<any>} */
  #find(match, options) {
    return this.control("POST", "/requests/find", { match, limit: 100_000, ...options });
  }
}

/** @param {any} entry @returns {Recorded} */
function recorded({ number, operation, rule, request, response, findings }) {
  return {
    number,
    operation,
    method: request.method,
    url: request.url,
    headers: new Headers(request.headers),
    body: request.body,
    json: json(request.body),
    status: response.status,
    answerHeaders: new Headers(response.headers),
    answer: json(response.body),
    rule,
    findings,
  };
}

/**
 * The documents of one table, or all of them where the contract has one resource.
 * @param {any} state @param {string} [table] @returns {any[]}
 */
function documentsOf(state, table) {
  if (table === undefined && Array.isArray(state)) return state;
  const tables = Array.isArray(state) ? [] : Object.keys(state);
  if (table === undefined || !tables.includes(table))
    throw new MockError(`table must be ${tables.join(" or ") || "left out"}, not ${table}`);
  return state[table];
}

/** @param {string | null} text @returns {any} */
function json(text) {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** @param {Recorded} request */
function line({ method, url, status, findings }) {
  const { pathname, search } = new URL(url);
  return [method, pathname + search, status ?? "no answer", violations(findings).join("; ")].filter(Boolean).join(" ");
}

/** @param {Violation[]} [found] */
function violations(found = []) {
  return found.map(({ in: place, pointer, name, detail }) => `${pointer || name || place} ${detail}`);
}

/** @param {{near_misses: any[]}} found @returns {string[]} */
function nearMisses({ near_misses }) {
  return near_misses.flatMap(({ request, mismatches }) => [
    `  near: ${line(recorded(request))}`,
    ...mismatches.map((/** @type {any} */ each) => `    ${each.in} ${each.pointer} ${each.detail}`),
  ]);
}
