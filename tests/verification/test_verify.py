"""Recorded traffic judged: HAR, NDJSON and pacts, from files of any size."""

import json
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.contract.interaction import Interaction
from callconfig.contract.schema import Schema
from callconfig.tests.support.recordings import interactions
from callconfig.traffic.har import HarWriter, entry

URL = "http://api.example.com/v1/configurations"
JSON = (("Content-Type", "application/json"),)


@pytest.fixture
def created(sample: dict[str, Any], contract: Contract) -> Interaction:
    """A valid create."""
    stored = Schema(contract.resources[0].input, contract.resolve, "request").fill_defaults(sample)
    made = {"id": "cfg_1", "created_at": "2025-01-15T10:30:00Z", "updated_at": "2025-01-15T10:30:00Z"}
    answer = {**stored, **made}
    headers = (*JSON, ("Location", "/configurations/cfg_1"))
    return Interaction("POST", URL, 201, JSON, json.dumps(sample).encode(), headers, json.dumps(answer).encode())


def har(path: Path, *interactions: Interaction) -> str:
    with HarWriter(path) as writer:
        for interaction in interactions:
            writer.write(interaction)
    return str(path)


def listed(status: int = 200, query: str = "", body: bytes = b"[]", url: str = URL) -> Interaction:
    return Interaction("GET", f"{url}{query}", status, (), b"", JSON, body)


def test_traffic_that_keeps_to_the_contract_holds(
    tmp_path: Path, created: Interaction, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", har(tmp_path / "a.har", created, listed()), "--base-path", "/v1"]) == 0
    assert "verify: holds (2 interactions" in capsys.readouterr().out


def test_a_recorded_interaction_is_read_as_it_was_written(tmp_path: Path, created: Interaction) -> None:
    (read,) = interactions(har(tmp_path / "a.har", created))
    for name in ("method", "url", "status", "request_headers", "request_body", "response_headers", "response_body"):
        assert getattr(read, name) == getattr(created, name)


def test_bytes_that_are_no_text_survive_a_recording(tmp_path: Path) -> None:
    odd = Interaction("POST", URL, 400, JSON, b"\xff\x00", JSON, b"\xfe{")
    (read,) = interactions(har(tmp_path / "a.har", odd))
    assert (read.request_body, read.response_body) == (b"\xff\x00", b"\xfe{")


@pytest.mark.parametrize(
    ("interaction", "said"),
    [
        (
            listed(query="?resellr_id=a"),
            "ERROR listConfigurations: query resellr_id: is not a known parameter; did you",
        ),
        (listed(body=b'{"items": []}'), "ERROR listConfigurations: body: must be array, not an object"),
        (listed(body=b"[{}"), "ERROR listConfigurations: body: is not JSON"),
        (listed(status=418), "ERROR listConfigurations: status: 418 is not documented"),
        (listed(url=f"{URL}s"), "ERROR undocumented: path /v1/configurationss: is no path of the contract"),
        (
            Interaction("DELETE", URL, 200, (), b"", JSON, b"[]"),
            "ERROR undocumented: path /v1/configurations: has no DELETE, only GET, POST",
        ),
        (
            Interaction("POST", URL, 201, JSON, b"{}", JSON, b"{}"),
            "ERROR createConfiguration: body /reseller_id: is required and missing",
        ),
    ],
)
def test_what_breaks_the_contract_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], interaction: Interaction, said: str
) -> None:
    assert main(["verify", har(tmp_path / "a.har", interaction), "--base-path", "/v1"]) == 1
    assert said in capsys.readouterr().out


def test_a_wrong_request_that_the_server_refused_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = {"type": "/docs#invalid-request", "title": "Invalid request", "status": 400, "detail": "no"}
    headers = (("Content-Type", "application/problem+json"),)
    refused = Interaction("POST", URL, 400, JSON, b"{}", headers, json.dumps(problem).encode())
    assert main(["verify", har(tmp_path / "a.har", refused), "--base-path", "/v1"]) == 0
    assert "warning createConfiguration: body /max_retry: is required and missing" in capsys.readouterr().out


def test_ndjson_has_one_entry_on_each_line(tmp_path: Path, created: Interaction) -> None:
    path = tmp_path / "journal.ndjson"
    path.write_text("\n".join(json.dumps(entry(each)) for each in (created, listed())) + "\n\n")
    assert main(["verify", str(path), "--base-path", "/v1"]) == 0


def test_other_hosts_and_paths_and_preflights_are_passed_over(
    tmp_path: Path, created: Interaction, capsys: pytest.CaptureFixture[str]
) -> None:
    preflight = Interaction("OPTIONS", URL, 200, (("Access-Control-Request-Method", "PUT"),))
    others = listed(url="http://cdn.example.com/v1/x"), listed(url="http://api.example.com/v2/configurations")
    path = har(tmp_path / "a.har", created, preflight, *others)
    assert main(["verify", path, "--base-path", "/v1", "--only-host", "api.example.com"]) == 0
    assert "3 interactions were skipped" in capsys.readouterr().out


