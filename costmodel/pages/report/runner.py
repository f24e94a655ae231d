"""Notebooks as reports: checked parameters, a quiet run, an offline page, a PDF, and the numbers beside them.

`run` checks every parameter before a kernel starts, runs the notebook through papermill on the interpreter that is
running now, and writes `<notebook>.html`, `.pdf`, `.results.json` and `.results.csv`. A cell that fails is a `ReportError`:
what it had so far goes to `<notebook>.incomplete.html`, and an earlier report stays as it was.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from costmodel.choices.study import Study
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.core.words import Currency, number_text
from costmodel.facts.catalog import models
from costmodel.facts.prices import api_price
from costmodel.pages.blocks import RESULTS_MIME, USD, answer, cards, plain, results, show
from costmodel.pages.report import pack
from costmodel.pages.report.html import UNTOUCHED
from costmodel.pages.report.parameters import Parameter, schema, validate
from costmodel.scenarios.scenario import load, notebooks_folder

__all__ = [
    "Parameter",
    "Report",
    "ReportError",
    "answer",
    "cards",
    "results",
    "run",
    "run_many",
    "schema",
    "show",
    "validate",
]
FORMATS = ("html", "pdf")
QUIET = [
    "--log-level=50",
    "--InlineBackend.figure_formats=svg",
]  # the kernel says nothing of itself, figures are vectors
PLAIN_ERRORS = {
    "CatalogError",
    "Infeasible",
    "ValueError",
    "ReportError",
}  # their message is a sentence by itself
CHANGES = {f.name for kind in (Workload, Terms) for f in fields(kind)} | {
    "corpus_tokens"
}  # what a parameter changes in a scenario
Progress = Callable[[int, int], None]


@public
class ReportError(RuntimeError):
    """A notebook stopped; the message is the sentence of its error, `html` the page marked as incomplete."""

    def __init__(self, message: str, html: Path | None = None) -> None:
        super().__init__(message)
        self.html = html


@public
@dataclass(frozen=True)
class Report:
    """Where a report was written, and the answer it gives; a format that was not asked for is None."""

    title: str
    answer: str
    parameters: dict[str, Any]
    html: Path | None = None
    pdf: Path | None = None
    results_json: Path | None = None
    results_csv: Path | None = None
    numbers: dict[str, Any] = field(default_factory=dict)


@public
def run(
    notebook: str | Path,
    out: str | Path = "reports",
    formats: Sequence[str] = FORMATS,
    show_code: bool = False,
    progress: Progress | None = None,
    **parameters: Any,
) -> Report:
    """Run a notebook with these parameters and write its report into the folder `out`.

    `progress(done, total)` is called after every cell. Raises `CatalogError` or `ValueError` before anything starts
    or is written when a parameter is wrong, `ReportError` when a cell fails.
    """
    return _run(
        Path(notebook), parameters, Path(out), formats, show_code, progress, Path(notebook).stem
    )


@public
def run_many(
    jobs: Mapping[str, tuple[str | Path, Mapping[str, Any]]],
    out: str | Path = "reports",
    formats: Sequence[str] = FORMATS,
    workers: int = 2,
    progress: Progress | None = None,
) -> list[Report | Exception]:
    """Reports of many jobs {name: (notebook, parameters)} in parallel, with an index page.

    A job that fails does not stop the others: its place in the list holds the error, and the index page says so.
    """
    from concurrent.futures import ThreadPoolExecutor

    from costmodel.pages.report.html import page

    done = 0
    stems = [re.sub(r"[^\w.-]+", "-", name).strip("-.") or "report" for name in jobs]
    check(
        len({stem.lower() for stem in stems}) == len(stems),
        "two jobs would write the same file; give each its own name",
    )
    out = Path(out)

    def one(stem: str, job: tuple[str | Path, Mapping[str, Any]]) -> Report | Exception:
        nonlocal done
        try:
            made: Report | Exception = _run(Path(job[0]), job[1], out, formats, False, None, stem)
        except (
            Exception
        ) as error:  # one bad job must not stop the rest; the caller gets the error itself
            made = error
        done += 1
        if progress:
            progress(done, len(stems))
        return made

    with ThreadPoolExecutor(workers) as pool:
        made = list(pool.map(one, stems, jobs.values()))
    rows = []
    for name, report in zip(jobs, made, strict=True):
        if isinstance(report, Report):
            paths = [
                ("HTML", report.html),
                ("PDF", report.pdf),
                ("numbers", report.results_json),
                ("table", report.results_csv),
            ]
            rows.append(
                {
                    "name": name,
                    "answer": report.answer or report.title,
                    "error": "",
                    "files": _links(paths),
                }
            )
        else:
            rows.append(
                {
                    "name": name,
                    "answer": "",
                    "error": str(report),
                    "files": _links([("HTML", getattr(report, "html", None))]),
                }
            )
    failed = sum(bool(row["error"]) for row in rows)
    byline = f"{len(rows)} reports, {failed} failed" if failed else f"{len(rows)} reports"
    _write(
        out / "index.html",
        page("index.html.j2", title="Reports", byline=byline, rows=rows).encode(),
    )
    return made


def _links(paths: list[tuple[str, Path | None]]) -> list[tuple[str, str]]:
    return [(label, path.name) for label, path in paths if path]


def _run(
    notebook: Path,
    given: Mapping[str, Any],
    out: Path,
    formats: Sequence[str],
    show_code: bool,
    progress: Progress | None,
    stem: str,
) -> Report:
    for form in formats:
        check(form in FORMATS, f"format is {form!r}, allowed are {' and '.join(FORMATS)}")
    known = schema(notebook)
    clean = validate(known, given, notebook.name)
    values = {name: clean.get(name, parameter.default) for name, parameter in known.items()}
    case = _rehearse(values) if _ours(notebook) else None
    today = datetime.datetime.now(datetime.UTC).date()
    nb, failure = _execute(
        notebook, {name: _here(value) for name, value in clean.items()}, progress
    )
    numbers, table = _results(nb)
    from costmodel.pages.report import html as render
    from costmodel.pages.report import pdf as typeset

    dated = re.search(r"\d{4}-\d{2}-\d{2}", str(clean.get("on") or numbers.get("on") or today))
    on = dated[0] if dated else today.isoformat()
    meta = _meta(notebook, known, clean, case, today, on, numbers, show_code, failure)
    made = render.document(nb, meta)
    paths = {
        name: out / f"{stem}.{name}" for name in ("html", "pdf", "results.json", "results.csv")
    }
    incomplete = out / f"{stem}.incomplete.html"
    if failure:
        _write(incomplete, render.html_page(made, meta).encode())
        raise ReportError(f"{failure} (what was done until then: {incomplete})", incomplete)
    content: dict[str, bytes] = {}
    if "html" in formats:
        content["html"] = render.html_page(made, meta).encode()
    untypeset = ""
    if "pdf" in formats:
        try:
            content["pdf"] = typeset.typeset(made, meta)
        except RuntimeError as error:  # the page and the numbers are still written
            untypeset = (
                f"the PDF of {notebook.name} could not be typeset: {str(error).splitlines()[0]}"
            )
    facts = {
        "title": made.title,
        "answer": made.answer,
        "numbers": numbers,
        "parameters": plain(values),
        "given": sorted(clean),
        "facts": dict(meta.facts),
        "command": meta.command,
    }
    content["results.json"] = (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode()
    if table:
        content["results.csv"] = table.encode()
    for path in (*(path for name, path in paths.items() if name not in content), incomplete):
        path.unlink(missing_ok=True)  # nothing stale beside a new report
    for name in content:
        _write(paths[name], content[name])
    if untypeset:
        raise ReportError(untypeset, paths["html"] if "html" in content else None)
    written = {name: path if name in content else None for name, path in paths.items()}
    return Report(
        made.title,
        made.answer,
        clean,
        written["html"],
        written["pdf"],
        written["results.json"],
        written["results.csv"],
        numbers,
    )


def _ours(notebook: Path) -> bool:
    """Whether it is one of the package's notebooks, or the board pack that is stitched from them."""
    folder = notebook.resolve().parent
    return folder == notebooks_folder().resolve() or folder.name.startswith(pack.FOLDER)


