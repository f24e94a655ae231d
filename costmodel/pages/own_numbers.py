"""The commands that read your own numbers: from, reconcile, reprice and corpus."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from click import argument, command, echo, option

from costmodel.choices.servings.api import Api
from costmodel.core import DAYS_PER_MONTH, CatalogError, check, today
from costmodel.ingest.bills import RATES, Bill, read_bill
from costmodel.ingest.collect import SUCH_AS, by_kind, kind_named
from costmodel.ingest.documents import read_documents
from costmodel.ingest.evaluations import read_evaluations
from costmodel.ingest.usage import LEAST_CALLS, Usage, read
from costmodel.pages.commands import (
    FORCE,
    any_case,
    not_there,
    put,
    put_csv,
    to_compare,
    words_beside,
    writable,
)
from costmodel.pages.terminal import aligned, busy, many, wrapped
from costmodel.pages.values import Day, Within
from costmodel.scenarios.scenario import load
from costmodel.studies.history.bridge import reconcile as held_against
from costmodel.studies.history.corpora import corpus as corpus_of
from costmodel.studies.history.corpora import index_prices
from costmodel.studies.history.otherwise import reprice as priced_otherwise
from costmodel.studies.history.question import study as study_of

COLUMNS = option(
    "--columns",
    metavar="OURS=THEIRS,...",
    multiple=True,
    help=f"Columns of a table in no known format, such as {SUCH_AS['usage']}. "
    f"Repeat it for a bill, such as {SUCH_AS['bill']}, or an evaluation.",
)
SHOWN = 5  # reasons for which rows are set aside, and rows of each
ON = option("--on", metavar="DATE", help="Day of the prices, YYYY-MM-DD; today by default.")


@command(name="from")
@argument("files", nargs=-1, required=True)
@option("-o", "--out", required=True, metavar="PATH", help="The scenario that is written.")
@COLUMNS
@FORCE
@ON
@option("--floor", type=Within(0, 1), help="Least share of accepted answers, 0 to 1.")
@option(
    "--calls-per-day", type=Within(LEAST_CALLS), help="Of an export that does not count its calls."
)
@option("--failure", type=Within(), default=0.0, help="What a wrong answer costs, in USD.")
def from_files(
    files: tuple[str, ...],
    out: str,
    columns: tuple[str, ...],
    force: bool,
    on: str | None,
    floor: float | None,
    calls_per_day: float | None,
    failure: float,
) -> dict[str, Any]:
    """Make a scenario of your own numbers: usage, and bills and evaluations where you have them.

    FILES are exports and logs of any known format, told by their content; a folder is all files in
    it. `costmodel report 01_which_approach --scenario PATH` then answers on your own traffic.
    """
    from costmodel.scenarios.writing import as_yaml

    not_there(out, force)
    named = columns_given(columns)
    found = by_kind(files, named)
    usage = read(found["usage"], named.get("usage"), progress=sys.stderr.isatty())
    with busy("pricing"):
        usage = usage if calls_per_day is None else usage.with_calls(calls_per_day)
        bill = read_bill(found["bill"], named.get("bill")) if found["bill"] else None
        judged = (
            read_evaluations(found["evaluation"], named.get("evaluation"))
            if found["evaluation"]
            else None
        )
        study = study_of(usage, bill, judged, on=on, quality_floor=floor, usd_per_failure=failure)
        put(as_yaml(study), out)
    with words_beside(out):
        _say(usage)
        for note in (*(bill.notes if bill else ()), *(judged.notes if judged else ())):
            echo(wrapped(note, "note: "))
        if bill:
            echo(wrapped(held_against(usage, bill).sentence))
        for path in found["load test"]:
            echo(f"{path.name} is a load test: cm.history.with_load_test puts it into a deployment")
        echo(wrapped(to_compare(out, study.options)))
    return {"path": out, "options": list(study.options)}


@command()
@argument("usage")
@argument("invoice")
@COLUMNS
@option(
    "--rate",
    "usd_per_unit",
    type=Within(*RATES),
    help="Dollars for one unit of the currency of the bill.",
)
def reconcile(
    usage: str, invoice: str, columns: tuple[str, ...], usd_per_unit: float | None
) -> dict[str, Any]:
    """Hold USAGE, priced day by day, against INVOICE: a file, or a total in USD such as 96.91."""
    total = None if Path(invoice).exists() else _number(invoice)
    with busy("reconciling"):
        named = columns_given(columns, [usage, invoice] if total is None else [usage])
        ours = read(usage, named.get("usage"))
        bill = (
            Bill.of_total(total or 0)
            if total is not None
            else read_bill(invoice, named.get("bill"), usd_per_unit)
        )
        made = held_against(ours, bill)
    _say(ours)
    for note in bill.notes:
        echo(note, err=True)
    bridge = made.bridge.assign(usd=made.bridge["usd"].map("{:,.2f}".format))
    bridge["share"] = made.bridge["share"].map("{:.1%}".format).str.replace("%", " %")
    echo(aligned([("part", "USD", "share"), *bridge[["part", "usd", "share"]].itertuples(False)]))
    for row in bridge.itertuples():
        echo(wrapped(f"{row.part}: {row.why}"))
    echo(f"\n{wrapped(made.sentence)}")
    return {"sentence": made.sentence, "unexplained": made.unexplained, "parts": made.bridge}


@command()
@argument("usage")
@option("--with", "scenario", required=True, metavar="SCENARIO", callback=any_case,
        help="Whose options are priced.")  # fmt: skip
@COLUMNS
@option("--context", type=Within(1), help="Tokens to which every prompt is cut.")
@option("--csv", metavar="PATH", help="Write the table by day and class, in USD.")
def reprice(
    usage: str, scenario: str, columns: tuple[str, ...], context: float | None, csv: str | None
) -> dict[str, Any]:
    """Say what the calls of USAGE would have cost under the options of SCENARIO."""
    writable(csv)
    with busy("pricing"):
        ours = read(usage, columns_given(columns, [usage]).get("usage"))
        table = priced_otherwise(ours, load(scenario).options, context_max=context)
    if csv:
        put_csv(table, csv, index=False)
    _say(ours)
    sums = table.groupby("option", sort=False)[["usd", "low", "high"]].sum(min_count=1)
    why = table.groupby("option", sort=False)["why_not"].max()
    texts = sums.map(lambda x: "-" if pd.isna(x) else f"{x:,.2f}")
    echo(aligned([("option", "USD", "low", "high"), *texts.itertuples()]))
    for label, reason in why[why != ""].items():
        echo(wrapped(f"{label}: {reason}"))
    echo("the calls alone: what people, evaluation and upkeep cost is left out")
    return {"options": sums.assign(why_not=why)}


@command()
@argument("folder")
@option("--model", default="gpt-6.1-terra", show_default=True, help="Whose tokens are counted.")
@option("--older", metavar="FOLDER", help="The same documents at an earlier date; with --months.")
@option("--months", type=Within(1 / DAYS_PER_MONTH), help="Months between both folders.")
@option("--since", type=Day(), help="An earlier day instead, where FOLDER is under git.")
@option("--extractor", default="gpt-6-luna", show_default=True, help="Reads them for a graph.")
@ON
def corpus(
    folder: str, model: str, older: str | None, months: float | None, since: str | None,
    extractor: str, on: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Count the documents of FOLDER (txt, md, html, pdf, docx) for `corpus:` of a scenario.

    Says also how much of them changes in a month, and what an index would cost.
    """
    if (older is None) != (months is None) or (since and older):
        raise CatalogError("write --older and --months together, or --since alone")
    if since:
        months = (today() - date.fromisoformat(since)).days / DAYS_PER_MONTH
        check(months > 0, f"--since is {since}, it must be a day before today, {today()}")
    with busy("counting"):
        found = read_documents(folder, model, older, since)
        made = corpus_of(found, months)
        prices = index_prices(made, Api(extractor, on=on))
    tokens, repeats = found.table["tokens"], (found.table["repeats"] != "").sum()
    echo(f"{many(len(tokens), 'document')}, {tokens.sum():,.0f} tokens of {model}")
    half, most = f"{tokens.median():,.0f}", f"{tokens.max():,.0f}"
    echo(f"half of them are below {half} tokens, the longest has {most}")
    words = ("repeats", "is") if repeats == 1 else ("repeat", "are")
    echo(f"{repeats:,} nearly {words[0]} another and {words[1]} left out")
    for reason, count in found.skipped["reason"].value_counts().items():
        echo(wrapped(f"{many(count, 'file')} {'was' if count == 1 else 'were'} not read: {reason}"))
    echo("")
    rows = prices.map("{:,.2f}".format).reset_index()
    echo(aligned([("index", "low, USD", "USD", "high, USD"), *rows.itertuples(False)]))
    churn = f", churn_per_month: {made.churn_per_month:.4f}" if months else ""
    echo(f"\ncorpus: {{tokens: {made.tokens:.0f}, documents: {made.documents:.0f}{churn}}}")
    return {
        "tokens": made.tokens,
        "documents": made.documents,
        "churn_per_month": made.churn_per_month if months else None,
        "index": prices,
    }


