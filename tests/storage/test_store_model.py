"""Every store against a model: random operations, with the same results as a list with two loops."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from callconfig.storage.opening import open_store
from callconfig.storage.store import Document, DuplicateScope, Store, StoreError, UnknownDocument
from callconfig.tests.support.stores import RESOURCE, TABLE, configuration, counted_values
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

NAMES = st.sampled_from(["a", "b", "a\0", "a\x01", "ä", ""])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
CONFIGURATIONS = st.builds(configuration, NAMES, NAMES, merchant_id=st.none() | NAMES, telephony_config=JSON)
TIMES = st.sampled_from(["2025-12-31T23:59:59Z", "2025-12-31T23:59:59.000001Z", "2026-01-01T00:00:00.5Z"])


class Model:
    """The interface's promises in the least code."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}

    def create(self, values: Document) -> None:
        self._expect_free(values)

    def replace(self, identity: str, values: Document) -> None:
        if identity not in self.documents:
            raise UnknownDocument(identity)
        self._expect_free(values, other_than=identity)

    def load(self, documents: list[Document]) -> None:
        scopes = {(document["reseller_id"], document["template"]) for document in documents}
        if len(scopes) < len(documents):
            raise DuplicateScope({}, "")

    def find(self, equal: dict[str, str]) -> list[Document]:
        found = [document for document in self.documents.values() if equal.items() <= hashable(document).items()]
        return sorted(found, key=lambda document: (document["created_at"].rstrip("Z"), document["id"]))

    def _expect_free(self, values: Document, other_than: str | None = None) -> None:
        for identity, document in self.documents.items():
            same = all(document[member] == values[member] for member in RESOURCE.unique)
            if same and identity != other_than:
                raise DuplicateScope({}, identity)


def hashable(document: Document) -> Document:
    return {member: value for member, value in document.items() if isinstance(value, str)}


def outcome(act: Callable[[], Any]) -> tuple[type[Exception] | None, Any]:
    """The outcome of an operation: a refusal with its id, or a result."""
    try:
        return None, act()
    except StoreError as refusal:
        return type(refusal), getattr(refusal, "identity", None)


class StoreMachine(RuleBasedStateMachine):
    """Operations on a store and its model, with the same results and the same state after each."""

    def __init__(self, open_new: Callable[[], Coroutine[Any, Any, Store]], lasting: bool) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.open_new = open_new
        self.lasting = lasting
        self.model = Model()
        self.store = self.run(open_new())
        self.run(self.store.load({TABLE: []}))

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()

    @rule(values=CONFIGURATIONS)
    def create(self, values: Document) -> None:
        refused, expected = outcome(lambda: self.model.create(values))
        failure, answer = outcome(lambda: self.run(self.store.create(values)))
        assert failure is refused
        if failure:
            assert answer == expected
        else:
            assert {**answer, **values} == answer
            assert answer["id"] not in self.model.documents
            self.model.documents[answer["id"]] = answer

    @rule(number=st.integers(0, 9), values=CONFIGURATIONS)
    def replace(self, number: int, values: Document) -> None:
        identity = (sorted(self.model.documents) + ["cfg_unknown"] * 10)[number]
        refused, expected = outcome(lambda: self.model.replace(identity, values))
        failure, answer = outcome(lambda: self.run(self.store.replace(identity, values)))
        assert failure is refused
        if failure:
            assert answer == expected
        else:
            before = self.model.documents[identity]
            assert answer == {
                **values,
                "id": identity,
                "created_at": before["created_at"],
                "updated_at": answer["updated_at"],
            }
            self.model.documents[identity] = answer

    @rule(given=st.lists(CONFIGURATIONS, max_size=4), times=st.lists(TIMES, min_size=4, max_size=4))
    def load(self, given: list[Document], times: list[str]) -> None:
        documents = [
            {**document, "id": f"given_{number}", "created_at": time, "updated_at": time}
            for number, (document, time) in enumerate(zip(given, times, strict=False))
        ]
        refused, _ = outcome(lambda: self.model.load(documents))
        failure, _ = outcome(lambda: self.run(self.store.load({TABLE: documents})))
        assert failure is refused
        if not failure:
            self.model.documents = {document["id"]: document for document in documents}

    @rule(equal=st.dictionaries(st.sampled_from(["reseller_id", "template", "merchant_id"]), NAMES))
    def find(self, equal: dict[str, str]) -> None:
        found = [json.loads(text) for text in self.run(self.store.find(**equal))]
        assert found == self.model.find(equal)

    @precondition(lambda self: self.lasting)
    @rule()
    def reopen(self) -> None:
        self.run(self.store.close())
        self.store = self.run(self.open_new())

    @invariant()
    def everything_is_there(self) -> None:
        self.find({})
        for identity, document in self.model.documents.items():
            assert self.run(self.store.get(identity)) == document


@pytest.mark.slow
@pytest.mark.parametrize("place", ["memory", "file", "postgresql"])
def test_a_store_answers_as_its_model_does(place: str, request: pytest.FixtureRequest) -> None:
    with TemporaryDirectory() as folder:
        match place:
            case "memory":
                location = ":memory:"
            case "file":
                location = str(Path(folder) / "store.jsonl")
            case _:
                location = request.getfixturevalue("postgresql").fresh_url()

        def open_new() -> Coroutine[Any, Any, Store]:
            return open_store(location, [RESOURCE], values)

        values = counted_values()
        run_state_machine_as_test(
            lambda: StoreMachine(open_new, lasting=place != "memory"),  # type: ignore[arg-type]  # random operations
            settings=settings(
                derandomize=True,
                database=None,
                deadline=None,
                max_examples=40,
                stateful_step_count=25,
                suppress_health_check=list(HealthCheck),
            ),
        )
