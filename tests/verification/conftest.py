"""Running `check` against applications of the tests' own."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from callconfig.contract.document import BUILT_IN, Contract
from callconfig.contract.interaction import Interaction
from callconfig.contract.redaction import Redaction
from callconfig.options import CheckOptions
from callconfig.verification.check import Run, require_coverage
from callconfig.verification.coverage import Coverage
from callconfig.verification.har import HarWriter
from callconfig.verification.result import EnoughFailures, Result
from callconfig.verification.target import serving
from starlette.types import ASGIApp

CheckApp = Callable[..., Result]


@pytest.fixture
def check_app(contract: Contract) -> CheckApp:
    """What `callconfig check` finds in an application, with the command's own defaults."""

    def run(app: ASGIApp, *, seed: int = 1, max_failures: int | None = None) -> Result:
        options = CheckOptions(random_seed=seed)
        result = Result("check", "app", contract, BUILT_IN, Redaction(contract), seed=seed, most=max_failures)
        result.coverage = Coverage(contract)
        with serving(app) as url:
            checking = Run(result, url, [], lambda _operation: True, options)
            try:
                checking.model()
                checking.generated()
                require_coverage(result)
            except EnoughFailures:
                pass
        return result

    return run


@pytest.fixture
def write_har(tmp_path: Path) -> Callable[..., str]:
    """Writes interactions to a HAR file of their own."""
    numbers = itertools.count()

    def write(*interactions: Interaction) -> str:
        path = tmp_path / f"recording-{next(numbers)}.har"
        with HarWriter(path) as writer:
            for interaction in interactions:
                writer.write(interaction)
        return str(path)

    return write
