"""A conversation with the controls in the types of openapi-generator's python client."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urljoin

import httpx
from generated import ApiClient, Configuration
from generated.api.clock_api import ClockApi
from generated.api.requests_api import RequestsApi
from generated.api.rules_api import RulesApi
from generated.api.scenarios_api import ScenariosApi
from generated.api.sessions_api import SessionsApi
from generated.api.state_api import StateApi
from generated.exceptions import ApiException
from generated.models.answer import Answer
from generated.models.answer_headers import AnswerHeaders
from generated.models.call_execution_config_update import CallExecutionConfigUpdate
from generated.models.match import Match
from generated.models.match_part import MatchPart
from generated.models.matcher import Matcher
from generated.models.new_clock import NewClock
from generated.models.new_rule import NewRule
from generated.models.problem import Problem
from generated.models.search import Search
from generated.models.status_or_answer import StatusOrAnswer
from generated.models.text_or_matcher import TextOrMatcher

client = ApiClient(Configuration(host=sys.argv[1]))
rules, requests = RulesApi(client), RequestsApi(client)


def refused(call: Callable[[], object]) -> Problem:
    try:
        call()
    except ApiException as error:
        problem = error.data
        assert isinstance(problem, Problem)
        return problem
    raise AssertionError("it was accepted")


now = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
clock = ClockApi(client).set_clock(NewClock(now=now))
assert (clock.now, clock.frozen) == (now, True)
made = ScenariosApi(client).make_configuration({"max_retry": 5})
(stored,) = StateApi(client).replace_state([CallExecutionConfigUpdate.model_validate(made)])
assert (stored.created_at, stored.max_retry) == (now, 5)

without_token = TextOrMatcher(Matcher.model_validate({"$absent": True}))
later = Answer(status=503, headers=AnswerHeaders({"Retry-After": "7"}))
match = Match(operation="createConfiguration", headers={"Authorization": without_token})
created = rules.create_rule(NewRule(match=match, answers=[StatusOrAnswer(503), StatusOrAnswer(later)]))
(rule,) = rules.list_rules()
assert (rule.id, rule.matched) == (created.id, 0)
assert rule.answers is not None
first, second = (answer.actual_instance for answer in rule.answers)
assert isinstance(second, Answer)
assert second.headers is not None
assert (first, second.status, second.headers.actual_instance) == (503, 503, {"Retry-After": "7"})

httpx.get(urljoin(sys.argv[1], "/configurations?template="))
(entry,) = requests.list_requests(valid=False)
body: str | None = entry.request.body
assert (entry.response.status, entry.findings[0].name, body) == (400, "template", None)
found = requests.find_requests(Search(match=Match(query={"template": TextOrMatcher("tpl_other")})))
assert (found.met, found.near_misses[0].mismatches[0].var_in) == (False, MatchPart.QUERY)
assert json.loads(requests.export_ndjson())["number"] == entry.number

assert refused(lambda: rules.create_rule(NewRule(answer=StatusOrAnswer(418)))).status == 409
assert refused(lambda: rules.delete_rule(created.id, x_mock_session="other")).status == 404
SessionsApi(client).delete_session("default")
assert rules.list_rules() == []
