"""Long work beside the event loop, in one thread for all.

The event loop then has the interpreter at every second turn, even when many clients send large bodies at once.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LARGE = 32 << 10
"""Bytes from which judging may take some milliseconds."""

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="callconfig-work")


async def in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call `work` in the thread, and return or raise its outcome."""
    return await asyncio.wrap_future(_thread.submit(work, *arguments, **named))
