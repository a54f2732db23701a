"""Git repositories for revisions."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *arguments], cwd=folder, check=True)


def commit(folder: Path) -> None:
    """Commit all files of a folder, in a new repository if need be."""
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "All")
