"""A notebook as a report: checked parameters, a quiet run, an offline page, a PDF, and the numbers
beside them.

Every parameter is checked before a kernel starts. A run writes `<notebook>.html`, `.pdf`,
`.results.json` and `.results.csv`. When a cell fails, what was done until then goes to
`<notebook>.incomplete.html`, and an earlier report stays as it was.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from costmodel.choices.study import Study
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.facts.cards import api_price
from costmodel.facts.catalog import models
from costmodel.pages.blocks import plain
from costmodel.pages.report.colophon import is_file, is_ours, made_by
from costmodel.pages.report.html import document, html_page, page
from costmodel.pages.report.kernel import Progress, execute, handed_over
from costmodel.pages.report.parameters import schema, validate
from costmodel.pages.report.pdf import typeset
from costmodel.scenarios.scenario import load

FORMATS = ("html", "pdf")  # by default; "png" is the first page as a picture
FILES = ("html", "pdf", "results.json", "results.csv", "png")
CHANGES = {f.name for kind in (Workload, Terms) for f in fields(kind)} | {
    "corpus_tokens"
}  # of a scenario


@public
class ReportError(RuntimeError):
    """A notebook stopped. The message is the sentence of its error; `html` is the page marked as
    incomplete.
    """

    def __init__(self, message: str, html: Path | None = None) -> None:
        super().__init__(message)
        self.html = html


@public
@dataclass(frozen=True)
class Report:
    """Where a report was written, and its answer; a format that was not asked for is None."""

    title: str
    answer: str
    parameters: dict[str, Any]
    html: Path | None = None
    pdf: Path | None = None
    results_json: Path | None = None
    results_csv: Path | None = None
    png: Path | None = None
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
) -> list[Report | Exception]:
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
    """
    out, done = Path(out), 0
    stems = [re.sub(r"[^\w.-]+", "-", name).strip("-.") or "report" for name in jobs]
    alone = len({stem.lower() for stem in stems}) == len(stems)
    check(alone, "two jobs would write the same file; give each its own name")

    def one(stem: str, job: tuple[str | Path, Mapping[str, Any]]) -> Report | Exception:
        nonlocal done
        made: Report | Exception
        try:
            made = _run(Path(job[0]), job[1], out, stem, formats)
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
    rows = [_index_row(name, report) for name, report in zip(jobs, made, strict=True)]
    failed = sum(bool(row["error"]) for row in rows)
    byline = f"{len(rows)} reports" + (f", {failed} failed" if failed else "")
    index = page("index.html.j2", title="Reports", byline=byline, rows=rows)
    _write(out / "index.html", index.encode())
    return made


def _index_row(name: str, report: Report | Exception) -> dict[str, Any]:
    """What the index page says of one job."""
    good = isinstance(report, Report)
    kinds = {
        "HTML": "html",
        "PDF": "pdf",
        "PNG": "png",
        "numbers": "results_json",
        "table": "results_csv",
    }
    paths = {label: getattr(report, attribute, None) for label, attribute in kinds.items()}
    return {
        "name": name,
        "answer": (report.answer or report.title) if good else "",
        "error": "" if good else str(report),
        "files": [(label, path.name) for label, path in paths.items() if path],
    }


def _run(
    notebook: Path,
    given: Mapping[str, Any],
    out: Path,
    stem: str,
    formats: Sequence[str],
    show_code: bool = False,
    progress: Progress | None = None,
) -> Report:
    for form in formats:
        check(form in (*FORMATS, "png"), f"format is {form!r}, allowed are html, pdf and png")
    known = schema(notebook)
    clean = validate(known, given, notebook.name)
    values = {name: clean.get(name, parameter.default) for name, parameter in known.items()}
    case = _rehearse(values) if is_ours(notebook) else None
    nb, failure = execute(notebook, {name: _absolute(x) for name, x in clean.items()}, progress)
    numbers, table = handed_over(nb)
    today = datetime.datetime.now(datetime.UTC).date()
    dated = re.search(r"\d{4}-\d{2}-\d{2}", str(clean.get("on") or numbers.get("on") or today))
    on = dated[0] if dated else today.isoformat()
    meta = made_by(notebook, known, clean, case, today, on, numbers, show_code, failure)
    made = document(nb, meta)
    incomplete = out / f"{stem}.incomplete.html"
    if failure:
        _write(incomplete, html_page(made, meta).encode())
        raise ReportError(f"{failure} (what was done until then: {incomplete})", incomplete)
    content, untypeset = {}, ""
    if "html" in formats:
        content["html"] = html_page(made, meta).encode()
    for form in (form for form in ("pdf", "png") if form in formats):
        try:
            content[form] = typeset(made, meta, form)
        except RuntimeError as error:  # the page and the numbers are still written
            reason = str(error).splitlines()[0]
            untypeset = f"the {form.upper()} of {notebook.name} could not be typeset: {reason}"
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
    paths = [out / f"{stem}.{name}" for name in FILES]
    written = [path if path.name.removeprefix(f"{stem}.") in content else None for path in paths]
    for path, kept in zip((*paths, incomplete), (*written, None), strict=True):
        if kept is None:
            path.unlink(missing_ok=True)  # nothing stale beside a new report
    for name, data in content.items():
        _write(out / f"{stem}.{name}", data)
    if untypeset:
        raise ReportError(untypeset, written[0])
    return Report(made.title, made.answer, clean, *written, numbers)


def _rehearse(values: Mapping[str, Any]) -> Study | None:
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


def _absolute(value: Any) -> Any:
    """A parameter that names a file of the caller's folder: the kernel runs in another one."""
    return str(Path(value).resolve()) if is_file(value) else value


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
