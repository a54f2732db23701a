"""The reference has every fact of the published page, and every one of the contract."""

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
from callconfig.tests.support.reading import Reading

TESTS = Path(__file__).parents[1]

# The facts of the published page, paraphrased.
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
PUBLISHED_SAMPLES: dict[str, dict[str, Any]] = {
    name: json.loads((TESTS / "contract" / "published" / f"{name}.json").read_text())
    for name in ("CreateRequest", "CreateResponse", "UpdateRequest")
}
PUBLISHED_MEMBERS = {f"CallExecutionConfig.{name}" for sample in PUBLISHED_SAMPLES.values() for name in sample}
PUBLISHED_MEMBERS |= {f"PreCheck.{name}" for name in PUBLISHED_SAMPLES["UpdateRequest"]["pre_checks"][0]}


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
    assert PUBLISHED_MEMBERS - page.places.keys() == set()
    assert [each for each in PUBLISHED_MEMBERS if not page.places[each].startswith(each.partition(".")[2])] == []
    assert [each for each in PUBLISHED_MEMBERS if f"| `{each.partition('.')[2]}` |" not in markdown] == []


def test_the_published_samples_are_there(page: Reading, markdown: str) -> None:
    for sample in PUBLISHED_SAMPLES.values():
        text = json.dumps(sample, indent=2)
        assert any(text in code for code in page.code)
        assert text in markdown


def test_a_body_that_only_requests_have_says_what_is_required(contract: Contract) -> None:
    page = Reading(render_page(Facts(load_controls(contract), {})).html)
    assert "name string required" in page.places["forkSession"]


def test_the_command_that_starts_a_mock_is_told_where_it_starts_this_one(contract: Contract) -> None:
    other = Contract.load(TESTS / "support" / "contracts" / "shops.yaml")
    results = [
        "uv run callconfig serve" in render_markdown(Facts(load_controls(mocked), {}, mocked=mocked))
        for mocked in (contract, other)
    ]
    assert results == [True, False]


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
