"""The reference in a browser: with and without JavaScript, served and from a file, small and wide, dark and light."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from callconfig.cli import main
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.contract.finding import Finding
from callconfig.contract.interaction import Interaction
from callconfig.documentation.served import Page as Rendered
from callconfig.outcome import FINDINGS
from callconfig.tests.support.accessibility import barriers, faint_texts
from callconfig.traffic.redaction import Redaction
from callconfig.verification.coverage import Coverage
from callconfig.verification.reports import FORMATS
from callconfig.verification.result import Failure, Result
from callconfig.verification.target import serving
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp

pytestmark = pytest.mark.xdist_group("browser")

Visit = Callable[..., Page]
Browse = Callable[..., Page]


@pytest.fixture(scope="module")
def mock(make_steered: Callable[..., ASGIApp]) -> Iterator[str]:
    """A running mock with controls, below a base path."""
    with serving(make_steered(base_path="/agent")) as root:
        yield f"{root}/agent"


@pytest.fixture
def visit(browse: Browse, mock: str) -> Visit:
    """Open the served page in a fresh profile."""
    return lambda place="", *, url="", **settings: browse((url or f"{mock}/docs") + place, **settings)


@pytest.fixture
def file_url(rendered: tuple[Rendered, str], tmp_path: Path) -> str:
    (tmp_path / "index.html").write_text(rendered[0].html, "utf-8")
    return (tmp_path / "index.html").as_uri()


@pytest.fixture(scope="module")
def shown(browser: Browser, mock: str) -> Iterator[Page]:
    """The page, opened once for many tests."""
    page = browser.new_page()
    page.goto(f"{mock}/docs")
    yield page
    page.close()


def test_the_page_works_under_its_strict_policy(visit: Visit, mock: str, complaints: list[str]) -> None:
    page = visit()
    response = page.request.get(f"{mock}/docs")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    expect(page.get_by_role("button", name="Expand all")).to_be_visible()  # the script has run
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).position") == "sticky"
    assert complaints == []


def test_the_root_leads_to_the_page(visit: Visit, mock: str) -> None:
    page = visit(url=mock.removesuffix("agent"))
    assert page.url == f"{mock}/docs"
    for name in ("reference.md", "openapi.yaml"):
        assert page.request.get(f"{mock}/{name}").ok


def test_search_finds_a_member_by_keyboard(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search the reference")).to_be_focused()
    page.keyboard.type("redirect num")
    expect(page.get_by_role("option").first).to_contain_text("inbound_redirect_number")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#CallExecutionConfig.inbound_redirect_number$"))
    expect(page.locator("[id='CallExecutionConfig.inbound_redirect_number']")).to_be_in_viewport()
    expect(page.get_by_role("listbox")).to_be_hidden()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("retry", "retries"),
        ("409", "duplicate-scope"),
        ("400", "invalid-request"),
        ("timezone", "CallExecutionConfig.inbound_call_timezone"),
        ("E.164", "CallExecutionConfig.inbound_redirect_number"),
        ("phone number", "CallExecutionConfig.inbound_redirect_number"),
        ("rate limit", "rate-limit"),
        ("inbound", "inbound-calls"),
        ("curl", "createConfiguration"),
        ("delete", "method-not-allowed"),
        ("unique", "identity-and-scope"),
        ("token", "authentication"),
        ("overnight", "scheduling"),
        ("422", "difference-1"),
        ("HH:MM", "CallExecutionConfig.call_start_time"),
    ],
)
def test_search_finds_what_people_call_it(shown: Page, words: str, first: str) -> None:
    shown.keyboard.press("Control+k")
    expect(shown.get_by_role("combobox", name="Search the reference")).to_be_focused()
    shown.keyboard.type(words)
    expect(shown.get_by_role("option").first).to_have_attribute("data-place", first)
    shown.keyboard.press("Escape")


def test_search_shows_a_line_of_context(shown: Page) -> None:
    shown.get_by_role("combobox", name="Search the reference").fill("422")
    expect(shown.get_by_role("option").first).to_contain_text("The answer is 422")
    shown.get_by_role("combobox", name="Search the reference").fill("retry_offset")
    expect(shown.get_by_role("option").first).to_contain_text("retry_offset integer")  # as it is read aloud
    shown.keyboard.press("Escape")


def test_the_contents_mark_where_one_is(shown: Page) -> None:
    current = shown.get_by_role("navigation", name="Contents").locator("[aria-current]")
    expect(current).to_have_text("Overview")
    shown.locator("#rate-limit").scroll_into_view_if_needed()
    shown.evaluate("document.getElementById('rate-limit').scrollIntoView()")
    expect(current).to_have_text("Rate limit")


def test_search_opens_what_is_closed(visit: Visit) -> None:
    page = visit()
    place = page.locator("[id='PreCheck.http_request.timeout']")
    expect(place).to_be_hidden()
    page.get_by_role("combobox", name="Search the reference").fill("timeout")
    page.get_by_role("option").filter(has_text="PreCheck.http_request").first.click()
    expect(place).to_be_in_viewport()


def test_search_says_when_there_is_nothing(shown: Page) -> None:
    shown.get_by_role("combobox", name="Search the reference").fill("<b>nothing</b>")
    expect(shown.get_by_role("listbox")).to_contain_text("No results.")
    shown.keyboard.press("Escape")
    expect(shown.get_by_role("listbox")).to_be_hidden()


def test_a_deep_link_opens_what_it_leads_into(visit: Visit) -> None:
    expect(visit("#PreCheck.http_request.timeout").locator("[id='PreCheck.http_request.timeout']")).to_be_in_viewport()


def test_everything_expands_and_collapses_at_once(visit: Visit) -> None:
    page = visit()
    parts = page.locator("main details")
    page.get_by_role("button", name="Expand all").click()
    assert parts.evaluate_all("all => all.length > 30 && all.every(part => part.open)")
    page.get_by_role("button", name="Collapse all").click()
    assert parts.evaluate_all("all => all.every(part => !part.open)")


def reload_until(page: Page, remembered: Callable[[], bool]) -> None:
    """Reload the page until it remembers: Chromium writes local storage with a delay."""
    for _ in range(10):
        page.reload()
        if remembered():
            return
        page.wait_for_timeout(500)
    raise AssertionError("nothing was remembered")


def test_a_language_holds_for_all_requests_and_is_remembered(visit: Visit) -> None:
    page = visit()
    page.get_by_role("radio", name="Python").first.check()
    shown = page.locator("[id='listConfigurations.200.published'] .snippet:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("httpx.get(")
    reload_until(page, lambda: shown.count() == 1 and "httpx.get(" in shown.inner_text())


def test_code_is_copied(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    request = page.locator("[id='createConfiguration.201.published'] .request")
    request.get_by_role("button", name="Copy").click()
    expect(request.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == request.locator(".snippet:visible").inner_text().strip()


def test_a_request_is_tried_against_the_mock_that_serves_the_page(
    visit: Visit, mock: str, complaints: list[str]
) -> None:
    page = visit()
    create, update = (page.locator(f"#{name}-try") for name in ("createConfiguration", "updateConfiguration"))
    page.locator("[id='createConfiguration.201.published']").get_by_role("button", name="Try it").click()
    expect(create.get_by_label("Server")).to_be_hidden()
    expect(create.get_by_role("button", name="Send POST")).to_be_focused()
    page.keyboard.press("Enter")
    expect(create.get_by_role("status")).to_contain_text("201 Created")
    answer = create.get_by_role("group", name="Response")
    expect(answer).to_contain_text("Location: /agent/configurations/cfg_abc123")  # the documented response
    expect(answer.locator(".s").first).to_have_text('"cfg_abc123"')
    # The contract's link from the response to the next request goes to the same server.
    page.locator("#updateConfiguration").get_by_text("Try it").last.click()
    update.get_by_label("Body").fill(
        update.get_by_label("Body").input_value().replace('"max_retry": 3', '"max_retry": 7')
    )
    expect(update.get_by_label("Begin like the example")).not_to_be_checked()
    update.get_by_role("button", name="Send PUT").click()
    expect(update.get_by_role("status")).to_contain_text("200 OK")
    expect(update.get_by_role("group", name="Response")).to_contain_text('"max_retry": 7')
    assert mock.removesuffix("/agent") in page.locator("[id='createConfiguration.201.published'] .bash").inner_text()
    assert page.request.get(f"{mock}/configurations").json() == []  # the page's own session
    assert complaints == []


def test_what_an_example_needs_is_made_first_and_its_problem_leads_to_its_page(visit: Visit) -> None:
    page = visit()
    form = page.locator("#updateConfiguration-try")
    page.locator("#updateConfiguration").get_by_text("Try it").last.click()
    form.get_by_label("Token").fill("letmein")
    form.get_by_label("Example", exact=True).select_option(index=0)
    form.get_by_role("button", name="Send PUT").click()
    expect(form.get_by_role("status")).to_contain_text("200 OK")
    form.get_by_label("Example", exact=True).select_option(value="updateConfiguration.409.scopeOfAnother")
    form.get_by_role("button", name="Send PUT").click()
    expect(form.get_by_role("status")).to_contain_text("409 Conflict")
    form.get_by_role("link", name="Duplicate scope").click()
    expect(page.locator("#duplicate-scope")).to_be_in_viewport()


def test_an_answer_with_markup_is_shown_as_text(visit: Visit) -> None:
    page = visit()
    form = page.locator("#createConfiguration-try")
    page.locator("#createConfiguration").get_by_text("Try it").last.click()
    form.get_by_label("Body").fill('{"<img src=x onerror=alert(1)>": 1}')
    form.get_by_role("button", name="Send POST").click()
    expect(form.get_by_role("group", name="Response")).to_contain_text("/<img src=x onerror=alert(1)>")
    assert form.locator("img").count() == 0


def test_from_a_file_the_page_asks_for_the_server(visit: Visit, file_url: str, mock: str) -> None:
    page = visit(url=file_url)
    form = page.locator("#listConfigurations-try")
    try_it = page.locator("#listConfigurations").get_by_text("Try it").last
    try_it.click()
    form.get_by_label("Server").fill(mock)
    form.get_by_label("Example", exact=True).select_option(label="200 Nothing matches")
    form.get_by_role("button", name="Send GET").click()
    expect(form.get_by_role("status")).to_contain_text("200 OK")
    expect(form.get_by_role("group", name="Response")).to_have_text("[]")

    def remembered() -> bool:
        try_it.click()
        return form.get_by_label("Server").input_value() == mock

    reload_until(page, remembered)


def test_a_server_that_is_not_there_is_said_to_be_not_there(visit: Visit, file_url: str) -> None:
    page = visit(url=file_url)
    form = page.locator("#listConfigurations-try")
    page.locator("#listConfigurations").get_by_text("Try it").last.click()
    form.get_by_label("Server").fill("http://127.0.0.1:9")
    form.get_by_role("button", name="Send GET").click()
    expect(form.get_by_role("group", name="Response")).to_contain_text("No response from http://127.0.0.1:9")


def test_dark_is_what_the_system_prefers_until_a_theme_is_chosen_and_then_remembered(visit: Visit) -> None:
    page = visit(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light").click()
    light = page.evaluate(ground)
    assert (dark, light) == ("rgb(16, 19, 23)", "rgb(255, 255, 255)")
    reload_until(page, lambda: page.evaluate(ground) == light)
    expect(page.get_by_role("button", name="Dark")).to_be_visible()


def test_the_page_is_not_long_and_nothing_scrolls_sideways(visit: Visit) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    assert page.evaluate("document.documentElement.scrollHeight") < 15_000
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    for width in (320, 768, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_deep_fields_unfold_beside_the_example(visit: Visit) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    for operation in ("createConfiguration", "updateConfiguration"):
        place = page.locator(f"#{operation} .text")
        for name in ("Pre-checks pre_checks", "Members of PreCheck", "Optional enabled", "Members of http_request"):
            place.locator("summary:visible").filter(has_text=name).click()
        url = place.get_by_role("link", name="url", exact=True)
        expect(url).to_be_visible()
        expect(url).to_have_attribute("href", "#PreCheck.http_request.url")


def test_an_example_stays_in_sight_but_covers_no_picture(visit: Visit) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    aside, pictures = (page.locator(f"#updateConfiguration .{name}") for name in ("aside", "across"))
    for from_top in (800, 400, 100):
        pictures.evaluate(f"each => scrollBy(0, each.getBoundingClientRect().top - {from_top})")
        bottom = aside.evaluate("each => each.getBoundingClientRect().bottom")
        assert bottom <= pictures.evaluate("each => each.getBoundingClientRect().top")


def test_small_screens_have_the_contents_in_a_drawer(visit: Visit) -> None:
    page = visit(viewport={"width": 320, "height": 640})
    contents = page.get_by_role("navigation", name="Contents")
    expect(contents).to_be_hidden()
    page.get_by_role("button", name="Contents").click()
    contents.get_by_role("link", name="Rate limit").click()
    expect(contents).to_be_hidden()
    expect(page.locator("#rate-limit")).to_be_in_viewport()


def test_without_javascript_everything_can_be_read(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    for name in ("Copy", "Try it", "Expand all", "Dark"):
        assert page.get_by_role("button", name=name).count() == 0
    sample = page.locator("[id='createConfiguration.201.published']")
    sample.get_by_role("radio", name="JavaScript").check()
    expect(sample.locator(".snippet:visible")).to_contain_text("await fetch(")
    expect(page.locator("[id='PreCheck.http_request.url']")).to_be_hidden()
    page.locator("#PreCheck > summary").click()
    page.locator("[id='PreCheck.http_request-members'] > summary").click()
    expect(page.locator("[id='PreCheck.http_request.url']")).to_be_visible()


def test_on_paper_everything_is_open_and_the_controls_are_gone(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    page.emulate_media(media="print")
    expect(page.locator("[id='PreCheck.http_request.url']")).to_be_visible()
    expect(page.get_by_role("navigation")).to_have_count(0)
    assert page.pdf().startswith(b"%PDF")


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert (page.evaluate("document.activeElement.closest('main') !== null"), outline) == (True, "solid")
    page.get_by_role("radio", name="curl").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Python").first).to_be_checked()


@pytest.mark.parametrize(
    ("scheme", "width", "search"),
    [("light", 1440, barriers), ("dark", 320, faint_texts)],  # theme and width affect colours and positions
)
def test_axe_finds_nothing(visit: Visit, scheme: str, width: int, search: Callable[[Page], list[Any]]) -> None:
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900})
    # One example of each kind is enough, because the others look the same.
    page.evaluate("for (const part of document.querySelectorAll('details:not(.sample)')) part.open = true")
    assert search(page) == []


def test_axe_finds_one_text_of_each_look_that_is_hard_to_read(browser: Browser) -> None:
    page = browser.new_page()
    faint = '<p id="a">This is grey on <b style="background: #888">grey</b>.</p><p>So is this.</p><input value="x">'
    page.set_content(f"<style>body, input {{ color: #777; background: #999 }}</style>{faint}")
    ((rule, places),) = faint_texts(page)
    assert (rule, places) == ("color-contrast", [["#a"], ["b"], ["input"]])
    assert {rule for rule, _ in barriers(page)} > {"color-contrast", "label"}
    page.close()


@pytest.fixture(scope="module")
def report(contract: Contract, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of an HTML report with a finding."""
    result = Result("verify", "a.har", contract, BUILT_IN, Redaction(contract))
    result.coverage = Coverage(contract)
    asked = Interaction("POST", "http://a.example/configurations", 201, (), b'{"max_retry": -1}')
    result.add(Failure(Finding("minimum", "body", "must be at least 0", "/max_retry"), "createConfiguration", [asked]))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(FORMATS["html"](result), "utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_report_either_and_its_requests_are_copied(
    browse: Browse, report: str, scheme: str, complaints: list[str]
) -> None:
    page = browse(report, color_scheme=scheme, viewport={"width": 320, "height": 800}, permissions=["clipboard-write"])
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_difference(browse: Browse, scheme: str, tmp_path: Path, complaints: list[str]) -> None:
    new, page = tmp_path / "new.yaml", tmp_path / "diff.html"
    text = BUILT_IN.read_text("utf-8").replace("maxLength: 2000", "maxLength: 1000").replace("1.0.0", "1.0.1", 1)
    new.write_text(text, "utf-8")
    assert main(["diff", str(BUILT_IN), str(new), "--report", f"html:{page}"]) == FINDINGS
    opened = browse(page.as_uri(), color_scheme=scheme, viewport={"width": 320, "height": 800})
    expect(opened.get_by_role("article")).to_contain_text("/inbound_block_message must have at most 1000 characters")
    assert barriers(opened) == []
    assert opened.evaluate("document.documentElement.scrollWidth") == 320
    assert complaints == []


