// A configuration, in the type that the conversation says its client has for it.
import type { Sample } from "./conversation";

export const sample: Sample = {
  reseller_id: "res_001",
  template: "tpl_client",
  initial_offset: 0,
  retry_offset: 3600,
  call_start_time: "09:00",
  call_end_time: "21:00",
  max_retry: 3,
  calling_provider: "TWILIO",
  merchant_id: null,
  telephony_config: null,
  pre_checks: [
    {
      name: "dnd_check",
      type: "external_api",
      http_request: { url: "https://dnd.example.com", body: { any: [1, null, { deep: "value" }] } },
      response_config: { response_field: "allowed", response_field_value: [true, null, 1.5] },
    },
  ],
};
