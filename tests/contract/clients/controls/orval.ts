import {
  createRule,
  deleteRule,
  deleteSession,
  findRequests,
  listRequests,
  listRules,
  makeConfiguration,
  replaceState,
  setClock,
} from "./generated";
import type { CallExecutionConfigUpdate, Entry, NewRule, Problem, Rule } from "./generated";
import { expect } from "./expected";
import { sample } from "./sample";

const outage: NewRule = {
  match: { operation: "createConfiguration", headers: { Authorization: { $absent: true } } },
  answers: [503, { status: 503, headers: { "Retry-After": "7" } }],
};
export type Sample = CallExecutionConfigUpdate;

export async function converse(baseUrl: string): Promise<void> {
  const clock = await setClock({ now: "2025-01-15T10:30:00Z" });
  if (clock.status !== 200) throw new Error(clock.data.detail);
  expect(clock.data, { now: "2025-01-15T10:30:00.000000Z", frozen: true });
  const made = await makeConfiguration({ max_retry: 5 });
  if (made.status !== 200) throw new Error(made.data.detail);
  const stored = await replaceState([{ ...sample, ...made.data }]);
  if (stored.status !== 200) throw new Error(stored.data.detail);
  expect([stored.data[0].created_at, stored.data[0].max_retry], [clock.data.now, 5]);

  const created = await createRule(outage);
  if (created.status !== 201) throw new Error(created.data.detail);
  const id: string = created.data.id;
  const listed = await listRules();
  if (listed.status !== 200) throw new Error(listed.data.detail);
  const rules: Rule[] = listed.data;
  expect([rules[0].id, rules[0].matched, rules[0].answers![0]], [id, 0, 503]);

  await fetch(new URL("/configurations?template=", baseUrl));
  const broken = await listRequests({ valid: false });
  if (broken.status !== 200) throw new Error(broken.data.detail);
  const [entry]: Entry[] = broken.data;
  const body: string | null = entry.request.body;
  expect([entry.response.status, entry.findings[0].name, body], [400, "template", null]);
  const found = await findRequests({ match: { query: { template: "tpl_other" } } });
  if (found.status !== 200) throw new Error(found.data.detail);
  expect([found.data.met, found.data.near_misses[0].mismatches[0].in], [false, "query"]);

  const undocumented = await createRule({ answer: 418 });
  if (undocumented.status !== 409) throw new Error("it was accepted");
  const problem: Problem = undocumented.data;
  expect(problem.status, 409);
  expect((await deleteRule(id, { headers: { "X-Mock-Session": "other" } })).status, 404);
  expect((await deleteSession("default")).status, 204);
  expect((await listRules()).data, []);
}