def test_nothing_to_judge_is_no_success(
    tmp_path: Path, created: Interaction, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", har(tmp_path / "a.har", created), "--base-path", "/v2"]) == 3
    assert "nothing was judged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON"),
        ("[]", "is neither a HAR file, nor NDJSON of entries, nor a pact"),
        ("hello", "is not JSON: lexical error: invalid char in json text."),
        ('{"log": {"entries": []}}', "nothing was judged; there are no requests"),
        ('{"log": {"entries": [{}]}}', "entry 1: is not a HAR entry: KeyError 'request'"),
        ('{"log": {"entries": [', "is not JSON after entry 0"),
        ('{"request": 1, "response": 2}', "line 1: is not a HAR entry"),
        ('{"request": {}}\nx', "line 1: is not a HAR entry: KeyError 'response'"),
        ('{"interactions": [{}]}', "interaction 1 (without description): is not a pact interaction"),
    ],
)
def test_what_is_no_recording_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    assert main(["verify", str(path)]) == 3
    (*_, line) = capsys.readouterr().err.splitlines()
    assert line.startswith("callconfig: ")
    assert said in line


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "missing.har"
    assert main(["verify", str(path)]) == 3
    assert capsys.readouterr().err.endswith(f"callconfig: {path}: No such file or directory\n")


def test_responses_that_were_not_recorded_are_not_judged(tmp_path: Path, created: Interaction) -> None:
    aborted, bodiless = entry(listed(status=0)), entry(listed())
    del bodiless["response"]["content"]["text"]
    bodiless["response"]["content"]["size"] = 2
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": [aborted, bodiless, entry(created)]}}))
    assert main(["verify", str(path), "--base-path", "/v1"]) == 0


def test_the_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    har(path, *[listed(body=b"[" + b" " * 20_000 + b"]")] * 400)
    assert path.stat().st_size > 8_000_000
    main(["verify", str(path), "--base-path", "/v1"])  # without the one-time compilation
    tracemalloc.start()
    assert main(["verify", str(path), "--base-path", "/v1"]) == 0
    assert tracemalloc.get_traced_memory()[1] < 6_000_000
    tracemalloc.stop()


