"""YAML 1.2 and JSON as trees: the values of scalars, the places of errors, and speed."""

import time
from typing import Any

import pytest
from callconfig.contract.yaml_tree import InvalidYaml, MarkedYaml, read_yaml

SCALARS: dict[str, Any] = {
    **{text: text for text in ("no", "Yes", "on", "OFF", "y", "N", "0o8", "1_000", "0b11", "12:30:45", "2001-12-14")},
    **{text: text for text in ("2001-12-14t21:59:43Z", "1e", "+", ".", "0x", "1.2.3", "nULL", "tRUE", "=", "<")},
    **dict.fromkeys(("~", "null", "Null", "NULL", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    "0": 0,
    "-12": -12,
    "+3": 3,
    "017": 17,
    "0o17": 15,
    "0xfF": 255,
    "1.": 1.0,
    ".5": 0.5,
    "-1.5e3": -1500.0,
    "1e2": 100.0,
    "0.10": 0.1,
    "'no'": "no",
    '"0o17"': "0o17",
    "!!str 12": "12",
    "!!int '12'": 12,
    "!!float 1.5": 1.5,
    "! 12": "12",
}


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_means_what_the_core_schema_says(text: str) -> None:
    value = read_yaml(f"a: {text}\n".encode())["a"]
    assert (value, type(value)) == (SCALARS[text], type(SCALARS[text]))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("200: a\ntrue: b\n1.10: c\n~: d\n", {"200": "a", "true": "b", "1.10": "c", "~": "d"}),
        ("a: &x {b: [1]}\nc: *x\n", {"a": {"b": [1]}, "c": {"b": [1]}}),
        ("a: &x {b: 1, c: 2}\nd: {c: 3, <<: *x, e: 4}\n", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3, "e": 4}}),
        ("a: &x {b: 1}\nc: {<<: [*x, {b: 2, d: 3}]}\n", {"a": {"b": 1}, "c": {"b": 1, "d": 3}}),
        ("a: {'<<': 1}\n", {"a": {"<<": 1}}),
        ("&k a: *k\n", {"a": "a"}),
        ("%YAML 1.2\n---\na: no\n...\n", {"a": "no"}),
        ('{"a":\t[1,\t"\\u00e9\\/"],\n\t"b": {}}', {"a": [1, "é/"], "b": {}}),
        ('\ufeff{"a": 18446744073709551616}', {"a": 2**64}),
        ("{a: no, b: [x, 'y']}", {"a": "no", "b": ["x", "y"]}),
        ("", None),
    ],
)
def test_a_text_is_read_as_it_is_meant(text: str, tree: Any) -> None:
    assert read_yaml(text.encode()) == tree


def test_what_an_alias_stands_for_is_not_shared() -> None:
    tree = read_yaml(b"a: &x {b: []}\nc: *x\n")
    tree["a"]["b"].append(1)
    assert tree["c"] == {"b": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: [1\nc: 2\n", "is neither YAML nor JSON: line 3, column 2"),
        ("a:\n\t- b\n", "is neither YAML nor JSON: line 2, column 1"),
        ('{"a": 1,\n\t"b": 2\n\t"c": 3}', "is neither YAML nor JSON: line 3, column 2: Expecting ',' delimiter"),
        ('{"a": 1,\n "b": 2,\n "a": 3}', "line 3: 'a' is given more than once"),
        ("a: 1\nb: {c: 1, c: 2}\n", "line 2: 'c' is given more than once"),
        ("a: 1\n---\nb: 2\n", "line 2: is a second document"),
        ("a: *b\n", "line 1: *b: is an alias of nothing"),
        ("a: {<<: 1}\n", "line 1: << takes a mapping"),
        ("a: !!timestamp 2001-12-14\n", "line 1: '2001-12-14' with the tag !!timestamp is no value of JSON"),
        ("a: !!set {b}\n", "line 1: the tag !!set is no value of JSON"),
        ("a: 1e999\n", "line 1: 1e999 is no number of JSON"),
        ("a: .NaN\n", "line 1: .NaN is no number of JSON"),
        ("a: \udcff", "is neither YAML nor JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidYaml) as caught:
        read_yaml(text.encode(errors="surrogateescape"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_part_of_a_text_has_a_line() -> None:
    text = b"a:\n  b:\n    - c: 1\n    - d: 2\n"
    marked = MarkedYaml(text)
    assert marked.line(("a", "b", 1, "d")) == 4
    assert marked.line(("a", "x", "y")) == 1
    assert marked.line(()) is None
    assert marked.node(("a", "b", 0, "c")).value == "1"
    assert marked.node(("a", "x")) is None


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_megabytes_are_read_in_a_second_or_two(suffix: str) -> None:
    member = (
        '"name-%d": {"type": "object", "description": "A few words about it.", "properties": {"a": {"type": "string"}}}'
    )
    lines = ",\n".join(member % number for number in range(100_000))
    text = f"{{{lines}}}" if suffix == "json" else "\n".join(line.rstrip(",") for line in lines.split("\n"))
    assert len(text) > 10_000_000
    started = time.process_time()
    assert len(read_yaml(text.encode())) == 100_000
    assert time.process_time() - started < 8  # one or two on an idle machine
