"""A portfolio: many scenarios compared in one call, on processes or on a Dask cluster, or added up.

Work is handed to any `concurrent.futures.Executor`: a pool of processes by default, Dask's when the
address of a scheduler is given. The numbers are the same.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.purchases import PHASES
from costmodel.choices.study import Study
from costmodel.core import (
    CatalogError,
    check,
    check_known,
    in_words,
    not_none,
    public,
    read_rows,
    whole_number,
)
from costmodel.decisions.compare import compare
from costmodel.decisions.simulate import per_draw
from costmodel.decisions.verdict import recommend
from costmodel.ledgers.engine import Bill
from costmodel.scenarios.scenario import load

WORKERS, WORKERS_MAX = 2, 1_000
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
    with _executor(executor, scheduler, workers) as pool:
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
        except BrokenExecutor:
            for job in task:
                try:
                    with _processes(1) as alone:
                        yield from alone.submit(_tables, [job]).result()
                except BrokenExecutor:
                    yield _failed(job[0], "its process was killed, perhaps for want of memory")


def _processes(workers: int) -> ProcessPoolExecutor:
    """Processes that end with the one that started them, however it ends."""
    return ProcessPoolExecutor(workers, initializer=_end_with, initargs=(os.getpid(),))


def _end_with(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if os.name != "nt":
        threading.Thread(target=watch, daemon=True).start()


@public
def portfolio_bill(
    scenarios: str | Path | Mapping[str, Any],
    base: str | None = None,
    chosen: Mapping[str, str] | None = None,
    shared: Iterable[str] = (),
    **changes: Any,
) -> pd.DataFrame:
    """Add up many scenarios, each by its best option, with what they share paid once.

    Equation: sum of all bills - (sum - greatest) of every shared phase, draw by draw. Inputs of one
    name are drawn alike in all scenarios, so that the band of the sum holds what moves all of them;
    it is wider than that of independent projects.

    Parameters
    ----------
    scenarios, base, **changes
        As in `compare_portfolio`; all need the same horizon, draws and seed.
    chosen : dict of scenario to option, optional
        Which option counts; the best of the rule by default.
    shared : iterable of str
        Phases of the ledger that are bought once for all, by the scenario that needs most of them,
        such as "evaluation", "compliance" or "maintenance".

    Returns
    -------
    DataFrame
        A row for each scenario, one for "paid once" (below 0), one for "all": scenario, option,
        expected, p10, p90 [USD over the horizon], share [of the expected sum].

    Raises
    ------
    CatalogError
        A phase or an option that is not there.
    ValueError
        Scenarios of different horizons, draws or seeds, or one in which no option is eligible.

    Examples
    --------
    >>> two = {"a": {"requests_per_month": 1e5}, "b": {"requests_per_month": 1e6}}
    >>> chosen, shared = {"a": "RAG", "b": "RAG"}, ["evaluation"]
    >>> bill = portfolio_bill(two, "support_assistant", chosen, shared, draws=100)
    >>> bill["scenario"].to_list(), bool(bill["expected"][2] < 0)
    (['a', 'b', 'paid once', 'all'], True)
    """
    studies = {n: _loaded(case, {**own, **changes}) for n, case, own in _jobs(scenarios, base)}
    check(studies, f"no scenario in {in_words(scenarios)}")
    alike = {(x.terms.months, x.draws, x.seed) for x in studies.values()}
    check(len(alike) == 1, "the scenarios differ in months, draws or seed; give them as keywords")
    ((_, draws, _),) = alike
    labels: dict[str, Any] = {
        name: (chosen or {}).get(name) or recommend(x).best for name, x in studies.items()
    }
    for name, label in labels.items():
        check(label, f"{name!r}: no option is eligible; say which counts with chosen={{...}}")
    studies = {name: study.only(labels[name]) for name, study in studies.items()}
    phases = [*shared]
    for phase in phases:
        check_known("phase", phase, PHASES, "the ledger")
    numbers: list[Any] = [Bill.total, *(partial(Bill.total, phase=phase) for phase in phases)]
    usd = {  # USD in each draw: of the whole bill, and of each of these phases
        name: [next(iter(x.values())) for x in per_draw(study, numbers, draws)]
        for name, study in studies.items()
    }
    by_phase = np.array([phases_usd for _, *phases_usd in usd.values()])
    once = (by_phase.max(0) - by_phase.sum(0)).sum(0) + np.zeros(draws)
    rows: dict[str, Any] = {name: (labels[name], total) for name, (total, *_) in usd.items()}
    rows |= {"paid once": ("", once)}
    rows |= {"all": ("", sum(total for _, total in rows.values()))}
    table = pd.DataFrame(
        [
            {"scenario": name, "option": label, "expected": x.mean()}
            | dict(zip(("p10", "p90"), np.percentile(x, [10, 90]), strict=True))
            for name, (label, x) in rows.items()
        ]
    )
    return table.assign(share=table["expected"] / table["expected"].iloc[-1])


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
    rows = [{key: x for key, x in row.items() if x} for row in read_rows(path, apart=True)]
    return [
        _job(row.pop("name", f"row {i}"), row, base, path.parent) for i, row in enumerate(rows, 1)
    ]


def _job(name: str, given: Any, base: str | None, folder: Path | None = None) -> Job:
    """The job of a scenario, or of changes of one: a file may lie beside the CSV that names it."""
    if not isinstance(given, Mapping):
        return name, str(given), {}
    changes = dict(given)
    scenario = changes.pop("scenario", base)
    said = "has changes and no scenario that they change; give base=, or scenario in each"
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
            return kind(text)
        except ValueError:
            continue
    return text
