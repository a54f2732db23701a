"""What became of the stored resource that a contract declares: what is unique, what identifies it, how it is sorted."""

from collections.abc import Iterator

import orjson

from ..contract.finding import Finding
from ..contract.interaction import Interaction
from ..contract.resource import Resource
from .change import Change, Place
from .example_request import request
from .pairing import Comparison, place
from .revision import Declared, Revision


def resource_changes(comparison: Comparison) -> Iterator[Change]:
    """Nothing where one of the two declares none."""
    old, new = Resource.of(comparison.old.document), Resource.of(comparison.new.document)
    if old is None or new is None:
        return
    at = _place(comparison.old), _place(comparison.new)
    if set(old.unique) != set(new.unique):
        yield from _unique(comparison, old, new, at)
    if (old.identity, old.prefix) != (new.identity, new.prefix):
        detail = (
            f"is {new.identity}, beginning with {new.prefix!r}; it was {old.identity}, beginning with {old.prefix!r}"
        )
        finding = Finding("identity", "body", detail, pointer=f"/{new.identity}")
        yield Change("breaking", "resource-identity", "", "identity", detail, *at, findings=(finding,))
    if new.refuses_contradiction and not old.refuses_contradiction:
        finding = Finding("contradicts-path", "body", "must equal the one in the path", pointer=f"/{new.identity}")
        detail = "that contradicts the path is refused, and was ignored"
        yield Change("breaking", "resource-identity", "", "an identity in a body", detail, *at, findings=(finding,))
    if old.order and old.order != new.order:
        detail = f"is sorted by {', '.join(new.order) or 'nothing'}, and was by {', '.join(old.order)}"
        finding = Finding("list-order", "body", f"a list {detail}")
        yield Change("breaking", "resource-order", "", "a list", detail, *at, findings=(finding,))
    for name in ("created_at", "updated_at"):
        if getattr(old, name) != getattr(new, name):
            detail = f"is {getattr(new, name) or 'gone'}, and was {getattr(old, name)}"
            finding = Finding(name.replace("_", "-"), "body", detail)
            yield Change("breaking", "resource-identity", "", name, detail, *at, findings=(finding,))


def _unique(comparison: Comparison, old: Resource, new: Resource, at: tuple[Place, Place]) -> Iterator[Change]:
    """Fewer members conflict more often; more members admit what readers could exclude."""
    create = next((each for each in comparison.old.operations.values() if each.method == "post"), None)
    told = (
        f"{' and '.join(new.unique) or 'nothing'} must be unique, and {' and '.join(old.unique) or 'nothing'} had to be"
    )
    if (new.unique and not set(old.unique) <= set(new.unique)) or not old.unique:
        finding = Finding("unique", "body", f"another one has the same {' and '.join(new.unique)}")
        differ = [name for name in old.unique if name not in new.unique]
        shown = _two(create, differ) if create is not None and differ else ()
        answers = ("201 for both", f"409 for the second: {finding.detail}")
    else:
        finding = Finding("unique", "body", f"a list may have several with the same {' and '.join(old.unique)}")
        shown = _two(create, [name for name in new.unique if name not in old.unique]) if create is not None else ()
        answers = ("409 for the second", f"201 for both: {finding.detail}")
    yield Change(
        "breaking",
        "resource-unique",
        "" if create is None else create.id,
        "uniqueness",
        told,
        *at,
        old_answer=answers[0],
        new_answer=answers[1],
        findings=(finding,),
        interactions=shown,
    )


def _two(create: Declared, differ: list[str]) -> tuple[Interaction, ...]:
    """Two creates that are the same but for some members; empty where OLD does not take them."""
    first = request(create)
    body = orjson.loads(first.interaction.request_body or b"null")
    if not isinstance(body, dict):
        return ()
    other = {**body, **{name: f"{body.get(name) or ''}2" for name in differ}}
    second = request(create, body=other)
    if create.engine is not None and create.engine.check_request(second.request)[1]:
        return ()
    return first.interaction, second.interaction


def _place(revision: Revision) -> Place:
    schemas = revision.document.get("components", {}).get("schemas", {})
    name = next(name for name, schema in schemas.items() if "x-resource" in schema)
    return place(revision, ("components", "schemas", name, "x-resource"))
