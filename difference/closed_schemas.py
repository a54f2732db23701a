"""The values that a client or a server sends by its contract: objects with the declared members alone.

A schema without `additionalProperties` admits unknown members, so that readers tolerate them, but senders do not send
them: otherwise every new optional member would be a breaking change.
"""

from collections.abc import Mapping
from functools import partial
from typing import Literal

from ..contract.dialect import changed
from ..contract.normal import Definitions, definition_name, followed
from ..contract.schema import Json

Mode = Literal["whole", "part", "open"]
"""`whole`: a schema alone, to be closed; `part`: one beside others, not closed by itself; `open`: unchanged."""

_OPENING = ("additionalProperties", "unevaluatedProperties")
_SUFFIX: dict[Mode, str] = {"whole": "", "part": ":part", "open": ":open"}
_ITSELF = ("not", "if", "propertyNames")
"""Keywords whose subschemas only test a value, so that closing them would change their meaning."""


class ClosedSchemas:
    """The closed schemas of one contract in one direction; each definition is closed once."""

    def __init__(self, definitions: Definitions) -> None:
        self._original = definitions
        self.definitions: dict[str, Json] = {}
        self._waiting: list[tuple[str, str, Mode]] = []
        """The definitions to be closed: the new name, the original name, and the mode."""

    def closed(self, schema: Json) -> Json:
        """The closed form of a schema; its references are to `definitions`."""
        closed = self._closed(schema, "whole")
        while self._waiting:
            key, name, mode = self._waiting.pop()
            self.definitions[key] = self._closed(self._original[name], mode)
        return closed

    def _closed(self, schema: Json, mode: Mode) -> Json:
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return {"$ref": self._definition(schema["$ref"], mode)}
        # The branches of a choice can be closed separately where no keyword beside the choice names members.
        alone = mode == "whole" and schema.keys() <= {"anyOf", "oneOf", "type"}
        inside: Mode = "open" if mode == "open" else "whole"
        beside: Mode = "open" if mode == "open" else "part"
        modes: dict[str, Mode] = {
            **dict.fromkeys(("allOf", "dependentSchemas", "then", "else"), beside),
            **dict.fromkeys(("anyOf", "oneOf"), mode if alone else beside),
            **dict.fromkeys(_ITSELF, "open"),
        }
        closed = {
            keyword: changed(keyword, value, partial(self._closed, mode=modes.get(keyword, inside)))
            for keyword, value in schema.items()
        }
        if mode == "whole" and not alone:
            self._close(schema, closed)
        return closed

    def _close(self, schema: Mapping[str, Json], closed: dict[str, Json]) -> None:
        names: dict[str, None] = {}
        if self._names(schema, names, frozenset()) and names:
            closed["properties"] = {**dict.fromkeys(names, True), **closed.get("properties", {})}
            closed["additionalProperties"] = False

    def _names(self, schema: Json, names: dict[str, None], above: frozenset[int]) -> bool:
        """Collect the members that a schema names; returns whether it declares no additional ones."""
        schema = followed(schema, self._original)
        if not isinstance(schema, dict) or id(schema) in above:
            return True
        if any(keyword in schema for keyword in (*_OPENING, "patternProperties")):
            return False
        names |= dict.fromkeys([*schema.get("properties", {}), *schema.get("required", ())])
        parts = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ())]
        parts += [schema[keyword] for keyword in ("then", "else") if keyword in schema]
        parts += schema.get("dependentSchemas", {}).values()
        silent = [self._names(part, names, above | {id(schema)}) for part in parts]  # all, for their names
        return all(silent)

    def _definition(self, reference: str, mode: Mode) -> str:
        name = definition_name(reference)
        key = name + _SUFFIX[mode]
        if key not in self.definitions:
            self.definitions[key] = True  # until it is closed
            self._waiting.append((key, name, mode))
        return reference + _SUFFIX[mode]
