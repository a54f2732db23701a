"""The documented media type that a `Content-Type` matches."""

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.media import ByMediaType
from callconfig.contract.operation import Request

# documented, sent, which one holds
MATCHES: list[tuple[list[str], str, str | None]] = [
    (["application/json"], "application/json", "application/json"),
    (["application/json"], "Application/JSON; Charset=UTF-8", "application/json"),
    (["Application/JSON"], "application/json", "Application/JSON"),
    (["application/json"], "application/hal+json", None),
    (["application/json"], "text/html", None),
    (["application/json"], "", None),
    (["application/json"], "json", None),
    (["*/*"], "application/json", "*/*"),
    (["*/*"], "", "*/*"),
    (["image/*"], "image/png", "image/*"),
    (["image/*"], "imagery/png", None),
    (["*/*", "image/*", "image/png"], "image/png", "image/png"),
    (["*/*", "image/*", "image/png"], "image/gif", "image/*"),
    (["*/*", "image/*", "image/png"], "text/plain", "*/*"),
    (["application/*+json", "application/*"], "application/problem+json", "application/*+json"),
    (["application/*+json", "application/*"], "application/json", "application/*"),
    (["application/*+json"], "application/json", None),
    (["application/json; charset=utf-8"], "application/json", "application/json; charset=utf-8"),
    (["application/json; charset=utf-8"], "application/json;charset=UTF-8", "application/json; charset=utf-8"),
    (["text/plain; charset=utf-8"], "text/plain; charset=iso-8859-1", None),
    (["text/*; version=1", "text/*; version=2"], "text/csv; version=2", "text/*; version=2"),
    (["application/json; version=1"], "application/json; version=3", None),
    (["application/json; version=1"], "application/json", None),
    (["application/json; version=1", "application/json"], "application/json; version=3", "application/json"),
    (["application/json"], 'application/json; profile="https://example.com/p"', "application/json"),
    (["application/vnd.api+json"], 'application/vnd.api+json; ext="a,b"', "application/vnd.api+json"),
]


@pytest.mark.parametrize(("documented", "sent", "holds"), MATCHES)
def test_the_most_specific_documented_media_type_holds(documented: list[str], sent: str, holds: str | None) -> None:
    assert ByMediaType({name: name for name in documented}).find(sent) == holds
    assert ByMediaType({name: name for name in reversed(documented)}).find(sent) == holds


@pytest.mark.parametrize("accept", ["*/*", "text/plain", "state"])
def test_who_documents_what_is_no_media_type_is_asked_for_it_in_vain_by_nobody(accept: str) -> None:
    answers = {"200": {"description": "It.", "content": {"state": {}}}, "406": {"description": "Not that."}}
    info = {"title": "States", "version": "1"}
    contract = Contract({"openapi": "3.0.3", "info": info, "paths": {"/a": {"get": {"responses": answers}}}})
    (operation,) = contract.operations.values()
    assert operation.check_request(Request(headers={"accept": accept}))[1] == []
