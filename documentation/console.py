"""The console at `/_mock/ui`: a page over the controls. What it knows of the API comes from the contract."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..contract.document import Contract
from ..contract.example import NotDocumented, documented_reply, request_example
from ..contract.operation import Operation
from .page import environment, laid_out, script_data
from .served import Page
from .wording import phrase

Node = Mapping[str, Any]


def render_console(contract: Contract, base_path: str) -> Page:
    resource = contract.stored
    creating = next(each for each in contract.operations.values() if each.method == "POST" and each.request_body)
    facts = {
        "api": base_path,
        "operations": [
            {
                "id": each.id,
                "method": each.method,
                "path": each.path,
                "answers": list(_answers(contract, each)),
            }
            for each in contract.operations.values()
        ],
        "identity": resource.identity,
        "unique": resource.unique,
        "updated": resource.updated_at,
        "day": resource.schema.get("x-day"),
        "example": request_example(contract, creating),
        "create": creating.path,
    }
    return laid_out(environment(html=True), "console", contract=contract, api=base_path, facts=script_data(facts))


def _answers(contract: Contract, operation: Operation) -> Iterator[dict[str, Any]]:
    """What a rule may answer: each documented example, and what the catalogue makes where there is none."""
    for status in sorted(each for each in operation.responses if each.isdigit()):
        content: Node = contract.dereferenced(operation.declared["responses"][status]).get("content", {})
        first: Node = next(iter(content.values()), {})
        examples: Node = first.get("examples", {})
        for example, declared in examples.items() or [(None, {})]:
            try:
                documented_reply(contract, operation, int(status), example)
            except NotDocumented:
                continue
            title = contract.dereferenced(declared).get("summary") or phrase(status)
            yield {"status": int(status), "title": title, **({"example": example} if example else {})}
