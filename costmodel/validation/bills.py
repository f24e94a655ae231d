"""Published bills and unit costs beside what the engine says of the same traffic.

Each row of data/measured/bills.csv becomes a study of one month: its model, and its tokens as they
were published. Three numbers in a cell are a range where nothing was published (the note says so).
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.requests import Cache, Request, Segment
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study
from costmodel.choices.techniques.agents import CodingAgent
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.choices.techniques.prompting import PromptCache
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Corpus, Workload
from costmodel.core import Number, Range, assumed, check_known, frozen, public
from costmodel.facts.catalog import practice
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import evaluate
from costmodel.validation.agents import PROMPT_TOKENS, STILL
from costmodel.validation.held_out import drawn_beside, measured, with_credits

TTL_S = 300.0
CLOSE = 1.02  # a published figure is rounded
BOUGHT = {  # which lines a bill shows, by the way it is set up
    "api": "production",
    "coding agent": "production",
    "graph index": "index the graph",
}


@frozen
class AsBilled:
    """A prefix that was read and written as a bill says, whatever arrives.

    Parameters
    ----------
    tokens : number, at least 0
        Length of the prefix [token a request].
    read : number, 0 to 1
        Share of it that was read from the cache.
    """

    tokens: Number
    read: Number

    def shape(self, request: Request, work: Workload) -> Request:
        prefix = Segment("prefix", self.tokens, stable=True, reuse=self.read)
        return request.add(prefix).each(cache=Cache(TTL_S, minimum_tokens=0.0))


def bill_study(bill: Any) -> Study:
    """The study of one row of data/measured/bills.csv: one month at the prices of its day."""
    check_known("way", bill["way"], BOUGHT, where="data/measured/bills.csv")
    terms = Terms(start=bill["on"], months=1, trends=STILL, on=bill["on"])
    api = Api(bill["model"], provider=bill["provider"] or None, on=bill["on"])
    if bill["way"] == "graph index":
        text = Corpus(tokens=bill["words"] * practice("text.tokens_per_word").mid)
        asked = Workload(1.0, input_tokens=100, corpus=text)
        return Study({bill["id"]: Option(api, GraphRag(variant="full"))}, asked, terms)
    if bill["way"] == "coding agent":
        task = Workload(bill["requests"], instruction_tokens=PROMPT_TOKENS, output_tokens=200)
        return Study({bill["id"]: Option(api, CodingAgent(), PromptCache())}, task, terms)
    each = [_cell(bill, name) for name in ("input", "output")]
    read, written = (bill[name] / bill["requests"] for name in ("cache_read", "cache_write"))
    work = Workload(bill["requests"], input_tokens=each[0], output_tokens=each[1])
    cached = [AsBilled(read + written, read / (read + written))] if read + written else []
    return Study({bill["id"]: Option(api, *cached)}, work, terms)


def _cell(bill: Any, name: str) -> float | Range:
    """Tokens of one request: a number, or a range where nothing was published."""
    ends = [float(x) / bill["requests"] for x in str(bill[name]).split()]
    if len(ends) == 1:
        return ends[0]
    low, mid, high = ends
    return assumed(low, mid, high, bill["note"], name=f"{bill['id']}.{name}")


@public
def bills(draws: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """Hold published bills and unit costs against the engine.

    Nothing was fitted to them. Where a bill publishes all its tokens, the band has no width, and
    the row checks prices and arithmetic; elsewhere it is as wide as what was not published.

    Parameters
    ----------
    draws, seed : int
        Random draws behind the band, and what makes them repeatable.

    Returns
    -------
    pandas.DataFrame
        One row a bill. Columns: case, family (what the bill is for), evidence ("own bill", "worked
        example", "vendor case", "second hand"), per (what it pays for), exact (whether all its
        tokens are published), unit, reported, low, mid, high [USD; the band holds 80 %], ratio (mid
        over reported), inside (within the band, or within 2 % of it), note, source.

    Raises
    ------
    CatalogError
        Where a row names a way that is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.validation.bills(draws=50).set_index("case")
    >>> round(float(table.loc["openrouter-day-a", "ratio"]), 3)
    1.0
    """
    rows = []
    nothing = {"cache_read": 0.0, "cache_write": 0.0}
    for bill in measured("bills").fillna(nothing).to_dict("records"):
        study = bill_study(bill)
        given = study.option(), study.work, study.terms, bill
        found = drawn_beside(bill["value"], _usd, given, draws, seed)
        low, mid, high = (found[end] for end in ("low", "mid", "high"))
        found |= {
            "low": min(low, mid),
            "high": max(high, mid),
            "inside": bool(low / CLOSE <= bill["value"] <= high * CLOSE),
            "exact": bool(bill["way"] == "api" and low == high),
        }
        rows.append(bill | found)
    order = "case family evidence per exact unit reported low mid high ratio inside note source"
    table = pd.DataFrame(rows).rename(columns={"id": "case", "kind": "family"})
    return with_credits(table)[order.split()]


def _usd(option: Any, work: Workload, terms: Terms, published: Any) -> Any:
    """What the lines that a published bill shows cost in the whole month [USD]."""
    bill, calendar = evaluate(option, work, terms), Calendar(work, terms)
    lines = (line for line in bill.lines if line.item.startswith(BOUGHT[published["way"]]))
    return sum(line.usd * calendar.factor(line.schedule, line.trend) for line in lines)


@public
def bill_errors(table: pd.DataFrame | None = None, by: str = "exact") -> pd.DataFrame:
    """Median error and coverage of predicted bills.

    Parameters
    ----------
    table : DataFrame, optional
        From `bills`.
    by : str
        A column of the table: "exact", "evidence" or "family".

    Returns
    -------
    pandas.DataFrame
        One row a group and one for "all". Columns: bills [count], error (median of |ratio - 1|),
        bias (median of ratio - 1), coverage (share inside the 80 % band).

    Examples
    --------
    >>> import costmodel as cm
    >>> errors = cm.validation.bill_errors(cm.validation.bills(draws=50))
    >>> bool(errors.loc["all", "error"] < 0.5)
    True
    """
    table = bills() if table is None else table
    check_known("column", by, table.columns, "the bills")
    lines = {}
    for name, rows in (*table.groupby(by), ("all", table)):
        error = rows["ratio"] - 1
        lines[str(name)] = {
            "bills": len(rows),
            "error": error.abs().median(),
            "bias": error.median(),
            "coverage": rows["inside"].mean(),
        }
    return pd.DataFrame(lines).T.rename_axis(by)
