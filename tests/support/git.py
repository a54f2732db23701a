"""Repositories for what reads a revision from git."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *arguments], cwd=folder, check=True)


def commit(folder: Path) -> None:
    """All that is in a folder, as the first or the next commit of a repository there."""
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "All")
