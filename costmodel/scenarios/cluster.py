"""A Dask cluster as an executor: asked first whether it answers, and given up when it is stopped.

Whoever reaches an open scheduler can run code on its workers: keep it on a network of your own, or
use Dask's TLS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from costmodel.core import CatalogError, check, in_words

LOST = ("KilledWorker", "CommClosedError")  # of distributed, by name
PATIENCE_S = 5  # with an address at which nobody answers; a client of Dask may wait for ever


@contextmanager
def on_cluster(scheduler: str) -> Iterator[Executor]:
    """The workers of a scheduler; what they have not begun is taken back where the block fails."""
    try:
        from distributed import Client
    except ImportError as error:
        raise CatalogError(
            "a scheduler needs Dask; install it with: pip install 'costmodel[dask]'"
        ) from error
    with ThreadPoolExecutor(1) as beside:  # a notebook has a loop of its own in this thread
        found = beside.submit(asyncio.run, _answer_of(scheduler)).result()
    check(
        found["workers"],
        f"the Dask scheduler {in_words(scheduler)} has no worker; start one: dask worker ADDRESS",
    )
    with Client(scheduler, timeout=PATIENCE_S) as client:
        pool = client.get_executor(pure=False)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False)
            raise
        pool.shutdown()


async def _answer_of(scheduler: str) -> dict[str, Any]:
    """What a scheduler says of itself."""
    try:
        return await asyncio.wait_for(_identity(scheduler), PATIENCE_S)
    except (OSError, ValueError, TypeError, MemoryError) as error:  # as other services answer
        raise CatalogError(
            f"no Dask scheduler answers at {in_words(scheduler)} within {PATIENCE_S} s; write the "
            "address of one that runs, such as tcp://127.0.0.1:8786"
        ) from error


async def _identity(scheduler: str) -> dict[str, Any]:
    from distributed.core import rpc
    from distributed.security import Security

    theirs = Security().get_connection_args("client")
    async with rpc(scheduler, connection_args=theirs) as asked:
        return await asked.identity()


def was_lost(error: BaseException) -> bool:
    """Whether a task went with its worker, or with the scheduler, and did not fail by itself."""
    gone = (BrokenExecutor, CancelledError, asyncio.CancelledError)
    return isinstance(error, gone) or type(error).__name__ in LOST
