"""Values that no other client has, by the schemas of the members that must be unique."""

from typing import Any

import pytest
from callconfig.contract.references import References
from callconfig.contract.schema import Schema
from callconfig.verification.names import unique_value


@pytest.mark.parametrize(
    ("declared", "unique"),
    [
        ({"type": "string"}, True),
        ({"type": "string", "format": "email", "maxLength": 100}, True),
        ({"type": "string", "format": "uri"}, True),
        ({"type": "string", "format": "uuid"}, True),
        ({"type": "string", "pattern": "^[0-9a-f]+$"}, True),
        ({"type": "integer"}, True),
        ({"type": "integer", "minimum": 1, "maximum": 9}, False),
        ({"type": "string", "enum": ["a", "b"]}, False),
        ({"type": "string", "pattern": "^[A-Z]{2}$"}, False),
    ],
)
def test_a_key_has_a_valid_value_of_its_own_where_the_schema_has_enough(declared: dict[str, Any], unique: bool) -> None:
    schema = Schema(declared, References({"openapi": "3.0.3"}), "request")
    values = [unique_value(f"check-7-0-name-{number}", schema, declared) for number in range(9)]
    assert all(schema.accepts(value) for value, _ in values)
    assert {is_unique for _, is_unique in values} == {unique}
    if unique:
        assert len({value for value, _ in values}) == 9