def _rehearse(values: Mapping[str, Any]) -> Study | None:
    """Refuse before a kernel starts what one of our notebooks would refuse: a date, a currency, a model, a scenario and its changes.

    The scenario that the notebook will load, or None when it takes none."""
    stated = {name: value for name, value in values.items() if value is not None}
    Terms(**{name: stated[name] for name in ("start", "on", "currency") if name in stated})
    if isinstance(stated.get("model"), str) and stated["model"] not in models():
        api_price(stated["model"], on=stated.get("on"))
    if "scenario" in stated:
        return load(
            stated["scenario"], **{name: stated[name] for name in stated if name in CHANGES}
        )
    return None


def _stated(case: Study | None, name: str) -> tuple[Any, str]:
    """What holds where a parameter is left open, and who says so: the scenario, or nobody."""
    if case is None:
        return None, UNTOUCHED
    if name == "corpus_tokens":
        return case.work.corpus and case.work.corpus.tokens, "the scenario"
    for thing in (case.work, case.terms, case):
        for known in fields(thing):  # type: ignore[arg-type]
            if known.name == name:
                value = getattr(thing, name)
                return value, UNTOUCHED if value == known.default or value == "" else "the scenario"
    return None, UNTOUCHED


def _here(value: Any) -> Any:
    """A parameter that names a file of the caller's folder, as the kernel finds it from the notebook's."""
    return str(Path(value).resolve()) if _is_file(value) else value


