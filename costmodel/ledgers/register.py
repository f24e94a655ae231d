"""The assumption register: every input once, with its range, unit and source; and the list of sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core.draws import middle
from costmodel.core.glossary import unit_of
from costmodel.core.nested import key_of, owner_of, walk
from costmodel.core.ranges import Doubt, Range
from costmodel.facts import catalog
from costmodel.facts.prices import Tokens, request_usd
from costmodel.ledgers.book import ledger
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.evidence import Evidence


@analysis
def register(
    study: Study, also: Mapping[str, Any] | None = None, swings: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The assumption register: every input of the options, the workload and the terms (`also` of others, by name), each value once.

    Columns: input low mid high unit source why options default; `source` is an id of data/facts/sources.csv, "yours" or
    "assumption"; `default` is True where the value is the package's own and nobody has touched it: those come first. A discount of 0, an
    uplift of 1 and the like do nothing and are left out. `swings`, a table of `tornado` or `swings`, adds the column `swing`
    [USD], the furthest that the input alone moves a total; the rows are then in that order.
    """
    options, work, terms = study.options, study.work, study.terms
    rows: dict[tuple[str, Any], dict[str, Any]] = {}
    for label, thing in [
        *options.items(),
        ("workload", work),
        ("terms", terms),
        *(also or {}).items(),
    ]:
        evidence = Evidence(thing)
        for owner, name, value in walk(thing):
            if name in NEUTRAL and value == NEUTRAL[name]:
                continue
            row = rows.setdefault(
                (key_of(owner, name, value), value),
                _input(owner, name, value, evidence) | {"used": []},
            )
            if label not in row["used"]:
                row["used"].append(label)
    columns = ["input", "low", "mid", "high", "unit", "source", "why", "options", "default"]
    table = pd.DataFrame(
        [
            {"input": key, **row, "options": ", ".join(row["used"])}
            for (key, _), row in rows.items()
        ],
        columns=columns,
    )
    if swings is not None:
        furthest = table["input"].map(swings.groupby("input")["spread"].max())
        table.insert(4, "swing", furthest.where(table["low"] < table["high"], 0.0).fillna(0.0))
    return table.sort_values(
        ["default", *(["swing"] if swings is not None else [])],
        ascending=False,
        kind="stable",
        ignore_index=True,
    )


NEUTRAL = {
    "discount": 0.0,
    "residency_uplift": 1.0,
    "usd_per_request": 0.0,
    "above": 0.0,
    "sees": 1.0,
}


def _input(owner: Any, name: str, value: Any, evidence: Evidence) -> dict[str, Any]:
    """One row of the register: a fact that nobody changed and a field left at its default are untouched."""
    low, mid, high = (
        (value.low, value.mid, value.high) if isinstance(value, Doubt) else (value, value, value)
    )
    field, why = f"{owner_of(owner)}.{name}", getattr(value, "why", "")
    default = next(f.default for f in dataclasses.fields(owner) if f.name == name)
    default = (
        default.for_unit(unit_of(f"{type(owner).__name__}.{name}"))
        if isinstance(default, Range)
        else default
    )
    fact = hasattr(owner, "id") and field not in evidence.changed
    preset = why.startswith("preset")  # made by `presets`
    filled = default is None and bool(
        getattr(value, "source", "")
    )  # left open, and taken from the data
    untouched = (
        preset
        or fact
        or filled
        or default is value
        or (type(default) is type(value) and default == value)
    )
    source = evidence.of(field)
    if source in ("yours", "assumption"):
        source = "assumption" if untouched or why else "yours"
    return {
        "low": low,
        "mid": mid,
        "high": high,
        "unit": unit_of(f"{type(owner).__name__}.{name}"),
        "source": source,
        "why": why,
        "default": untouched,
    }


@analysis
def bibliography(study: Study, more: Iterable[str] = ()) -> pd.DataFrame:
    """The published sources behind the lines of these options, each once, and `more` ids of sources that a report cites besides.

    Columns: id publisher title url locator accessed licence. What is an assumption or the user's own is not in it.
    """
    table = ledger(study)
    ids = sorted(
        {*more, *(s for cell in table["sources"].unique() for s in cell.split("; "))}
        - {"", "yours", "assumption"}
    )
    found = [dataclasses.asdict(catalog.source(s)) for s in ids]
    return pd.DataFrame(
        found, columns=["id", "publisher", "title", "url", "locator", "accessed", "licence"]
    )


@analysis
def by_hand(study: Study, label: str | None = None) -> pd.DataFrame:
    """One request of a plain API option: priced from the price card alone, and as the ledger has it in month 1.

    Columns: request, by_hand, ledger, ratio. The two ways share no code but the price card.
    """
    study = study.only(study.label(label)).changed(months=1)
    option, work, terms = study.option(), study.work, study.terms
    call = middle(work).request().calls[0]
    tokens = Tokens(
        input=call.prompt_tokens, output=call.output_tokens, reasoning=call.reasoning_tokens
    )
    hand = request_usd(option.serving.model, tokens)
    booked = (
        ledger(study)["usd"].sum()
        / middle(work).requests_per_month
        / Calendar(*middle((work, terms))).prices("api")[1]
    )
    name = f"{tokens.prompt:,.0f} tokens in, {tokens.output:,.0f} out"
    return pd.DataFrame(
        [(name, hand, booked, booked / hand)], columns=["request", "by_hand", "ledger", "ratio"]
    )
