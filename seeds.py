"""Seed files: the initial documents of a store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from .contract.document import Contract
from .contract.finding import more_findings
from .contract.references import read_file
from .contract.resource import Resource
from .contract.schema import Json
from .contract.strict_json import NotStrictJson, decode
from .handlers.completion import Completion
from .outcome import CouldNotRun
from .storage.store import DuplicateScope, Store

Document = dict[str, Json]


async def load_seeds(seeds: Sequence[Path], contract: Contract, store: Store) -> None:
    """Add the documents of the seed files whose id and scopes are not stored yet; all of them or none.

    Raises CouldNotRun.
    """
    if not seeds:
        return
    given = [read_seed(path, contract) for path in seeds]
    tables: dict[str, list[Document]] = {}
    for resource in contract.resources:
        present = [orjson.loads(text) for text in await store.table(resource.table).find()]
        taken = {claim for document in present for claim in resource.unique_values(document).items()}
        documents = [document for each in given for document in each.get(resource.table, ())]
        new = [document for document in documents if not taken & resource.unique_values(document).items()]
        if new:
            tables[resource.table] = [*present, *new]
    try:
        await store.load(tables)
    except DuplicateScope as error:
        named = ", ".join(map(str, seeds))
        raise CouldNotRun(f"seed {named}: more than one document has {error.scope}") from error
    except ValueError as error:  # such as a missing parent
        raise CouldNotRun(f"seed {', '.join(map(str, seeds))}: {error}") from error


def read_seed(path: Path, contract: Contract) -> dict[str, list[Document]]:
    """The documents in a file by table, with their defaults. Raises CouldNotRun at the first that breaks the contract.

    A file is an array where the contract has one resource, else an object of arrays by table.
    """
    try:
        given = decode(read_file(path))
    except OSError as error:
        raise CouldNotRun(f"seed {path}: {error.strerror}") from error
    except NotStrictJson as error:
        raise CouldNotRun(f"seed {path}: {error.findings[0]}") from error
    resources = {resource.table: resource for resource in contract.resources}
    only = next(iter(resources)) if len(resources) == 1 else None
    if only is not None and not isinstance(given, list):
        raise CouldNotRun(f"seed {path}: must be a JSON array of {only}")
    tables: Any = {only: given} if only is not None else given
    if not isinstance(tables, dict) or not all(isinstance(each, list) for each in tables.values()):
        raise CouldNotRun(f"seed {path}: must be a JSON object of arrays, of {', '.join(resources) or 'nothing'}")
    if unknown := [table for table in tables if table not in resources]:
        raise CouldNotRun(f"seed {path}: /{unknown[0]} is none of {', '.join(resources) or 'nothing'}")
    return {
        table: list(_judged(documents, "" if only else f"/{table}", path, resources[table], contract))
        for table, documents in tables.items()
    }


def _judged(documents: list[Json], pointer: str, path: Path, resource: Resource, contract: Contract) -> list[Document]:
    completion = Completion(resource, contract)
    complete = []
    for index, document in enumerate(documents):
        if findings := completion.findings(document):
            where = f"{pointer}/{index}{findings[0].pointer}"
            raise CouldNotRun(f"seed {path}: {where} {findings[0].detail}{more_findings(findings)}")
        complete.append(completion.complete(document))
    return complete
