import { Configuration, ConfigurationsApi } from "./generated";
import type { CallExecutionConfig, CallExecutionConfigCreate, Problem } from "./generated";
import { expect, problemOf } from "./expected";

const sample: CallExecutionConfigCreate = {
  resellerId: "res_001",
  template: "tpl_client",
  initialOffset: 0,
  retryOffset: 3600,
  callStartTime: "09:00",
  callEndTime: "21:00",
  maxRetry: 3,
  callingProvider: "TWILIO",
  merchantId: null,
  telephonyConfig: null,
  preChecks: [
    {
      name: "dnd_check",
      type: "external_api",
      httpRequest: { url: "https://dnd.example.com", body: { any: [1, null, { deep: "value" }] } },
      responseConfig: { responseField: "allowed", responseFieldValue: [true, null, 1.5] },
    },
  ],
};

export async function converse(basePath: string): Promise<void> {
  const api = new ConfigurationsApi(new Configuration({ basePath }));

  const stored: CallExecutionConfig = await api.createConfiguration({ callExecutionConfigCreate: sample });
  const maxCalls: number | null = stored.rateLimitMaxCalls;
  expect([stored.enableCalling, maxCalls], [true, null]);

  const [read] = await api.listConfigurations({ template: "tpl_client" });
  expect(read, stored);

  const changed = { ...read, maxRetry: 5 };
  const replaced = await api.updateConfiguration({ id: read.id, callExecutionConfigUpdate: changed });
  expect(replaced.maxRetry, 5);
  await api.updateConfiguration({ id: read.id, callExecutionConfigUpdate: read });

  const invalid = await problemOf<Problem>(api.createConfiguration({ callExecutionConfigCreate: { ...sample, maxRetry: -1 } }));
  expect([invalid.status, invalid.errors![0].pointer], [400, "/max_retry"]);
  const unknown = await problemOf<Problem>(api.updateConfiguration({ id: "unknown", callExecutionConfigUpdate: sample }));
  expect(unknown.status, 404);
  const twice = await problemOf<Problem>(api.createConfiguration({ callExecutionConfigCreate: sample }));
  expect(twice.status, 409);
}
