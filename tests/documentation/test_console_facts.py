"""What the console of any contract knows of its resources."""

import json
from typing import Any

import pytest
from callconfig.contract.document import Contract
from callconfig.documentation.console import render_console


@pytest.mark.parametrize(
    ("schema", "first"),
    [
        ({"type": "string", "example": "tea"}, None),  # a number is appended
        ({"type": "string", "format": "email"}, ["name1@example.com", "name2@example.com"]),
        ({"type": "string", "pattern": "^[a-z]+[0-9]*$", "example": "tea"}, ["tea1", "tea2"]),
        ({"type": "string", "pattern": r"^INV-\d{4}$", "example": "INV-0041"}, ["INV-0042", "INV-0043"]),
        ({"type": "string", "enum": ["S", "M"]}, ["S", "M"]),
        ({"type": "integer", "example": 7}, [8, 9]),
    ],
)
def test_the_documents_that_it_makes_differ_where_they_must(schema: dict[str, Any], first: list[Any] | None) -> None:
    resource = {
        "type": "object",
        "required": ["id", "code"],
        "properties": {"id": {"type": "integer", "readOnly": True}, "code": schema},
        "x-resource": {"identity": "id", "unique": ["code"]},
    }
    content = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    create = {"operationId": "add", "requestBody": content, "responses": {"201": {"description": "It is.", **content}}}
    contract = Contract(
        {
            "openapi": "3.0.3",
            "info": {"title": "T", "version": "1"},
            "paths": {"/things": {"post": create}},
            "components": {"schemas": {"Thing": resource}},
        }
    )
    html = render_console(contract, "").html
    facts = json.loads(html.partition('id="facts">')[2].partition("</script>")[0])
    (varied,) = facts["resources"][0]["varied"]
    assert (varied["values"] and varied["values"][:2]) == first
