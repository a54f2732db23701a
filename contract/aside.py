"""Long work beside the event loop.

There is one thread for it, whoever gives it: then the event loop has the interpreter at every second turn, however much
many clients send at once.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LARGE = 32 << 10
"""Bytes whose judging takes long: some milliseconds, when they are the worst of their kind."""

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="callconfig-aside")


async def aside(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What `work` returns, or raises, while others are served."""
    return await asyncio.wrap_future(_thread.submit(work, *arguments, **named))
