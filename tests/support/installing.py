"""Downloads for tests: installed whole or not at all, and kept between runs."""

import fcntl
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ATTEMPTS = 3


def installed(folder: Path, install: Callable[[Path], None], *, pause: float = 5.0) -> Path:
    """The folder, which `install` fills where it does not exist; one process fills it, the others wait.

    It is filled under another name, so a failed or incomplete download is never mistaken for it. A command that fails
    is tried again after `pause` seconds, in an empty folder. Raises subprocess.CalledProcessError when it goes on to
    fail, and TimeoutExpired.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f"{folder.name}.partial")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for attempt in range(1, ATTEMPTS + 1):
            if folder.exists():
                break
            shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
            partial.mkdir()
            try:
                install(partial)
                partial.rename(folder)
            except subprocess.SubprocessError:
                if attempt == ATTEMPTS:
                    raise
                time.sleep(pause)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return folder