COMMANDS = (from_files, reconcile, reprice, corpus)


def columns_given(
    texts: tuple[str, ...], paths: list[str] | None = None
) -> dict[str, dict[str, str]]:
    """{kind: {our column: their column}} of texts such as "time=Day,model=Engine"; where `paths`
    are given, one of them has the columns of each kind.
    """
    named: dict[str, dict[str, str]] = {}
    for text in texts:
        pairs = [part.partition("=") for part in text.split(",")]
        if wrong := next((ours for ours, sign, theirs in pairs if not (sign and theirs)), None):
            raise CatalogError(
                f"--columns: {wrong!r} names no column; write it as time=Day,model=Engine"
            )
        columns = {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
        if len(columns) < len(pairs):
            raise CatalogError(f"--columns names a column twice in {text!r}; leave one out")
        if (kind := kind_named(columns)) in named:
            raise CatalogError(f"--columns names those of {kind} twice; write all in one")
        named[kind] = columns
    if named and paths:
        by_kind(paths, named)
    return named


def _number(text: str) -> float | None:
    return float(text) if text.replace(".", "", 1).isdigit() else None


def _say(usage: Usage) -> None:
    """What was read and what was set aside."""
    calls = usage.table["calls"].sum()
    echo(f"{len(usage.table):,} rows of usage, {calls:,.0f} calls")
    reasons = usage.set_aside.groupby("reason", sort=False)
    for reason, rows in sorted(reasons, key=lambda pair: -len(pair[1]))[:SHOWN]:
        where = [f"{row.file} row {row.row}" for row in rows.head(SHOWN).itertuples() if row.row]
        more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
        said = f"{len(rows):,} x {reason}: {', '.join(where)}{more}" if where else reason
        echo(wrapped(said, "set aside: "))
    for note in usage.notes:
        echo(wrapped(note, "note: "))
    if usage.bound:
        echo(wrapped(usage.bound))
    echo("")
