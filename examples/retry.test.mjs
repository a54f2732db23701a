// A client tries again when the service is away for a moment: the test in JavaScript, with Node.js alone.
//
//     callconfig serve --store :memory: &
//     node --test retry.test.mjs

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";

const url = process.env.CALLCONFIG_URL ?? "http://127.0.0.1:8080";
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

// Your client, here in a few lines.
async function create(headers) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${url}/configurations`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(configuration),
    });
    if (response.status !== 503 || attempt === 2) return response.json();
  }
}

test("an outage of a moment is survived", async () => {
  const headers = { "X-Mock-Session": randomUUID(), "Content-Type": "application/json" };
  const control = async (method, path, body) =>
    (await fetch(`${url}/_mock${path}`, { method, headers, body: JSON.stringify(body) })).json();
  await control("POST", "/rules", { match: { operation: "createConfiguration" }, answer: { status: 503 }, times: 1 });

  const created = await create(headers);

  const search = { match: { operation: "createConfiguration" }, at_least: 2, timeout: 5 };
  const { met, requests } = await control("POST", "/requests/find", search);
  assert.ok(met);
  assert.deepEqual(requests.map((each) => each.response.status), [503, 201]);
  assert.deepEqual(JSON.parse(requests[1].request.body), configuration);
  assert.deepEqual(await control("GET", "/state"), [created]);
});
