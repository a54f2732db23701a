"""`callconfig init`: the printed patch makes a contract whose mock stores resources."""

import json
import re
import subprocess
from itertools import product
from pathlib import Path

import pytest
from callconfig.cli import main
from callconfig.contract.document import Contract

CONTRACTS = Path(__file__).parent / "support" / "contracts"
_FLOW = re.compile(r" *x-resource:\n( {8}\{.*\}\n| {8}.*\n)*| *x-resource: \{.*\}\n")


def proposed(folder: Path, capsys: pytest.CaptureFixture[str], text: str, name: str = "other.yaml") -> tuple[str, str]:
    """The patch of a file in the folder, and the notes."""
    (folder / name).write_text(text)
    assert main(["init", name]) == 0
    output = capsys.readouterr()
    return output.out, output.err


def patched(folder: Path, patch: str, name: str = "other.yaml") -> Contract:
    subprocess.run(["patch", "-p1", "--quiet"], input=patch, text=True, cwd=folder, check=True)
    return Contract.load(folder / name)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("books", {"Book": ("id", ("title",), "added", "changed")}),
        ("shops", {"Shop": ("id", (), "", ""), "Offer": ("number", (), "", "")}),
        ("bookings", {"Booking": ("code", (), "", "")}),
        (
            "pets",
            {"Pet": ("id", (), "", ""), "Visit": ("id", (), "", ""), "Owner": ("id", (), "", "")},
        ),  # a Tag is a part of a Pet
    ],
)
def test_what_is_stored_is_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, found: dict[str, object]
) -> None:
    patch, _ = proposed(tmp_path, capsys, _FLOW.sub("", (CONTRACTS / f"{name}.yaml").read_text()))
    contract = patched(tmp_path, patch)
    names = {each.name: (each.identity, each.unique, each.created_at, each.updated_at) for each in contract.resources}
    assert names == found
    assert set(contract.actions) == set(Contract.load(CONTRACTS / f"{name}.yaml").actions)


def test_json_is_patched_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(json.dumps(Contract.load(CONTRACTS / "books.yaml").document))
    del document["components"]["schemas"]["Book"]["x-resource"]
    for indent, end in product((2, None), ("\n", "")):
        patch, _ = proposed(tmp_path, capsys, json.dumps(document, indent=indent) + end, "other.json")
        assert patched(tmp_path, patch, "other.json").resources[0].identity == "id"
        json.loads((tmp_path / "other.json").read_text())


def test_what_is_a_guess_and_what_is_not_understood_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = proposed(tmp_path, capsys, _FLOW.sub("", (CONTRACTS / "bookings.yaml").read_text()))
    assert "say with `unique` which members no two have in common" in said
    patch, said = proposed(tmp_path, capsys, (CONTRACTS / "weather.yaml").read_text())
    assert patch == ""
    assert "note: responses from an example, or from a generated value: readWeather, readForecast, POST /alarms" in said


def test_what_is_declared_already_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch, _ = proposed(tmp_path, capsys, (CONTRACTS / "shops.yaml").read_text())
    assert patch == ""


def test_a_line_of_a_patch_ends_where_that_of_the_file_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = _FLOW.sub("", (CONTRACTS / "books.yaml").read_text()).rstrip("\n")
    text = text.replace("    Book:\n", '    Book:\n      description: "A\u2028B"\n')
    assert "\u2028" in text
    patch, _ = proposed(tmp_path, capsys, text)
    assert patched(tmp_path, patch).resources[0].identity == "id"


def test_a_file_in_another_encoding_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.yaml").write_text((CONTRACTS / "books.yaml").read_text(), encoding="utf-16")
    assert main(["init", "other.yaml"]) == 3
    assert capsys.readouterr().err.startswith("callconfig: contract other.yaml: is no YAML that can be patched: ")


def test_a_file_that_is_no_contract_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.yaml").write_text("a: 1\n")
    assert main(["init", "other.yaml"]) == 3
    assert capsys.readouterr().err.startswith("callconfig: contract other.yaml")


def test_other_habits_of_naming_are_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, word, schemas = _FLOW.sub("", (CONTRACTS / "books.yaml").read_text()).partition("  schemas:")
    for before, after in {"added": "creationTime", "changed": "lastModified", "title": "bookNumber"}.items():
        schemas = re.sub(rf"\b{before}\b", after, schemas)
    patch, said = proposed(tmp_path, capsys, f"{head}{word}{schemas}")
    (resource,) = patched(tmp_path, patch).resources
    assert (resource.created_at, resource.updated_at, resource.unique) == (
        "creationTime", "lastModified", ("bookNumber",),
    )  # fmt: skip
    assert "`unique` is a guess, because a create documents a conflict: bookNumber" in said


def test_a_file_above_the_current_folder_is_patched_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    (tmp_path / "other.yaml").write_text(_FLOW.sub("", (CONTRACTS / "books.yaml").read_text()))
    assert main(["init", "../other.yaml"]) == 0
    assert patched(tmp_path, capsys.readouterr().out).resources
