"""The console of a mock of other contracts, in a browser."""

import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from callconfig.tests.support.accessibility import barriers
from callconfig.tests.support.running import serving
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.xdist_group("browser")

CONTRACTS = Path(__file__).parent.parent / "support" / "contracts"
Browse = Callable[..., Page]
Enter = Callable[..., Page]


def of(name: str) -> tuple[str, ...]:
    return "--contract", str(CONTRACTS / f"{name}.yaml"), "--store", ":memory:"


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    """A mock of shops and their offers."""
    with serving(*of("shops")) as running:
        yield running.url


def open_request(page: Page, row: str) -> None:
    page.get_by_role("list", name="Requests").get_by_role("button").filter(has_text=row).first.click()


def test_a_refused_request_is_explained_and_copied(enter: Enter, api: httpx.Client, complaints: list[str]) -> None:
    api.post("/shops/7/offers", json={"itm": "tea", "price": -1})
    page = enter(permissions=["clipboard-read", "clipboard-write"])
    open_request(page, "400")
    body = page.get_by_role("group", name="Body of the request").locator("li")
    expect(body.filter(has_text='"price": -1')).to_contain_text("must be at least 0, not -1")
    expect(body.filter(has_text='"item": … is not there')).to_be_visible()
    page.get_by_role("button", name="curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = shlex.split(page.evaluate("navigator.clipboard.readText()").replace("\\\n", ""))
    assert b"400" in subprocess.run(command, capture_output=True, check=True).stdout.splitlines()[0]
    body.get_by_role("link", name="minimum").click()
    expect(page.locator("#rule-minimum")).to_be_in_viewport()
    assert complaints == []


def test_an_operation_is_tried_in_an_empty_session(browse: Browse, mock: str, complaints: list[str]) -> None:
    page = browse(f"{mock}/docs")
    page.locator("#openShop").get_by_text("Try it").last.click()
    tried = page.locator("#openShop-try")
    tried.get_by_role("button", name="Send POST").click()
    expect(tried.get_by_role("status")).to_contain_text("201 Created")
    assert complaints == []


def test_an_error_in_the_form_of_the_contract_is_told_in_its_words(browse: Browse) -> None:
    with serving(*of("bookings")) as server:
        booking = {"code": "abc", "day": "monday", "hour": 9}
        for _ in range(2):
            server.client.post("/rooms/A1/bookings", json=booking)
        page = browse(f"{server.url}/_mock/ui")
        words = '"abc" already has code "abc".'
        expect(page.get_by_role("list", name="Requests")).to_contain_text(words)
        open_request(page, "409")
        expect(page.get_by_role("article")).to_contain_text(words)
        page.get_by_role("tab", name="State").click()
        page.get_by_role("button", name="abc").click()
        dialog = page.get_by_role("dialog")
        text = dialog.get_by_label("JSON")
        text.fill(text.input_value().replace('"hour": 9', '"hour": 10'))
        dialog.get_by_role("button", name="Save").click()
        expect(page.get_by_role("row").nth(1).get_by_role("cell").nth(2)).to_have_text("10")
        assert server.client.get("/rooms/A1/bookings/abc").json()["hour"] == 10
        page.get_by_role("tabpanel", name="State").get_by_label("Seed").fill("3")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("row")).to_have_count(5)


