"""References: a document in several files becomes one, and a dangling reference is reported with its place."""

from pathlib import Path
from typing import Any

import pytest
from callconfig.contract.document import Contract, InvalidContract

HEAD = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\n"
HEAD_31 = HEAD.replace("3.0.3", "3.1.0")


def load(folder: Path, text: str, **files: str) -> Contract:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path = path.with_name(f"{path.name}.yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    main = folder / "openapi.yaml"
    main.write_text(text)
    return Contract.load(main)


def schemas(contract: Contract) -> Any:
    return contract.document["components"]["schemas"]


def test_what_another_file_has_becomes_a_component_under_its_name(tmp_path: Path) -> None:
    text = HEAD + "paths: {}\ncomponents: {schemas: {A: {properties: {b: {$ref: 'parts/B.yaml'}}}}}\n"
    array = "{type: array, items: {$ref: '../C.yaml#/deep/C%20c'}}"
    found = schemas(load(tmp_path, text, parts__B=array, C="deep: {C c: {type: string}}"))
    assert found["A"]["properties"]["b"] == {"$ref": "#/components/schemas/B"}
    assert found["B"] == {"type": "array", "items": {"$ref": "#/components/schemas/C-c"}}
    assert found["C-c"] == {"type": "string"}


def test_names_that_are_taken_are_numbered_and_what_is_the_same_is_there_once(tmp_path: Path) -> None:
    names = "A: {type: string}, B: {$ref: 'one.yaml#/A'}, C: {$ref: 'two.yaml#/A'}, D: {$ref: 'two.yaml#/A'}"
    text = HEAD + f"paths: {{}}\ncomponents: {{schemas: {{{names}}}}}\n"
    found = schemas(load(tmp_path, text, one="A: {type: integer}", two="A: {type: boolean}"))
    one, two = "#/components/schemas/A-2", "#/components/schemas/A-3"
    assert [found[name]["$ref"] for name in "BCD"] == [one, two, two]


def test_files_may_refer_to_one_another_and_back(tmp_path: Path) -> None:
    text = HEAD + "paths: {}\ncomponents: {schemas: {A: {properties: {b: {$ref: 'B.yaml'}}}}}\n"
    inside = "properties: {a: {$ref: 'openapi.yaml#/components/schemas/A'}, b: {$ref: '#'}}"
    found = schemas(load(tmp_path, text, B=inside))["B"]["properties"]
    assert found == {"a": {"$ref": "#/components/schemas/A"}, "b": {"$ref": "#/components/schemas/B"}}


def test_the_mapping_of_a_discriminator_may_name_files(tmp_path: Path) -> None:
    one_of = "oneOf: [{$ref: 'B.yaml'}], discriminator: {propertyName: k, mapping: {b: B.yaml, c: C}}"
    text = HEAD + f"paths: {{}}\ncomponents: {{schemas: {{A: {{{one_of}}}, C: {{type: object}}}}}}\n"
    found = schemas(load(tmp_path, text, B="{type: object, required: [k], properties: {k: {type: string}}}"))
    assert found["A"]["discriminator"]["mapping"] == {"b": "#/components/schemas/B", "c": "C"}


def test_paths_operations_and_whole_maps_may_be_elsewhere(tmp_path: Path) -> None:
    drop = "delete: {operationId: drop, responses: {default: {description: d}}}"
    contract = load(
        tmp_path,
        HEAD + "paths: {$ref: paths/all.yaml}\ncomponents: {schemas: {$ref: schemas.yaml}}\n",
        paths__all=f"{{/a: {{$ref: a.yaml}}, /b: {{get: {{$ref: 'a.yaml#/get'}}, {drop}}}}}",
        paths__a="get: {responses: {'200': {description: d}}}",
        schemas="A: {type: string}",
    )
    assert list(contract.operations) == ["GET /a", "GET /b", "drop"]
    assert schemas(contract) == {"A": {"type": "string"}}
    assert contract.path is None


GET = "get: {responses: {'200': {description: d}}}"
ASTRAY = {
    "paths: {/a: {$ref: '#/paths/~1a'}}": ":3: /paths/~1a #/paths/~1a: refers to itself",
    "paths: {/a: {$ref: '#/paths/~1b'}, /b: {$ref: '#/paths/~1a'}}": "refers to itself",
    "paths: {/a: {$ref: '#/x-nowhere'}}": ":3: /paths/~1a #/x-nowhere: refers to nothing",
    "paths: {/a: {parameters: [{$ref: '#/x'}]}}": ":3: /paths/~1a/parameters/0 #/x: refers to nothing",
    "paths: {/a: {$ref: 'broken.yaml'}}": ":3: /paths/~1a broken.yaml: is neither YAML nor JSON: line 3",
    "paths: {/a: {$ref: 'there.yaml#/B'}}": ":3: /paths/~1a there.yaml#/B: refers to nothing",
    f"paths: {{/a: {{get: {{$ref: '#/paths/~1b/get'}}}}, /b: {{{GET}}}}}": "/paths/~1a/get/responses is required",
}


@pytest.mark.parametrize("text", ASTRAY)
def test_what_leads_astray_is_told_in_one_line_with_its_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidContract) as caught:
        load(tmp_path, f"{HEAD}{text}\n", broken="a: 1\nb: [", there="A: {}")
    assert ASTRAY[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_dialect_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidContract, match="/jsonSchemaDialect"):
        load(tmp_path, f"{HEAD_31}paths: {{}}\njsonSchemaDialect: https://example.com/mine\n")


