"""The `callconfig` command, which is also `python -m callconfig`."""

import os
import signal
import sys


def main() -> int:
    """Run the command; SIGINT ends the process in one line while its modules are loading."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as it is in the background
        signal.signal(signal.SIGINT, _end)
    from .cli import main

    return main()


def _end(_number: int, _frame: object) -> None:
    """An exception would be lost, or become another one, in some places of an import."""
    try:
        os.write(2, b"callconfig: interrupted\n")
    finally:  # also where standard error is closed
        os._exit(3)


if __name__ == "__main__":
    sys.exit(main())
