"""The assumption register: every input once, with its range, unit and source; and the sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.effort import effort
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.costs import Cost
from costmodel.choices.terms import Terms
from costmodel.core import (
    Range,
    called,
    key_of,
    listed,
    middle,
    number_text,
    objects,
    owner_of,
    same,
    unit_of,
    unmarked,
    walk,
)
from costmodel.facts import catalog
from costmodel.facts.pricelist import old, snapshot_day
from costmodel.facts.prices import Rates, Tokens, request_usd
from costmodel.ledgers.book import ledger, lines_of
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import at_middle
from costmodel.ledgers.evidence import Evidence
from costmodel.ledgers.provenance import moving, provenance, share_accepted, too_late, used_inputs

WRONG = "answers that fail"  # the line whose quantity is what the quality leaves
NEUTRAL = {
    "discount": 0.0,
    "residency_uplift": 1.0,
    "usd_per_request": 0.0,
    "above": 0.0,
    "cases_factor": 1.0,
    "review_factor": 1.0,
    "runs_factor": 1.0,
    "platform_factor": 1.0,
    "sees": 1.0,
}
DATED = ("once", "monthly")  # kinds of schedules with a first month of their own
OPEN = (None, MISSING)  # defaults of a field that a fact may fill in
COLUMNS = ["input", "low", "mid", "high", "unit", "source", "why", "options", "default"]
COLUMNS += ["date", "validity", "owner", "confidence"]


@analysis
def register(
    study: Study,
    also: Mapping[str, Any] | None = None,
    swings: pd.DataFrame | None = None,
    owners: Mapping[str, str] | None = None,
    unused: bool = False,
) -> pd.DataFrame:
    """The assumption register: every input of the options, the workload and the terms, each value
    once.

    Parameters
    ----------
    study : Study, or options with a workload
        Whose inputs are listed.
    also : dict of label to dataclass, optional
        Other things whose inputs are listed too, such as a Policy.
    swings : DataFrame, optional
        A table of `tornado` or `swings`; it adds the column `swing` and sorts by it.
    owners : dict of str to str, optional
        Who answers for an input, by its key or by what stands before the point ("engineer").
    unused : bool
        True adds the column `used`: False where no line cites the input and moving it moves no
        total and no quality. It takes some seconds for each dozen options.

    Returns
    -------
    DataFrame
        `input`, its key; `low`, `mid` and `high` in `unit`; `source`, an id of
        data/facts/sources.csv, "yours", "measured" or "assumption"; `why`; the `options` that have
        it; `default`, whether the value is the package's own and untouched: those come first.
        `date` is the day of a fact and `validity` the day until which it is taken as it was read (a
        price 90 days, others a year), empty where nobody published it; `owner` is from `owners`,
        else "you" or the publisher; `confidence` is "yours", "measured", "assumed", "derived",
        "ends assumed" or "sourced". `swing` [USD] is the furthest that the input alone moves a
        total. What does nothing is left out, such as a discount of 0.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> table = register(option, work).set_index("input")
    >>> table.loc["Workload.input_tokens", ["unit", "source"]].to_list()
    ['token', 'yours']
    """
    table = inputs_of(study, also)
    told = [provenance(row["input"], row, owners or {}) for row in table.to_dict("records")]
    table[list(told[0])] = pd.DataFrame(told)
    table = table[COLUMNS]
    if unused:
        theirs = {key_of(*x) for thing in (also or {}).values() for x in walk(thing)}
        asked = set(table["input"]) - theirs
        used = theirs | used_inputs(study.options.values(), study.work, study.terms, asked)
        table = table.assign(used=table["input"].isin(used))
    order = ["default"]
    if swings is not None:
        furthest = table["input"].map(swings.groupby("input")["spread"].max())
        table.insert(4, "swing", furthest.where(table["low"] < table["high"], 0.0).fillna(0.0))
        order.append("swing")
    return table.sort_values(order, ascending=False, kind="stable", ignore_index=True)


def changes_nothing(study: Study) -> Iterator[tuple[str, str]]:
    """(option, sentence) of what is paid after the horizon only, and of inputs that nothing uses.

    They are the user's own, but prices of token classes that do not occur, and the terms.
    """
    found, months = at_middle(study), study.terms.months
    if found.why_not:  # it may use what no other option does
        return
    for label, option in study.options.items():
        own = {thing.item for thing in objects(option) if isinstance(thing, Cost)}
        for line in found.bills[label].lines:
            dated = line.schedule.kind in DATED or line.item in own
            if dated and too_late(line, study.terms) and np.any(line.usd):
                words = f"{line.item!r} is first paid after the {months} months of the horizon"
                yield label, f"{words}: it is in no total; raise months, or leave it out"
    table = inputs_of(study)
    given = table["input"][(table["source"] == "yours") & ~table["default"]]
    mine = {key for key in given if not key.startswith("Terms.") and ".usd_per_mtok_" not in key}
    unused = mine - used_inputs(study.options.values(), study.work, study.terms, mine)
    corpus = {key for key in mine if key.startswith("Corpus.")}
    if corpus and corpus <= unused:
        yield (
            "",
            "no option reads the documents (Workload.corpus); add a Rag(), or leave them out",
        )
        unused -= corpus
    if unused:
        yield "", f"nothing uses {listed(map(called, sorted(unused)))}: no total moves with it"


def inputs_of(study: Study, also: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Every input once, with its range, unit, source, why, options and default."""
    if also:
        return _inputs_of(study, also)
    return study.once("inputs", lambda: _inputs_of(study, {})).copy()


