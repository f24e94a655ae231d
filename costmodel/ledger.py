"""The ledger: every line of every option, month by month; and the one place where time meets money.

Month 0 is today, months 1..H are paid at their end. A price of class c in month m is today's price x (1 + trend_c)^(m/12),
a cost of month m is discounted by (1 + rate)^(-m/12). Costs are positive everywhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.options import Mix, Option, accepted, cases, purchases
from costmodel.choices.purchases import Line, Traffic
from costmodel.choices.schedule import Schedule, with_demand
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible, short, unknown
from costmodel.core.nested import key_of, owner_of, same, walk
from costmodel.core.ranges import Doubt, Range
from costmodel.core.units import MONTHS_PER_YEAR, ROUNDING
from costmodel.core.words import unit_of
from costmodel.evidence import Evidence, describe
from costmodel.facts import catalog

if TYPE_CHECKING:
    import pandas as pd


Options = Mapping[str, Any]
COLUMNS = ["option", "phase", "item", "month", "quantity", "unit", "usd_per_unit", "usd", "treatment", "trend", "basis", "sources"]


# -- time meets money ----------------------------------------------------------------------------------


class Calendar:
    """Factors that turn `quantity x usd_per_unit` into a total over the horizon, shared by all lines."""

    def __init__(self, work: Workload, terms: Terms) -> None:
        if not isinstance(work, Workload):
            raise ValueError(f"the workload is {short(work)}, it must be a Workload(...)")
        self.months = terms.months
        self.demand = work.demand(terms.months)
        self.discount = (1.0 + terms.discount_rate) ** (-np.arange(terms.months + 1) / MONTHS_PER_YEAR)
        self.trends = terms.trends
        self._prices: dict[str, np.ndarray] = {}
        self._factors: dict[tuple, Any] = {}

    def prices(self, trend: str) -> np.ndarray:
        """Price of class `trend` in months 0..H relative to today, shape (H + 1,) or (n, H + 1)."""
        if trend not in self._prices and trend == STEADY:
            self._prices[trend] = np.ones(self.months + 1)
        if trend not in self._prices:
            step = (1.0 + np.asarray(getattr(self.trends, trend), float)) ** (1 / MONTHS_PER_YEAR)
            powers = np.empty((self.months + 1, step.size))  # months first: each row follows from the one before
            powers[0] = 1.0
            for m in range(1, self.months + 1):
                powers[m] = powers[m - 1] * step.ravel()
            self._prices[trend] = powers[:, 0] if step.ndim == 0 else powers.T
        return self._prices[trend]

    def path(self, schedule: Schedule, trend: str) -> np.ndarray:
        """Occurrences x relative price in months 0..H."""
        return schedule.weights(self.months, self.demand) * self.prices(trend)

    def factor(self, schedule: Schedule, trend: str, discounted: bool = False) -> Any:
        """Sum over months of occurrences x relative price (x discount): a number, or draws of the shape (n, 1)."""
        when = (schedule.kind, id(schedule.value) if isinstance(schedule.value, np.ndarray) else schedule.value)
        key = (*when, trend, discounted)
        if key not in self._factors:  # the schedule is kept, so that no other array can take its id
            self._factors[key] = (self._factor(schedule, self.prices(trend), self.discount if discounted else None), schedule)
        return self._factors[key][0]

    def _factor(self, schedule: Schedule, prices: np.ndarray, discount: Any) -> Any:
        if schedule.kind == "every" and np.ndim(schedule.value):
            return self._events(schedule.value, prices if discount is None else prices * discount)
        weights = schedule.weights(self.months, self.demand)
        weights = weights if discount is None else weights * discount
        if weights.ndim == 1 or prices.ndim == 1:
            value = prices @ weights if weights.ndim == 1 else weights @ prices
        else:
            value = np.einsum("nm,nm->n", weights, prices)
        return value if np.ndim(value) == 0 else value[:, None]

    def _events(self, interval: np.ndarray, prices: np.ndarray) -> np.ndarray:
        """Sum of prices at months k, 2k, 3k ... of every draw: looked up one event after the other, without a cube."""
        total = np.zeros(interval.size)
        rows, step, i = np.arange(interval.size), interval.ravel(), 0
        while rows.size:  # only the draws in which another event is due
            i += 1
            month = np.ceil(i * step - ROUNDING).astype(int)
            due = month <= self.months
            rows, step, month = rows[due], step[due], month[due]
            total[rows] += prices[rows, month] if prices.ndim == 2 else prices[month]
        return total.reshape(interval.shape)

    @property
    def requests(self) -> Any:
        """Months' worth of month-1 requests over the horizon."""
        total = self.demand.sum(axis=-1)
        return total if np.ndim(total) == 0 else total[:, None]