def test_each_resource_has_its_table_which_is_seeded_changed_saved_and_restored(
    enter: Enter, api: httpx.Client
) -> None:
    page = enter("#state")
    expect(page.get_by_text("No documents.")).to_be_visible()
    page.get_by_role("tabpanel", name="State").get_by_label("Seed").fill("2")
    page.get_by_role("button", name="Add").click()
    table = page.get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(3)
    assert table.get_by_role("columnheader").all_inner_texts() == ["id", "name", "opened"]
    page.get_by_role("radio", name="shops_offers").check(force=True)
    page.get_by_role("button", name="Add").click()
    expect(table.get_by_role("row")).to_have_count(3)
    assert table.get_by_role("columnheader").all_inner_texts() == ["number", "shop", "item", "price"]
    shop = api.get("/shops").json()[0]["id"]
    offers = api.get(f"/shops/{shop}/offers").json()["offers"]
    assert len(offers) == 2
    page.get_by_label("Save as").fill("before")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name=str(offers[0]["number"])).click()
    dialog = page.get_by_role("dialog")
    text = dialog.get_by_label("JSON")
    text.fill(text.input_value().replace('"price": 0', '"price": -3'))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("/price must be at least 0, not -3 minimum")
    text.fill(text.input_value().replace("-3", "5"))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert api.get(f"/shops/{shop}/offers/{offers[0]['number']}").json()["price"] == 5
    page.get_by_role("button", name=str(offers[0]["number"])).click()
    dialog.get_by_role("button", name="Delete").click()
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="New").click()
    dialog.get_by_role("button", name="Store").click()
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="Restore").click()
    expect(table.get_by_role("button", name=str(offers[0]["number"]))).to_be_visible()
    assert api.get(f"/shops/{shop}/offers").json()["offers"] == offers
    page.get_by_label("Fork to the session").fill("forked-shops")
    page.get_by_role("button", name="Fork").click()
    expect(page.locator("#session")).to_have_value("forked-shops")
    expect(table.get_by_role("row")).to_have_count(3)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("No documents.")).to_be_visible()


def test_the_next_request_gets_what_is_documented_or_fails(enter: Enter, api: httpx.Client) -> None:
    page = enter("#rules")
    page.get_by_role("combobox", name="Operation").select_option("readShop")
    answer = page.get_by_role("combobox", name="Answer")
    assert [each.split()[0] for each in answer.locator("option").all_inner_texts()] == ["200", "404", "503"]
    answer.select_option(label="503 (not documented)")
    page.get_by_role("button", name="Set", exact=True).click()
    rules = page.get_by_role("list", name="Rules")
    expect(rules).to_contain_text("rule1 the next readShop gets 503, off the contract")
    assert [api.get("/shops/7").status_code for _ in range(2)] == [503, 404]
    expect(rules).to_contain_text("matched 1, answered 1 of 1: used up")


def test_a_contract_that_stores_nothing_has_no_state_and_everything_else(browse: Browse) -> None:
    with serving(*of("weather")) as server:
        page = browse(f"{server.url}/_mock/ui")
        expect(page.locator("#live")).to_have_text("live")
        assert page.get_by_role("tab").all_inner_texts() == ["Requests", "Rules", "Clock and sessions"]
        page.get_by_role("button", name="Send it").click()
        expect(page.get_by_role("article")).to_contain_text("202")
        page.get_by_role("tab", name="Rules").click()
        page.get_by_role("combobox", name="Operation").select_option("readWeather")
        page.get_by_role("combobox", name="Answer").select_option(label="200 wet")
        page.get_by_role("button", name="Set", exact=True).click()
        expect(page.get_by_role("list", name="Rules")).to_contain_text("the next readWeather gets 200 wet")
        assert [server.client.get("/weather/a").json()["sky"] for _ in range(2)] == ["rain", "clear"]
        page.get_by_role("tab", name="Clock and sessions").click()
        page.get_by_label("Freeze at").fill("2025-01-15T10:30:00Z")
        page.get_by_role("button", name="Freeze").click()
        expect(page.locator("#now")).to_have_text("2025-01-15 10:30:00 UTC")


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 320)])
def test_axe_finds_nothing_and_nothing_scrolls_sideways_there(
    enter: Enter, api: httpx.Client, scheme: str, width: int
) -> None:
    shop = api.post("/shops", json={"name": f"{scheme} shop"}).json()["id"]
    api.post(f"/shops/{shop}/offers", json={"item": "tea", "price": 2})
    api.post("/shops", json={"nam": "a"})
    page = enter(color_scheme=scheme, viewport={"width": width, "height": 800})
    open_request(page, "400")
    for view in ("Requests", "State", "Rules", "Clock and sessions"):
        page.get_by_role("tab", name=view).click()
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
