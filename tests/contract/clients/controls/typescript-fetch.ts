import { ClockApi, Configuration, RequestsApi, RulesApi, ScenariosApi } from "./generated";
import { SessionsApi, StateApi } from "./generated";
import type { CallExecutionConfigUpdate, Entry, NewRule, Problem, Rule } from "./generated";
import { expect, problemOf } from "./expected";

const outage: NewRule = {
  match: { operation: "createConfiguration", headers: { Authorization: { $absent: true } } },
  answers: [503, { status: 503, headers: [{ name: "Retry-After", value: "7" }] }],
};
const sample: CallExecutionConfigUpdate = {
  resellerId: "res_001",
  template: "tpl_client",
  initialOffset: 0,
  retryOffset: 3600,
  callStartTime: "09:00",
  callEndTime: "21:00",
  maxRetry: 5,
  callingProvider: "TWILIO",
};

export async function converse(basePath: string): Promise<void> {
  const configuration = new Configuration({ basePath });
  const rules = new RulesApi(configuration);
  const requests = new RequestsApi(configuration);

  const now = new Date("2025-01-15T10:30:00Z");
  const clock = await new ClockApi(configuration).setClock({ newClock: { now } });
  expect([clock.now, clock.frozen], [now, true]);
  const made = await new ScenariosApi(configuration).makeConfiguration({ requestBody: { max_retry: 5 } });
  expect(made.max_retry, 5);
  const [stored] = await new StateApi(configuration).replaceState({ callExecutionConfigUpdate: [sample] });
  expect([stored.createdAt, stored.maxRetry], [now, 5]);

  const id: string = (await rules.createRule({ newRule: outage })).id;
  const [rule]: Rule[] = await rules.listRules();
  expect([rule.id, rule.matched, rule.answers], [id, 0, outage.answers]);
  expect(rule.match!.headers, outage.match!.headers);

  await fetch(new URL("/configurations?template=", basePath));
  const [entry]: Entry[] = await requests.listRequests({ valid: false });
  const body: string | null = entry.request.body;
  expect([entry.response.status, entry.findings[0].name, body], [400, "template", null]);
  const found = await requests.findRequests({ search: { match: { query: { template: "tpl_other" } } } });
  expect([found.met, found.nearMisses[0].mismatches[0]._in], [false, "query"]);
  const text: string = await requests.exportNdjson();
  expect(JSON.parse(text).number, entry.number);

  expect((await problemOf<Problem>(rules.createRule({ newRule: { answer: 418 } }))).status, 409);
  expect((await problemOf<Problem>(rules.deleteRule({ rule: id, xMockSession: "other" }))).status, 404);
  await new SessionsApi(configuration).deleteSession({ session: "default" });
  expect(await rules.listRules(), []);
}
