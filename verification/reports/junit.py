"""JUnit XML as CI servers read it (Jenkins' schema): a test case for each operation in each part of the run."""

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..result import Failure, Result
from ..terminal import explain

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot have, not even escaped (section 2.2)."""


def junit(result: Result) -> str:
    """The document as text."""
    cases: dict[tuple[str, str], list[Failure]] = {key: [] for key in sorted(result.judged)}
    for failure in result.failures.values():
        cases.setdefault((failure.part, failure.operation), []).append(failure)
    failed = [sum(map(result.counts, failures)) for failures in cases.values()]
    counts: dict[str, Any] = {"tests": str(len(cases)), "failures": str(sum(map(bool, failed))), "errors": "0"}
    name = f"callconfig {result.command}"
    seconds = f"{result.seconds:.3f}"
    root = Element("testsuites", name=name, time=seconds, **counts)
    started = result.started.replace(microsecond=0, tzinfo=None).isoformat()
    suite = SubElement(root, "testsuite", name=name, timestamp=started, time=seconds, skipped="0", **counts)
    for (part, operation), failures in cases.items():
        test = SubElement(suite, "testcase", classname=_xml(f"{name}.{part}"), name=_xml(operation), time="0")
        for failure in filter(result.counts, failures):
            found = SubElement(test, "failure", type=_xml(failure.finding.rule), message=_xml(str(failure.finding)))
            found.text = _xml(explain(failure, result))
        passed_over = [failure for failure in failures if not result.counts(failure)]
        if passed_over:
            SubElement(test, "system-out").text = _xml("\n\n".join(explain(each, result) for each in passed_over))
    if result.notes:
        SubElement(suite, "system-out").text = _xml("\n".join(result.notes))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
