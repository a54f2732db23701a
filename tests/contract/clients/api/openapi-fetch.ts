import createClient from "openapi-fetch";
import type { components, paths } from "./generated";
import { expect } from "./expected";
import { sample } from "./sample";

type Config = components["schemas"]["CallExecutionConfig"];
export type Sample = components["schemas"]["CallExecutionConfigCreate"];

export async function converse(baseUrl: string): Promise<void> {
  const client = createClient<paths>({ baseUrl });

  const created = await client.POST("/configurations", { body: sample });
  expect(created.response.status, 201);
  const stored: Config = created.data!;
  const maxCalls: number | null = stored.rate_limit_max_calls;
  expect([stored.enable_calling, maxCalls], [true, null]);

  const listed = await client.GET("/configurations", { params: { query: { template: "tpl_client" } } });
  const [read]: Config[] = listed.data!;
  expect(read, stored);

  const path = { id: read.id };
  const replaced = await client.PUT("/configurations/{id}", { params: { path }, body: { ...read, max_retry: 5 } });
  expect(replaced.data!.max_retry, 5);
  const back = await client.PUT("/configurations/{id}", { params: { path }, body: read });
  expect(back.response.status, 200);

  const invalid = await client.POST("/configurations", { body: { ...sample, max_retry: -1 } });
  const problem: components["schemas"]["Problem"] = invalid.error!;
  expect([problem.status, problem.errors![0].pointer], [400, "/max_retry"]);
  const unknown = await client.PUT("/configurations/{id}", { params: { path: { id: "unknown" } }, body: sample });
  expect(unknown.error!.status, 404);
  const twice = await client.POST("/configurations", { body: sample });
  expect(twice.error!.status, 409);
}