def _inputs_of(study: Study, also: Mapping[str, Any]) -> pd.DataFrame:
    rows: dict[tuple[str, Any], dict[str, Any]] = {}
    things = {**study.options, "workload": study.work, "terms": study.terms, **also}
    for label, thing in things.items():
        evidence = Evidence(thing)
        for owner, name, value in walk(thing):
            if name in NEUTRAL and value == NEUTRAL[name]:
                continue
            key = key_of(owner, name, value)
            found = {"input": key, **_input(owner, name, value, evidence, study), "options": []}
            options = rows.setdefault((key, value), found)["options"]
            if label not in options:
                options.append(label)
    table = pd.DataFrame(rows.values())
    return table.assign(options=table["options"].map(", ".join))


def _input(owner: Any, name: str, value: Any, evidence: Evidence, study: Study) -> dict[str, Any]:
    """One row of the register.

    A fact that nobody changed and a field left at its default are untouched.
    """
    field, why = f"{owner_of(owner)}.{name}", getattr(value, "why", "")
    unit = unit_of(f"{type(owner).__name__}.{name}")
    default = unmarked(owner.__dataclass_fields__[name].default)
    if isinstance(default, Range):
        default = default.for_unit(unit)
    untouched = (
        why.startswith("preset")  # made by `presets`
        or (hasattr(owner, "id") and field not in evidence.changed)  # a fact
        or (default in OPEN and bool(getattr(value, "source", "")))  # left open, filled by a fact
        or same(default, value)
    )
    source = evidence.of(field)
    if source in ("yours", "assumption"):
        source = "assumption" if untouched or why else "yours"
    if getattr(getattr(owner, name), "by", ""):
        here = effort(*middle((owner, name, study.work)))
        why += f"; {number_text(here)} for the tier {study.work.tier.id} at this volume"
    if field not in evidence.changed and (age := _age(owner, name, study.terms)):
        why = f"{why}; {age}" if why else age
    ends = {end: getattr(value, end, value) for end in ("low", "mid", "high")}
    return {**ends, "unit": unit, "source": source, "why": why, "default": untouched}


def _age(owner: Any, name: str, terms: Terms) -> str:
    """How old a price of the list or a rent is at the start, where it is old."""
    day = None
    if isinstance(owner, Rates) and name != "above":
        day = snapshot_day()
    elif isinstance(owner, catalog.Rent):
        day = catalog.read_on("rents", owner.id, name)
    return old(day, terms.date_of(0)) if day else ""


