"""A conversation with the controls in the models of datamodel-code-generator, sent with httpx."""

import sys
from datetime import UTC, datetime

import httpx
from generated import Answer, CallExecutionConfig, CallExecutionConfigUpdate, Clock, Entry, Found, Match, MatchPart
from generated import NewClock, NewRule, Problem, Rule, Search
from pydantic import BaseModel

http = httpx.Client(base_url=f"{sys.argv[1]}/")


def send(method: str, path: str, body: BaseModel) -> httpx.Response:
    content = body.model_dump_json(exclude_unset=True, by_alias=True)
    return http.request(method, path, headers={"Content-Type": "application/json"}, content=content)


now = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
clock = Clock.model_validate_json(send("PUT", "clock", NewClock(now=now)).content)
assert (clock.now, clock.frozen) == (now, True)
made = http.post("configuration", json={"max_retry": 5})
update = CallExecutionConfigUpdate.model_validate_json(made.content)
state = http.put("state", json=[update.model_dump(mode="json", exclude_unset=True)])
stored = CallExecutionConfig.model_validate(state.json()[0])
assert (stored.created_at, stored.max_retry) == (now, 5)

match = Match.model_validate({"operation": "createConfiguration", "headers": {"Authorization": {"$absent": True}}})
outage = NewRule(match=match, answers=[503, Answer(status=503, headers={"Retry-After": "7"})])
created = Rule.model_validate_json(send("POST", "rules", outage).content)
(rule,) = [Rule.model_validate(each) for each in http.get("rules").json()]
name: str = rule.id
assert (name, rule.matched, rule.answers) == (created.id, 0, outage.answers)

httpx.get(str(http.base_url.join("/configurations?template=")))
(entry,) = [Entry.model_validate(each) for each in http.get("requests", params={"valid": "false"}).json()]
body: str | None = entry.request.body
assert (entry.response.status, entry.findings[0].name, body) == (400, "template", None)
other = Search(match=Match(query={"template": "tpl_other"}))
found = Found.model_validate_json(send("POST", "requests/find", other).content)
assert (found.met, found.near_misses[0].mismatches[0].in_) == (False, MatchPart.query)
assert Entry.model_validate_json(http.get("requests.ndjson").content) == entry

undocumented = send("POST", "rules", NewRule(answer=418))
assert Problem.model_validate_json(undocumented.content).status == 409
elsewhere = http.delete(f"rules/{name}", headers={"X-Mock-Session": "other"})
assert Problem.model_validate_json(elsewhere.content).status == 404
assert http.delete("sessions/default").status_code == 204
assert http.get("rules").json() == []
