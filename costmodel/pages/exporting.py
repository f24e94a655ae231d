"""The commands that carry a study elsewhere: export, reports, rerun, showback, diff, check.

What writes a file is imported when it is asked for.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from click import argument, command, echo, option

from costmodel.choices.study import Study
from costmodel.core import CatalogError, as_csv, make_folder, not_none, temporary_folder, write_all
from costmodel.decisions.verdict import recommend
from costmodel.ingest.usage import read as read_usage
from costmodel.pages.commands import (
    DRAWS,
    FORCE,
    SCENARIO,
    STDOUT,
    WORKERS,
    any_case,
    failed_at,
    find_notebook,
    not_there,
    put,
)
from costmodel.pages.forms import FORMS, export_as, file_name
from costmodel.pages.own_numbers import COLUMNS, columns_given
from costmodel.pages.terminal import aligned, bar, busy, many, parted, visible, wrapped
from costmodel.pages.values import Day, Folder, Within
from costmodel.scenarios.scenario import load
from costmodel.studies.changes import STEPS
from costmodel.studies.follow_up.difference import broken_limits, changed_inputs, unaware
from costmodel.studies.follow_up.difference import diff as difference
from costmodel.studies.follow_up.showback import FIXED, shares_of
from costmodel.studies.follow_up.showback import showback as allotted

Told = dict[str, Any]  # what --json prints; with anything in "failed" a command exits with 1
INPUTS_SHOWN = 20


@command()
@argument("scenarios", nargs=-1, required=True, callback=any_case)
@option("-o", "--out", default="exports", show_default=True, type=Folder())
@option("--excel", "forms", flag_value="excel", multiple=True, help="A workbook, live.")
@option("--focus", "forms", flag_value="focus", multiple=True, help="A FOCUS 1.2 table.")
@option("--json", "forms", flag_value="json", multiple=True, help="Numbers, ledger and scenario.")
@option("--html", "forms", flag_value="html", multiple=True, help="A page with sliders.")
@DRAWS
def export(scenarios: tuple[str, ...], out: str, forms: tuple[str, ...], draws: int | None) -> Told:
    """Write SCENARIOS as files for others; without a form, all of them.

    A folder is all scenarios in it. One that fails does not stop the others.
    """
    from costmodel.pages.report.exports.excel import live_lines

    failed = {}
    sources = files_of(scenarios)
    for name, source in sources.items():
        try:
            with busy(name):
                study = stored(source, draws=draws)
                folder = make_folder(out)
                with temporary_folder() as beside:  # all files of a scenario, or none
                    made = [
                        export_as(form, study, beside / file_name(form, name))
                        for form in forms or FORMS
                    ]
                    write_all({folder / path.name: path.read_bytes() for path in made})
                for path in made:
                    echo(folder / path.name)
                if "excel" in (forms or FORMS):
                    echo(f"lines that are live: {live_lines(study)}")
        except (ValueError, OSError, RuntimeError) as error:
            if len(sources) == 1:
                raise
            failed[name] = " ".join(str(error).split())
            failed_at(name, error)
    if failed:
        echo(f"{len(failed)} of {len(sources)} scenarios failed: {', '.join(failed)}", err=True)
    return {"failed": failed}


def study_behind(notebook: Path, parameters: dict[str, Any]) -> Study:
    """The study that one of our notebooks loads with these parameters."""
    from costmodel.pages.report.parameters import schema as parameters_of
    from costmodel.pages.report.runner import rehearse

    values = {name: parameters.get(name, x.default) for name, x in parameters_of(notebook).items()}
    if (study := rehearse(values)) is None:
        raise CatalogError(
            f"{notebook.name} loads no scenario, so it has no interactive page; "
            "choose one that does, such as 01_which_approach"
        )
    return study


def files_of(sources: tuple[str, ...]) -> dict[str, str]:
    """{safe name: scenario} of files, examples and folders of scenarios."""
    found: dict[str, str] = {}
    for source in sources:
        inside = sorted(Path(source).glob("*.y*ml")) if Path(source).is_dir() else [source]
        if not inside:
            raise CatalogError(f"no scenario in the folder {source!r}; it holds no *.yaml")
        for each in map(str, inside):
            stem = re.sub(r"[^\w.-]+", "-", Path(each).stem).strip("-.") or "scenario"
            name, number = stem, 1
            while name.lower() in map(str.lower, found):
                number += 1
                name = f"{stem}-{number}"
            found[name] = each
    return found


@command()
@argument("scenarios", nargs=-1, required=True, callback=any_case)
@option("--notebook", default="01_which_approach", show_default=True, help="What is run for each.")
@option("-o", "--out", default="reports", show_default=True, type=Folder())
@option("--format", "formats", multiple=True, type=click.Choice(["html", "pdf", "png"]),
        default=["html", "pdf"], help="Repeat it; both by default.")  # fmt: skip
@WORKERS
@DRAWS
def reports(
    scenarios: tuple[str, ...], notebook: str, out: str, formats: tuple[str, ...], workers: int,
    draws: int | None,
) -> Told:  # fmt: skip
    """Run a notebook for each of SCENARIOS, files or folders, and write an index page.

    One that fails does not stop the others; the exit code is 1 then.
    """
    from costmodel.pages.report.parameters import schema as parameters_of
    from costmodel.pages.report.runner import Report, run_many

    path = find_notebook(notebook)
    parameters_of(path)  # what is no notebook is refused at once
    more = not_none(draws=draws)
    jobs = {
        name: (path, {"scenario": str(Path(x).resolve()) if Path(x).is_file() else x} | more)
        for name, x in files_of(scenarios).items()
    }
    made = run_many(jobs, out, formats, workers, progress=bar())
    failed = {x: y for x, y in zip(jobs, made, strict=True) if not isinstance(y, Report)}
    echo(Path(out) / "index.html")
    for name, error in failed.items():
        failed_at(name, error)
    if failed:
        echo(f"{len(failed)} of {len(jobs)} reports failed: {', '.join(failed)}", err=True)
    return {"index": str(Path(out) / "index.html"), "reports": len(jobs), "failed": {*failed}}


@command()
@argument("results")
def rerun(results: str) -> Told:
    """Compute stored RESULTS of `export --json`, or of a report, again, and say what changed since.

    Exits with 1 where a number differs by a cent or more.
    """
    from costmodel.pages.report.exports.results import made_again

    with busy("computing again"):
        said = made_again(results)
    for line in said or [f"{results}: all numbers are the same to the cent"]:
        echo(visible(line))
    return {"failed": said}


@command()
@SCENARIO
@option("--option", "label", metavar="OPTION", help="Whose cost is allotted; the verdict's.")
@option("--fixed", type=click.Choice(FIXED), default=FIXED[0], show_default=True,
        help="What is done with costs that requests do not cause.")  # fmt: skip
@option("--usage", metavar="PATH", help="Your own usage, whose teams replace the shares.")
@COLUMNS
@option("-o", "--out", default="exports", show_default=True, type=Folder())
@DRAWS
def showback(
    scenario: str, label: str | None, fixed: str, usage: str | None, columns: tuple[str, ...],
    out: str, draws: int | None,
) -> Told:  # fmt: skip
    """Allot the expected cost of SCENARIO to its teams: a table, a CSV and a page."""
    from costmodel.pages.report.html import page
    from costmodel.pages.report.table_form import framed
    from costmodel.pages.tables import show

    with busy("allotting"):
        study = stored(scenario, draws=draws)
        theirs = columns_given(columns, [usage] if usage else []).get("usage")
        shares = shares_of(read_usage([Path(usage)], theirs)) if usage else None
        table = allotted(study, label_of(study, label), fixed, shares)
    (name,) = files_of((scenario,))
    csv, html = (Path(out) / f"{name}.showback.{end}" for end in ("csv", "html"))
    title = f"Showback: {study.title or name}"
    byline = f"{table.attrs['option']}, expected over {study.terms.months} months"
    byline += f" from {study.terms.start}, in USD"
    cents = dict.fromkeys(("by_usage", "fixed", "usd", "usd_per_month"), ",.2f")
    shown = show(table, {"share": ".0%", **cents})
    made = page("table.html.j2", title=title, byline=byline, table=framed(shown.html))
    write_all({csv: as_csv(table), html: made})
    narrow = table.drop(columns=["requests_per_month", "usd_per_request"])  # 80 columns
    texts = narrow.map("{:,.2f}".format).reset_index()
    echo(wrapped(byline))
    echo(aligned([texts.columns, *texts.itertuples(index=False)]))
    echo(f"{csv}\n{html}")
    return {"teams": table, "csv": str(csv), "page": str(html)}


@command()
@option("-o", "--out", metavar="PATH", help="Where it is written; printed by default.")
@FORCE
def schema(out: str | None, force: bool) -> Told:
    """Write the JSON Schema of a scenario file, for editors that complete and check.

    Name it in the first line of a scenario: # yaml-language-server: $schema=PATH
    """
    from costmodel.scenarios.scenario import schema_text

    if out:
        not_there(out, force)
    put(schema_text(), out or STDOUT)
    return {"schema": json.loads(schema_text())}


@command()
@argument("old", callback=any_case)
@argument("new", required=False, callback=any_case)
@option("--from", "since", type=Day(), help="Day of the API prices of OLD, YYYY-MM-DD.")
@option("--to", "until", type=Day(), help="Day of the API prices of NEW; OLD is both without.")
@DRAWS
@option("--markdown", is_flag=True, help="Write Markdown, for a pull request.")
@option("--exit-code", is_flag=True, help="Exit with 1 where something changed.")
def diff(
    old: str, new: str | None, since: str | None, until: str | None, draws: int | None,
    markdown: bool, exit_code: bool,
) -> Told:  # fmt: skip
    """Say why the cost of each option changed between OLD and NEW, and the verdict of both.

    OLD and NEW are scenarios, or results that `costmodel export --json` or a report wrote; one
    scenario with two dates, --from and --to, says what new prices changed; on the earlier day
    nobody knew what came in between.
    """
    if new is None and not (since and until):
        raise CatalogError("there is one scenario; write a second, or --from and --to with dates")
    if since and until and since > until:
        raise CatalogError(f"--from is {since}, it must be no later than --to, {until}")
    with busy("comparing"):
        before, after = (
            stored(old, on=since, draws=draws),
            stored(new or old, on=until, draws=draws),
        )
        if since and until:
            before = unaware(before, until)
        table, inputs = difference(before, after), changed_inputs(before, after)
        if since and until:  # these dates were asked for
            asked = ("Terms.on", "Terms.start") if new is None else ("Terms.on",)
            inputs = inputs[~inputs["input"].isin(asked)].reset_index(drop=True)
        changed = bool(len(table) or len(inputs))
        verdicts = [recommend(x, flips=False).headline for x in (before, after)] if changed else []
    text = (_markdown if markdown else _text)(table, inputs, verdicts)
    echo("\n".join(map(visible, text.split("\n"))))
    verdict = dict(zip(("before", "after"), verdicts, strict=False))
    told = {"verdict": verdict, "options": table, "inputs": inputs, "changed": changed}
    names = [*inputs["input"]] or [*table["option"]]
    return told | {"failed": names if exit_code and changed else []}


@command()
@SCENARIO
@option("--option", "label", metavar="OPTION", help="What is checked; the verdict's by default.")
@option("--max-usd-per-month", type=Within(),
        help="Most that a month may be expected to cost, USD, wrong answers included.")  # fmt: skip
@option("--max-paid-per-month", type=Within(), help="Most that may be paid for a month, USD.")
@option(
    "--min-quality", type=str, metavar="SHARE", help="Least share of accepted answers: 0.7, 70%."
)
@option(
    "--max-growth",
    type=str,
    metavar="SHARE",
    help="Most by which the cost of a month may exceed that of --against; without it, a year that "
    "of the year before: 10%.",
)
@option(
    "--against",
    metavar="OLD",
    callback=any_case,
    help="An earlier scenario or result, for --max-growth.",
)
@DRAWS
def check(
    scenario: str, label: str | None, max_usd_per_month: float | None,
    max_paid_per_month: float | None, min_quality: str | None, max_growth: str | None,
    against: str | None, draws: int | None,
) -> Told:  # fmt: skip
    """Exit with 1 and the reason where SCENARIO breaks a limit, for a pipeline."""
    with busy("checking"):
        study = stored(scenario, draws=draws)
        broken = broken_limits(
            study,
            label_of(study, label),
            max_usd_per_month,
            _share("--min-quality", min_quality),
            _share("--max-growth", max_growth),
            against=stored(against, draws=draws) if against else None,
            max_paid_per_month=max_paid_per_month,
        )
    for reason in broken:
        echo(wrapped(f"failed: {reason}"), err=True)
    if not broken:
        echo(visible(f"{study.title or scenario}: all limits hold"))
    return {"failed": broken}


COMMANDS = (export, reports, rerun, showback, schema, diff, check)


def stored(source: str, **changes: Any) -> Study:
    """The study of a scenario, or of results that `export --json` or a report wrote."""
    if source.endswith(".json") and Path(source).is_file():
        from costmodel.pages.report.exports.results import scenario_of

        source = scenario_of(source)
    return load(source, **changes)


def label_of(study: Study, label: str | None) -> str | None:
    """The option that is meant: upper and lower case are the same."""
    return next((known for known in study.options if known.lower() == str(label).lower()), label)


def _share(name: str, text: str | None) -> float | None:
    """0.1 of "0.1" and of "10%"."""
    if text is None:
        return None
    in_percent = text.rstrip().endswith("%")
    try:
        number = text.strip().removesuffix("%").strip()
        share = float("nan" if "_" in number else number) / (100 if in_percent else 1)
    except ValueError:
        share = math.nan
    if not math.isfinite(share) or (share > 1 and not in_percent):
        raise CatalogError(f"{name} is {text!r}, it must be a share, such as 0.1 or 10%")
    return share


# -- what a difference looks like ------------------------------------------------------------------


def _bars(table: pd.DataFrame) -> list[str]:
    """The parts that are not 0 for every option."""
    return [s for s in ("draws", *STEPS) if np.any(table[s].fillna(0.0) != 0)]


def _rows(table: pd.DataFrame) -> list[list[str]]:
    """Head and rows of the table, in whole USD over the horizon."""
    shown = ["before", "after", "change", *_bars(table)]
    texts = table[shown].map(lambda x: "-" if pd.isna(x) else f"{x:,.0f}")
    return [["option", *shown], *([a, *b] for a, b in zip(table["option"], texts.values.tolist()))]  # noqa: B905


def _notes(table: pd.DataFrame, inputs: pd.DataFrame) -> list[str]:
    notes = [] if len(table) else ["no expected cost changed"]
    notes += [f"{x.option}: {x.why_not}" for x in table.itertuples() if x.why_not]
    shown = inputs.head(INPUTS_SHOWN).itertuples()
    notes += [f"{x.input}: {x.before or 'not there'} -> {x.after or 'not there'}" for x in shown]
    if (more := len(inputs) - INPUTS_SHOWN) > 0:
        notes.append(f"{many(more, 'more input')} changed")
    return notes


def _text(table: pd.DataFrame, inputs: pd.DataFrame, verdicts: list[str]) -> str:
    if not verdicts:
        return "no difference"
    said = [*map(wrapped, verdicts, ("before: ", "after:  ")), ""]
    if len(table):
        said += ["expected cost over the horizon, USD", parted(_rows(table)), ""]
    return "\n".join([*said, *(wrapped(note, indent=2) for note in _notes(table, inputs))])


def _markdown(table: pd.DataFrame, inputs: pd.DataFrame, verdicts: list[str]) -> str:
    if not verdicts:
        return "### Cost: no difference"
    said = [
        "### Cost: what changes",
        "",
        f"**Before:** {verdicts[0]}",
        "",
        f"**After:** {verdicts[1]}",
    ]
    if len(table):
        head, *rows = ([cell.replace("|", "\\|") for cell in row] for row in _rows(table))
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
        said += ["", "Expected cost over the horizon, USD", ""]
        said += [f"| {' | '.join(row)} |" for row in lines]
    said += ["", *(f"- {note}" for note in _notes(table, inputs))]
    return "\n".join(" ".join(line.split("\n")).replace("<", "&lt;") for line in said)
