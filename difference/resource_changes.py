"""Changes of the declared resources: uniqueness, identity and order."""

from collections.abc import Iterator

import orjson

from ..contract.finding import Finding
from ..contract.interaction import Interaction
from ..contract.resource import Resource
from .change import Change, SourceLine
from .example_request import request
from .pairing import Comparison
from .revision import Revision, RevisionOperation


def resource_changes(comparison: Comparison) -> Iterator[Change]:
    """The changes of each resource in both; a single resource in each is the same, whatever its schema's name."""
    before, after = _resources(comparison.old), _resources(comparison.new)
    pairs = [(before[name], after[name]) for name in before if name in after]
    if len(before) == len(after) == 1:
        pairs = list(zip(before.values(), after.values(), strict=True))
    for old, new in pairs:
        at = _place(comparison.old, old), _place(comparison.new, new)
        if _scopes(old) != _scopes(new) and set(old.unique) != set(new.unique):
            yield _unique(comparison, old, new, at)
        for rule, named, part, detail in _others(old, new):
            finding = Finding(named, "body", detail, pointer=f"/{new.identity}" if named == "identity" else "")
            yield Change("breaking", rule, "", part, detail, *at, (finding,))


def _resources(revision: Revision) -> dict[str, Resource]:
    """The resources by the name of the schema."""
    schemas = revision.document.get("components", {}).get("schemas", {})
    return {name: Resource.declared(name, schema) for name, schema in schemas.items() if "x-resource" in schema}


def _scopes(resource: Resource) -> set[frozenset[str]]:
    return set(map(frozenset, resource.combinations))


def _others(old: Resource, new: Resource) -> Iterator[tuple[str, str, str, str]]:
    """The changes beside uniqueness: the rule, the finding's rule, the part, and the detail."""
    if (old.identity, old.prefix) != (new.identity, new.prefix):
        new_identity = f"is {new.identity}, beginning with {new.prefix!r}"
        yield "resource-identity", "identity", "identity", f"{new_identity}; it was {old.identity}, with {old.prefix!r}"
    if new.refuses_contradiction and not old.refuses_contradiction:
        detail = "that contradicts the path is refused, and was ignored"
        yield "resource-identity", "contradicts-path", "an identity in a body", detail
    if old.order and old.order != new.order:
        detail = f"is sorted by {', '.join(new.order) or 'nothing'}, and was by {', '.join(old.order)}"
        yield "resource-order", "list-order", "a list", detail
    if _scopes(old) != _scopes(new) and set(old.unique) == set(new.unique):
        now, once = (", ".join("/".join(each) for each in one.also_unique) or "nothing" for one in (new, old))
        yield "resource-unique", "unique", "further uniqueness", f"is of {now}, and was of {once}"
    for name in ("created_at", "updated_at", "deleted_at"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            detail = f"is {after or 'removed'}, and was {before or 'absent'}"
            yield "resource-identity", name.replace("_", "-"), name, detail


def _unique(comparison: Comparison, old: Resource, new: Resource, at: tuple[SourceLine, SourceLine]) -> Change:
    """The change of the unique members: fewer conflict more often; more admit documents that readers could exclude."""
    create = next((each for each in comparison.old.operations.values() if each.method == "POST"), None)
    stricter = (bool(new.unique) and not set(old.unique) <= set(new.unique)) or not old.unique
    if stricter:
        finding = Finding("unique", "body", f"another resource has the same {' and '.join(new.unique)}")
        answers = "201 for both", f"409 for the second: {finding.detail}"
    else:
        finding = Finding("unique", "body", f"several resources may have the same {' and '.join(old.unique)}")
        answers = "409 for the second", f"201 for both: {finding.detail}"
    one, other = (old, new) if stricter else (new, old)
    shown = _conflicting_creates(create, [name for name in one.unique if name not in other.unique]) if create else ()
    names = ["/".join(each.unique) or "nothing" for each in (new, old)]
    detail = f"is of {names[0]}, and was of {names[1]}"
    identity = create.id if create else ""
    return Change(
        "breaking", "resource-unique", identity, "uniqueness", detail, *at, (finding,), *answers, interactions=shown
    )


def _conflicting_creates(create: RevisionOperation, differ: list[str]) -> tuple[Interaction, ...]:
    """Two creates that differ in some members only; empty where OLD does not accept them."""
    first = request(create)
    body = orjson.loads(first.interaction.request_body or b"null")
    if not isinstance(body, dict):
        return ()
    second = request(create, body={**body, **{name: f"{body.get(name) or ''}2" for name in differ}})
    if create.check_request(second.request)[1]:
        return ()
    return first.interaction, second.interaction


def _place(revision: Revision, resource: Resource) -> SourceLine:
    return revision.place(("components", "schemas", resource.name, "x-resource"))
