"""A notebook as a report: checked parameters, a quiet run, an offline page, a PDF, and the numbers
beside them.

Every parameter is checked before a kernel starts. A run writes `<notebook>.html`, `.pdf`,
`.results.json` and `.results.csv`. When a cell fails, what was done until then goes to
`<notebook>.incomplete.html`, and an earlier report stays as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import field, fields
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, get_args

from costmodel.choices.study import Study
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    check,
    check_writable,
    frozen,
    listed,
    public,
    whole_number,
    write,
    write_all,
)
from costmodel.core.errors import brief
from costmodel.facts.cards import api_price
from costmodel.facts.catalog import models
from costmodel.pages.blocks import for_json
from costmodel.pages.report.colophon import Run, is_file, is_ours, made_by
from costmodel.pages.report.exports.results import source_of, stamp_of_the_program
from costmodel.pages.report.html import document, html_page, page
from costmodel.pages.report.kernel import Kernel, Progress, execute, handed_over
from costmodel.pages.report.parameters import Parameter, schema, validate
from costmodel.pages.report.pdf import Form, typeset
from costmodel.scenarios.portfolio import WORKERS_MAX
from costmodel.scenarios.scenario import load

FORMATS = ("html", "pdf")  # by default; "png" is the first page as a picture
FILES = {
    "HTML": "html",
    "PDF": "pdf",
    "PNG": "png",
    "numbers": "results.json",
    "table": "results.csv",
}
CHANGES = {"corpus_tokens", *(f.name for kind in (Workload, Terms) for f in fields(kind))}


@public
class ReportError(RuntimeError):
    """A notebook stopped. The message is the sentence of its error; `html` is the page marked as
    incomplete.

    Parameters
    ----------
    message : str
        The sentence of the error.
    html : Path, optional
        The page of what was done until then.

    Examples
    --------
    >>> import costmodel as cm
    >>> error = cm.report.ReportError("cell 3 stopped: no GPU 'H100-SMX' in gpus.csv")
    >>> str(error), error.html
    ("cell 3 stopped: no GPU 'H100-SMX' in gpus.csv", None)
    """

    def __init__(self, message: str, html: Path | None = None) -> None:
        super().__init__(message)
        self.html = html


@frozen
class Report:
    """Where a report was written, and its answer; a format that was not asked for is None.

    Parameters
    ----------
    title, answer : str
        The title of the report, and its answer in a sentence.
    parameters : dict of name to value
        What the notebook was run with.
    html, pdf, results_json, results_csv, png : Path, optional
        The files.
    numbers : dict of name to value
        What the notebook handed over with `results`.
    seconds : dict of step to s
        Where the time went: kernel start, cells (the figures in them apart), HTML, PDF.

    Examples
    --------
    >>> from pathlib import Path
    >>> import costmodel as cm
    >>> page = Path("reports/my_case.html")
    >>> report = cm.report.Report("My case", "RAG is the cheapest.", {"months": 36}, html=page)
    >>> report.answer, {label: path.name for label, path in report.files.items()}
    ('RAG is the cheapest.', {'HTML': 'my_case.html'})
    """

    title: str
    answer: str
    parameters: dict[str, Any]
    html: Path | None = None
    pdf: Path | None = None
    results_json: Path | None = None
    results_csv: Path | None = None
    png: Path | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def whole_s(self) -> float:
        """Seconds of all steps; the figures are part of the cells."""
        return sum(s for step, s in self.seconds.items() if step != "figures")

    @property
    def took(self) -> str:
        """Where the time went, in words."""
        parts = ", ".join(f"{step} {s:.1f}" for step, s in self.seconds.items())
        return f"{self.whole_s:.1f} s: {parts}" if parts else ""

    @property
    def files(self) -> dict[str, Path]:
        """The files that were written, each by the word for its content."""
        paths = {label: getattr(self, name.replace(".", "_")) for label, name in FILES.items()}
        return {label: path for label, path in paths.items() if path}


@public
def run(
    notebook: str | Path,
    out: str | Path = "reports",
    formats: Sequence[str] = FORMATS,
    show_code: bool = False,
    progress: Progress | None = None,
    **parameters: Any,
) -> Report:
    """Run a notebook with these parameters and write its report.

    Parameters
    ----------
    notebook : path
        An .ipynb file, of the package or of your own.
    out : path
        The folder of the report.
    formats : sequence of {"html", "pdf", "png"}
        A PNG shows the first page. The numbers are always written beside them.
    show_code : bool
        Whether the code of the cells is shown.
    progress : function of (done, total), optional
        Called after every cell.
    **parameters
        Values for the cell tagged `parameters`, checked by `validate`.

    Returns
    -------
    Report
        The paths, the answer and the numbers.

    Raises
    ------
    CatalogError, ValueError
        For a wrong parameter, before anything starts or is written.
    ReportError
        When a cell fails, or when the PDF cannot be typeset.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import nbformat
    >>> import costmodel as cm
    >>> source = "months: int = 36  # horizon in months [1, 120]"
    >>> cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    >>> path = Path(tempfile.mkdtemp()) / "my_case.ipynb"
    >>> nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    >>> report = cm.report.run(path, out=path.parent, formats=["html"], months=24)
    >>> report.html.name, report.parameters
    ('my_case.html', {'months': 24})
    >>> cm.report.run(path, months=240)
    Traceback (most recent call last):
    ValueError: months is 240, allowed is between 1 and 120
    """
    path = Path(notebook)
    return _run(path, parameters, Path(out), path.stem, formats, show_code, progress)


@public
def run_many(
    jobs: Mapping[str, tuple[str | Path, Mapping[str, Any]]],
    out: str | Path = "reports",
    formats: Sequence[str] = FORMATS,
    workers: int = 2,
    progress: Progress | None = None,
) -> list[Report | BaseException]:
    """Run many reports in parallel and write an index page.

    Parameters
    ----------
    jobs : dict of name to (notebook, parameters)
        The name becomes the name of the files.
    out, formats, progress
        As in `run`; progress counts jobs.
    workers : int
        How many run at once.

    Returns
    -------
    list of Report or Exception
        In the order of the jobs. A job that fails does not stop the others: its place holds the
        error.

    Raises
    ------
    ValueError
        When two jobs would write the same file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import nbformat
    >>> import costmodel as cm
    >>> source = "months: int = 36  # horizon in months [1, 120]"
    >>> cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    >>> path = Path(tempfile.mkdtemp()) / "my_case.ipynb"
    >>> nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    >>> jobs = {"two years": (path, {"months": 24}), "too long": (path, {"months": 240})}
    >>> made = cm.report.run_many(jobs, out=path.parent, formats=["html"])
    >>> [type(report).__name__ for report in made]
    ['Report', 'ValueError']
    """
    out = Path(out)
    whole_number("workers", workers, 1, WORKERS_MAX)
    stems = [re.sub(r"[^\w.-]+", "-", name).strip("-.") or "report" for name in jobs]
    alone = len({stem.lower() for stem in stems}) == len(stems)
    check(alone, "two jobs would write the same file; give each its own name")
    waiting: Waiting = SimpleQueue()
    futures: list[Future] = []
    for stem, (notebook, parameters) in zip(stems, jobs.values(), strict=True):
        futures.append(Future())
        path = Path(notebook)
        waiting.put((futures[-1], path, partial(_run, path, parameters, out, stem, formats)))
    kernels = [Kernel() for _ in range(min(workers, len(futures)))]
    with ThreadPoolExecutor(workers) as pool:
        for kernel in kernels:
            pool.submit(_work_off, waiting, kernel)
        try:
            for done, _ in enumerate(as_completed(futures), 1):
                if progress:
                    progress(done, len(stems))
        except BaseException:  # stopped by hand: what waits is not begun, what runs ends
            with suppress(Empty):
                while waiting.get_nowait():
                    pass
            for kernel in kernels:
                kernel.stop()
            raise
    made = [future.exception() or future.result() for future in futures]
    failed = sum(not isinstance(report, Report) for report in made)
    byline = f"{len(made)} reports" + (f", {failed} failed" if failed else "")
    index = page("index.html.j2", title="Reports", byline=byline, jobs=zip(jobs, made, strict=True))
    write(out / "index.html", index)
    return made


Waiting = SimpleQueue[tuple["Future[Report]", Path, Callable[..., Report]]]


def _work_off(waiting: Waiting, kernel: Kernel) -> None:
    """Make the reports that wait, with one kernel for all notebooks of the package."""
    with kernel:
        while True:
            try:
                future, notebook, make = waiting.get_nowait()
            except Empty:
                return
            try:
                future.set_result(make(kernel=kernel if is_ours(notebook) else None))
            except BaseException as error:  # stands in the place of the report
                future.set_exception(error)


def _run(
    notebook: Path,
    given: Mapping[str, Any],
    out: Path,
    stem: str,
    formats: Sequence[str],
    show_code: bool = False,
    progress: Progress | None = None,
    kernel: Kernel | None = None,
) -> Report:
    """One report, whose files are called `stem`."""
    for form in formats:
        check(form in (*FORMATS, "png"), f"format is {form!r}, allowed are html, pdf and png")
    known = schema(notebook)
    clean = validate(known, given, notebook.name)
    values = {name: clean.get(name, parameter.default) for name, parameter in known.items()}
    case = rehearse(values) if is_ours(notebook) else None
    if is_ours(notebook) and clean and "usage" not in known:  # files of usage are read once
        rehearse_cells(notebook, known, clean)
    check_writable(out / f"{stem}.html", folder_too=True)
    files = {name: _absolute(x) for name, x in clean.items()}
    nb, failure, seconds = execute(notebook, files, progress, kernel)
    numbers, table = handed_over(nb)
    meta = made_by(Run(notebook, known, clean, case, numbers, failure), show_code)
    with _timed("HTML", seconds):
        made = document(nb, meta)
        html = html_page(made, meta).encode()
    if failure:
        incomplete = out / f"{stem}.incomplete.html"
        write(incomplete, html)
        raise ReportError(f"{failure} (what was done until then: {incomplete})", incomplete)
    results = {
        "title": made.title,
        "answer": made.answer,
        "numbers": numbers,
        "parameters": for_json(values),
        "given": sorted(clean),
        "facts": meta.facts,
        "command": meta.command,
        **(source_of(case) if case else {"stamp": stamp_of_the_program()}),
    }
    written = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    content = {"html": html, "results.json": written.encode(), "results.csv": table.encode()}
    untypeset = ""
    for form in get_args(Form):
        if form not in formats:
            continue
        try:
            with _timed(form.upper(), seconds):
                content[form] = typeset(made, meta, form)
        except RuntimeError as error:  # the page and the numbers are still written
            reason = str(error).splitlines()[0]
            untypeset = f"the {form.upper()} of {notebook.name} could not be typeset: {reason}"
    if "html" not in formats:
        del content["html"]
    paths = _replace(out, stem, content)
    if untypeset:
        raise ReportError(untypeset, paths.get("html"))
    return Report(made.title, made.answer, clean, numbers=numbers, seconds=seconds, **paths)


@contextmanager
def _timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    begun = perf_counter()
    yield
    seconds[step] = perf_counter() - begun


def _replace(out: Path, stem: str, content: Mapping[str, bytes]) -> dict[str, Path]:
    """Write the files that have content, and remove what an earlier report left beside them."""
    paths = {name: out / f"{stem}.{name}" for name in (*FILES.values(), "incomplete.html")}
    write_all({path: content[name] for name, path in paths.items() if content.get(name)})
    for name, path in paths.items():
        if not content.get(name):
            path.unlink(missing_ok=True)
    return {name.replace(".", "_"): path for name, path in paths.items() if content.get(name)}


def rehearse(values: Mapping[str, Any]) -> Study | None:
    """Refuse before a kernel starts what one of our notebooks would refuse.

    That is a wrong date, currency, model or scenario, or a wrong change of it. Returns the study
    that the notebook will load, or None when it takes none.
    """
    stated = {name: value for name, value in values.items() if value is not None}
    Terms(**{name: stated[name] for name in ("start", "on", "currency") if name in stated})
    if isinstance(stated.get("model"), str) and stated["model"] not in models():
        api_price(stated["model"], on=stated.get("on"))
    if "scenario" in stated:
        changes = {name: value for name, value in stated.items() if name in CHANGES}
        return load(stated["scenario"], **changes)
    return None


def rehearse_cells(
    notebook: Path, known: Mapping[str, Parameter], given: Mapping[str, Any]
) -> None:
    """Refuse before a kernel starts what the cells before the cockpit refuse, with its parameters.

    They make the study and compute little. Values that fail only together are named together.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tags = [cell["metadata"].get("tags", ()) for cell in cells]
    first = next((i for i, names in enumerate(tags) if "cockpit" in names), 0)
    code = "".join(
        "".join((*cell["source"], "\n"))
        for cell, names in zip(cells[:first], tags[:first], strict=True)
        if "imports" in names
    )
    program = compile(code, notebook.name, "exec")

    def refusal(some: Mapping[str, Any]) -> str:
        values = {name: some.get(name, parameter.default) for name, parameter in known.items()}
        try:
            exec(program, values)  # of a notebook of the package
        except ValueError as error:
            return str(error)
        return ""

    if not refusal(given):
        return
    needed = dict(given)
    for name in given:  # the fewest that fail together
        fewer = {other: x for other, x in needed.items() if other != name}
        if fewer and refusal(fewer):
            needed = fewer
    together = " together" if len(needed) > 1 else ""
    raise ValueError(brief(f"{listed(needed)} cannot be so{together}: {refusal(needed)}"))


def _absolute(value: Any) -> Any:
    """A parameter that names a file of the caller's folder: the kernel runs in another one."""
    return str(Path(value).resolve()) if is_file(value) else value
