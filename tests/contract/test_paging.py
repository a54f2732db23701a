"""The query parameters of a list that ask for a part of it, by their usual names."""

import pytest
from callconfig.contract.document import Contract
from callconfig.contract.paging import Paging


@pytest.mark.parametrize(
    ("limit", "position", "kind"),
    [
        ("limit", "offset", "offset"),
        ("pageSize", "pageToken", "cursor"),
        ("per_page", "page", "page"),
        ("Top", "Skip", "offset"),
        ("$top", "$skip", "offset"),
        ("page[size]", "page[number]", "page"),
        ("page[limit]", "page[cursor]", "cursor"),
    ],
)
def test_the_usual_names_are_known(limit: str, position: str, kind: str) -> None:
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in (limit, position, "near")]
    operation = {"operationId": "list", "parameters": parameters, "responses": {"200": {"description": "Some."}}}
    info = {"title": "T", "version": "1"}
    contract = Contract({"openapi": "3.0.3", "info": info, "paths": {"/a": {"get": operation}}})
    paging = Paging(contract.operations["list"], ())
    found = getattr(paging, kind)
    assert paging.limit is not None
    assert found is not None
    assert (paging.limit.name, found.name, paging.unknown) == (limit, position, ["near"])
