// A client retries after a short outage: the test in JavaScript, with Node.js alone.
//
//     callconfig serve --store :memory: &
//     node --test retry.test.mjs

import assert from "node:assert/strict";
import test from "node:test";

const url = process.env.CALLCONFIG_URL ?? "http://127.0.0.1:8080";
const source = await (await fetch(`${url}/_mock/client.mjs`)).text();
const { openSession } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const configuration = {
  reseller_id: "res_001",
  template: "tpl_welcome",
  initial_offset: 0,
  retry_offset: 3600,
  call_start_time: "09:00",
  call_end_time: "21:00",
  max_retry: 3,
  calling_provider: "TWILIO",
};

// A minimal client, in place of yours.
async function create(baseUrl) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${baseUrl}/configurations`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(configuration),
    });
    if (response.status !== 503 || attempt === 2) return response.json();
  }
}

test("the client survives a short outage", async () => {
  const mock = await openSession(url, { strict: true });
  await mock.rules.add({ match: { operation: "createConfiguration" }, answers: [503] });

  const created = await create(mock.baseUrl);

  const requests = await mock.waitFor({ operation: "createConfiguration" }, { atLeast: 2 });
  assert.deepEqual(requests.map((each) => each.status), [503, 201]);
  assert.deepEqual(requests[1].json, configuration);
  assert.deepEqual(await mock.state(), [created]);
  await mock.check();
  await mock.end();
});