@dataclass(frozen=True)
class Bill:
    """An option evaluated on numbers: its lines, the share of answers accepted (None: not known), its requests of
    month 1, and where its calls fit the window and the memory of their servings."""

    lines: list[Line]
    accepted: Any
    requests: Any
    fits: Any

    def total(self, calendar: Calendar, discounted: bool = False, phase: str | None = None, without: str | None = None) -> Any:
        """USD over the horizon, of all lines, of one phase, or of all but one."""
        return sum(
            (
                line.quantity * line.usd_per_unit * calendar.factor(line.schedule, line.trend, discounted)
                for line in self.lines
                if (phase is None or line.phase == phase) and line.phase != without
            ),
            0.0,
        )


def evaluate(option: Option | Mix, work: Workload, terms: Terms) -> Bill:
    """The bill of an option whose Ranges are already numbers: pool what calls a model, let each serving price its pool."""
    resolved = cases(option, work, terms)
    fits: Any = True
    lines: list[Line] = []
    pools: list[tuple[Any, list]] = []
    for serving, bought in purchases(resolved):
        if isinstance(bought, Line):
            lines.append(bought)
            continue
        fits = fits & fit(serving, bought)
        for other, traffic in pools:
            if same(serving, other):
                traffic.append(bought)
                break
        else:
            pools.append((serving, [bought]))
    for serving, traffic in pools:
        lines += serving.price(traffic, work, terms)
    share = accepted(resolved)
    if share is not None and np.any(work.usd_per_failure):
        lines.append(Line("answers that fail", "failures", work.requests_per_month * (1 - share), "answer", work.usd_per_failure,
                          with_demand(), STEADY, basis="requests a month x (1 - share accepted) x {usd_per_failure}",
                          cites=("Workload.usd_per_failure", "Workload.requests_per_month")))  # fmt: skip
    return Bill(lines, share, work.requests_per_month, fits)


def fit(serving: Any, traffic: Traffic) -> Any:
    """Where a call fits its serving: a single number that does not is Infeasible, draws and grid points are marked."""
    fits: Any = True
    for over, reason in serving.limits(traffic.call):
        if np.ndim(over) == 0 and over > 0:
            where = "" if traffic.item == "production" else f"{traffic.item}: "
            raise Infeasible(where + reason.format(over=over))
        fits = fits & (over <= 0)
    return fits


def settle(options: Options | Option | Mix, terms: Terms | None, **changes: Any) -> tuple[dict[str, Any], Terms]:
    """Options as a dict and the terms with shorthand applied; API prices move to `on` when it is given."""
    if not isinstance(options, Mapping):
        options = {"option": options}
    for label, option in options.items():
        if not isinstance(option, (Option, Mix)):
            raise ValueError(f"option {label!r} is {short(option)}, it must be an Option or a Mix")
    if terms is not None and not isinstance(terms, Terms):
        raise ValueError(f"terms is {short(terms)}, it must be Terms(...) or None")
    given = {k: v for k, v in changes.items() if v is not None}
    if terms is None:
        terms = Terms(**given)
    elif given:
        if "on" in given and "start" not in given and terms.start == Terms(on=terms.on).start:  # nobody chose it
            given["start"] = None
        terms = replace(terms, **given)
    if terms.on is not None:
        options = {label: option.at(terms.on) for label, option in options.items()}
    return dict(options), terms


def pick(options: Mapping[str, Any], label: str, where: str = "the options") -> Any:
    """The option with this label. Errors: `CatalogError` names the nearest labels.

    >>> pick({"RAG": 1}, "RAGG")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no option 'RAGG' in the options; did you mean 'RAG'?
    """
    if label not in options:
        raise unknown("option", label, options, where)
    return options[label]


# -- answers -------------------------------------------------------------------------------------------


