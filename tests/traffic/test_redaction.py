"""No secret is in a header field, a body, a URL, a message, a report or a curl command."""

import json
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.contract.interaction import Interaction
from callconfig.traffic.curl import curl
from callconfig.traffic.har import HarWriter
from callconfig.traffic.redaction import REDACTED, Redaction

SECRET = "s3cr3t-value"  # noqa: S105 (it is what must not be seen)


@pytest.mark.parametrize(
    "shown",
    [
        {"request_headers": (("Authorization", f"Bearer {SECRET}"),)},
        {"request_headers": (("X-Api-Key", SECRET), ("Cookie", SECRET))},
        {"response_headers": (("Set-Cookie", f"a={SECRET}"),)},
        {"request_body": json.dumps({"telephony_config": {"auth_token": SECRET}}).encode()},
        {"response_body": json.dumps([{"deep": [{"auth_token": {"x": SECRET}}]}]).encode()},
        {"request_body": f'{{"auth_token": "{SECRET}", "broken'.encode()},
        {"request_body": f'{{"auth_token": "{SECRET}'.encode()},
        {"request_body": f"{{'auth_token': '{SECRET}'}}".encode()},
        {"request_body": f"a=1&auth_token={SECRET}&b=2".encode()},
        {"request_body": f'{{"auth\\u005ftoken": "{SECRET}"}}'.encode()},
        {"url": f"http://user:{SECRET}@example.com/x"},
        {"url": f"http://example.com/x?auth_token={SECRET}&b=1"},
        {"error": f'{{"auth_token": "{SECRET}"}}'},
        {"url": f"http://example.com/x?a=1&access_token={SECRET}"},
        {"url": f"http://example.com/x?a=1;api%5Fkey={SECRET}"},
        {"url": f"http://example.com/x#token={SECRET}"},
        {"response_headers": (("Location", f"/x?password={SECRET}"), ("X-Csrf-Token", SECRET))},
        {"request_headers": (("Referer", f"http://user:{SECRET}@example.com/?auth_token={SECRET}"),)},
        {"request_headers": (("AUTH_TOKEN", SECRET),)},
        {"request_body": b'{"auth_token": "' + SECRET.encode() + b'", "odd": "\xff"}'},
        {"request_body": f'{{"auth_token": "{SECRET}", "odd": "\\ud800"}}'.encode()},
        {"request_body": f'{{"auth_token": "{SECRET}", "long": {"9" * 5000}}}'.encode()},
    ],
)
def test_a_secret_is_not_shown_wherever_it_stands(contract: Contract, shown: dict[str, object]) -> None:
    interaction = Interaction(**{"method": "POST", "url": "http://example.com/x", "status": 200, **shown})  # type: ignore[arg-type]
    redacted = Redaction(contract).interaction(interaction)
    assert SECRET not in repr(redacted)
    assert SECRET not in curl(redacted)
    assert REDACTED in repr(redacted) or "user" not in redacted.url


def test_a_secret_that_is_known_by_value_is_not_shown_anywhere(contract: Contract) -> None:
    echoed = Interaction("GET", f"http://example.com/{SECRET}", 200, response_body=f"you sent {SECRET}".encode())
    redaction = Redaction(contract, known=[SECRET])
    assert SECRET not in repr(redaction.interaction(echoed))
    assert redaction.text(f"not {SECRET}") == f"not {REDACTED}"


def test_a_secret_that_is_null_and_everything_else_stay(contract: Contract) -> None:
    body = b'{"telephony_config": {"auth_token": null, "account_sid": "AC1"}}'
    plain = Interaction("POST", "http://example.com/x?a=1", 200, (("Accept", "*/*"),), body)
    assert Redaction(contract).interaction(plain) == plain


def test_no_report_has_a_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.dumps({"telephony_config": {"auth_token": SECRET}, "max_retry": "x"}).encode()
    headers = (("Content-Type", "application/json"), ("Authorization", SECRET))
    with HarWriter(tmp_path / "in.har") as writer:
        writer.write(Interaction("POST", "http://a.example/configurations", 201, headers, body, headers[:1], body))
    formats = ("junit", "sarif", "json", "html", "har")
    reports = [f"--report={name}:{tmp_path / name}" for name in formats]
    assert main(["verify", str(tmp_path / "in.har"), *reports]) == 1
    written = {name: (tmp_path / name).read_text() for name in formats} | {"terminal": capsys.readouterr().out}
    assert [name for name, text in written.items() if SECRET in text] == []
    assert [name for name, text in written.items() if REDACTED not in text] == []


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"a": 7, "b": 0.7, "c": 77, "d": 7.5}', b'{"a": "[redacted]", "b": 0.7, "c": 77, "d": 7.5}'),
        (b'{"a": "recalls calls"}', b'{"a": "recalls [redacted]"}'),
        (b"calls, recalls, 17 and 7", b"[redacted], recalls, 17 and [redacted]"),
        (b"a=%22calls%22&b=xcalls", b"a=%22[redacted]%22&b=xcalls"),
        (b"\xff calls \xff", b"\xff [redacted] \xff"),
        (b"before" + b"x" * 16 + b"after, " + b"x" * 16, b"before" + b"x" * 16 + b"after, [redacted]"),
        (b"9" + b"12345678" * 2, b"9" + b"12345678" * 2),
        (b"beforex1x1x1x1x1x1x1x1after", b"before[redacted]after"),
        (b'{"a": -7, "b": 1e-7, "c": [7e1], "d": +7}', b'{"a": -7, "b": 1e-7, "c": [7e1], "d": +7}'),
        (b"-7 is less than id-7", b"-7 is less than id-[redacted]"),
        (b"Basic eHg6eXk=, eHg6eXk=", b"[redacted], [redacted]"),
    ],
)
def test_a_known_secret_is_no_part_of_a_number_or_a_word(contract: Contract, body: bytes, shown: bytes) -> None:
    redaction = Redaction(contract, known=["7", "calls", "x" * 16, "x1" * 8, "12345678" * 2, "Basic eHg6eXk="])
    assert redaction.body(body) == shown
