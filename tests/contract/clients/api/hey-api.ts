import { client } from "./generated/client.gen";
import { createConfiguration, listConfigurations, updateConfiguration } from "./generated/sdk.gen";
import type { CallExecutionConfig, CallExecutionConfigCreate, Problem } from "./generated/types.gen";
import { expect } from "./expected";
import { sample } from "./sample";

export type Sample = CallExecutionConfigCreate;

export async function converse(baseUrl: string): Promise<void> {
  client.setConfig({ baseUrl });

  const created = await createConfiguration({ body: sample });
  const stored: CallExecutionConfig = created.data!;
  const maxCalls: number | null = stored.rate_limit_max_calls;
  expect([created.response!.status, stored.enable_calling, maxCalls], [201, true, null]);

  const listed = await listConfigurations({ query: { template: "tpl_client" } });
  const [read]: CallExecutionConfig[] = listed.data!;
  expect(read, stored);

  const path = { id: read.id };
  const replaced = await updateConfiguration({ path, body: { ...read, max_retry: 5 } });
  expect(replaced.data!.max_retry, 5);
  const back = await updateConfiguration({ path, body: read });
  expect(back.response!.status, 200);

  const invalid = await createConfiguration({ body: { ...sample, max_retry: -1 } });
  const problem: Problem = invalid.error!;
  expect([problem.status, problem.errors![0].pointer], [400, "/max_retry"]);
  const unknown = await updateConfiguration({ path: { id: "unknown" }, body: sample });
  expect(unknown.error!.status, 404);
  const twice = await createConfiguration({ body: sample });
  expect(twice.error!.status, 409);
}
