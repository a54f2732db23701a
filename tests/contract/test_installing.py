"""A download that fails or is cut leaves nothing behind, and is tried again."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from callconfig.tests.support.installing import ATTEMPTS, installed


def _download(outcomes: list[type[BaseException] | None]) -> Callable[[Path], None]:
    """An installation that writes half a file and then ends like this, one time after the other."""
    endings = iter(outcomes)

    def install(folder: Path) -> None:
        assert list(folder.iterdir()) == []
        (folder / "half").touch()
        if (ending := next(endings)) is subprocess.CalledProcessError:
            raise subprocess.CalledProcessError(1, "npm")
        if ending is not None:
            raise ending
        (folder / "whole").touch()

    return install


def test_a_failed_download_is_tried_again_in_an_empty_folder(tmp_path: Path) -> None:
    install = _download([subprocess.CalledProcessError, None])
    assert (installed(tmp_path / "cache" / "tools", install, pause=0) / "whole").exists()


def test_what_is_there_is_not_installed_again(tmp_path: Path) -> None:
    installed(tmp_path / "tools", _download([None]))
    installed(tmp_path / "tools", _download([]))


@pytest.mark.parametrize(
    "outcomes", [[subprocess.CalledProcessError] * ATTEMPTS, [KeyboardInterrupt]], ids=["failed", "cut"]
)
def test_what_was_not_installed_leaves_nothing_behind(
    tmp_path: Path, outcomes: list[type[BaseException] | None]
) -> None:
    with pytest.raises(outcomes[0] or AssertionError):
        installed(tmp_path / "tools", _download(outcomes), pause=0)
    assert [path.name for path in tmp_path.iterdir()] == ["tools.lock"]


def test_what_a_killed_run_left_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "tools.partial").mkdir()
    (tmp_path / "tools.partial" / "half").touch()
    assert (installed(tmp_path / "tools", _download([None])) / "whole").exists()
