"""A conversation in the types of openapi-generator's python client."""

import sys
from collections.abc import Callable

from generated import ApiClient, Configuration
from generated.api.configurations_api import ConfigurationsApi
from generated.exceptions import ApiException
from generated.models.call_execution_config import CallExecutionConfig
from generated.models.call_execution_config_create import CallExecutionConfigCreate
from generated.models.call_execution_config_update import CallExecutionConfigUpdate
from generated.models.problem import Problem
from sample import SAMPLE

api = ConfigurationsApi(ApiClient(Configuration(host=sys.argv[1])))


def refused(call: Callable[[], object]) -> Problem:
    try:
        call()
    except ApiException as error:
        problem = error.data
        assert isinstance(problem, Problem)
        return problem
    raise AssertionError("it was accepted")


sample = CallExecutionConfigCreate.model_validate(SAMPLE)
stored: CallExecutionConfig = api.create_configuration(sample)
max_calls: int | None = stored.rate_limit_max_calls
assert (stored.enable_calling, max_calls) == (True, None)

(read,) = api.list_configurations(template="tpl_client")
assert read == stored

changed = CallExecutionConfigUpdate.model_validate({**read.to_dict(), "max_retry": 5})
assert api.update_configuration(read.id, changed).max_retry == 5
back = CallExecutionConfigUpdate.model_validate(read.to_dict())
assert api.update_configuration(read.id, back).max_retry == 3

wrong = sample.model_copy(update={"template": ""})
invalid = refused(lambda: api.create_configuration(wrong))
assert invalid.errors is not None
assert (invalid.status, invalid.errors[0].pointer) == (400, "/template")
assert refused(lambda: api.update_configuration("unknown", back)).status == 404
assert refused(lambda: api.create_configuration(sample)).status == 409