@analysis
def bibliography(study: Study, more: Iterable[str] = ()) -> pd.DataFrame:
    """The published sources behind the lines of the options, each once.

    Parameters
    ----------
    study : Study, or options with a workload
        Whose lines are looked at. Assumptions and the user's own numbers have no source here.
    more : iterable of str
        Ids of other sources that a report cites.

    Returns
    -------
    DataFrame
        `id`, `publisher`, `title`, `url`, `locator` (page or table), `accessed` (day), `licence`.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> bibliography(option, work)["publisher"].to_list()
    ['Pydantic']
    """
    for id in {*more} - {"assumption"}:
        catalog.source(id)  # a misspelt one is an error
    cells = ledger(study)["sources"].unique()
    ids = {*more, *"; ".join(cells).split("; ")} - {"", "yours", "measured", "assumption"}
    columns = ["id", "publisher", "title", "url", "locator", "accessed", "licence"]
    return pd.DataFrame([catalog.cited(s) for s in sorted(ids)], columns=columns)


@analysis
def by_hand(study: Study, label: str | None = None) -> pd.DataFrame:
    """One request of a plain API option, priced from the price card alone and by the ledger.

    The two ways share no code but the price card.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the option stands.
    label : str, optional
        An option with an Api and no technique; without one, the only option.

    Returns
    -------
    DataFrame
        One row: `request` (its tokens), `by_hand` and `ledger` [USD a request, in month 1],
        `ratio`.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> by_hand(option, work)["ratio"].round(6).item()
    1.0
    """
    study = study.only(study.label(label)).changed(months=1)
    work, terms = middle((study.work, study.terms))
    call = work.request().calls[0]
    tokens = Tokens(
        input=call.prompt_tokens, output=call.output_tokens, reasoning=call.reasoning_tokens
    )
    hand = request_usd(study.option().serving.model, tokens)
    price = Calendar(work, terms).prices("api")[1]
    booked = ledger(study, base_case=True)["usd"].sum() / work.requests_per_month / price
    name = f"{tokens.prompt:,.0f} tokens in, {tokens.output:,.0f} out"
    row = {"request": name, "by_hand": hand, "ledger": booked, "ratio": booked / hand}
    return pd.DataFrame([row])


@analysis
def numbered(study: Study, also: Any = None) -> pd.DataFrame:
    """Number the rows of the register (R1, R2 ...), untouched defaults last.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    also : mapping of str to object, optional
        Further inputs by name, such as a Policy.

    Returns
    -------
    pandas.DataFrame
        The columns of `register`, after row.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Today(cm.Range(900, 1_100)))
    >>> table = cm.finance.numbered(option, cm.Workload(3_000, input_tokens=500))
    >>> table[["row", "input"]].head(3)
      row                        input
    0  R1    Today.usd_per_month_today
    1  R2  Workload.requests_per_month
    2  R3        Workload.input_tokens
    """
    table = register(study, also).sort_values("default", kind="stable", ignore_index=True)
    table.insert(0, "row", [f"R{i + 1}" for i in range(len(table))])
    return table


@analysis
def traced(study: Study, inputs: pd.DataFrame, label: str | None = None) -> pd.DataFrame:
    """Say which rows of a register stand behind each line of an option.

    The terms (trends, discount, horizon) and the volume stand behind all lines.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    inputs : pandas.DataFrame
        A register from `numbered`.
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        Dearest first. Columns: phase, item, usd [USD over the horizon, expected], rows (what the
        formula of the line cites; for answers that fail every input that moves the share accepted).

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Today(cm.Range(900, 1_100)))
    >>> work = cm.Workload(3_000, input_tokens=500)
    >>> rows = cm.finance.numbered(option, work)
    >>> cm.finance.traced(option, work, inputs=rows)[["phase", "item", "rows"]]
         phase      item rows
    0  serving  as today   R1
    """
    label = study.label(label)
    things = study.options[label], study.work, study.terms
    keys: dict[str, set[str]] = {}
    for owner, field, value in walk(things):
        keys.setdefault(f"{owner_of(owner)}.{field}", set()).add(key_of(owner, field, value))
    row_of = inputs.groupby("input", sort=False)["row"].agg(list)
    rows = []
    for each in lines_of(study, label).values():
        line = each.line
        behind = [key for cited in line.cites for key in sorted(keys.get(cited, {cited}))]
        behind += moving(things, share_accepted) if line.item == WRONG else []
        found = dict.fromkeys(number for key in behind for number in row_of.get(key, []))
        rows.append((line.phase, line.item, float(each.usd.sum()), ", ".join(found)))
    table = pd.DataFrame(rows, columns=["phase", "item", "usd", "rows"])
    return table.sort_values("usd", ascending=False, ignore_index=True)
