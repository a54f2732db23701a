"""A conversation with the controls in the types of openapi-python-client."""

import json
import sys
from datetime import UTC, datetime
from urllib.parse import urljoin

import httpx
from generated.api.clock import set_clock
from generated.api.requests import export_ndjson, find_requests, list_requests
from generated.api.rules import create_rule, delete_rule, list_rules
from generated.api.scenarios import make_configuration
from generated.api.sessions import delete_session
from generated.api.state import replace_state
from generated.client import Client
from generated.models import (
    Answer,
    CallExecutionConfigUpdate,
    Changes,
    Clock,
    Found,
    Match,
    MatchHeaders,
    Matcher,
    MatchPart,
    MatchQuery,
    NewClock,
    NewConfiguration,
    NewRule,
    Problem,
    Rule,
    Search,
)

client = Client(base_url=sys.argv[1])

now = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
clock = set_clock.sync(client=client, body=NewClock(now=now))
assert isinstance(clock, Clock)
assert (clock.now, clock.frozen) == (now, True)
made = make_configuration.sync(client=client, body=Changes.from_dict({"max_retry": 5}))
assert isinstance(made, NewConfiguration)
state = replace_state.sync(client=client, body=[CallExecutionConfigUpdate.from_dict(made.to_dict())])
assert isinstance(state, list)
assert (state[0].created_at, state[0].max_retry) == (now, 5)

without_token = MatchHeaders.from_dict({"Authorization": Matcher(absent=True).to_dict()})
outage = NewRule(match=Match(operation="createConfiguration", headers=without_token), answers=[503, Answer(status=503)])
created = create_rule.sync(client=client, body=outage)
assert isinstance(created, Rule)
rules = list_rules.sync(client=client)
assert isinstance(rules, list)
assert (rules[0].id, rules[0].matched, rules[0].answers) == (created.id, 0, outage.answers)

httpx.get(urljoin(sys.argv[1], "/configurations?template="))
entries = list_requests.sync(client=client, valid=False)
assert isinstance(entries, list)
body: str | None = entries[0].request.body
assert (entries[0].response.status, entries[0].findings[0].name, body) == (400, "template", None)
other = Search(match=Match(query=MatchQuery.from_dict({"template": "tpl_other"})))
found = find_requests.sync(client=client, body=other)
assert isinstance(found, Found)
assert (found.met, found.near_misses[0].mismatches[0].in_) == (False, MatchPart.QUERY)
text = export_ndjson.sync(client=client)
assert isinstance(text, str)
assert json.loads(text)["number"] == entries[0].number

undocumented = create_rule.sync(client=client, body=NewRule(answer=418))
assert isinstance(undocumented, Problem)
assert undocumented.status == 409
elsewhere = delete_rule.sync(created.id, client=client, x_mock_session="other")
assert isinstance(elsewhere, Problem)
assert elsewhere.status == 404
assert delete_session.sync_detailed("default", client=client).status_code == 204
assert list_rules.sync(client=client) == []
