"""What is published: one wheel that holds one package, works where nothing else is installed, and starts fast."""

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("wheel")


def test_the_wheel_holds_one_package_and_nothing_beside_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.partition("/")[0] for name in names}
    assert {name.partition("-")[0] for name in top} == {"callconfig"}
    assert {"callconfig/openapi.yaml", "callconfig/py.typed", "callconfig/contract/schema.py"} <= set(names)
    assert not [name for name in names if name.startswith(("callconfig/tests", "callconfig/benchmarks"))]


def test_the_wheel_serves_from_an_empty_environment(installed: Path, tmp_path: Path, sample: dict[str, Any]) -> None:
    command: list[str | Path] = [installed / "bin" / "callconfig", "serve", "--port", "0", "--store", ":memory:"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        greeting = [server.stdout.readline(), server.stdout.readline()]
        url = greeting[1].split()[1]
        created = subprocess.run(
            ["curl", "-s", "-d", json.dumps(sample), "-H", "Content-Type: application/json", url],
            capture_output=True,
            check=True,
        )
        server.terminate()
    assert json.loads(created.stdout)["reseller_id"] == sample["reseller_id"]
    assert server.returncode == 0
