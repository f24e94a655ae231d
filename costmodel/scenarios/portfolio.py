"""A portfolio: many scenarios compared in one call, on two processes or on a Dask cluster.

Work is handed to any `concurrent.futures.Executor`: a pool of processes by default, Dask's when the
address of a scheduler is given. The numbers are the same.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from costmodel.core import CatalogError, check, public, whole_number
from costmodel.decisions.compare import compare
from costmodel.scenarios.scenario import load

WORKERS, WORKERS_MAX = 2, 1_000
BATCH = 10  # scenarios of one task: enough to hide the journey, few enough for a lively bar
Job = tuple[str, str, dict[str, Any]]  # name, scenario (a path, an example or YAML text), changes


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
        Address of a Dask scheduler (the extra "dask").
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
        f"executor is {executor!r}, it must be a concurrent.futures.Executor",
    )
    jobs = [(name, case, {**own, **changes}) for name, case, own in _jobs(scenarios, base)]
    check(jobs, f"no scenario in {scenarios!r}")
    whole_number("workers", workers, 1, WORKERS_MAX)
    for name, times in Counter(name for name, *_ in jobs).items():
        check(times == 1, f"two scenarios are called {name!r}; give each a name of its own")
    with _executor(executor, scheduler, workers) as pool:
        made = pool.map(_table, *zip(*jobs, strict=True), chunksize=BATCH)
        bar = tqdm(made, total=len(jobs), unit="scenario", disable=not progress)
        return pd.concat(bar, ignore_index=True)


def _table(name: str, scenario: str, changes: dict[str, Any]) -> pd.DataFrame:
    """The rows of one scenario: what a worker does."""
    try:
        table = compare(load(scenario, **changes)).reset_index().assign(error="")
    except ValueError as error:
        table = pd.DataFrame([{"option": "", "error": str(error)}])
    table.insert(0, "scenario", name)
    return table


@contextmanager
def _executor(given: Executor | None, scheduler: str | None, workers: int) -> Iterator[Executor]:
    if given is not None:
        yield given
    elif scheduler is None:
        with ProcessPoolExecutor(workers) as pool:
            yield pool
    else:
        try:
            from distributed import Client
        except ImportError as error:
            raise CatalogError(
                "a scheduler needs Dask; install it with: pip install 'costmodel[dask]'"
            ) from error
        with Client(scheduler) as client, client.get_executor(pure=False) as pool:
            yield pool


def _jobs(scenarios: str | Path | Mapping[str, Any], base: str | None) -> list[Job]:
    if isinstance(scenarios, Mapping):
        return [_job(str(name), given, base) for name, given in scenarios.items()]
    check(
        isinstance(scenarios, (str, Path)),
        f"scenarios is {scenarios!r}, it must be a folder, a CSV file or a mapping by name",
    )
    path = Path(scenarios)
    if path.is_dir():
        return [(file.stem, str(file.resolve()), {}) for file in sorted(path.glob("[!.]*.y*ml"))]
    if not path.is_file():
        raise CatalogError(
            f"no folder or CSV file {str(path)!r}; write the path of a folder of YAML files, or of "
            "a CSV"
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [{key: x for key, x in row.items() if x} for row in csv.DictReader(file)]
    return [
        _job(row.pop("name", f"row {i}"), row, base, path.parent) for i, row in enumerate(rows, 1)
    ]


def _job(name: str, given: Any, base: str | None, folder: Path | None = None) -> Job:
    """The job of a scenario, or of changes of one: a file may lie beside the CSV that names it."""
    if not isinstance(given, Mapping):
        return name, str(given), {}
    changes = dict(given)
    scenario = changes.pop("scenario", base)
    check(
        scenario,
        f"{name!r} has changes and no scenario that they change; give base=, or scenario in each",
    )
    if folder is None:
        return name, str(scenario), changes
    beside = folder / str(scenario)
    place = str(beside.resolve() if beside.is_file() else scenario)
    return name, place, {key: _number_or_text(text) for key, text in changes.items()}


def _number_or_text(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
