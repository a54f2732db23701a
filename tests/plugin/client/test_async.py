"""The client team's tests as coroutines, for either of two plugins."""

import asyncio

import anyio
import pytest
from callconfig.pytest_plugin import Mock
from scheduler import Scheduler


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


@pytest.mark.anyio
async def test_waiting_lets_other_tasks_run(mock: Mock, scheduler: Scheduler) -> None:
    async with anyio.create_task_group() as tasks:

        async def create() -> None:
            await anyio.sleep(0.05)
            await anyio.to_thread.run_sync(scheduler.create, "welcome")

        tasks.start_soon(create)
        (request,) = await mock.aio.wait_for(operation="createConfiguration", body={"template": "welcome"})
    assert request.status == 201
    with pytest.raises(AssertionError, match="0 of 1 requests came"):
        await mock.aio.wait_for(operation="updateConfiguration", timeout=0.01)


@pytest.mark.asyncio
async def test_every_tool_can_be_awaited(mock: Mock, scheduler: Scheduler) -> None:
    await mock.aio.seed([await mock.aio.configuration(template="seeded")])
    await mock.aio.snapshot("before")
    await mock.aio.add_rule(match={"operation": "createConfiguration"}, answers=[503])
    creating = asyncio.create_task(asyncio.to_thread(scheduler.create, "welcome"))
    refused, created = await mock.aio.wait_for(operation="createConfiguration", at_least=2)
    assert (refused.status, created.status) == (503, 201)
    await creating
    assert len(await mock.aio.state()) == 2
    await mock.aio.restore("before")
    assert len(await (await mock.aio.fork()).aio.state()) == 1
    assert len(await mock.aio.requests(status=503)) == 1
