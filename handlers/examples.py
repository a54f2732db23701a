"""What an operation answers that does nothing with what is stored: what its contract shows, or what it could show."""

from collections.abc import Awaitable, Callable

from ..contract.document import Contract
from ..contract.example import documented_reply
from ..contract.operation import Operation, Reply

Draw = Callable[[], int]
"""A number by chance; the same again where a session's ids are determined."""


def handler_of(operation: Operation, contract: Contract) -> Callable[..., Awaitable[Reply]]:
    """The function that answers one operation with its first example, or else with a value of its schema."""

    async def answer(draw: Draw) -> Reply:
        return documented_reply(contract, operation, draw=draw())

    return answer
