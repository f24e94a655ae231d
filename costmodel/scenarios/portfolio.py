"""A portfolio: many scenarios compared in one call, on two processes or on a Dask cluster, with the same numbers.

Work is handed to any `concurrent.futures.Executor`: a pool of processes by default, Dask's when a scheduler's address is given.
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

from costmodel.core.checks import whole_number
from costmodel.core.errors import CatalogError, check
from costmodel.core.public import public
from costmodel.decisions.compare import compare
from costmodel.scenarios.scenario import load

WORKERS, WORKERS_MAX = 2, 1_000
BATCH = (
    10  # scenarios that one task compares: enough to hide the journey, few enough for a lively bar
)
Job = tuple[
    str, str, dict[str, Any]
]  # name, scenario (a path, the name of an example, or YAML text), changes


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
    """Compare the options of every scenario of a folder of YAML files, of a CSV, or of a mapping {name: file, YAML text or changes}.

    A CSV has one scenario a row: `name`, `scenario` (a file or example; `base` where there is none), and a column for each field that
    differs from it, as `load(scenario, field=value)` takes them; an empty cell changes nothing. `changes` hold for all. Columns: scenario, option, those
    of `compare`, error: a scenario that cannot be read keeps one row with its error and stops no other. `scheduler` is the address of a Dask
    scheduler (the extra "dask"); the numbers are the same wherever they are computed. Errors: `CatalogError` for an empty or unknown source.
    """
    from tqdm import tqdm

    jobs = [
        (name, scenario, {**given, **changes}) for name, scenario, given in _jobs(scenarios, base)
    ]
    check(jobs, f"no scenario in {scenarios!r}")
    whole_number("workers", workers, 1, WORKERS_MAX)
    check(
        executor is None or isinstance(executor, Executor),
        f"executor is {executor!r}, it must be a concurrent.futures.Executor",
    )
    twice = [name for name, times in Counter(name for name, *_ in jobs).items() if times > 1]
    check(
        not twice,
        f"two scenarios are called {', '.join(map(repr, twice[:3]))}; give each a name of its own",
    )
    batches = [jobs[i : i + BATCH] for i in range(0, len(jobs), BATCH)]
    frames: list[pd.DataFrame] = []
    with (
        _executor(executor, scheduler, workers) as pool,
        tqdm(total=len(jobs), unit="scenario", disable=not progress) as bar,
    ):
        for batch, made in zip(batches, pool.map(run_batch, batches), strict=True):
            frames += made
            bar.update(len(batch))
    return pd.concat(frames, ignore_index=True)


def run_batch(jobs: list[Job]) -> list[pd.DataFrame]:
    """One table for each job; what a worker does."""
    return [_one(*job) for job in jobs]


def _one(name: str, scenario: str, changes: dict[str, Any]) -> pd.DataFrame:
    try:
        s = load(scenario, **changes)
        table = compare(s).reset_index()
    except ValueError as error:
        return pd.DataFrame([{"scenario": name, "option": "", "error": str(error)}])
    table.insert(0, "scenario", name)
    return table.assign(error="")


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
        return [(str(name), *_asked(given, base)) for name, given in scenarios.items()]
    check(
        isinstance(scenarios, (str, Path)),
        f"scenarios is {scenarios!r}, it must be a folder, a CSV file or a mapping of scenarios by name",
    )
    path = Path(scenarios)
    if path.is_dir():
        return [(file.stem, str(file.resolve()), {}) for file in sorted(path.glob("[!.]*.y*ml"))]
    if not path.is_file():
        raise CatalogError(
            f"no folder or CSV file {str(path)!r}; write the path of a folder of YAML files, or of a CSV"
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return [_row(i, row, base, path) for i, row in enumerate(rows)]


def _asked(given: Any, base: str | None) -> tuple[str, dict[str, Any]]:
    if not isinstance(given, Mapping):
        return str(given), {}
    rest = dict(given)
    scenario = rest.pop("scenario", base)
    check(
        scenario,
        "a scenario of changes needs the one that it changes; give base=, or scenario in each",
    )
    return str(scenario), rest


def _row(i: int, row: dict[str, str], base: str | None, path: Path) -> Job:
    name = row.pop("name", "") or f"row {i + 1}"
    scenario = row.pop("scenario", "") or base
    check(
        scenario,
        f"{path.name} has no column scenario, and no base is given; write base=, the scenario that the rows change",
    )
    beside = path.parent / str(scenario)
    return (
        name,
        str(beside.resolve() if beside.is_file() else scenario),
        {key: _value(text) for key, text in row.items() if text not in ("", None)},
    )


def _value(text: str) -> Any:
    """A number where the text is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
