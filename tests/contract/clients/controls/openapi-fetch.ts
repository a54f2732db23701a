import createClient from "openapi-fetch";
import type { components, paths } from "./generated";
import { expect } from "./expected";
import { sample } from "./sample";

type Entry = components["schemas"]["Entry"];
export type Sample = components["schemas"]["CallExecutionConfigUpdate"];
type Rule = components["schemas"]["Rule"];
const outage: components["schemas"]["NewRule"] = {
  match: { operation: "createConfiguration", headers: { Authorization: { $absent: true } } },
  answers: [503, { status: 503, headers: { "Retry-After": "7" } }],
};

export async function converse(baseUrl: string): Promise<void> {
  const client = createClient<paths>({ baseUrl });

  const clock = await client.PUT("/clock", { body: { now: "2025-01-15T10:30:00Z" } });
  expect(clock.data!, { now: "2025-01-15T10:30:00.000000Z", frozen: true });
  const made = await client.POST("/configuration", { body: { max_retry: 5 } });
  const stored = await client.PUT("/state", { body: [{ ...sample, ...made.data }] });
  expect([stored.data![0].created_at, stored.data![0].max_retry], [clock.data!.now, 5]);

  const created = await client.POST("/rules", { body: outage });
  const id: string = created.data!.id;
  const rules: Rule[] = (await client.GET("/rules")).data!;
  expect([rules[0].id, rules[0].matched, rules[0].answers![0]], [id, 0, 503]);

  await fetch(new URL("/configurations?template=", baseUrl));
  const broken = await client.GET("/requests", { params: { query: { valid: false } } });
  const [entry]: Entry[] = broken.data!;
  const body: string | null = entry.request.body;
  expect([entry.response.status, entry.findings[0].name, body], [400, "template", null]);
  const found = await client.POST("/requests/find", { body: { match: { query: { template: "tpl_other" } } } });
  expect([found.data!.met, found.data!.near_misses[0].mismatches[0].in], [false, "query"]);
  const text = await client.GET("/requests.ndjson", { parseAs: "text" });
  expect(JSON.parse(text.data!).number, entry.number);

  const undocumented = await client.POST("/rules", { body: { answer: 418 } });
  const problem: components["schemas"]["Problem"] = undocumented.error!;
  expect(problem.status, 409);
  const params = { header: { "X-Mock-Session": "other" }, path: { rule: id } };
  expect((await client.DELETE("/rules/{rule}", { params })).error!.status, 404);
  expect((await client.DELETE("/sessions/{session}", { params: { path: { session: "default" } } })).error, undefined);
  expect((await client.GET("/rules")).data, []);
}