def test_axe_finds_nothing_in_the_reference_of_the_controls(browse: Browse, mock: str) -> None:
    assert barriers(browse(f"{mock.removesuffix('/agent')}/_mock/docs")) == []


def test_an_answer_without_a_body_offers_nothing_to_copy(browse: Browse, mock: str) -> None:
    empty = browse(f"{mock.removesuffix('/agent')}/_mock/docs").locator(".answer:not(:has(pre))")
    expect(empty).not_to_have_count(0)
    expect(empty.locator("button")).to_have_count(0)


@pytest.mark.parametrize("place", ["/agent/docs", "/_mock/docs", "/_mock/ui"])
def test_no_page_is_heavy_and_each_leads_to_the_others(mock: str, place: str) -> None:
    page = httpx.get(mock.removesuffix("/agent") + place, headers={"Accept-Encoding": "gzip"}, timeout=60)
    assert page.num_bytes_downloaded < 150_000
    others = {"/agent/docs", "/_mock/docs", "/_mock/ui"} - {place}
    assert all(f'href="{other}"' in page.text for other in others)


@pytest.mark.parametrize(
    ("place", "to"),
    [
        ("/", "/agent/docs"),
        ("/agent", "/agent/docs"),
        ("/agent/", "/agent/docs"),
        ("/_mock", "/_mock/ui"),
        ("/_mock/", "/_mock/ui"),
    ],
)
def test_every_root_leads_somewhere(mock: str, place: str, to: str) -> None:
    answer = httpx.get(mock.removesuffix("/agent") + place)
    assert (answer.status_code, answer.headers["location"]) == (307, to)
