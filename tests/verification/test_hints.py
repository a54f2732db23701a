"""The notes of `check` that name a probable mistake in its use."""

from collections.abc import Callable
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.contract.document import Contract
from callconfig.verification.target import fresh_mock, serving
from starlette.types import ASGIApp

PETS = Path(__file__).parent.parent / "support" / "contracts" / "pets.yaml"
WRONG_PLACE = "each response was a 404; compare the URL, its path prefix and the contract with the server"
NO_CREDENTIALS = "no credentials were sent; --token or --header gives them"


@pytest.mark.parametrize(("prefix", "said"), [("/v1", True), ("", False)])
def test_a_wrong_path_prefix_is_suspected_where_all_is_404(
    make_app: Callable[..., ASGIApp], capsys: pytest.CaptureFixture[str], prefix: str, said: bool
) -> None:
    with serving(make_app()) as url:
        main(["check", f"{url}{prefix}", "--max-time", "1", "--max-failures", "1"])
    assert (WRONG_PLACE in capsys.readouterr().out) is said


@pytest.mark.parametrize(("options", "said"), [([], True), (["--header", "X-Key: k"], False)])
def test_credentials_are_missed_where_an_operation_needs_them(
    capsys: pytest.CaptureFixture[str], options: list[str], said: bool
) -> None:
    with serving(fresh_mock(Contract.load(PETS))) as url:
        main(["check", url, "--contract", str(PETS), "--max-examples", "1", "--max-time", "1", *options])
    assert (NO_CREDENTIALS in capsys.readouterr().out) is said
