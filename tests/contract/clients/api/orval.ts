import { createConfiguration, listConfigurations, updateConfiguration } from "./generated";
import type { CallExecutionConfig, CallExecutionConfigCreate, Problem } from "./generated";
import { expect } from "./expected";
import { sample } from "./sample";

export type Sample = CallExecutionConfigCreate;

export async function converse(_baseUrl: string): Promise<void> {
  const created = await createConfiguration(sample);
  if (created.status !== 201) throw new Error(created.data.detail);
  const stored: CallExecutionConfig = created.data;
  const maxCalls: number | null = stored.rate_limit_max_calls;
  expect([stored.enable_calling, maxCalls], [true, null]);

  const listed = await listConfigurations({ template: "tpl_client" });
  if (listed.status !== 200) throw new Error(listed.data.detail);
  const [read]: CallExecutionConfig[] = listed.data;
  expect(read, stored);

  const replaced = await updateConfiguration(read.id, { ...read, max_retry: 5 });
  if (replaced.status !== 200) throw new Error(replaced.data.detail);
  expect(replaced.data.max_retry, 5);
  expect((await updateConfiguration(read.id, read)).status, 200);

  const invalid = await createConfiguration({ ...sample, max_retry: -1 });
  if (invalid.status !== 400) throw new Error("it was accepted");
  const problem: Problem = invalid.data;
  expect([problem.status, problem.errors![0].pointer], [400, "/max_retry"]);
  expect((await updateConfiguration("unknown", sample)).status, 404);
  expect((await createConfiguration(sample)).status, 409);
}