def pact(version: int, request: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """A pact with one interaction, in the form of a version."""
    if version == 4:
        for message in (request, response):
            if "headers" in message:
                message["headers"] = {name: [value] for name, value in message["headers"].items()}
            if "body" in message:
                message["body"] = {"content": message["body"], "contentType": "application/json", "encoded": False}
    if version == 2 and "query" in request:
        request["query"] = "&".join(f"{name}={value[0]}" for name, value in request["query"].items())
    kind = {"type": "Synchronous/HTTP"} if version == 4 else {}
    return {
        "consumer": {"name": "app"},
        "provider": {"name": "api"},
        "interactions": [{"description": "it", "request": request, "response": response, **kind}],
        "metadata": {"pactSpecification": {"version": f"{version}.0"}},
    }


@pytest.mark.parametrize("version", [2, 3, 4])
def test_a_pact_may_expect_less_than_the_contract_promises(
    tmp_path: Path, sample: dict[str, Any], version: int
) -> None:
    path = tmp_path / "pact.json"
    request = {"method": "post", "path": "/configurations", "body": sample}
    path.write_text(json.dumps(pact(version, request, {"status": 201, "body": {"id": "cfg_1"}})))
    assert main(["verify", str(path)]) == 0


@pytest.mark.parametrize("version", [2, 3, 4])
def test_a_pact_that_expects_something_else_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: int
) -> None:
    path = tmp_path / "pact.json"
    request = {"method": "GET", "path": "/configurations", "query": {"reseller": ["res_001"]}}
    response = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": [{"id": 7}]}
    path.write_text(json.dumps(pact(version, request, response)))
    assert main(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert "query reseller: is not a known parameter" in out
    assert "body /0/id: must be string, not 7" in out
    assert "interaction 1 (it)" in out


def test_messages_in_a_pact_are_passed_over(tmp_path: Path, sample: dict[str, Any]) -> None:
    document = pact(4, {"method": "POST", "path": "/configurations", "body": sample}, {"status": 201})
    document["interactions"].append({"type": "Asynchronous/Messages", "description": "m", "contents": {}})
    path = tmp_path / "pact.json"
    path.write_text(json.dumps(document))
    assert main(["verify", str(path)]) == 0


def test_what_the_traffic_exercised_is_told_and_less_than_was_asked_for_fails(
    tmp_path: Path, created: Interaction, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = har(tmp_path / "a.har", created, listed(), listed(400, "?resellr_id=a", b""))
    command = ["verify", recording, "--base-path", "/v1"]
    main(command)
    assert "never answered" not in capsys.readouterr().out
    main([*command, "--coverage"])
    output = capsys.readouterr().out
    assert "  operations      2 of 3      66 %\n" in output
    assert "listConfigurations: exercised\n  statuses: 200 x1, 400 x1\n" in output
    assert "updateConfiguration: never\n" in output
    report = tmp_path / "report.json"
    quiet = ["verify", har(tmp_path / "b.har", listed()), "--base-path", "/v1", "--report", f"json:{report}"]
    assert main([*quiet, "--coverage-minimum", "operations=33", "--coverage-minimum", "rules=0"]) == 0
    assert json.loads(report.read_text())["coverage"]["summary"]["operations"] == {"exercised": 1, "of": 3}
    assert main([*quiet, "--coverage-minimum", "operations=34"]) == 1
    assert "33 % of operations were exercised (1 of 3), less than 34 %" in capsys.readouterr().out
    assert [finding["rule"] for finding in json.loads(report.read_text())["findings"]] == ["coverage"]


@pytest.mark.parametrize("minimum", ["80", "members=", "members=101", "member=80", "members=-1", "members=nan"])
def test_a_minimum_is_a_kind_and_a_percentage(tmp_path: Path, minimum: str) -> None:
    assert main(["verify", str(tmp_path), "--coverage-minimum", minimum]) == 2


@pytest.mark.parametrize(
    ("content", "headers", "is_known"),
    [
        ({"size": 0, "mimeType": ""}, [], True),
        ({"size": 2, "mimeType": ""}, [], False),
        ({"size": -1, "mimeType": ""}, [], False),
        ({"mimeType": ""}, [], False),
        ({"size": 0}, [{"name": "Content-Length", "value": "512"}], False),
        ({"size": 0}, [{"name": "Transfer-Encoding", "value": "chunked"}], False),
        ({"size": 0}, [{"name": "Content-Length", "value": "0"}], True),
    ],
)
def test_a_body_that_was_not_recorded_is_not_an_empty_one(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: dict[str, Any],
    headers: list[dict[str, str]],
    is_known: bool,
) -> None:
    asked = entry(listed())
    kind = [{"name": "Content-Type", "value": "application/json"}]
    asked["response"] |= {"content": content, "headers": [*kind, *headers]}
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": [asked]}}))
    assert main(["verify", str(path), "--base-path", "/v1"]) == (1 if is_known else 0)
    out = capsys.readouterr().out
    assert ("1 response bodies were not recorded" in out) is not is_known


def test_a_request_body_that_was_not_recorded_is_not_missing(
    tmp_path: Path, created: Interaction, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = entry(created)
    del asked["request"]["postData"]
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": [asked]}}))
    assert main(["verify", str(path), "--base-path", "/v1"]) == 0
    assert "1 request bodies were not recorded" in capsys.readouterr().out


@pytest.mark.parametrize("options", [[], ["--base-path", "/v2"]])
def test_the_base_path_that_a_recording_seems_to_have_is_told(
    tmp_path: Path, created: Interaction, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert main(["verify", har(tmp_path / "a.har", created, listed()), *options]) in (1, 3)
    out, err = capsys.readouterr()
    assert "the recording seems to have --base-path /v1 (2 interactions)" in out + err


def test_a_recording_comes_from_a_url_or_from_standard_input(
    tmp_path: Path,
    created: Interaction,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raw_server: Callable[..., str],
) -> None:
    recording = Path(har(tmp_path / "a.har", created)).read_bytes()
    url = raw_server([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(recording), recording])
    assert main(["verify", f"{url}/a.har", "--base-path", "/v1"]) == 0
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=BytesIO(recording)))
    assert main(["verify", "-", "--base-path", "/v1"]) == 0
    assert "verify: holds (1 interaction in" in capsys.readouterr().out
    missing = raw_server([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
    assert main(["verify", f"{missing}/a.har"]) == 3
    assert capsys.readouterr().err.endswith(f"callconfig: {missing}/a.har: the response is 404\n")
    assert main(["verify", "http://127.0.0.1:1/a.har"]) == 3
    assert "a.har: cannot be read: ConnectError" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["har", "ndjson"])
def test_what_cannot_be_read_keeps_nothing_else_from_being_judged(
    tmp_path: Path, created: Interaction, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    entries = [entry(listed()), {"request": 1, "response": 2}, entry(listed(status=418)), entry(created)]
    path = tmp_path / "recording"
    if kind == "har":
        path.write_text(json.dumps({"log": {"entries": entries}}))
    else:
        path.write_text("\n".join(map(json.dumps, entries)) + "\nno JSON\n")
    assert main(["verify", str(path), "--base-path", "/v1"]) == 1
    out = capsys.readouterr().out
    assert "ERROR listConfigurations: status: 418 is not documented" in out
    assert "verify: 1 error (3 interactions" in out
    assert "could not be read: " in out
    path.write_text(json.dumps({"log": {"entries": entries[:2]}}) + " ")
    assert main(["verify", str(path), "--base-path", "/v1"]) == 3, "nothing wrong was found, and not all was judged"
    assert "verify: no error so far (1 interaction in" in capsys.readouterr().out


def test_a_bad_request_is_one_block(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = Interaction("POST", f"{URL}?a=1", 201, JSON, b'{"max_retry": "x"}', JSON, b"{}")
    assert main(["verify", har(tmp_path / "a.har", wrong), "--base-path", "/v1"]) == 1
    out = capsys.readouterr().out
    assert out.count("ERROR createConfiguration: ") > 10
    assert out.count("curl -i") == 1
    assert out.count("  response: ") == 1
