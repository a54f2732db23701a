import { client } from "./generated/client.gen";
import {
  createRule,
  deleteRule,
  deleteSession,
  exportNdjson,
  findRequests,
  listRequests,
  listRules,
  makeConfiguration,
  replaceState,
  setClock,
} from "./generated/sdk.gen";
import type { CallExecutionConfigUpdate, Entry, NewRule, Problem, Rule } from "./generated/types.gen";
import { expect } from "./expected";
import { sample } from "./sample";

const outage: NewRule = {
  match: { operation: "createConfiguration", headers: { Authorization: { $absent: true } } },
  answers: [503, { status: 503, headers: { "Retry-After": "7" } }],
};
export type Sample = CallExecutionConfigUpdate;

export async function converse(baseUrl: string): Promise<void> {
  client.setConfig({ baseUrl });

  const clock = await setClock({ body: { now: "2025-01-15T10:30:00Z" } });
  expect(clock.data!, { now: "2025-01-15T10:30:00.000000Z", frozen: true });
  const made = await makeConfiguration({ body: { max_retry: 5 } });
  const stored = await replaceState({ body: [{ ...sample, ...made.data }] });
  expect([stored.data![0].created_at, stored.data![0].max_retry], [clock.data!.now, 5]);

  const created = await createRule({ body: outage });
  const id: string = created.data!.id;
  const rules: Rule[] = (await listRules()).data!;
  expect([rules[0].id, rules[0].matched, rules[0].answers![0]], [id, 0, 503]);

  await fetch(new URL("/configurations?template=", baseUrl));
  const broken = await listRequests({ query: { valid: false } });
  const [entry]: Entry[] = broken.data!;
  const body: string | null = entry.request.body;
  expect([entry.response.status, entry.findings[0].name, body], [400, "template", null]);
  const found = await findRequests({ body: { match: { query: { template: "tpl_other" } } } });
  expect([found.data!.met, found.data!.near_misses[0].mismatches[0].in], [false, "query"]);
  const text: string = (await exportNdjson()).data!;
  expect(JSON.parse(text).number, entry.number);

  const undocumented = await createRule({ body: { answer: 418 } });
  const problem: Problem = undocumented.error!;
  expect(problem.status, 409);
  const elsewhere = await deleteRule({ path: { rule: id }, headers: { "X-Mock-Session": "other" } });
  expect(elsewhere.error!.status, 404);
  expect((await deleteSession({ path: { session: "default" } })).response!.status, 204);
  expect((await listRules()).data, []);
}