def _is_file(value: Any) -> bool:
    return (
        isinstance(value, str)
        and Path(value).suffix in (".yaml", ".yml", ".csv")
        and Path(value).is_file()
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


# -- running -------------------------------------------------------------------------------------------


def _execute(
    notebook: Path, parameters: Mapping[str, Any], progress: Progress | None
) -> tuple[Any, str]:
    """The executed notebook, and the sentence of the error that stopped it or ""; what follows an error is cut off."""
    import nbformat
    import papermill
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    nb = load_notebook_node(str(notebook))
    if parameters:  # by papermill's own hand, but without its guess of what the notebook declares
        nb = parameterize_notebook(nb, dict(parameters), kernel_name="python3", language="python")
    total = sum(cell.cell_type == "code" for cell in nb.cells)
    done = 0

    def executed(**_: Any) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(min(done, total), total)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "executed.ipynb")
        ready = Path(folder, "ready.ipynb")
        nbformat.write(nb, ready)
        try:
            papermill.execute_notebook(
                str(ready),
                str(path),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                request_save_on_cell_execute=False,
                extra_arguments=QUIET,
                kernel_manager_class=_this_interpreter(),
                on_cell_executed=executed,
                resources={"metadata": {"path": str(notebook.resolve().parent)}},
            )
        except papermill.PapermillExecutionError as error:
            nb = nbformat.read(path, as_version=4)
            failed = next(
                i
                for i, cell in enumerate(nb.cells)
                if any(o.output_type == "error" for o in cell.get("outputs", []))
            )
            nb.cells = nb.cells[: failed + 1]
            said = " ".join(str(error.evalue).split()) or error.ename
            return nb, said if error.ename in PLAIN_ERRORS else f"{error.ename}: {said}"
        return nbformat.read(path, as_version=4), ""


def _this_interpreter() -> type:
    """A kernel manager that starts the interpreter that is running now, whatever kernel a notebook names."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    package = str(Path(__file__).resolve().parents[3])
    inherited = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    environment = {"PYTHONPATH": os.pathsep.join([package, *inherited])}

    class ThisInterpreter(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=start, language="python", display_name="Python", env=environment)

    return ThisInterpreter


def _results(nb: Any) -> tuple[dict[str, Any], str]:
    """Numbers and table that the notebook handed over with `results`."""
    numbers: dict[str, Any] = {}
    table = ""
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            content = output.get("data", {}).get(RESULTS_MIME)
            if content:
                numbers.update(content["numbers"])
                table = content.get("csv", table)
    return numbers, table


# -- facts ---------------------------------------------------------------------------------------------


def _meta(
    notebook: Path,
    known: Mapping[str, Parameter],
    given: Mapping[str, Any],
    case: Study | None,
    today: datetime.date,
    on: str,
    numbers: Mapping[str, Any],
    show_code: bool,
    failure: str,
) -> Any:
    from costmodel.pages.report.html import Meta

    values = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    own = _version("costmodel")
    priced = "on" in known
    facts = [("costmodel", own)]
    if priced:
        facts += [("prices", f"genai-prices {_version('genai-prices')}"), ("prices on", on)]
    seed = numbers.get("seed") if values.get("seed") is None else values["seed"]
    if seed is not None:
        facts.append(("seed", str(seed)))
    facts += [("Python", ".".join(map(str, sys.version_info[:3]))), ("made on", today.isoformat())]
    audience = values.get("prepared_for") or numbers.get("prepared_for")
    byline = [f"Prepared for {audience}"] if audience else []
    byline += [f"{today.day} {today:%B %Y}", *([f"prices of {on}"] if priced else [])]
    currency = USD
    with suppress(ValueError):  # a notebook of somebody else may mean another thing
        currency = Currency.parse(values.get("currency") or _stated(case, "currency")[0] or "USD")
    if currency != USD:
        byline.append(
            f"{currency.code} at {currency.per_usd:g} per USD of {currency.rate_date}; what is marked USD is in US dollars"
        )
    rows = []
    for name, parameter in known.items():
        value, origin = (
            (values[name], UNTOUCHED) if values[name] is not None else _stated(case, name)
        )
        changed = name in given and given[name] != parameter.default
        rows.append((name, _shown(value), parameter.help, "you" if changed else origin))
    again = dict(given) | ({"on": on} if priced else {})
    midnight = datetime.datetime.combine(today, datetime.time(), datetime.UTC)
    return Meta(
        title=str(values.get("title") or ""),
        byline=" · ".join(byline),
        incomplete=failure,
        facts=tuple(facts),
        parameters=tuple(rows),
        command=_command(notebook, again),
        local=not _ours(notebook) or any(map(_is_file, given.values())),
        show_code=show_code,
        version=own,
        folder=notebook.resolve().parent,
        timestamp=int(midnight.timestamp()),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from source"


def _shown(value: Any) -> str:
    if isinstance(value, Doubt):
        return number_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,}" if abs(value) >= 10_000 else f"{value:g}"
    return "not set" if value in (None, "") else str(value)


def _command(notebook: Path, parameters: Mapping[str, Any]) -> str:
    """The line that makes the same report again: from any folder, but for a notebook or a file of your own, whose folder it needs."""
    path = notebook.resolve()
    near = (
        Path(path.stem)
        if _ours(notebook)
        else path.relative_to(Path.cwd())
        if path.is_relative_to(Path.cwd())
        else path
    )
    words = ["costmodel", "report", near.as_posix()]
    for name, value in parameters.items():
        written = (
            json.dumps(value)
            if isinstance(value, (list, dict))
            else "none"
            if value is None
            else str(value)
        )
        words += ["-p", name, written]
    return shlex.join(words)
