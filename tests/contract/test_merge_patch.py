"""The examples of RFC 7396, appendix A, because the mock and the model of `check` apply patches alike."""

import json

import pytest
from callconfig.contract.merge_patch import patched

EXAMPLES = """
{"a":"b"}                  {"a":"c"}                 {"a":"c"}
{"a":"b"}                  {"b":"c"}                 {"a":"b","b":"c"}
{"a":"b"}                  {"a":null}                {}
{"a":"b","b":"c"}          {"a":null}                {"b":"c"}
{"a":["b"]}                {"a":"c"}                 {"a":"c"}
{"a":"c"}                  {"a":["b"]}               {"a":["b"]}
{"a":{"b":"c"}}            {"a":{"b":"d","c":null}}  {"a":{"b":"d"}}
{"a":[{"b":"c"}]}          {"a":[1]}                 {"a":[1]}
["a","b"]                  ["c","d"]                 ["c","d"]
{"a":"b"}                  ["c"]                     ["c"]
{"a":"foo"}                null                      null
{"a":"foo"}                "bar"                     "bar"
{"e":null}                 {"a":1}                   {"e":null,"a":1}
[1,2]                      {"a":"b","c":null}        {"a":"b"}
{}                         {"a":{"bb":{"ccc":null}}} {"a":{"bb":{}}}
"""


@pytest.mark.parametrize("example", EXAMPLES.strip().splitlines())
def test_a_patch_does_what_the_standard_shows(example: str) -> None:
    target, patch, result = map(json.loads, example.split())
    assert patched(target, patch) == result
