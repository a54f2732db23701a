"""A conversation in the types of openapi-python-client."""

import sys

from generated.api.configurations import create_configuration, list_configurations, update_configuration
from generated.client import Client
from generated.models import (
    CallExecutionConfig,
    CallExecutionConfigCreate,
    CallExecutionConfigUpdate,
    CallingProvider,
    PreCheckInput,
    Problem,
)
from sample import SAMPLE

client = Client(base_url=sys.argv[1])
sample = CallExecutionConfigCreate(
    reseller_id="res_001",
    template="tpl_client",
    initial_offset=0,
    retry_offset=3600,
    call_start_time="09:00",
    call_end_time="21:00",
    max_retry=3,
    calling_provider=CallingProvider.TWILIO,
    merchant_id=None,
    telephony_config=None,
    pre_checks=[PreCheckInput.from_dict(SAMPLE["pre_checks"][0])],
)

stored = create_configuration.sync(client=client, body=sample)
assert isinstance(stored, CallExecutionConfig)
max_calls: int | None = stored.rate_limit_max_calls
assert (stored.enable_calling, max_calls) == (True, None)

listed = list_configurations.sync(client=client, template="tpl_client")
assert isinstance(listed, list)
(read,) = listed
assert read.to_dict() == stored.to_dict()

changed = CallExecutionConfigUpdate.from_dict({**read.to_dict(), "max_retry": 5})
replaced = update_configuration.sync(read.id, client=client, body=changed)
assert isinstance(replaced, CallExecutionConfig)
assert replaced.max_retry == 5
back = CallExecutionConfigUpdate.from_dict(read.to_dict())
assert update_configuration.sync_detailed(read.id, client=client, body=back).status_code == 200

wrong = CallExecutionConfigCreate.from_dict({**sample.to_dict(), "max_retry": -1})
invalid = create_configuration.sync(client=client, body=wrong)
assert isinstance(invalid, Problem)
assert isinstance(invalid.errors, list)
assert (invalid.status, invalid.errors[0].pointer) == (400, "/max_retry")
unknown = update_configuration.sync("unknown", client=client, body=back)
assert isinstance(unknown, Problem)
assert unknown.status == 404, unknown
twice = create_configuration.sync(client=client, body=sample)
assert isinstance(twice, Problem)
assert twice.status == 409
