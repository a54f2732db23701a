// The client team's tests in JavaScript: Node.js and what the mock serves, nothing else.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

const url = process.env.CALLCONFIG_URL;
const source = await (await fetch(new URL("/_mock/client.mjs", url))).text();
const { absent, anyOf, MockError, openSession, pattern } = await import(
  `data:text/javascript,${encodeURIComponent(source)}`
);

// What the team tests: code of theirs that is given a URL and knows nothing of sessions.
async function create(baseUrl, template, changes = {}) {
  const body = { ...(await mock.configuration({ template })), ...changes };
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${baseUrl}/configurations`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.status !== 503 || attempt === 3) return response;
  }
}

let mock;
beforeEach(async () => {
  mock = await openSession(url, { strict: true });
});
afterEach(() => mock.end());

test("a sequence is answered forwards, and is used up by what it answered", async () => {
  await mock.rules.add({ match: { operation: "createConfiguration" }, answers: [503, { status: 503 }] });
  assert.equal((await create(mock.baseUrl, "a", { max_retry: -1 })).status, 400);
  assert.equal((await create(mock.baseUrl, "a")).status, 201);
  const [rule] = await mock.rules.all();
  assert.deepEqual([rule.matched, rule.answered], [3, 2]);
  assert.deepEqual((await mock.requests()).map((request) => request.status), [400, 503, 503, 201]);
  await mock.rules.delete(rule.id);
  await mock.rules.clear();
});

test("requests are matched by what is absent, any of several or of a pattern", async () => {
  await create(mock.baseUrl, "tpl_a");
  const match = {
    headers: { Authorization: absent },
    body: { template: pattern(/^tpl_/), calling_provider: anyOf("TWILIO", "PLIVO", "EXOTEL") },
  };
  const [request] = await mock.waitFor(match);
  assert.equal(request.headers.get("Content-Type"), "application/json");
  assert.equal(request.json.template, request.answer.template);
  await assert.rejects(mock.waitFor({ body: { template: "b" } }, { timeout: 0.01 }), /must be one of "b", not "tpl_a"/);
});

test("what happens in the background is waited for", async () => {
  setTimeout(() => create(mock.baseUrl, "late"), 50);
  const [request] = await mock.waitFor({ operation: "createConfiguration" }, { timeout: 20 });
  assert.deepEqual(await mock.requests({}, { after: request.number }), []);
});

test("state, time and ids are foreseen", async () => {
  await mock.clock.freeze("2025-01-15T10:30:00Z");
  await mock.ids(["cfg_one"], { seed: 7 });
  const response = await create(mock.baseUrl, "one");
  assert.equal(response.headers.get("Location"), `/_mock/in/${mock.session}/configurations/cfg_one`);
  await mock.snapshot("one");
  await mock.clock.advance(60);
  assert.match(await mock.clock.now(), /10:31:00/);
  await mock.clock.set("2030-01-01T00:00:00Z");
  await mock.clock.release();
  await mock.seed([]);
  assert.deepEqual(await mock.state(), []);
  await mock.restore("one");
  assert.equal((await (await mock.fork()).state())[0].created_at, "2025-01-15T10:30:00.000000Z");
  await mock.load({ state: [], rules: [{ answer: 503 }] });
  assert.equal((await fetch(`${mock.baseUrl}/configurations`)).status, 503);
});

test("a check tells what broke the contract, and what was expected and did not come", async () => {
  mock.expect({ operation: "updateConfiguration" });
  mock.expect({ operation: "createConfiguration" });
  await create(mock.baseUrl, "a");
  await fetch(`${mock.baseUrl}/configuration`);
  const failures = (await mock.failures()).join("\n");
  assert.match(failures, /broke the contract: GET \/configuration 404 .* did you mean "\/configurations"/);
  assert.match(failures, /expected 1 requests that match \{"operation":"updateConfiguration"\}, and 0 came/);
  assert.doesNotMatch(failures, /"createConfiguration"\}/);
  await assert.rejects(mock.check(), /broke the contract/);
  assert.match(await mock.journal(), /^POST \/configurations 201\nGET \/configuration 404/);
});

test("a refusal has its reasons, and a mock that is not there its URL", async () => {
  const refused = mock.rules.add({ match: { operation: "createConfiguration" }, answer: 418 });
  await assert.rejects(refused, (error) => error instanceof MockError && /no response 418; it has 201/.test(error.message));
  await assert.rejects(mock.configuration({ max_retrys: 3 }), /did you mean "max_retry"/);
  await assert.rejects(openSession("http://127.0.0.1:9"), /http:\/\/127.0.0.1:9\/_mock\/scenario: the mock does not respond/);
});
