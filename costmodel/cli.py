"""The command line: compare a scenario, explain an option, write a report, look up a price.

Thin: every number comes from the functions that notebooks call. An error is one sentence on stderr and exit code 2, and
nothing is written. Heavy imports wait until a command needs them.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costmodel import __version__
from costmodel.core.errors import CatalogError, unknown

if TYPE_CHECKING:
    from costmodel.choices.study import Study
    from costmodel.facts.prices import ApiPrice


ERROR, STOPPED = 2, 130  # exit codes; 130 is the shell's for an interrupt
QUIET_S = 1.0  # what takes longer than this shows that it is running


class _Commands(click.Group):
    """Commands whose errors are one sentence on stderr."""

    def main(self, *args: Any, **settings: Any) -> Any:
        settings["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **settings) or 0)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
        except (click.exceptions.Abort, KeyboardInterrupt):
            click.echo("error: stopped", err=True)
            sys.exit(STOPPED)
        except BrokenPipeError:  # the reader, such as head, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except (click.ClickException, ValueError, OSError, RuntimeError) as error:
            message = (
                error.format_message() if isinstance(error, click.ClickException) else str(error)
            )
            click.echo(f"error: {' '.join(message.split())}", err=True)
        sys.exit(ERROR)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="costmodel")
def main() -> None:
    """What each way of using a language model costs over its whole life, and when the answer changes.

    SCENARIO is a YAML file, or the name of an example: support_assistant, document_extraction,
    code_assistant, own_gpus.
    """


@main.command()
@click.argument("scenario")
@click.option("--months", type=int, help="Horizon in months, instead of the scenario's.")
@click.option("--draws", type=int, help="Number of draws, instead of the scenario's.")
@click.option("--seed", type=int, help="Seed of the draws, instead of the scenario's.")
@click.option(
    "--csv",
    "csv",
    metavar="PATH",
    help="Write the table in USD, with full precision; - prints it and nothing else.",
)
def compare(
    scenario: str, months: int | None, draws: int | None, seed: int | None, csv: str | None
) -> None:
    """Compare the options of SCENARIO, cheapest first."""
    from costmodel.decisions.compare import compare
    from costmodel.decisions.verdict import recommend
    from costmodel.pages.blocks import answer
    from costmodel.scenarios.scenario import load
    from costmodel.studies.pitfalls import lint

    if csv and csv != "-":
        _writable(csv)
    with _busy("comparing"):
        s = load(scenario, months=months, draws=draws, seed=seed)
        table = compare(s)
        if csv == "-":
            click.echo(table.to_csv(), nl=False)
            return
        verdict = recommend(s)
    if csv:
        table.to_csv(csv)
    click.echo(_heading(s))
    click.echo(_comparison(table.assign(p_cheapest=verdict.table["p_cheapest"]), s))
    for name in s.accept_zero:
        click.echo(f"accepted by you: {name} is 0")
    notes = lint(s, everything=False)
    click.echo(
        f"{len(notes)} notes on what the inputs leave out ({', '.join(dict.fromkeys(notes['code']))}): costmodel lint {scenario}"
    )
    click.echo(f"\n{answer(verdict.headline, verdict.points)!r}")


@main.command()
@click.argument("scenario")
@click.option(
    "--all", "everything", is_flag=True, help="List all pitfalls, also those without a note."
)
def lint(scenario: str, everything: bool) -> None:
    """Show which of two dozen usual mistakes of cost estimates the inputs of SCENARIO run into."""
    from costmodel.scenarios.scenario import load
    from costmodel.studies.pitfalls import lint

    s = load(scenario)
    for row in lint(s, everything=everything).itertuples():
        click.echo(
            f"{row.code:<5}{row.pitfall}: {row.note}{f' [{row.options}]' if row.options else ''}"
        )


@main.command()
@click.argument("source")
@click.option("--base", metavar="SCENARIO", help="The scenario that the rows of a CSV change.")
@click.option(
    "--csv",
    "csv",
    required=True,
    metavar="PATH",
    help="Where the table is written, in USD, with full precision.",
)
@click.option("--draws", type=int, help="Number of draws, instead of each scenario's.")
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option(
    "--scheduler", metavar="ADDRESS", help="Address of a Dask scheduler, instead of processes."
)
def portfolio(
    source: str, base: str | None, csv: str, draws: int | None, workers: int, scheduler: str | None
) -> None:
    """Compare every scenario of SOURCE: a folder of YAML files, or a CSV with one scenario a row."""
    from costmodel.scenarios.portfolio import compare_portfolio

    _writable(csv)
    table = compare_portfolio(source, base, workers, scheduler, draws=draws)
    failed = table[table["error"] != ""]
    if len(failed) == len(table):  # a column or a base that none knows: nothing is written
        raise ValueError(
            f"none of the {len(failed)} scenarios of {source} can be compared; the first, {failed['scenario'].iloc[0]}: {failed['error'].iloc[0]}"
        )
    table.to_csv(csv, index=False)
    for row in failed.itertuples():
        click.echo(f"{row.scenario}: {row.error}", err=True)
    click.echo(
        f"{csv}: {table['scenario'].nunique()} scenarios, {len(failed)} of them with an error"
    )


@main.command()
@click.argument("scenario")
@click.argument("option")
@click.option("--months", type=int, help="Horizon in months, instead of the scenario's.")
@click.option("--lines", default=12, show_default=True, help="How many lines, dearest first.")
def explain(scenario: str, option: str, months: int | None, lines: int) -> None:
    """Show the dearest lines of OPTION in SCENARIO, each with its formula and its source."""
    from costmodel.ledgers.book import explain
    from costmodel.scenarios.scenario import load

    s = load(scenario, months=months)
    table = explain(s, option)
    click.echo(_heading(s))
    click.echo(
        f"{option}: USD {table['usd'].sum():,.2f} over {s.terms.months} months, in {len(table)} lines\n"
    )
    for row in table.head(lines).itertuples():
        click.echo(f"{row.usd:>16,.2f}  {row.share:4.0%}  {row.phase}: {row.item}")
        for text in (row.basis, f"source: {row.sources}"):
            click.echo(f"{'':24}{text}")
    rest = table["usd"][lines:]
    if len(rest):
        click.echo(
            f"{rest.sum():>16,.2f}  {rest.sum() / table['usd'].sum():4.0%}  {len(rest)} smaller lines"
        )


@main.command()
@click.argument("model")
@click.option("--provider", help="Who sells it; needed only where several do.")
@click.option("--on", metavar="DATE", help="Prices of that day, YYYY-MM-DD; today by default.")
@click.option(
    "--mode", default="standard", show_default=True, help="standard, batch, flex or priority."
)
@click.option("--residency", help="Region in which data must stay, such as eu.")
@click.option("--discount", default=0.0, help="Negotiated share off every class, 0 to 1.")
def prices(
    model: str,
    provider: str | None,
    on: str | None,
    mode: str,
    residency: str | None,
    discount: float,
) -> None:
    """Show what MODEL costs by token class and context tier."""
    from costmodel.facts.pricelist import PRICES_VERSION
    from costmodel.facts.prices import api_price

    card = api_price(model, provider, on, mode, residency, discount)
    window = f", context window {card.window:,.0f} tokens" if card.window else ""
    click.echo(f"{card.id} at {card.provider}, {card.mode}, on {card.on}{window}")
    click.echo(_price_table(card))
    for note in card.notes:
        click.echo(f"note: {note}")
    click.echo(f"prices: genai-prices {PRICES_VERSION}")


@main.command()
@click.argument("notebook")
@click.option(
    "-p",
    "--parameters",
    "given",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="A parameter of the notebook; repeat it.",
)
@click.option(
    "-f",
    "--parameters_file",
    "files",
    multiple=True,
    metavar="PATH",
    help="Parameters from a YAML file.",
)
@click.option(
    "-y",
    "--parameters_yaml",
    "texts",
    multiple=True,
    metavar="YAML",
    help="Parameters as YAML text.",
)
@click.option("--scenario", metavar="SCENARIO", help="Short for -p scenario SCENARIO.")
@click.option(
    "-o",
    "--out",
    default="reports",
    show_default=True,
    metavar="FOLDER",
    help="Where the report is written.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["html", "pdf"]),
    help="Repeat it; both by default.",
)
@click.option("--show-code", is_flag=True, help="Show the code of the notebook in the report.")
def report(
    notebook: str,
    given: tuple,
    files: tuple,
    texts: tuple,
    scenario: str | None,
    out: str,
    formats: tuple,
    show_code: bool,
) -> None:
    """Run NOTEBOOK (a path, or a name such as 01_which_approach) and write its report; `board` is the board pack.

    Of a parameter that is given twice the last counts; --scenario counts over -p, -p over -y, and -y over -f.
    """
    from costmodel.pages.report.pack import NAME, stitched
    from costmodel.pages.report.parameters import schema, validate
    from costmodel.pages.report.runner import FORMATS, run

    parameters: dict[str, Any] = {}
    for file in files:
        if not Path(file).is_file():
            raise CatalogError(f"no file {file!r}; write the path of a YAML file of parameters")
        parameters |= _parameters(Path(file).read_text(encoding="utf-8-sig"), file)
    for text in texts:
        parameters |= _parameters(text, "-y")
    parameters |= dict(given) | ({} if scenario is None else {"scenario": scenario})
    pack = notebook.removesuffix(".ipynb") == NAME and not Path(notebook).is_file()
    with stitched() if pack else nullcontext(find_notebook(notebook)) as path:
        clean = validate(schema(path), parameters, path.name)
        made = run(
            path, out=out, formats=formats or FORMATS, show_code=show_code, progress=_bar(), **clean
        )
    for written in (made.html, made.pdf, made.results_json, made.results_csv):
        if written:
            click.echo(written)
    click.echo(made.answer)


def _writable(csv: str) -> None:
    """Refuse a file in a folder that is not there before anything is computed."""
    folder = Path(csv).parent
    if not folder.is_dir():
        raise CatalogError(
            f"no folder {str(folder)!r} for {Path(csv).name}; make it first, or write another path"
        )


def find_notebook(name: str) -> Path:
    """The notebook of that path, or the one of that name that comes with the package."""
    if Path(name).is_file():
        return Path(name)
    from costmodel.scenarios.scenario import notebooks_folder

    known = {path.stem: path for path in sorted(notebooks_folder().glob("*.ipynb"))}
    if Path(name).name not in (name, f"{name}.ipynb") or name.removesuffix(".ipynb") not in known:
        raise unknown("notebook", name, known, "this folder or among the package's")
    return known[name.removesuffix(".ipynb")]


def _parameters(text: str, where: str) -> dict[str, Any]:
    """Parameters from YAML: scalars stay text, which the notebook's own types read; lists and mappings are YAML's."""
    import yaml

    from costmodel.scenarios.reading import NULL, parse

    plain = parse(text, where)
    if any(isinstance(value, (list, dict)) for value in plain.values()):
        try:
            typed = yaml.safe_load(text).values()
        except yaml.YAMLError as error:
            raise CatalogError(f"{where} is not valid YAML: {error}") from error
        plain = {
            name: value if isinstance(value, str) else other
            for (name, value), other in zip(plain.items(), typed, strict=True)
        }
    return {name: None if str(value).lower() in NULL else value for name, value in plain.items()}


# -- what is printed -----------------------------------------------------------------------------------


def _heading(s: Study) -> str:
    return f"{s.title}{f', for {s.prepared_for}' if s.prepared_for else ''}\n{s.terms.months} months from {s.terms.start}, prices of {s.terms.on or 'today'}\n"


def _comparison(table: Any, s: Study) -> str:
    """The table of `compare`: totals to the cent, and below it why an option is not in the ranking."""
    money = s.terms.money
    heads = [
        f"mid {money.code}",
        "p10",
        "p90",
        "per month",
        "per accepted",
        "quality",
        "p_cheapest",
    ]
    kinds = ["{:,.2f}", "{:,.2f}", "{:,.2f}", "{:,.2f}", "{:,.4f}", "{:.0%}", "{:.0%}"]
    names = ["mid", "p10", "p90", "per_month", "per_accepted", "quality", "p_cheapest"]
    rows = [["option", *heads]]
    for label, row in table.iterrows():
        scale = [1.0 if name in ("quality", "p_cheapest") else money.per_usd for name in names]
        rows.append(
            [
                str(label),
                *(
                    "-" if row[n] != row[n] else k.format(row[n] * x)
                    for n, k, x in zip(names, kinds, scale, strict=True)
                ),
            ]
        )
    notes = [f"{label}: {why}" for label, why in table["why_not"].items() if why]
    if s.quality_floor is not None:
        notes.append(
            f"p_cheapest is among the options with a quality of at least {s.quality_floor:.0%}."
        )
    return "\n".join([_columns(rows), *([""] if notes else []), *notes])


def _price_table(card: ApiPrice) -> str:
    """USD per million tokens of each class, one column for each context tier."""
    from costmodel.facts.prices import CLASSES, rates

    starts = [tier.above for tier in card.tiers]
    tiers = [rates(card, start + 1) for start in starts]
    first = f"up to {starts[1]:,.0f}" if len(starts) > 1 else "any prompt"
    rows = [["USD per million tokens", first, *(f"above {start:,.0f}" for start in starts[1:])]]
    for name, (field, _) in CLASSES.items():
        values = [getattr(tier, field) for tier in tiers]
        if any(value is not None for value in values):
            rows.append([name, *("-" if value is None else f"{value:,.6g}" for value in values)])
    if card.usd_per_request:
        rows.append(["USD per request", *[f"{card.usd_per_request:,.6g}"] * len(tiers)])
    return _columns(rows)


def _columns(rows: list[list[str]]) -> str:
    """Rows of cells as aligned text: the first column left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    )


@contextmanager
def _busy(label: str) -> Iterator[None]:
    """On a terminal, count the seconds of what takes longer than one."""
    done = threading.Event()
    start = time.monotonic()

    def tick() -> None:
        while not done.wait(QUIET_S):
            click.echo(f"\r{label}, {time.monotonic() - start:.0f} s", nl=False, err=True)

    thread = threading.Thread(target=tick, daemon=True)
    if sys.stderr.isatty():
        thread.start()
    try:
        yield
    finally:
        done.set()
        if sys.stderr.isatty():
            thread.join()
            click.echo("\r\033[K", nl=False, err=True)


def _bar() -> Callable[[int, int], None] | None:
    """A progress bar on stderr that `report.run` moves; None where no terminal would show it."""
    if not sys.stderr.isatty():
        return None
    bar: Any = None

    def move(done: int, total: int) -> None:
        nonlocal bar
        bar = bar or click.progressbar(length=total, label="running", file=sys.stderr)
        bar.update(done - bar.pos)
        if done >= total:
            bar.render_finish()

    return move
