"""A conversation in the models of datamodel-code-generator, sent with httpx."""

import sys

import httpx
from generated import CallExecutionConfig, CallExecutionConfigCreate, CallExecutionConfigUpdate, Problem
from sample import SAMPLE

http = httpx.Client(base_url=sys.argv[1])


json = {"Content-Type": "application/json"}
sample = CallExecutionConfigCreate.model_validate(SAMPLE)

created = http.post("/configurations", headers=json, content=sample.model_dump_json(exclude_unset=True))
assert created.status_code == 201, created.text
stored = CallExecutionConfig.model_validate_json(created.content)
max_calls: int | None = stored.rate_limit_max_calls
assert (stored.enable_calling, max_calls) == (True, None)

listed = http.get("/configurations", params={"template": "tpl_client"}).json()
(read,) = [CallExecutionConfig.model_validate(each) for each in listed]
assert read == stored

back = CallExecutionConfigUpdate.model_validate_json(read.model_dump_json(exclude_unset=True))
place = f"/configurations/{read.id}"
changed = back.model_copy(update={"max_retry": 5})
replaced = http.put(place, headers=json, content=changed.model_dump_json(exclude_unset=True))
assert CallExecutionConfig.model_validate_json(replaced.content).max_retry == 5
assert http.put(place, headers=json, content=back.model_dump_json(exclude_unset=True)).status_code == 200

wrong = sample.model_copy(update={"max_retry": -1})
invalid = http.post("/configurations", headers=json, content=wrong.model_dump_json(exclude_unset=True))
problem = Problem.model_validate_json(invalid.content)
assert problem.errors is not None
assert (problem.status, problem.errors[0].pointer) == (400, "/max_retry")
unknown = http.put("/configurations/unknown", headers=json, content=back.model_dump_json(exclude={"id"}))
assert Problem.model_validate_json(unknown.content).status == 404, unknown.text
twice = http.post("/configurations", headers=json, content=sample.model_dump_json(exclude_unset=True))
assert Problem.model_validate_json(twice.content).status == 409
