"""Strict JSON is read; any other text gives findings with their places."""

import contextlib
import json
import time
from typing import Any

import pytest
from callconfig.contract.body import RequestBody
from callconfig.contract.references import NO_REFERENCES
from callconfig.contract.strict_json import MAX_DEPTH, NotStrictJson, decode
from hypothesis import given
from hypothesis import strategies as st

REFUSED: list[tuple[bytes, str, str]] = [
    (b"\xff", "json-encoding", ""),
    (b"", "json-syntax", ""),
    (b"{", "json-syntax", ""),
    (b"[1,]", "json-syntax", ""),
    (b"\xef\xbb\xbf{}", "json-syntax", ""),
    (b'"\t"', "json-syntax", ""),
    (b"{} {}", "json-syntax", ""),
    (b'{"a": 1, "a": 1}', "json-duplicate", "/a"),
    (b'[{"a": {"b~": 1, "b~": 2}}]', "json-duplicate", "/0/a/b~0"),
    (rb'{"\u0061": "\n", "a": 1}', "json-duplicate", "/a"),
    (rb'{"\"": 1, "\u0022": 2}', "json-duplicate", '/"'),
    (rb'{"\\": "\\\"", "\u005c": 2}', "json-duplicate", "/\\"),
    (b'{"a": NaN}', "json-syntax", "/a"),
    (b"[-Infinity]", "json-syntax", "/0"),
    (b"[1e999]", "json-number", "/0"),
    (b"[%d]" % 2**64, "json-number", "/0"),
    (b"[%d]" % (-(2**63) - 1), "json-number", "/0"),
    (b'{"a": ' + b"9" * 400 + b"}", "json-number", "/a"),
    (b'{"a": ' + b"9" * 100_000 + b"}", "json-number", "/a"),
    (rb'{"a": "\ud800"}', "json-string", "/a"),
    (rb'["\udc00\ud800"]', "json-string", "/0"),
    (rb'{"\ud800": 1}', "json-string", ""),
    (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "json-depth", ""),
    (b'{"a":' * 2000, "json-depth", ""),
    (b"[" * 500_000, "json-depth", ""),
    (b"[[]," * 200_000, "json-depth", ""),
    (b'["",' * 200_000, "json-depth", ""),
    (rb'["\\",' * 200_000, "json-depth", ""),
    (b"[" * 80 + b"[1,{" * 9 + b"}]", "json-syntax", ""),
]


@pytest.mark.parametrize(("text", "rule", "pointer"), REFUSED, ids=lambda value: repr(value)[:40])
def test_what_readers_disagree_on_is_refused_with_its_place(text: bytes, rule: str, pointer: str) -> None:
    with pytest.raises(NotStrictJson) as caught:
        decode(text)
    assert [(finding.rule, finding.pointer) for finding in caught.value.findings] == [(rule, pointer)]


def test_every_violation_is_told_at_once() -> None:
    with pytest.raises(NotStrictJson) as caught:
        decode(rb'{"a": NaN, "b": "\ud800", "a": 1}')
    assert [finding.rule for finding in caught.value.findings] == ["json-syntax", "json-string", "json-duplicate"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\\ud800"', r"\ud800"),
        (b'"' + b"[" * 1000 + b'"', "[" * 1000),
        (b"[%d, %d]" % (2**64 - 1, -(2**63)), [2**64 - 1, -(2**63)]),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b"[" + b'{"a": []}, ' * 1000 + b"[]]", None),
        (rb'["\"[", "\\", "\\\"{{", ' + b"[], " * MAX_DEPTH + b'"[[["]', None),
        (b" [1.5, -0.0, 1e5] ", [1.5, 0.0, 100000.0]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_only_looks_odd_is_read(text: bytes, value: Any) -> None:
    assert decode(text) == (json.loads(text) if value is None else value)


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"{}," * 300_000 + b"{}]",
        b"[" + b'"[[[[\\\\",' * 100_000 + b"{}]",
        b"[" + b"[" * 99 + b"]" * 99 + b",[]" * 300_000 + b"]",
        b"[NaN" + b",1" * 400_000 + b"]",
        b'{"a":1' + b',"a":1' * 150_000 + b"}",
        b"[" + rb'"\ud800",' * 100_000 + b"1]",
        b"[" + b"9" * 1_000_000 + b"]",
        b"[" * 1_000_000,
    ],
    ids=lambda text: repr(text)[:30],
)
def test_a_megabyte_is_read_in_linear_time(text: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(NotStrictJson):
        decode(text)
    assert time.process_time() - started < 1  # it is 0.1


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda nested: st.lists(nested) | st.dictionaries(st.text(), nested),
)


@given(json_values)
def test_what_was_written_is_read(value: Any) -> None:
    assert decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("mebibytes", "arrays", "rules"),
    [(1, 99_999, []), (1, 100_000, ["json-size"]), (32, 100_000, []), (32, 3_200_000, ["json-size"])],
)
def test_a_body_has_no_more_arrays_than_suit_its_largest_size(mebibytes: int, arrays: int, rules: list[str]) -> None:
    declared = {"x-max-bytes": mebibytes << 20, "content": {"application/json": {"schema": {"type": "array"}}}}
    body = b"[" + b",".join([b"[]"] * arrays) + b"]"
    _, findings = RequestBody(declared, NO_REFERENCES).read({"content-type": "application/json"}, body)
    assert [finding.rule for finding in findings] == rules
