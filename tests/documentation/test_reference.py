"""The reference tells everything that the published page tells, and everything that the contract has."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.contract.rulebook import ENGINE_RULES, RULES
from callconfig.controls.bundle import load_controls
from callconfig.documentation.facts import Facts
from callconfig.documentation.page import render_markdown, render_page
from callconfig.documentation.served import Page
from callconfig.documentation.snippets import LOCAL_MOCK
from callconfig.documentation.violations import violation

Reading = Any  # of conftest.py

# The facts of the published page, in our own words where it has words.
PUBLISHED_OPERATIONS = {
    "createConfiguration": "POST /configurations",
    "listConfigurations": "GET /configurations",
    "updateConfiguration": "PUT /configurations/{id}",
}
PUBLISHED_PARAMETERS = {
    "listConfigurations.query.reseller_id": ["string", "Only configurations of this reseller."],
    "listConfigurations.query.template": ["string", "Only configurations for this template."],
    "updateConfiguration.path.id": ["string"],
}
PUBLISHED_STATUSES = {
    "400": ["Bad Request", "breaks the contract"],
    "404": ["Not Found", "No configuration has the id"],
    "409": ["Conflict", "Another configuration already has this combination of reseller and template."],
}
PUBLISHED_SUBJECTS = [
    "scheduling windows", "retries", "rate limits", "provider", "inbound rules", "checks before a call", "one reseller",
    "one template", "Create a configuration", "List configurations", "Update a configuration",
]  # fmt: skip
PUBLISHED_MEMBERS = [
    "id", "reseller_id", "template", "merchant_id", "initial_offset", "retry_offset", "call_start_time",
    "call_end_time", "max_retry", "calling_provider", "enable_calling", "enable_international_call", "enable_inbound",
    "inbound_call_start_time", "inbound_call_end_time", "inbound_call_timezone", "inbound_block_action",
    "inbound_redirect_number", "inbound_block_message", "enforce_blacklist", "rate_limit_enabled",
    "rate_limit_max_calls", "rate_limit_window_seconds", "rate_limit_whitelist", "pre_checks", "created_at",
]  # fmt: skip
PUBLISHED_PRE_CHECK_MEMBERS = ["name", "type", "enabled", "default_on_failure"]
PUBLISHED_SAMPLES: list[dict[str, Any]] = [
    {
        "reseller_id": "res_001", "template": "tpl_xyz789", "merchant_id": "mer_abc", "initial_offset": 0,
        "retry_offset": 3600, "call_start_time": "09:00", "call_end_time": "21:00", "max_retry": 3,
        "calling_provider": "TWILIO", "enable_calling": True, "enable_international_call": False,
        "enable_inbound": False, "enforce_blacklist": True, "rate_limit_enabled": True, "rate_limit_max_calls": 100,
        "rate_limit_window_seconds": 60, "rate_limit_whitelist": [], "pre_checks": [],
    },
    {
        "id": "cfg_abc123", "reseller_id": "res_001", "template": "tpl_xyz789", "merchant_id": "mer_abc",
        "calling_provider": "TWILIO", "enable_calling": True, "created_at": "2025-01-15T10:30:00Z",
    },
    {
        "id": "cfg_abc123", "reseller_id": "res_001", "template": "tpl_xyz789", "merchant_id": "mer_abc",
        "initial_offset": 0, "retry_offset": 1800, "call_start_time": "10:00", "call_end_time": "20:00",
        "max_retry": 5, "calling_provider": "TWILIO", "enable_calling": True, "enable_international_call": False,
        "enable_inbound": True, "inbound_call_start_time": "09:00", "inbound_call_end_time": "22:00",
        "inbound_call_timezone": "Asia/Kolkata",
        "inbound_block_action": "REDIRECT", "inbound_redirect_number": "+919999999999",
        "inbound_block_message": "We are currently closed. Redirecting you to support.", "enforce_blacklist": True,
        "rate_limit_enabled": True, "rate_limit_max_calls": 200, "rate_limit_window_seconds": 60,
        "rate_limit_whitelist": ["+911234567890"],
        "pre_checks": [
            {"name": "dnd_check", "type": "external_api", "enabled": True, "default_on_failure": "proceed"}
        ],
    },
]  # fmt: skip


def test_the_published_operations_and_parameters_are_there(page: Reading, markdown: str) -> None:
    for operation, route in PUBLISHED_OPERATIONS.items():
        assert route in page.places[operation]
        assert f"`{route}`" in markdown
    for parameter, facts in PUBLISHED_PARAMETERS.items():
        assert [fact for fact in facts if fact not in page.places[parameter]] == []
        assert [fact for fact in facts if fact not in _row(markdown, parameter.rpartition(".")[2])] == []


def test_the_published_subjects_are_there(page: Reading, markdown: str) -> None:
    flat = " ".join(markdown.replace("**", "").split())
    for subject in PUBLISHED_SUBJECTS:
        assert subject in page.text
        assert subject in flat


def test_the_published_statuses_have_their_meaning_and_their_cause(page: Reading, markdown: str) -> None:
    table = page.places["errors"]
    for status, facts in PUBLISHED_STATUSES.items():
        assert status in table
        for fact in facts:
            assert fact in table
            assert re.search(rf"^\| {status} \|.*{re.escape(fact)}", markdown, re.MULTILINE)


def test_the_published_members_are_there(page: Reading, markdown: str) -> None:
    places = [f"CallExecutionConfig.{name}" for name in PUBLISHED_MEMBERS]
    places += [f"PreCheck.{name}" for name in PUBLISHED_PRE_CHECK_MEMBERS]
    assert [place for place in places if place not in page.places] == []
    assert [place for place in places if not page.places[place].startswith(place.partition(".")[2])] == []
    assert [place for place in places if f"| `{place.partition('.')[2]}` |" not in markdown] == []


def test_the_published_samples_are_there(page: Reading, markdown: str) -> None:
    for sample in PUBLISHED_SAMPLES:
        text = json.dumps(sample, indent=2)
        assert any(text in code for code in page.code)
        assert text in markdown


def test_a_body_that_only_requests_have_says_what_is_required(contract: Contract, read: Any) -> None:
    page: Reading = read(render_page(Facts(load_controls(contract), {})).html)
    assert "name string required" in page.places["forkSession"]


def test_the_command_that_starts_a_mock_is_told_where_it_starts_this_one(contract: Contract) -> None:
    other = Contract.load(Path(__file__).parents[1] / "support" / "contracts" / "shops.yaml")
    told = [
        "uv run callconfig serve" in render_markdown(Facts(load_controls(mocked), {}, mocked=mocked))
        for mocked in (contract, other)
    ]
    assert told == [True, False]


@pytest.mark.parametrize(
    ("member", "facts"),
    [
        ("CallExecutionConfig.id", ["string", "read-only"]),
        ("CallExecutionConfig.reseller_id", ["string", "required on create and update", "1 to 255"]),
        ("CallExecutionConfig.retry_offset", ["integer (int32)", "required", "at least 0", "seconds"]),
        ("CallExecutionConfig.calling_provider", ['"TWILIO", "EXOTEL", "PLIVO"', "India and South-East Asia"]),
        ("CallExecutionConfig.enable_calling", ["boolean", "optional", "Default true"]),
        ("CallExecutionConfig.inbound_call_timezone", ["IANA", "Nullable", "Default null", "at most 64"]),
        ("CallExecutionConfig.rate_limit_window_seconds", ["Default 1800", "at least 1", "seconds"]),
        ("CallExecutionConfig.rate_limit_whitelist", ["array of string", "Default []", "at most 1,000", "Unique"]),
        ("PreCheck.http_request.timeout", ["Default 10", "1 to 30", "seconds"]),
        ("PreCheck.http_request.headers", ["map of string", "Nullable"]),
        ("ResponseConfig.response_field_value", ["required", "any JSON value"]),
        ("TelephonyConfig.auth_token", ["Write-only", "never returned"]),
    ],
)
def test_a_member_has_its_facts(page: Reading, markdown: str, member: str, facts: list[str]) -> None:
    row = _row(markdown, member.rpartition(".")[2]).replace("`", "")
    assert [fact for fact in facts if fact not in page.places[member]] == []
    assert [fact for fact in facts if fact not in row] == []


def test_everything_that_the_contract_has_is_documented(contract: Contract, page: Reading, markdown: str) -> None:
    document = contract.document
    operations = [path_item[method]["operationId"] for path_item in document["paths"].values() for method in path_item]
    schemas = document["components"]["schemas"]
    members = [
        f"{name}.{member}"
        for name in ("CallExecutionConfig", "PreCheck", "Problem")
        for member in schemas[name]["properties"]
    ]
    rules = [f"rule-{part['x-rule']['id']}" for part in schemas["CallExecutionConfig"]["not"]["anyOf"]]
    places = [*operations, *members, *rules, *contract.problems, *(f"rule-{rule}" for rule in RULES)]
    assert [place for place in places if place not in page.places] == []
    for place in (*operations, *(rule.removeprefix("rule-") for rule in rules), *RULES):
        assert f"`{place}`" in markdown
    for kind in contract.problems:
        assert f"`/docs#{kind}`" in markdown
    for difference in document["x-known-differences"]:
        assert difference["live"] in markdown
        assert difference["live"].replace("`", "") in page.places["known-differences"]


def test_every_problem_has_its_cause_its_remedy_and_an_example(contract: Contract, page: Reading) -> None:
    for kind, problem in contract.problems.items():
        place = page.places[kind]
        assert problem["cause"].replace("`", "") in place
        assert problem["remedy"].replace("`", "") in place
        assert f'"type": "/docs#{kind}"' in place


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_an_example_that_breaks_it(rule: str, page: Reading) -> None:
    example = violation(rule)
    assert example is not None
    assert example.sent in page.places[f"rule-{rule}"]
    judged_elsewhere = {
        "content-length", "contradicts-path", "preference", "undocumented-method", "undocumented-path",
    }  # fmt: skip
    assert (example.finding is None) == (rule in judged_elsewhere or rule not in ENGINE_RULES)


def test_the_page_says_that_its_examples_were_run_and_against_what(contract: Contract, page: Reading) -> None:
    assert re.search(r"All \d\d examples were run, each against an empty mock of that version", page.text)
    assert f"version {contract.version} of the contract" in page.text


def test_the_requests_go_to_where_the_mock_listens_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    host, port = LOCAL_MOCK.removeprefix("http://").split(":")
    assert f"[env var: CALLCONFIG_HOST; default: {host}]" in shown
    assert f"[env var: CALLCONFIG_PORT; default: {port};" in shown


def test_every_link_leads_somewhere(page: Reading) -> None:
    places = {*page.places, "content"}
    targets = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert [target for target in targets if target.startswith("#") and target[1:] not in places] == []
    assert {target for target in targets if not target.startswith("#")} == {"reference.md", "openapi.yaml"}


def test_the_page_needs_nothing_beside_it(rendered: tuple[Page, str], page: Reading) -> None:
    loading = [(tag, value) for tag, name, value in page.attributes if name in ("src", "srcset", "data")]
    assert loading == []
    assert [value for tag, name, value in page.attributes if (tag, name) == ("link", "href")] == ["data:,"]
    assert [name for _, name, _ in page.attributes if name == "style" or name.startswith("on")] == []
    assert len(gzip.compress(rendered[0].html.encode())) < 150_000


def _row(markdown: str, member: str) -> str:
    return " ".join(line for line in markdown.splitlines() if line.startswith(f"| `{member}` |"))


def test_what_links_say_goes_on_in_one_sentence(page: Reading, markdown: str) -> None:
    assert "its id is the id in the path, where id is $response.body#/id" in page.places["createConfiguration"]
    assert "its `id` is the `id` in the path, where `id` is `$response.body#/id`" in markdown