def test_anchors_and_ids_are_pointers_once_a_document_is_loaded(tmp_path: Path) -> None:
    there = "B: {$id: 'https://example.com/b', $anchor: it}"
    here = "A: {$ref: '#it'}, C: {$ref: 'https://example.com/b'}, D: {$dynamicRef: '#it'}"
    found = schemas(load(tmp_path, f"{HEAD_31}components: {{schemas: {{{here}, {there}}}}}\n"))
    assert [found[name]["$ref"] for name in "ACD"] == ["#/components/schemas/B"] * 3


def test_data_is_no_reference(tmp_path: Path) -> None:
    data = "default: {$ref: 'no.yaml'}, enum: [{$ref: x}], example: {$ref: '#/no'}"
    properties = "properties: {default: {$ref: '#/components/schemas/B'}, example: {type: string}}"
    named = f"A: {{type: object, {data}, {properties}}}, B: {{type: string}}"
    examples = "examples: {E: {value: {$ref: http://x}}}"
    found = schemas(load(tmp_path, f"{HEAD}paths: {{}}\ncomponents: {{schemas: {{{named}}}, {examples}}}\n"))
    assert found["A"]["properties"]["default"] == {"$ref": "#/components/schemas/B"}


TWICE = "parameters: [{name: q, in: query, schema: {}}, {name: q, in: query, schema: {type: string}}]"
INVALID = {
    "paths: {/a: {get: {operationId: x, responses: {default: {description: d}}},"
    " put: {operationId: x, responses: {default: {description: d}}}}}": (
        '/paths/~1a/put/operationId is "x", as is that of /paths/~1a/get'
    ),
    f"paths: {{'/a/{{b}}': {{{GET}}}}}": "/paths/~1a~1{b}/get has no parameter for {b} of its path",
    f"paths: {{/a: {{{TWICE}, {GET}}}}}": "/paths/~1a/parameters/1 q in query is declared twice",
    "paths: {/a: {get: {responses: {200: {description: 1}}}}}": (
        "/paths/~1a/get/responses/200/description must be string, not 1"
    ),
    "paths: {/a: {parameters: [{name: p, in: path, schema: {}}]}}": (
        "/paths/~1a/parameters/0/required is required and missing"
    ),
    "paths: {}\ncomponents: {schemas: {A: {type: strin}}}": '/components/schemas/A/type must be one of "array"',
    "paths: {}\ncomponents: {schemas: {A: {type: string, pattern: '('}}}": "/A/pattern is no regular expression",
    "paths: {}\ncomponents: {securitySchemes: {k: {type: apiKey, name: n}}}": "/components/securitySchemes/k/in",
}


@pytest.mark.parametrize("text", INVALID)
def test_what_no_document_may_say_is_refused_in_few_words(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidContract) as caught:
        load(tmp_path, f"{HEAD}{text}\n")
    assert INVALID[text] in str(caught.value)
    assert len(str(caught.value).removeprefix(str(tmp_path))) < 200