def ledger(options: Options | Option | Mix, work: Workload, months: int | None = None, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:
    """Every line of every option in every month in which something is paid, at the middle of all Ranges.

    Columns: option phase item month quantity unit usd_per_unit usd treatment trend basis sources. `usd` sums to the
    `mid` of `compare` to the cent; an option among several that cannot run has no rows, one alone is `Infeasible`.
    """
    import pandas as pd

    alone = not isinstance(options, Mapping)
    options, terms = settle(options, terms, months=months, on=on)
    rows = []
    mid_work, mid_terms = middle((work, terms))
    calendar = Calendar(mid_work, mid_terms)
    for label, option in options.items():
        try:
            bill = evaluate(middle(option), mid_work, mid_terms)
        except Infeasible:
            if alone:
                raise
            continue
        evidence = Evidence(option, work, terms)
        for line in bill.lines:
            basis, sources = evidence.basis(line), "; ".join(evidence.cited(line))
            weights = line.schedule.weights(terms.months, calendar.demand)
            prices = line.usd_per_unit * calendar.prices(line.trend)
            for month in np.flatnonzero(weights):
                quantity = float(line.quantity * weights[month])
                rows.append((label, line.phase, line.item, int(month), quantity, line.unit, float(prices[month]), quantity * float(prices[month]),
                             line.treatment, line.trend, basis, sources))  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def explain(option: Option | Mix, work: Workload, months: int | None = None, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:
    """One row per line of one option, dearest first: what it costs over the horizon, by which formula, from which sources.

    Columns: phase item quantity unit usd_per_unit times usd share basis sources; `times` is how often it is bought,
    with price trends; `sources` names publisher and date.
    """
    import pandas as pd

    options, terms = settle(option, terms, months=months, on=on)
    (option,) = options.values()
    mid_work, mid_terms = middle((work, terms))
    calendar, evidence = Calendar(mid_work, mid_terms), Evidence(option, work, terms)
    bill = evaluate(middle(option), mid_work, mid_terms)
    rows = []
    for line in bill.lines:
        times = float(calendar.factor(line.schedule, line.trend))
        usd = float(line.quantity * line.usd_per_unit * times)
        cited = "; ".join(describe(s) for s in evidence.cited(line))
        rows.append((line.phase, line.item, float(line.quantity), line.unit, float(line.usd_per_unit), times, usd, evidence.basis(line), cited))
    table = pd.DataFrame(rows, columns=["phase", "item", "quantity", "unit", "usd_per_unit", "times", "usd", "basis", "sources"])
    table.insert(7, "share", table["usd"] / table["usd"].sum())
    return table.sort_values("usd", ascending=False, ignore_index=True)


def register(options: Options | Option | Mix, work: Workload, terms: Terms | None = None, also: Mapping[str, Any] | None = None,
             swings: pd.DataFrame | None = None) -> pd.DataFrame:  # fmt: skip
    """The assumption register: every input of the options, the workload and the terms (`also` of others, by name), each value once.

    Columns: input low mid high unit source why options default; `source` is an id of data/sources.csv, "yours" or
    "assumption"; `default` is True where the value is the package's own and nobody has touched it: those come first. A discount of 0, an
    uplift of 1 and the like do nothing and are left out. `swings`, a table of `tornado` or `swings`, adds the column `swing`
    [USD], the furthest that the input alone moves a total; the rows are then in that order.
    """
    import pandas as pd

    options, terms = settle(options, terms)
    rows: dict[tuple[str, Any], dict[str, Any]] = {}
    for label, thing in [*options.items(), ("workload", work), ("terms", terms), *(also or {}).items()]:
        evidence = Evidence(thing)
        for owner, name, value in walk(thing):
            if name in NEUTRAL and value == NEUTRAL[name]:
                continue
            row = rows.setdefault((key_of(owner, name, value), value), _input(owner, name, value, evidence) | {"used": []})
            if label not in row["used"]:
                row["used"].append(label)
    columns = ["input", "low", "mid", "high", "unit", "source", "why", "options", "default"]
    table = pd.DataFrame([{"input": key, **row, "options": ", ".join(row["used"])} for (key, _), row in rows.items()], columns=columns)
    if swings is not None:
        furthest = table["input"].map(swings.groupby("input")["spread"].max())
        table.insert(4, "swing", furthest.where(table["low"] < table["high"], 0.0).fillna(0.0))
    return table.sort_values(["default", *(["swing"] if swings is not None else [])], ascending=False, kind="stable", ignore_index=True)


NEUTRAL = {"discount": 0.0, "residency_uplift": 1.0, "usd_per_request": 0.0, "above": 0.0, "sees": 1.0}


def _input(owner: Any, name: str, value: Any, evidence: Evidence) -> dict[str, Any]:
    """One row of the register: a fact that nobody changed and a field left at its default are untouched."""
    low, mid, high = (value.low, value.mid, value.high) if isinstance(value, Doubt) else (value, value, value)
    field, why = f"{owner_of(owner)}.{name}", getattr(value, "why", "")
    default = next(f.default for f in dataclasses.fields(owner) if f.name == name)
    default = default.fitting(unit_of(type(owner).__name__, name)) if isinstance(default, Range) else default
    fact = hasattr(owner, "id") and field not in evidence.changed
    preset = why.startswith("preset")  # made by `presets`
    filled = default is None and bool(getattr(value, "source", ""))  # left open, and taken from the data
    untouched = preset or fact or filled or default is value or (type(default) is type(value) and default == value)
    source = evidence.of(field)
    if source in ("yours", "assumption"):
        source = "assumption" if untouched or why else "yours"
    return {"low": low, "mid": mid, "high": high, "unit": unit_of(type(owner).__name__, name), "source": source, "why": why, "default": untouched}


def bibliography(options: Options | Option | Mix, work: Workload, terms: Terms | None = None, more: Iterable[str] = ()) -> pd.DataFrame:
    """The published sources behind the lines of these options, each once, and `more` ids of sources that a report cites besides.

    Columns: id publisher title url locator accessed licence. What is an assumption or the user's own is not in it.
    """
    import pandas as pd

    options, terms = settle(options, terms)
    table = ledger(options, work, terms=terms)
    ids = sorted({*more, *(s for cell in table["sources"].unique() for s in cell.split("; "))} - {"", "yours", "assumption"})
    found = [dataclasses.asdict(catalog.source(s)) for s in ids]
    return pd.DataFrame(found, columns=["id", "publisher", "title", "url", "locator", "accessed", "licence"])


def by_hand(option: Option, work: Workload, terms: Terms | None = None) -> pd.DataFrame:
    """One request of a plain API option: priced from the price card alone, and as the ledger has it in month 1.

    Columns: request, by_hand, ledger, ratio. The two ways share no code but the price card.
    """
    import pandas as pd

    from costmodel.facts.prices import Tokens, request_usd

    options, terms = settle(option, terms, months=1)
    call = middle(work).request().calls[0]
    tokens = Tokens(input=call.prompt_tokens, output=call.output_tokens, reasoning=call.reasoning_tokens)
    hand = request_usd(options["option"].serving.model, tokens)
    booked = ledger(options, work, terms=terms)["usd"].sum() / middle(work).requests_per_month / Calendar(*middle((work, terms))).prices("api")[1]
    name = f"{tokens.prompt:,.0f} tokens in, {tokens.output:,.0f} out"
    return pd.DataFrame([(name, hand, booked, booked / hand)], columns=["request", "by_hand", "ledger", "ratio"])


def cash_flow(options: Options | Option | Mix, work: Workload, months: int | None = None, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:
    """Month by month: what is paid, what has been paid, and its present value, at the middle of all Ranges.

    Columns: option month date usd cumulative_usd discounted_usd npv; `npv` is the present value of all costs up to that
    month at `terms.discount_rate` a year, converted to months by (1 + rate)^(1/12); costs are positive.
    """
    import pandas as pd

    options, terms = settle(options, terms, months=months, on=on)
    mid_work, mid_terms = middle((work, terms))
    calendar = Calendar(mid_work, mid_terms)
    frames = []
    for label, option in options.items():
        try:
            bill = evaluate(middle(option), mid_work, mid_terms)
        except Infeasible:
            continue
        usd = sum((line.quantity * line.usd_per_unit * calendar.path(line.schedule, line.trend) for line in bill.lines), np.zeros(terms.months + 1))
        discounted = usd * calendar.discount
        frames.append(pd.DataFrame({
            "option": label, "month": np.arange(terms.months + 1), "date": [terms.date_of(m) for m in range(terms.months + 1)],
            "usd": usd, "cumulative_usd": usd.cumsum(), "discounted_usd": discounted, "npv": discounted.cumsum(),
        }))  # fmt: skip
    columns = ["option", "month", "date", "usd", "cumulative_usd", "discounted_usd", "npv"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
