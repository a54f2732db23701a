"""Requests that an old contract takes, and the answers that it documents for them: what shows that a change breaks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from ..contract.finding import Finding
from ..contract.interaction import Fields, Interaction, by_name
from ..contract.operation import Request, is_json
from ..contract.parameters import Parameter
from ..contract.schema import Direction
from .containment import example
from .defaults import ABSENT
from .normal import merged, types
from .revision import Declared

Json = Any
_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is put together, and as the engine reads it."""

    interaction: Interaction
    request: Request


def schema_of(declared: Mapping[str, Json]) -> Json:
    """The schema of a parameter or a header, whichever way it is declared."""
    if "schema" in declared:
        return declared["schema"]
    return next(iter(declared.get("content", {"": {}}).values())).get("schema", {})


def text_of(value: Json) -> str:
    """A scalar as it stands in a path, a query or a header."""
    return value if isinstance(value, str) else orjson.dumps(value).decode() if value is not None else ""


def texts_of(declared: Mapping[str, Json], value: Json) -> list[str]:
    """The texts of a parameter: several where an array is written as several."""
    place = declared["in"]
    style = declared.get("style", "form" if place in ("query", "cookie") else "simple")
    explode = declared.get("explode", style == "form")
    if isinstance(value, list):
        texts = list(map(text_of, value))
        return texts if explode and place == "query" else [_SEPARATORS.get(style, ",").join(texts)]
    if isinstance(value, dict):
        pairs = [(name, text_of(each)) for name, each in value.items()]
        if style == "deepObject":
            return [f"{name}={text}" for name, text in pairs]
        return [",".join(f"{name}={text}" if explode else f"{name},{text}" for name, text in pairs)]
    return [text_of(value)]


def read(operation: Declared, declared: Mapping[str, Json], texts: list[str]) -> tuple[Json, list[Finding]]:
    """What the engine reads from the texts of a parameter, and what it finds wrong."""
    if not texts:
        return None, []  # an empty list is no parameter at all
    revision = operation.revision
    if not revision.is_31:
        return Parameter(declared, revision.resolve).read(texts)
    side = revision.side(schema_of(declared), "request")
    kinds = types(merged([side.schema], side.definitions) or {})
    kind = next((each for each in ("array", "object", "boolean", "integer", "number") if each in kinds), "string")
    plain = {**declared, "schema": {"type": "string" if "string" in kinds else kind}}
    value, wrong = Parameter(plain, revision.resolve).read(texts)
    return value, [each for each in wrong if each.rule == "repeated-parameter"] or side.findings(
        value, declared["in"], declared["name"]
    )


def parameter_example(operation: Declared, declared: Mapping[str, Json]) -> Json:
    """A value of a parameter that its contract takes."""
    shown = [declared.get("example"), *(each.get("value") for each in declared.get("examples", {}).values())]
    for value in (each for each in shown if each is not None):
        if not read(operation, declared, texts_of(declared, value))[1]:
            return value
    side = operation.revision.side(schema_of(declared), "request")
    value = example(side)
    return "a" if value == "" and declared["in"] == "path" else value


def body_examples(operation: Declared, content: Mapping[str, Json], direction: Direction) -> list[Json]:
    """Bodies that its contract takes: the documented examples, and a simple one."""
    revision = operation.revision
    side = revision.side(content.get("schema", {}), direction)
    shown = [content["example"]] if "example" in content else []
    shown += [revision.followed(each).get("value") for each in content.get("examples", {}).values()]
    found = [value for value in shown if side.accepts(value)]
    return found or [value for value in (example(side),) if value is not None]


def body_example(operation: Declared, content: Mapping[str, Json], direction: Direction) -> Json:
    """A body that its contract takes, or None where none was found."""
    return next(iter(body_examples(operation, content, direction)), None)


def request(
    operation: Declared,
    parameters: Mapping[tuple[str, str], Json] | None = None,
    body: Json = None,
    content_type: str | None = None,
    headers: Fields = (),
) -> Sent:
    """The simplest request that an operation takes, with the given parameters and body in it."""
    values = dict(parameters or {})
    for key, (declared, _) in operation.parameters.items():
        if declared.get("required") and key not in values:
            values[key] = parameter_example(operation, declared)
    path, query, fields, read_path = operation.path, [], list(headers), {}
    for key, value in values.items():
        if value is ABSENT or key not in operation.parameters:
            continue
        declared = operation.parameters[key][0]
        name, texts = declared["name"], texts_of(declared, value)
        if key[0] == "path":
            path = path.replace(f"{{{name}}}", quote(texts[0], safe=""))
            read_path[name] = texts[0]
        elif key[0] == "query":
            deep = declared.get("style") == "deepObject"
            pairs = [text.partition("=")[::2] if deep else ("", text) for text in texts]
            query += [(f"{name}[{inner}]" if deep else name, text) for inner, text in pairs]
        else:
            fields.append((name, texts[0]) if key[0] == "header" else ("Cookie", f"{name}={texts[0]}"))
    content = (operation.body or {}).get("content", {})
    if body is None and content and (operation.body or {}).get("required"):
        content_type = content_type or next(iter(content))
        body = body_example(operation, content.get(content_type, {}), "request")
    data = b""
    if body is not None and body is not ABSENT:
        content_type = content_type or next(iter(content), "application/json")
        data = orjson.dumps(body) if is_json(content_type) or not isinstance(body, str) else (body or "text").encode()
        fields.append(("Content-Type", content_type))
    text = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in query)
    status, answer_fields, answer = answer_of(operation)
    interaction = Interaction(
        operation.method.upper(),
        f"{base_url(operation)}{path}{'?' if text else ''}{text}",
        status,
        tuple(fields),
        data,
        answer_fields,
        answer,
    )
    return Sent(interaction, Request(read_path, text.encode(), by_name(fields), data))


def base_url(operation: Declared) -> str:
    """Where requests go that show something: the first server of the contract, or one on this machine."""
    servers = operation.revision.document.get("servers") or [{"url": "/"}]
    url = str(servers[0].get("url", "/")).rstrip("/")
    return url if "://" in url and "{" not in url else f"http://127.0.0.1:8080{'' if '{' in url else url}"


def answer_of(operation: Declared) -> tuple[int, Fields, bytes]:
    """The answer that a contract documents first among its successes: status, header fields, body."""
    statuses = sorted(operation.responses, key=lambda each: (each[0] != "2", each))
    status = statuses[0] if statuses else "200"
    number = int(status) if status.isdecimal() else int(status[0]) * 100 if status[0].isdecimal() else 200
    content = operation.responses[status][0].get("content", {}) if statuses else {}
    if not content:
        return number, (), b""
    name, declared = next(iter(content.items()))
    value = body_example(operation, declared, "response") if is_json(name) else None
    return number, (("Content-Type", name),), b"" if value is None else orjson.dumps(value)
