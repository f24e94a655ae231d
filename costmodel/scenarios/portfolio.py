"""A portfolio: many scenarios compared in one call, on processes or on a Dask cluster, or added up.

Work is handed to any `concurrent.futures.Executor`: a pool of processes by default, Dask's when the
address of a scheduler is given. The numbers are the same.
"""

from __future__ import annotations

import asyncio
import ctypes
import math
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

import pandas as pd

from costmodel.choices.study import Study
from costmodel.core import CatalogError, check, in_words, not_none, public, read_rows, whole_number
from costmodel.decisions.compare import compare
from costmodel.scenarios.cluster import on_cluster, was_lost
from costmodel.scenarios.scenario import load

WORKERS, WORKERS_MAX = 2, 1_000
PR_SET_PDEATHSIG = 1  # of Linux: the signal that comes when the parent ends
BATCH = 10  # scenarios of one task: enough to hide the journey, few enough for a lively bar
Job = tuple[str, Any, dict[str, Any]]  # name, scenario (path, example, YAML or error), changes


@public
def compare_portfolio(
    scenarios: str | Path | Mapping[str, Any],
    base: str | None = None,
    workers: int = WORKERS,
    scheduler: str | None = None,
    executor: Executor | None = None,
    progress: bool = True,
    **changes: Any,
) -> pd.DataFrame:
    """Compare the options of many scenarios.

    Parameters
    ----------
    scenarios : path, or dict of name to scenario
        A folder of YAML files; a CSV with one scenario a row; or a file, YAML text or changes by
        name. A CSV has the columns `name`, `scenario` (a file or an example) and one for each field
        that differs from it, as `load(scenario, field=value)` takes them; an empty cell changes
        nothing.
    base : str, optional
        The scenario of rows and changes that name none.
    workers : int
        Processes, 1 to 1,000.
    scheduler : str, optional
        Address of a Dask scheduler (the extra "dask"). Whoever reaches an open scheduler can run
        code on its workers: keep it on a network of your own, or use Dask's TLS.
    executor : Executor, optional
        Where the work is done instead.
    progress : bool
        Whether a bar shows how far it is.
    **changes
        Fields that every scenario changes.

    Returns
    -------
    DataFrame
        `scenario`, `option`, the columns of `compare`, `error`: a scenario that cannot be read
        keeps one row with its error and stops no other.

    Raises
    ------
    CatalogError
        A source that is not there, or a scheduler without Dask.
    ValueError
        No scenario, two of one name, or changes without the scenario that they change.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> small = {"small": {"requests_per_month": 1_000}, "wrong": {"request_per_month": 5}}
    >>> with ThreadPoolExecutor() as pool:
    ...     table = compare_portfolio(
    ...         small, "support_assistant", executor=pool, progress=False, draws=50
    ...     )
    >>> table.groupby("scenario")["error"].first().str[:24].to_list()
    ['', "no parameter 'request_pe"]
    """
    from tqdm import tqdm

    check(
        executor is None or isinstance(executor, Executor),
        f"executor is {in_words(executor)}, it must be a concurrent.futures.Executor",
    )
    changes = not_none(**changes)
    jobs = [(name, case, {**own, **changes}) for name, case, own in _jobs(scenarios, base)]
    check(jobs, f"no scenario in {in_words(scenarios)}")
    whole_number("workers", workers, 1, WORKERS_MAX)
    for name, times in Counter(name for name, *_ in jobs).items():
        check(times == 1, f"two scenarios are called {name!r}; give each a name of its own")
    busy = min(workers, -(-len(jobs) // BATCH))  # no more than there is work for
    with _executor(executor, scheduler, busy) as pool:
        bar = tqdm(_made(jobs, pool), total=len(jobs), unit="scenario", disable=not progress)
        return pd.concat(bar, ignore_index=True)


def _made(jobs: list[Job], pool: Executor) -> Iterator[pd.DataFrame]:
    """The tables of jobs, in their order.

    What was lost with a killed worker is done again, each job in a process of its own, so that one
    that kills its worker costs no other.
    """
    tasks = [jobs[i : i + BATCH] for i in range(0, len(jobs), BATCH)]
    for task, future in [(task, pool.submit(_tables, task)) for task in tasks]:
        try:
            yield from future.result()
        except (Exception, asyncio.CancelledError) as error:
            if not was_lost(error):
                raise
            for job in task:
                try:
                    with _processes(1) as alone:
                        yield from alone.submit(_tables, [job]).result()
                except BrokenExecutor:
                    yield _failed(job[0], "its process was killed, perhaps for want of memory")


def _processes(workers: int) -> ProcessPoolExecutor:
    """Processes that end with the one that started them, however it ends."""
    return ProcessPoolExecutor(workers, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """End with the process that started this one; on Linux also while this one is stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_outlive, args=(parent,), daemon=True).start()


def _outlive(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _tables(jobs: list[Job]) -> list[pd.DataFrame]:
    """The tables of some jobs: what a worker does."""
    return [_table(*job) for job in jobs]


def _table(name: str, scenario: Any, changes: dict[str, Any]) -> pd.DataFrame:
    """The rows of one scenario, or one with what is wrong with it, whatever that is."""
    try:
        table = compare(_loaded(scenario, changes)).reset_index().assign(error="")
    except ValueError as error:
        return _failed(name, str(error))
    except Exception as error:
        return _failed(name, f"{type(error).__name__}: {error}")
    table.insert(0, "scenario", name)
    return table


def _loaded(scenario: Any, changes: dict[str, Any]) -> Study:
    if isinstance(scenario, ValueError):
        raise scenario
    return load(scenario, **changes)


def _failed(name: str, error: str) -> pd.DataFrame:
    return pd.DataFrame([{"scenario": name, "option": "", "error": error}])


@contextmanager
def _executor(given: Executor | None, scheduler: str | None, workers: int) -> Iterator[Executor]:
    if given is not None:
        yield given
    elif scheduler is None:
        with _processes(workers) as pool:
            try:
                yield pool
            except KeyboardInterrupt:  # what waits is not begun, what runs ends
                running = [*pool._processes.values()]
                pool.shutdown(wait=False, cancel_futures=True)
                for process in running:
                    process.kill()
                raise
    else:
        with on_cluster(scheduler) as pool:
            yield pool


def _jobs(scenarios: str | Path | Mapping[str, Any], base: str | None) -> list[Job]:
    if isinstance(scenarios, Mapping):
        return [_job(str(name), given, base) for name, given in scenarios.items()]
    check(
        isinstance(scenarios, (str, Path)),
        f"scenarios is {in_words(scenarios)}, it must be a folder, a CSV file or a mapping by name",
    )
    path = Path(scenarios)
    if isdir(path):
        return [(file.stem, str(file.resolve()), {}) for file in sorted(path.glob("[!.]*.y*ml"))]
    if not isfile(path):
        raise CatalogError(
            f"no folder or CSV file {in_words(str(path))}; write the path of a folder of YAML "
            "files, or of a CSV"
        )
    if path.suffix.lower() in (".yaml", ".yml"):
        raise CatalogError(f"{path.name} is one scenario; write a folder of such files, or a CSV")
    given = read_rows(path, apart=True)
    for name in given[0] if given else ():
        known = str(name).lower()
        if known in ("name", "scenario") and name != known:
            raise CatalogError(f"{path.name} has a column {name!r}; write it as {known!r}")
    rows = [{key: x for key, x in row.items() if x} for row in given]
    return [
        _job(row.pop("name", f"row {i}"), row, base, path.parent) for i, row in enumerate(rows, 1)
    ]


def _job(name: str, given: Any, base: str | None, folder: Path | None = None) -> Job:
    """The job of a scenario, or of changes of one: a file may lie beside the CSV that names it."""
    if not isinstance(given, Mapping):
        return name, str(given), {}
    changes = dict(given)
    scenario = changes.pop("scenario", base)
    said = "names no scenario that it changes; give base=, or write one under scenario"
    wrong = changes.get(None) or ("" if scenario else f"{in_words(name)} {said}")
    if wrong:
        return name, CatalogError(wrong), {}
    if folder is None:
        return name, str(scenario), changes
    beside = folder / str(scenario)
    place = str(beside.resolve() if isfile(beside) else scenario)
    return name, place, {key: _number_or_text(text) for key, text in changes.items()}


def _number_or_text(text: str) -> Any:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if abs(number) < math.inf else text
    return text
