"""Untrusted contract files: at most one line of error, in bounded time, and no other file is read."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from callconfig.contract.document import Contract, InvalidContract
from callconfig.contract.shape import MAX_MEMBERS, members

HEAD = """openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /x:
    post:
      x-roles: [admin]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}
      responses: {'200': {description: d}}
"""
NINE = "abcdefghijklm"


def schemas(text: str) -> str:
    return f"{HEAD}components: {{schemas: {{{text}}}}}\n"


def doubling(levels: int) -> str:
    twice = "{type: object, properties: {a: {$ref: '#/components/schemas/S%d'}, b: {$ref: '#/components/schemas/S%d'}}}"
    named = ", ".join(f"S{level}: {twice % (level + 1, level + 1)}" for level in range(levels))
    return f"A: {{$ref: '#/components/schemas/S0'}}, {named}, S{levels}: {{type: string}}"


HOSTILE = {
    "a file": (schemas("A: {$ref: 'file:///etc/passwd'}"), "into files in its folder or below"),
    "a page": (schemas("A: {$ref: 'http://127.0.0.1:9/x'}"), "into files in its folder or below"),
    "a page without a scheme": (schemas("A: {$ref: '//127.0.0.1:9/x'}"), "into files in its folder or below"),
    "a file at the root": (schemas("A: {$ref: '/etc/passwd'}"), "into files in its folder or below"),
    "a file above": (schemas("A: {$ref: '../other.yaml#/A'}"), "into files in its folder or below"),
    "a file above, encoded": (schemas("A: {$ref: '%2e%2e/other.yaml#/A'}"), "into files in its folder or below"),
    "a file that is not there": (schemas("A: {$ref: 'other.yaml#/A'}"), "there is no such file"),
    "a folder": (schemas("A: {$ref: './#/A'}"), "there is no such file"),
    "a path of nobody": (schemas('A: {$ref: "a\\0b"}'), "is no path of a file"),
    "a loop": (schemas("A: {$ref: '#/components/schemas/A'}"), "refers to itself"),
    "a longer loop": (
        schemas("A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}"),
        "refers to itself",
    ),
    "allOf itself": (schemas("A: {allOf: [{$ref: '#/components/schemas/A'}]}"), "refers to itself"),
    "not itself": (schemas("A: {not: {anyOf: [{$ref: '#/components/schemas/A'}]}}"), "refers to itself"),
    "aliases that multiply": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{one}: &{one} [{', '.join([f'*{before}'] * 9)}]\n" for before, one in pairwise(NINE)),
        "more than 2000000 values",
    ),
    "merges that multiply": (
        "a: &a {x: 1}\n"
        + "".join(f"{one}: &{one} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n" for before, one in pairwise(NINE)),
        "more than 2000000 values",
    ),
    "an alias of itself": ("a: &a [*a]\n", "holds itself"),
    "deep blocks": ("- " * 200_000 + "x", "nested deeper than 100 levels"),
    "deep brackets": ("[" * 200_000, "nested deeper than 100 levels"),
    "deep keys": ("? " * 200_000, "a key must be a text"),
    "many digits": (f"openapi: {'9' * 5000}", "a number of 5000 characters"),
    "a tag of Python": ("openapi: !!python/object:os.system x\n", "is no value of JSON"),
    "bytes": ("openapi: !!binary aGVsbG8=\n", "is no value of JSON"),
    "a number without end": ("openapi: .inf\n", "is no number of JSON"),
    "a key that is a list": ("? [a]\n: 1\n", "a key must be a text"),
    "deep JSON": ('{"a": ' * 200_000, "nested deeper than 100 levels"),
    "half of a surrogate": ('{"openapi": "\\ud800"}', "neither YAML nor JSON"),
}


def test_references_that_double_are_compiled_in_time(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(schemas(doubling(60)))
    started = time.process_time()
    for operation in Contract.load(path).operations.values():
        compiled = [each.schema for each in operation.parameters]
        compiled += [each.schema for each in operation.request_body.contents.values()]
        for response in operation.responses.values():
            compiled += [each.schema for each in response.headers]
            compiled += [each.schema for each in response.representations.values()]
        for schema in compiled:
            schema.compile()
    assert time.process_time() - started < 5


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("A: {type: string}\n")
    folder = tmp_path / "contract"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    path = folder / "contract.yaml"
    path.write_text(schemas("A: {$ref: 'link.yaml#/A'}"))
    with pytest.raises(InvalidContract, match="into files in its folder or below"):
        Contract.load(path)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_contract_is_refused_in_one_line_and_in_time(tmp_path: Path, kind: str) -> None:
    text, reason = HOSTILE[kind]
    path = tmp_path / "contract.yaml"
    path.write_text(text)
    started = time.process_time()
    with pytest.raises(InvalidContract, match=reason) as caught:
        Contract.load(path)
    assert time.process_time() - started < 5
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_schemas_that_refer_to_one_another_are_compiled_and_gone_through_in_time(tmp_path: Path) -> None:
    every = ", ".join(f"m{other}: {{$ref: '#/components/schemas/S{other}'}}" for other in range(12))
    path = tmp_path / "contract.yaml"
    path.write_text(
        schemas(
            "A: {$ref: '#/components/schemas/S0'}, "
            + ", ".join(f"S{number}: {{type: object, properties: {{{every}}}}}" for number in range(12))
        )
    )
    started = time.process_time()
    contract = Contract.load(path)
    assert len(members({"$ref": "#/components/schemas/S0"}, contract.resolve)) == MAX_MEMBERS
    assert time.process_time() - started < 5


def test_a_long_chain_of_references_is_followed_in_linear_time(tmp_path: Path) -> None:
    path, last = tmp_path / "contract.yaml", 3000
    named = "".join(f"S{number}: {{$ref: '#/components/schemas/S{number + 1}'}}, " for number in range(last))
    path.write_text(schemas(f"A: {{$ref: '#/components/schemas/S0'}}, {named}S{last}: {{type: string}}"))
    started = time.process_time()
    contract = Contract.load(path)
    assert contract.resolve("#/components/schemas/A") == {"type": "string"}
    assert time.process_time() - started < 5


def test_a_path_of_twelve_parameters_is_looked_up_in_linear_time() -> None:
    path = "/" + "-".join(f"{{p{number}}}" for number in range(12)) + "+{last}"
    document = {
        "info": {"title": "t", "version": "1"},
        "paths": {path: {"get": {"responses": {}}}},
    }
    contract = Contract(document)
    started = time.process_time()
    assert contract.route("/" + "-" * 20_000) is None
    assert time.process_time() - started < 1
    found = contract.route("/" + "-".join("abcdefghijkl") + "+z")
    assert found is not None
    assert "".join(found[1].values()) == "abcdefghijklz"


MISSPELT = {
    "x-role: [admin]": 'x-role is not a known member; did you mean "x-roles"?',
    "x-roles: admin": "x-roles must be array",
    "x-roles: [admin, 1]": "x-roles/1 must be string",
}


@pytest.mark.parametrize("member", MISSPELT)
def test_a_member_of_ours_that_is_misspelt_stops_loading_in_words(tmp_path: Path, member: str) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(schemas("A: {type: string}").replace("x-roles: [admin]", member))
    with pytest.raises(InvalidContract) as caught:
        Contract.load(path)
    assert MISSPELT[member] in str(caught.value)


@pytest.mark.parametrize("member", ["x-internal: true", "x-codeSamples: []", "x-amazon-apigateway-auth: {type: NONE}"])
def test_a_member_of_another_tool_is_passed_over(tmp_path: Path, member: str) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(schemas("A: {type: string}").replace("x-roles: [admin]", member))
    assert Contract.load(path).title == "t"
