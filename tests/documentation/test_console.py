"""The console in a browser: all of its features."""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from callconfig.asgi.access_log import AccessLog
from callconfig.contract.document import Contract
from callconfig.tests.support.accessibility import barriers
from callconfig.tests.support.running import PYTEST
from callconfig.traffic.redaction import Redaction
from callconfig.verification.target import serving
from playwright.sync_api import Locator, Page, expect
from starlette.types import ASGIApp

pytestmark = pytest.mark.xdist_group("browser")

Steered = Callable[..., ASGIApp]
Enter = Callable[..., Page]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def log() -> list[str]:
    return []


@pytest.fixture(scope="module")
def guarded(make_steered: Steered) -> Iterator[str]:
    """A mock whose controls require a token."""
    with serving(make_steered(token="letmein")) as root:  # noqa: S106
        yield root


@pytest.fixture(scope="module")
def mock(contract: Contract, make_steered: Steered, log: list[str], guarded: str) -> Iterator[str]:  # noqa: ARG001 (it is made before the browser is)
    """A mock with controls, below a base path."""
    with serving(make_steered(base_path="/agent", log=AccessLog(log.append, Redaction(contract)))) as root:
        yield f"{root}/agent"


@pytest.fixture
def steer(api: httpx.Client, mock: str) -> Callable[..., Any]:
    """A function that calls a control in the test's session, and returns the response."""

    def asked(method: str, path: str, **body: Any) -> Any:
        return api.request(method, f"{mock.removesuffix('/agent')}/_mock{path}", **body).json()

    return asked


def opened(page: Page, row: str) -> Locator:
    """The opened request whose row has this text, not just in the middle of a random id."""
    text = re.compile(rf"\b{re.escape(row)}")
    page.get_by_role("list", name="Requests").get_by_role("button").filter(has_text=text).first.click()
    return page.get_by_role("article", name="The opened request")


def line(article: Locator, text: str) -> Locator:
    return article.get_by_role("group", name="Body of the request").locator("li").filter(has_text=text)


def test_a_refused_request_shows_its_findings_on_the_lines_of_its_body(
    enter: Enter, api: httpx.Client, sample: dict[str, Any], complaints: list[str]
) -> None:
    page = enter()
    body = {**sample, "calling_provider": "VONAGE", "rate_limit_enabled": True, "pre_checks": [{"http_request": {}}]}
    del body["max_retry"]
    body.pop("rate_limit_max_calls", None)
    api.post("/configurations", json=body)  # the row appears on arrival
    article = opened(page, "/configurations")
    wrong = line(article, '"calling_provider": "VONAGE"')
    expect(wrong).to_contain_text('must be one of "TWILIO", "EXOTEL", "PLIVO", not "VONAGE"')
    expect(wrong.get_by_role("link", name="enum")).to_have_attribute("href", "/agent/docs#rule-enum")
    for name, rule in (("max_retry", "required"), ("rate_limit_max_calls", "rate-limit-needs-max-calls")):
        missing = line(article, f'"{name}": … is not there')
        expect(missing.get_by_role("link", name=rule)).to_be_visible()
    lines = article.get_by_role("group", name="Body of the request").locator("code").all_inner_texts()
    at = next(number for number, text in enumerate(lines) if text.startswith('        "url": …'))
    assert (lines[at - 1].strip(), lines[at + 1].strip()) == ('"http_request": {', "}")
    article.get_by_role("link", name="rate-limit-needs-max-calls").click()
    expect(page.locator("#rule-rate-limit-needs-max-calls")).to_be_in_viewport()
    assert complaints == []


