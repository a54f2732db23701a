"""Changes of whole operations: removed, moved, new, or shadowed by a new path."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..contract.finding import Finding
from ..contract.path_template import blank
from .change import Change
from .example_request import ExampleRequest, request
from .pairing import Comparison, Part, response_in_words
from .request_changes import request_changes
from .resource_changes import resource_changes
from .response_changes import response_changes
from .revision import Revision, RevisionOperation


def all_changes(comparison: Comparison) -> Iterator[Change]:
    """Every change, in the order of OLD's operations; then the new operations."""
    old, new = comparison.old.operations, comparison.new.operations
    for key, before in old.items():
        if key in new:
            pair = Part.whole(comparison, before, new[key])
            yield from request_changes(pair)
            yield from response_changes(pair)
            both = before.declared.get("callbacks", {}), new[key].declared.get("callbacks", {})
            yield from _callback_changes(pair.inside("callbacks"), *both)
        else:
            yield _removed_operation(comparison, before)
    known = {before.id for before in old.values()}
    for key, after in new.items():
        if key in old:
            continue
        name = f"{after.method} {after.path}"
        if (shadowed := _shadowed(comparison, after)) is not None:
            before, sent = shadowed
            detail = f"matches requests to {before.path}"
            finding = Finding("undocumented-path", "path", f"is {after.id} now, not {before.id}", name=after.path)
            yield _removed_part(
                Part.whole(comparison, before, after, name), "operation-shadowed", detail, finding, sent
            )
        elif after.id not in known:
            yield Part.whole(comparison, after, after).at(name, ("paths",)).safe("operation-added", "is new")
    yield from resource_changes(comparison)
    part = Part.whole(comparison, _webhooks(comparison.old), _webhooks(comparison.new))
    both = comparison.old.document.get("webhooks", {}), comparison.new.document.get("webhooks", {})
    yield from _callback_changes(part, *both)


def _webhooks(revision: Revision) -> RevisionOperation:
    """A placeholder for the operation in changes of webhooks."""
    operation = RevisionOperation("", "webhooks", {"webhooks": {"operationId": "webhooks"}}, revision)
    operation.steps = ("webhooks",)
    return operation


def _callback_changes(part: Part, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """The changes of callbacks or webhooks, which are reported, and not judged."""
    for name in dict.fromkeys([*old, *new]):
        if name not in old or not part.comparison.unchanged(old[name], new.get(name)):
            inside = replace(part.inside(name), name=f"{part.old_steps[-1].removesuffix('s')} {name}")
            what = "changed" if name in old and name in new else "is gone" if name in old else "is new"
            yield inside.undecided("sent-to-clients", f"{what}; requests from a server to its clients are not judged")


def _removed_operation(comparison: Comparison, before: RevisionOperation) -> Change:
    moved = next((each for each in comparison.new.operations.values() if each.id == before.id), None)
    same = blank(before.path)
    methods = [method.upper() for path, method in comparison.new.operations if path == same]
    if methods:
        finding = Finding("undocumented-method", "path", f"has no {before.method}, only {', '.join(methods)}")
    else:
        finding = Finding("undocumented-path", "path", "is no path of the contract", name=before.path)
    detail = f"is now {moved.method} {moved.path}" if moved else "is gone"
    steps = moved.steps if moved else ("paths", before.path)
    part = Part.whole(comparison, before, moved or before).at(f"{before.method} {before.path}", new=steps)
    return _removed_part(part, "operation-moved" if moved else "operation-removed", detail, finding, request(before))


def _removed_part(part: Part, rule: str, detail: str, finding: Finding, sent: ExampleRequest) -> Change:
    answers = response_in_words(sent.interaction), str(finding)
    return part.breaking(rule, detail, [finding], answers, (sent.interaction,))


def _shadowed(comparison: Comparison, after: RevisionOperation) -> tuple[RevisionOperation, ExampleRequest] | None:
    """The operation of OLD, with a request to it, that a new path shadows."""
    if blank(after.path) in map(blank, comparison.old.document.get("paths", {})):
        return None
    steps = after.path.split("/")
    for before in comparison.old.operations.values():
        theirs = before.path.split("/")
        if before.method != after.method or len(theirs) != len(steps):
            continue
        pairs = list(zip(theirs, steps, strict=True))
        if not all(("{" in old and "{" not in new) or blank(old) == blank(new) for old, new in pairs):
            continue
        names = [name for name in theirs if name.startswith("{")]
        taken = {("path", str(names.index(old))): new for old, new in pairs if old.startswith("{") and "{" not in new}
        sent = request(before, taken)
        if taken and not before.check_request(sent.request)[1]:
            return before, sent
    return None
