"""JUnit XML for CI servers (Jenkins' schema)."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 excludes, even escaped (section 2.2)."""


class Found(NamedTuple):
    """A finding in a test case; `fails` says whether it counts."""

    rule: str
    sentence: str
    text: str
    fails: bool


def junit(
    command: str,
    started: datetime,
    seconds: float,
    cases: Mapping[tuple[str, str], Sequence[Found]],
    notes: Sequence[str],
) -> str:
    """The JUnit document as text. The key of a case is a part of the run and an operation."""
    failed = sum(any(each.fails for each in found) for found in cases.values())
    common: dict[str, Any] = {"name": f"callconfig {command}", "time": f"{seconds:.3f}"}
    common |= {"tests": str(len(cases)), "failures": str(failed), "errors": "0"}
    root = Element("testsuites", **common)
    timestamp = started.replace(microsecond=0, tzinfo=None).isoformat()
    suite = SubElement(root, "testsuite", timestamp=timestamp, skipped="0", **common)
    for (part, operation), found in cases.items():
        classname = ".".join(filter(None, (common["name"], part)))
        test = SubElement(suite, "testcase", classname=_xml(classname), name=_xml(operation), time="0")
        for each in found:
            if each.fails:
                failure = SubElement(test, "failure", type=_xml(each.rule), message=_xml(each.sentence))
                failure.text = _xml(each.text)
        if others := [each.text for each in found if not each.fails]:
            SubElement(test, "system-out").text = _xml("\n\n".join(others))
    if notes:
        SubElement(suite, "system-out").text = _xml("\n".join(notes))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
