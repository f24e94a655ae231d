"""The command line: compare a scenario, explain an option, write a report, look up a price.

Thin: every number comes from the functions that notebooks call. A command prints its text and
returns the same as data, which --json prints instead. An error is one sentence on stderr and exit
code 2, and nothing is written. Heavy imports wait until a command needs them.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from os.path import isfile
from pathlib import Path
from typing import Any

import click
from click import argument, echo, option

import costmodel as cm
from costmodel.choices.terms import MONTHS_MAX
from costmodel.core import SEED_MAX, CatalogError, called, check, middle, read_text
from costmodel.facts.cards import DISCOUNT_MAX
from costmodel.facts.pricelist import snapshot
from costmodel.pages import exporting
from costmodel.pages.app import app
from costmodel.pages.commands import (
    DRAWS,
    EXIT_CODES,
    SCENARIO,
    STDOUT,
    WORKERS,
    Commands,
    any_case,
    complete_labels,
    complete_notebooks,
    failed_at,
    find_notebook,
    not_ours,
    put_csv,
    writable,
)
from costmodel.pages.first_steps import FIRST
from costmodel.pages.own_numbers import COMMANDS
from costmodel.pages.terminal import (
    COLUMNS,
    aligned,
    bar,
    busy,
    comparison,
    heading,
    many,
    price_table,
    wrapped,
)
from costmodel.pages.values import Folder, Within


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": COLUMNS},
    epilog=EXIT_CODES,
)
@click.version_option(cm.__version__, prog_name="costmodel")
def main() -> None:
    """What each way of using a language model costs over its life, and when that changes.

    SCENARIO is a YAML file, or the name of an example: `costmodel list` names them and the
    notebooks, `costmodel init` makes a scenario of your own.
    """


PRICE_BOOK = option(
    "--price-book",
    metavar="PATH",
    help="A CSV with the prices of your contract: model, and discount or usd_per_mtok_in ...",
)
for own in (*FIRST, *COMMANDS, *exporting.COMMANDS, app):
    main.add_command(own)
GIVE_PRICE = (
    "write usd_per_failure under the workload of {}, or make the scenario by "
    "`costmodel from --failure USD`."
)
MONTHS = option(
    "--months", type=Within(1, MONTHS_MAX, whole=True),
    help="Horizon in months, instead of the scenario's.",
)  # fmt: skip


@main.command()
@SCENARIO
@MONTHS
@DRAWS
@option("--seed", type=Within(0, SEED_MAX, whole=True),
        help="Seed of the draws, instead of the scenario's.")  # fmt: skip
@PRICE_BOOK
@option(
    "--own-api",
    "own_apis",
    type=(str, Within(), Within(), Within(1)),
    multiple=True,
    metavar="ID IN OUT WINDOW",
    help="Beside the options, an API of your own: USD per million tokens in and out, its window.",
)
@option("--note", help="Why a price of --own-api is unusual, such as 'free in house' for 0.")
@option(
    "--csv",
    metavar="PATH",
    help="Write the table in USD, with full precision; - prints it and nothing else.",
)
def compare(
    scenario: str, csv: str | None, own_apis: tuple, note: str | None, **changes: Any
) -> dict[str, Any] | None:
    """Compare the options of SCENARIO, least expected present value first."""
    if csv and csv != "-":
        writable(csv)
    with busy("comparing"):
        study = cm.load(scenario, **changes)
        for id, usd_in, usd_out, window in own_apis:
            study = beside_api(study, cm.own_api(id, usd_in, usd_out, window, note=note))
        if csv == STDOUT:
            put_csv(cm.compare(study), csv)
            return None
        verdict = cm.recommend(study)
    if csv:
        put_csv(verdict.table, csv)
    echo(heading(study))
    echo(wrapped(verdict.headline))
    for point in verdict.points:
        echo(wrapped(point, "- "))
    echo(f"\n{comparison(verdict.table, study)}\n")
    if not middle(study.work.usd_per_failure) and "usd_per_failure" not in (
        study.accept_zero or ()
    ):
        echo(wrapped(f"To give wrong answers a price, {GIVE_PRICE.format(scenario)}"))
    for name in study.accept_zero or ():
        echo(wrapped(f"accepted by you: {called(name)} is 0"))
    notes = cm.operations.lint(study, accept_zero=())
    for note in notes["note"][notes["code"] == "P26"]:  # an input of yours that changes nothing
        echo(wrapped(note, "note: "))
    left_out = f"{many(len(notes), 'note')} on what the inputs leave out: costmodel lint {scenario}"
    echo(wrapped(left_out))
    return {
        "title": study.title,
        "months": study.terms.months,
        "best": verdict.best,
        "headline": verdict.headline,
        "points": verdict.points,
        "options": verdict.table,
        "notes": notes,
    }


@main.command()
@SCENARIO
@option("--all", "everything", is_flag=True, help="List all pitfalls, also those without a note.")
def lint(scenario: str, everything: bool) -> dict[str, Any]:
    """Show which of two dozen usual mistakes of cost estimates the inputs of SCENARIO run into."""
    study = cm.load(scenario)
    notes = cm.operations.lint(study, everything=everything)
    for row in notes.itertuples():
        whose = row.options if row.options != ", ".join(study.options) else "all options"
        options = f" [{whose}]" if whose else ""
        code = "" if row.code in ("risk", "zero") else f" ({row.code})"
        echo(wrapped(f"{row.pitfall}{code}: {row.note}{options}", "- "))
    return {"notes": notes}


@main.command()
@argument("source")
@option(
    "--base",
    metavar="SCENARIO",
    callback=any_case,
    help="The scenario that the rows of a CSV change.",
)
@option(
    "--csv",
    required=True,
    metavar="PATH",
    help="Where the table is written, in USD, with full precision.",
)
@DRAWS
@WORKERS
@option(
    "--scheduler",
    metavar="ADDRESS",
    help="Address of a Dask scheduler, instead of processes. Whoever reaches an open one can run "
    "code on its workers: keep it on a network of your own.",
)
def portfolio(source: str, csv: str, **settings: Any) -> dict[str, Any]:
    """Compare every scenario of SOURCE, a folder of YAML files or a CSV with one in a row.

    Columns of a CSV: `name`; `scenario`, a file or an example, where --base names none; and one for
    each field that differs from it, such as requests_per_month, usd_per_failure, months or
    quality_floor. An empty cell changes nothing.

    Ends with exit code 1 when a scenario has an error; the others are written.
    """
    writable(csv)
    progress = sys.stderr.isatty()
    table = cm.scenarios.compare_portfolio(source, progress=progress, **settings)
    failed = table[table["error"] != ""]
    if len(failed) == len(table):  # a column or a base that none knows: nothing is written
        raise ValueError(
            f"none of the {len(failed)} scenarios of {source} can be compared; "
            f"the first, {failed['scenario'].iloc[0]}: {failed['error'].iloc[0]}"
        )
    put_csv(table, csv, index=False)
    for row in failed.itertuples():
        failed_at(row.scenario, row.error)
    count = table["scenario"].nunique()
    told = f"{csv}: {many(count, 'scenario')}, {len(failed)} of them with an error"
    echo(told, err=csv == STDOUT)
    errors = dict(zip(failed["scenario"], failed["error"], strict=True))
    return {"path": csv, "scenarios": count, "failed": len(failed), "errors": errors}


@main.command()
@SCENARIO
@argument("label", metavar="OPTION", shell_complete=complete_labels)
@MONTHS
@PRICE_BOOK
@option("--lines", default=12, show_default=True, type=Within(1, 10_000, whole=True),
        help="How many lines, dearest first.")  # fmt: skip
def explain(scenario: str, label: str, lines: int, **changes: Any) -> dict[str, Any]:
    """Show the dearest lines of OPTION in SCENARIO, each with its formula and its source.

    Upper and lower case of OPTION are the same.
    """
    study = cm.load(scenario, **changes)
    label = next((known for known in study.options if known.lower() == label.lower()), label)
    table = cm.explain(study, label)
    echo(heading(study))
    usd, months = table["usd"].sum(), study.terms.months
    echo(wrapped(f"{label}: USD {usd:,.2f} over {months} months, in {len(table)} lines") + "\n")
    for row in table.head(lines).itertuples():
        amount = f"{row.usd:>16,.2f}  {100 * row.share:4.0f} %  "
        echo(wrapped(f"{row.phase}: {row.item}", amount))
        for text in (row.basis, f"source: {row.sources}"):
            echo(wrapped(text, "    "))
    if len(rest := table["usd"][lines:]):
        echo(f"{rest.sum():>16,.2f}  {100 * rest.sum() / usd:4.0f} %  {len(rest)} smaller lines")
    return {"option": label, "usd": usd, "months": months, "lines": table}


@main.command()
@argument("model")
@option("--provider", help="Who sells it; needed only where several do.")
@option("--on", metavar="DATE", help="Prices of that day, YYYY-MM-DD; today by default.")
@option("--mode", default="standard", show_default=True, help="standard, batch, flex or priority.")
@option("--residency", help="Region in which data must stay, such as eu.")
@option("--discount", default=0.0, type=Within(0, DISCOUNT_MAX),
        help="Negotiated share off every class, 0 to 0.999.")  # fmt: skip
def prices(**asked: Any) -> dict[str, Any]:
    """Show what MODEL costs by token class and context tier."""
    card = cm.facts.api_price(**asked)
    window = f", context window {card.window:,.0f} tokens" if card.window else ""
    echo(wrapped(f"{card.id} at {card.provider}, {card.mode}, on {card.on}{window}"))
    echo(price_table(card))
    for note in card.notes:
        echo(wrapped(note, "note: "))
    echo(f"prices: {snapshot()}")
    return {"price": card, "prices": snapshot()}


@main.command()
@option("--check", is_flag=True, help="Show where a second source has other API prices.")
def data(check: bool) -> dict[str, Any]:
    """Show how many facts there are and how old, or check API prices against a second source."""
    echo(f"prices: {snapshot()}")
    if check:
        table = cm.facts.disagreements()
        rows = [
            (f"{row.provider} {row.model}", f"{row.above:,.0f}",
             row.field.removeprefix("usd_per_mtok_"), f"{row.listed:g}", f"{row.second:g}")
            for row in table.itertuples()
        ]  # fmt: skip
        echo(aligned([("model", "above", "class", "listed", "second"), *rows]))
        second = ", ".join(sorted(set(table["source"])))
        echo(wrapped(f"{len(table)} prices differ by more than 1 % from {second}, USD per Mtok"))
        return {"prices": snapshot(), "disagreements": table}
    by_file = cm.facts.facts().groupby("file")["as_of"].agg(["count", "min", "max"])
    echo(aligned([("file", "facts", "oldest", "newest"), *by_file.itertuples()]))
    return {"prices": snapshot(), "files": by_file}


@main.command()
@argument("notebook", shell_complete=complete_notebooks)
@option(
    "-p",
    "--parameters",
    multiple=True,
    nargs=2,
    metavar="NAME VALUE",
    help="A parameter of the notebook; repeat it.",
)
@option(
    "-f", "--parameters_file", multiple=True, metavar="PATH", help="Parameters from a YAML file."
)
@option("-y", "--parameters_yaml", multiple=True, metavar="YAML", help="Parameters as YAML text.")
@option("--scenario", metavar="SCENARIO", callback=any_case,
        help="Short for -p scenario SCENARIO.")  # fmt: skip
@option(
    "-o",
    "--out",
    default="reports",
    show_default=True,
    type=Folder(),
    help="Where the report is written.",
)
@option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["html", "pdf", "png"]),
    default=["html", "pdf"],
    help="Repeat it; both by default.",
)
@option("--show-code", is_flag=True, help="Show the code of the notebook in the report.")
@option("--interactive", is_flag=True, help="Beside it, a page with sliders, of its scenario.")
@option("--force", is_flag=True, help="Replace files of that name that no report wrote.")
def report(
    notebook: str,
    interactive: bool,
    force: bool,
    parameters: tuple,
    parameters_file: tuple,
    parameters_yaml: tuple,
    scenario: str | None,
    **settings: Any,
) -> dict[str, Any]:
    """Run NOTEBOOK and write its report.

    NOTEBOOK is a path, a name such as 01_which_approach, or `board` for the board pack. Of a
    parameter that is given twice the last counts; --scenario counts over -p, -p over -y, and -y
    over -f. An earlier report in the same folder is replaced; -o keeps both.
    """
    from costmodel.pages.report.pack import NAME, stitched

    given: dict[str, Any] = {}
    for file in parameters_file:
        given |= _parameters(read_text(file), file)
    for text in parameters_yaml:
        given |= _parameters(text, "-y")
    given |= dict(parameters) | ({} if scenario is None else {"scenario": scenario})
    pack = notebook == NAME or (notebook == f"{NAME}.ipynb" and not isfile(notebook))
    with stitched() if pack else nullcontext(find_notebook(notebook)) as path:
        known = cm.report.schema(path)
        check(
            scenario is None or "scenario" in known,
            f"{path.name} takes no --scenario: its numbers are parameters; give them by -p NAME "
            f"VALUE, or write costmodel report 01_which_approach --scenario {scenario}",
        )
        not_ours(settings["out"], path.stem, force)
        clean = cm.report.validate(known, given, path.name)
        study = exporting.study_behind(path, clean) if interactive else None
        made = cm.report.run(path, progress=bar(), **settings, **clean)
    files = made.files
    if study:
        beside = Path(settings["out"]) / f"{path.stem}.interactive.html"
        files |= {"interactive": cm.report.interactive(study, path=beside)}
    for written in files.values():
        echo(written)
    echo(wrapped(made.answer))
    if made.took:
        echo(wrapped(made.took), err=True)
    return {
        "title": made.title,
        "answer": made.answer,
        "files": {label: str(path) for label, path in files.items()},
        "numbers": made.numbers,
        "seconds": made.seconds,
    }


def beside_api(study: cm.Study, api: cm.Api) -> cm.Study:
    """The study with one more option: the first that asks an API, asking this one instead.

    What it is taken to have accepted is said, because nobody has measured it.
    """
    plain = (x for x in study.options.items() if isinstance(getattr(x[1], "serving", 0), cm.Api))
    label, like = next(plain, ("", None))
    if like is None:
        raise CatalogError(f"no option of this scenario asks an API, which {api.model.id} could be")
    if api.model.id in study.options:
        raise CatalogError(
            f"there is an option {api.model.id!r} already; give the API another name"
        )
    api = replace(api, accepted=like.serving.accepted)
    echo(
        f"note: {api.model.id} stands in the place of {like.serving.model.id} in {label!r}, with "
        "its share of accepted answers; measure yours",
        err=True,
    )
    return study.beside(api.model.id, replace(like, serving=api))


def _parameters(text: str, where: str) -> dict[str, Any]:
    """Parameters from YAML; scalars stay text, which the types of the notebook read."""
    from costmodel.scenarios.places import NULL, parse, read_yaml

    texts = parse(text, where)
    nested = any(isinstance(value, (list, dict)) for value in texts.values())
    typed = read_yaml(text, where).values() if nested else texts.values()
    return {
        name: None if str(value).lower() in NULL else value if isinstance(value, str) else other
        for (name, value), other in zip(texts.items(), typed, strict=True)
    }