def test_a_refused_request_is_copied_as_curl_which_is_refused_alike(
    enter: Enter, api: httpx.Client, steer: Callable[..., Any]
) -> None:
    api.post(
        "/configurations?it's", content=b'{"template": "it\'s", "max_retry": 1.0}', headers={"X-Trace": "a b", **JSON}
    )
    page = enter(permissions=["clipboard-read", "clipboard-write"])
    opened(page, "400").get_by_role("button", name="curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = shlex.split(page.evaluate("navigator.clipboard.readText()").replace("\\\n", ""))
    assert command[0] == "curl"
    assert b"400" in subprocess.run(command, capture_output=True, check=True).stdout.splitlines()[0]
    first, again = steer("GET", "/requests")
    assert again["findings"] == first["findings"]
    assert again["request"]["body"] == first["request"]["body"]
    assert ["x-trace", "a b"] in again["request"]["headers"]


@pytest.mark.parametrize("answer", [None, 503])
def test_a_request_is_copied_as_a_test_that_passes(
    enter: Enter,
    api: httpx.Client,
    steer: Callable[..., Any],
    sample: dict[str, Any],
    answer: int | None,
    tmp_path: Path,
) -> None:
    if answer:
        steer("POST", "/rules", json={"match": {"operation": "createConfiguration"}, "answer": answer})
    api.post("/configurations", json={**sample, "template": "a", "pre_checks": None, "enable_calling": True})
    page = enter(permissions=["clipboard-read", "clipboard-write"])
    opened(page, "/configurations").get_by_role("button", name="pytest").click()
    (tmp_path / "test_copied.py").write_text(page.evaluate("navigator.clipboard.readText()"))
    run = subprocess.run([*PYTEST, "test_copied.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in run.stdout, run.stdout


def test_a_body_that_is_no_json_is_shown_as_it_came(enter: Enter, api: httpx.Client) -> None:
    api.post("/configurations", content=b'{"a": 1,\n"b": <b>x</b>}', headers=JSON)
    article = opened(enter(), "400")
    expect(line(article, '"b": <b>x</b>}')).to_contain_text("json-syntax")


def test_a_request_is_sent_again_and_sent_changed(
    enter: Enter, api: httpx.Client, sample: dict[str, Any], steer: Callable[..., Any]
) -> None:
    api.post("/configurations", json=sample)
    page = enter()
    article = opened(page, "201")
    article.get_by_role("button", name="Send again").click()
    expect(article.get_by_role("heading", name="POST")).to_contain_text("409")
    expect(article.get_by_role("link", name="Duplicate scope")).to_have_attribute("href", "/docs#duplicate-scope")
    article.get_by_role("button", name="Edit and send").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("JSON").fill(dialog.get_by_label("JSON").input_value().replace(sample["template"], "another"))
    dialog.get_by_role("button", name="Send").click()
    expect(article.get_by_role("heading", name="POST")).to_contain_text("201")
    assert [each["template"] for each in steer("GET", "/state")] == [sample["template"], "another"]


def test_the_next_ones_get_what_this_one_got_and_a_refused_one_is_told_why_not(
    enter: Enter, api: httpx.Client, sample: dict[str, Any]
) -> None:
    api.put("/configurations/cfg_none", json=sample)
    page = enter()
    opened(page, "404").get_by_role("button", name="Give this response to the next requests").click()
    expect(page.locator("#said")).to_contain_text("rule1: updateConfiguration gets 404 with its body")
    stored = api.post("/configurations", json=sample).json()
    assert api.put(f"/configurations/{stored['id']}", json=sample).status_code == 404
    expect(opened(page, f"/{stored['id']}")).to_contain_text("rule1: updateConfiguration gets 404")
    api.put(f"/configurations/{stored['id']}", json={})
    expect(opened(page, "400")).to_contain_text("rule1 matched, but its answer is for requests that keep the contract")
    article = opened(page, "201")
    article.get_by_text("Why no rule applied").click()
    expect(article.get_by_role("listitem").filter(has_text="rule1")).to_contain_text(
        'operation  must be one of "updateConfiguration", not "createConfiguration"'
    )
    page.get_by_role("radio", name="Forced").check(force=True)
    expect(page.locator("#count")).to_have_text("2 requests of 4, 2 refused")


def test_the_next_request_gets_a_documented_answer_and_the_rule_counts(enter: Enter, api: httpx.Client) -> None:
    page = enter("#rules")
    page.get_by_role("combobox", name="Operation").select_option("listConfigurations")
    page.get_by_role("combobox", name="Answer").select_option(label="200 Nothing matches")
    page.get_by_role("button", name="Set", exact=True).click()
    rules = page.get_by_role("list", name="Rules")
    expect(rules).to_contain_text("rule1 the next listConfigurations gets 200 nothing")
    api.get("/configurations")
    expect(rules).to_contain_text("matched 1, answered 1 of 1: used up")
    page.get_by_role("button", name="Delete rule1").click()
    expect(rules).to_contain_text("No rules: every request gets the usual response.")
    page.get_by_role("button", name="Any rule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("JSON").fill('{"answer": 418}')
    dialog.get_by_role("button", name="Set").click()
    expect(dialog.get_by_role("alert")).to_contain_text("has no response 418")


def test_the_state_is_seen_changed_saved_and_restored(
    enter: Enter, api: httpx.Client, sample: dict[str, Any], steer: Callable[..., Any]
) -> None:
    night = {**sample, "call_start_time": "22:00", "call_end_time": "06:00", "enable_inbound": False}
    identity = api.post("/configurations", json=night).json()["id"]
    page = enter("#state")
    table = page.get_by_role("table")
    expect(table.get_by_role("img")).to_have_attribute(
        "aria-label", "Outbound calls: 22:00 to 06:00; Inbound calls: none"
    )
    bands = [(each.get_attribute("x"), each.get_attribute("width")) for each in table.locator("rect.band0").all()]
    assert bands == [("1320", "120"), ("0", "361")]
    page.get_by_label("Save as").fill("before")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("tabpanel", name="State").get_by_label("Seed").fill("2")
    page.get_by_role("button", name="Add").click()
    expect(table.get_by_role("row")).to_have_count(4)
    page.get_by_role("button", name=identity).click()
    dialog = page.get_by_role("dialog")
    text = dialog.get_by_label("JSON")
    text.fill(text.input_value().replace('"max_retry": 3', '"max_retry": -3'))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("/max_retry must be at least 0, not -3 minimum")
    text.fill(text.input_value().replace("-3", "5"))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert steer("GET", "/state")[0]["max_retry"] == 5
    page.get_by_role("button", name=identity).click()
    dialog.get_by_role("button", name="Delete").click()
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Restore").click()
    expect(table.get_by_role("row")).to_have_count(2)
    assert steer("GET", "/state")[0]["max_retry"] == 3
    assert len(steer("GET", "/requests")) == 1  # without a request


def test_a_fork_is_entered_and_deleted(enter: Enter, api: httpx.Client, sample: dict[str, Any]) -> None:
    api.post("/configurations", json=sample)
    page = enter("#state")
    page.get_by_label("Fork to the session").fill("forked")
    page.get_by_role("button", name="Fork").click()
    expect(page.locator("#session")).to_have_value("forked")
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)
    assert "session=forked" in page.url
    page.get_by_role("tab", name="Clock and sessions").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the session forked").click()
    expect(page.locator("#session")).to_have_value("default")


def test_the_clock_and_the_ids_are_determined(enter: Enter, api: httpx.Client, sample: dict[str, Any]) -> None:
    page = enter("#world")
    page.get_by_label("Freeze at").fill("2025-01-15T10:30:00Z")
    page.get_by_role("button", name="Freeze").click()
    page.get_by_role("button", name="Advance").click()
    expect(page.locator("#now")).to_have_text("2025-01-15 11:30:00 UTC")
    page.get_by_role("textbox", name="Next").fill("cfg_one")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("#said")).to_contain_text("cfg_one")
    stored = api.post("/configurations", json=sample).json()
    assert (stored["id"], stored["created_at"]) == ("cfg_one", "2025-01-15T11:30:00.000000Z")
    page.get_by_role("button", name="Reset to the real time").click()
    expect(page.locator("#frozen")).to_have_text("runs")


def test_to_look_makes_no_session_and_leaves_no_trace(enter: Enter, mock: str, log: list[str]) -> None:
    before = len(log)
    page = enter()
    expect(page.get_by_text("No requests in the session")).to_be_visible()
    for name in ("State", "Rules", "Clock and sessions"):
        page.get_by_role("tab", name=name).click()
    page.wait_for_timeout(500)
    here = page.locator("#session").input_value()
    sessions = httpx.get(f"{mock.removesuffix('/agent')}/_mock/sessions").json()
    assert here not in [each["name"] for each in sessions]
    assert [each[9:].split(" 200 ")[0] for each in log[before:]] == [f"GET /_mock/ui?session={here}"]


def test_the_token_is_asked_for_and_kept(browse: Enter, guarded: str) -> None:
    page = browse(f"{guarded}/_mock/ui")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The controls require a token")
    dialog.get_by_label("Token").fill("guess")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("The token is not the control token.")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Enter the token").click()
    dialog.get_by_label("Token").fill("letmein")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("live")
    page.reload()
    expect(page.locator("#live")).to_have_text("live")


def test_what_came_is_text_and_never_markup(enter: Enter, api: httpx.Client, complaints: list[str]) -> None:
    evil = "<img src=x onerror=alert(1)>"
    api.post(f"/configurations?{evil}", json={evil: evil}, headers={"X-Evil": evil, **JSON})
    page = enter()
    opened(page, "400").locator("summary").first.click()
    assert page.locator("img").count() == 0
    assert complaints == []


def test_the_keyboard_is_enough(enter: Enter, api: httpx.Client) -> None:
    for path in ("/configurations", "/nowhere"):
        api.get(path)
    page = enter()
    page.keyboard.press("/")
    expect(page.get_by_label("Text in the request or the response")).to_be_focused()
    page.keyboard.type("nowhere")
    expect(page.locator("#count")).to_have_text("1 request of 2, 1 refused")
    page.get_by_role("button", name="/nowhere").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("article")).to_be_focused()
    page.get_by_role("tab", name="Requests").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="State")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="State")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("light", 768), ("dark", 320)])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    enter: Enter, api: httpx.Client, sample: dict[str, Any], scheme: str, width: int
) -> None:
    api.post("/configurations", json=sample)
    api.post("/configurations", json={**sample, "max_retrys": -1})
    page = enter(color_scheme=scheme, viewport={"width": width, "height": 800})
    opened(page, "400")
    for view in ("Requests", "State", "Rules", "Clock and sessions"):
        page.get_by_role("tab", name=view).click()
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_link_to_a_view_leaves_the_tabs_in_sight(enter: Enter) -> None:
    page = enter("#world", viewport={"width": 360, "height": 560})
    expect(page.get_by_role("heading", name="Clock")).to_be_visible()
    assert page.evaluate("scrollY") == 0
