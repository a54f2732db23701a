"""The formats of JSON Schema and of the OpenAPI format registry."""

import pytest
from callconfig.contract.formats import FORMATS, JUDGED_FORMATS
from callconfig.contract.references import NO_REFERENCES
from callconfig.contract.schema import Json, Schema

# format, values that have it, values that have not
STRINGS: list[tuple[str, list[str], list[str]]] = [
    ("base64url", ["", "YQ", "YQ==", "_-8"], ["a+b", "a/b"]),
    ("byte", ["", "YQ==", "YWI=", "YWJj"], ["YQ", "_-8=", "Y Q="]),
    ("char", ["a", "\n", "𝄞"], ["", "ab"]),
    ("date", ["2024-02-29"], ["2023-02-29", "2024-2-29", "20240229"]),
    ("date-time", ["2024-02-29T10:00:00Z", "2024-02-29t10:00:00.5+05:30"], ["2024-02-29 10:00", "2024-02-29T10:00:00"]),
    ("decimal", ["1", "-1.50", "1e-9", ".5"], ["", "1,5", "NaN"]),
    ("decimal128", ["1.5E+6144", "NaN", "-Infinity"], ["", "inf"]),
    ("duration", ["P1Y2M3DT4H", "P2W"], ["1 day", "P", "PT"]),
    ("email", ["a@example.com"], ["a", "@example.com"]),
    ("hostname", ["example.com", "a-b"], ["-a", "a_b"]),
    ("http-date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"], ["1994-11-06", "Sun, 06 Nov 1994"]),
    ("iana-time-zone", ["Asia/Kolkata"], ["Berlin"]),
    ("idn-email", ["ä@example.com"], ["ä"]),
    ("idn-hostname", ["bücher.example"], ["-bücher"]),
    ("ipv4", ["192.0.2.1"], ["192.0.2", "192.0.2.256"]),
    ("ipv6", ["::1", "2001:db8::1"], ["1", "::g"]),
    ("iri", ["https://bücher.example/ü"], ["bücher"]),
    ("iri-reference", ["ü/ä", ""], ["\\\\"]),
    ("json-pointer", ["", "/a~1b"], ["a", "/~2"]),
    ("media-range", ["*/*", "text/*;q=0.5", 'a/b; c="d e"'], ["text", "text/", "a/b; c"]),
    ("regex", ["^a+$"], ["("]),
    ("relative-json-pointer", ["1/a", "0#"], ["/a", "-1"]),
    ("sf-binary", [":YQ==:"], ["YQ==", ":_:"]),
    ("sf-boolean", ["?1"], ["1", "?2"]),
    ("sf-decimal", ["-1.5"], ["1", "1.2345"]),
    ("sf-integer", ["-42"], ["1.5", "1234567890123456"]),
    ("sf-string", [r'"a \"b\""'], ["a", '"é"']),
    ("sf-token", ["*a/b:c"], ["1a", ""]),
    ("time", ["10:00:00Z", "10:00:00.5+01:00"], ["10:00", "25:00:00Z"]),
    ("uri", ["urn:isbn:1", "https://example.com/?a=b#c"], ["/a", "a b"]),
    ("uri-reference", ["/a", "?b", ""], ["a b", "\\"]),
    ("uri-template", ["/a/{b}"], ["/a/{b"]),
    ("uuid", ["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], ["2eb8aa08aa9811eab4aa73b441d16380"]),
]
NUMBERS: list[tuple[str, list[Json], list[Json]]] = [
    ("int8", [-128, 127], [-129, 128]),
    ("int16", [32767], [32768]),
    ("int32", [-(2**31), 2**31 - 1], [2**31]),
    ("int64", [2**63 - 1], [2**63]),
    ("uint8", [0, 255], [-1, 256]),
    ("uint16", [65535], [65536]),
    ("uint32", [2**32 - 1], [2**32]),
    ("uint64", [2**64 - 1], [-1]),
    ("double-int", [2**53 - 1], [2**53]),
    ("float", [1.5, 1e300], []),
    ("double", [1.5], []),
    ("unixtime", [1700000000], []),
]
OF_ANY_TEXT = ["password", "binary", "commonmark", "html"]


@pytest.mark.parametrize(("name", "fit", "unfit"), [*STRINGS, *NUMBERS], ids=repr)
def test_a_format_is_judged(name: str, fit: list[Json], unfit: list[Json]) -> None:
    schema = Schema({"format": name}, NO_REFERENCES, "request")
    assert [value for value in fit if not schema.accepts(value)] == []
    assert [value for value in unfit if schema.accepts(value)] == []
    assert all(schema.accepts(value) for value in (True, None, [1]))


def test_every_format_that_is_judged_is_tried_here() -> None:
    assert {*(name for name, _, _ in (*STRINGS, *NUMBERS)), *OF_ANY_TEXT} == JUDGED_FORMATS
    assert FORMATS.keys() <= JUDGED_FORMATS


@pytest.mark.parametrize("name", [*OF_ANY_TEXT, "ulid", "x"])
def test_what_is_no_notation_or_unknown_is_never_an_accusation(name: str) -> None:
    assert Schema({"type": "string", "format": name}, NO_REFERENCES, "request").findings("anything", "body") == []
