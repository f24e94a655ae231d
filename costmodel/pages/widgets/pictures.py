"""The tabs of a cockpit: each is a picture or a page of one answer."""

from __future__ import annotations

import html
from textwrap import fill
from typing import Any

import pandas as pd

from costmodel.choices.presets import TOKENS_ONLY
from costmodel.choices.study import Study
from costmodel.core import check, listed, money, percent
from costmodel.decisions.compare import sweep
from costmodel.decisions.search import present
from costmodel.decisions.uncertainty import tornado
from costmodel.decisions.verdict import Verdict
from costmodel.decisions.wording import lowest
from costmodel.ledgers.book import cash_flow, explain, ledger
from costmodel.pages.plots import costs, options, style

COMPARE, MONEY, TIME = "Compare", "Where the money goes", "Over time"
FLIPS, MATTERS, BILL = "When it flips", "What matters", "The bill"
TABS = (COMPARE, MONEY, TIME, FLIPS, MATTERS, BILL)
OVER = {  # what a flip is looked for over
    "requests per month": "requests_per_month",
    "cost of a wrong answer": "usd_per_failure",
}
FEW = 300  # draws of what is asked beside the answer
ENDS_AT = 0.975  # of the width; beyond it is room for half a label at the end of an axis
LONG = 100  # characters of a first line that fits on a phone
LEAST_SHARE = 0.005  # of a bill that rounds to 1 %
WIDTH, ROW, LEAST = 8.6, 0.27, 4.4  # of a picture, inches
PHONE_DPI = 200  # its screen is dense


def height(study: Study) -> float:
    """The height of the pictures of a study [inch]: one for all tabs, so that nothing moves."""
    return max(LEAST, 1.2 + ROW * len(study.options))


class Canvas:
    """Draws pictures of one size; the places of the axes are found once a tab."""

    def __init__(self, study: Study) -> None:
        self.size = WIDTH, height(study)
        self.places: dict[Any, Any] = {}

    def draw(self, tab: str, verdict: Verdict, study: Study, over: str) -> bytes:
        """The picture of a tab, as PNG."""
        place = tab, over if tab == FLIPS else "", tuple(verdict.table.index)
        known = self.places.get(place)
        figure = style.Picture(figsize=self.size)
        if not known:
            figure.set_layout_engine("constrained", rect=(0, 0, ENDS_AT, 1))
        ax = figure.add_axes(known) if known else figure.subplots()
        draw(tab, verdict, study, ax, over)
        made = style.png(figure)
        if len(figure.axes) == 1 and not known:
            self.places[place] = ax.get_position()
        return made


def for_phone(tab: str, verdict: Verdict, study: Study, over: str) -> bytes:
    """The picture of a tab as wide as a phone, as PNG."""
    with style.for_phone():
        figure = draw(tab, verdict, study, None, over).figure
    figure.set_dpi(PHONE_DPI)
    return style.png(figure)


def draw(tab: str, verdict: Verdict, study: Study, ax: Any, over: str) -> Any:
    """The picture of a tab on the axes, or on a figure of its own."""
    look: style.Style = {"ax": ax, "money": study.terms.money}
    colours = style.palette(study.options)
    if tab == MONEY:
        return costs.plot_lifecycle(ledger(study), **look)
    if tab == TIME:
        flow = cash_flow(leading(verdict, study))
        return costs.plot_cumulative(flow, colours=colours, **look)
    few = study.changed(draws=min(study.draws, FEW)) if tab in (FLIPS, MATTERS) else study
    if tab == FLIPS:
        table = sweep(leading(verdict, few), over)
        now = present(getattr(study.work, over))
        return options.plot_sweep(table, over, relative=True, now=now or None, **look)
    if tab == MATTERS:
        first, *others = verdict.contest if len(study.options) > 1 else [verdict.named]
        moved = tornado(few, first, against=next(iter(others), None))
        ax = costs.plot_tornado(moved, **look)
        if not style.narrow():
            ax.xaxis.label.set(x=1.0, ha="right")  # long names would leave the picture
        return ax
    table = verdict.table.copy()
    ax = options.plot_bands(table, colours=colours, **look)
    if study.quality_floor is not None and not table["eligible"].all():
        sure = f"pale: not {percent(study.confidence)} sure to reach the quality floor"
        ax.set_xlabel(f"{ax.get_xlabel()}\n{fill(sure, 36) if style.narrow() else sure}")
    return ax


def leading(verdict: Verdict, study: Study) -> Study:
    """The options that lead, at most five: where one alone is eligible, the next beside it."""
    runs = verdict.table["expected"].notna().sum()
    check(runs, "no option can run")
    return study.only(*(verdict.contest if runs > 1 else verdict.leaders))


def says(tab: str, verdict: Verdict, study: Study, over: str) -> str:
    """What the picture of a tab shows, in a sentence: its alternative text."""
    first = verdict.named or "no option"
    return {
        COMPARE: f"Expected cost of each option with its band; {first} comes first.",
        MONEY: "Expected cost of each option by phase.",
        TIME: f"What the leading options cost month by month, {first} among them.",
        FLIPS: "Cost of the leading options over that of the cheapest, along one input: "
        "a line at 1 is the cheapest there.",
        MATTERS: "Each bar moves one input from its low to its high end.",
        BILL: f"Every line of {first}.",
    }[tab]


def bill(study: Study, label: str) -> str:
    """Every line of an option, each open to its formula and its source, as HTML."""
    table = explain(study, label)
    total = float(table["usd"].sum())
    head = f"{html.escape(label)}: {money(total, study.terms)} over {study.terms.months} months, "
    head += f"{len(table)} lines, dearest first; open a line for its formula and its source"
    return f'<p class="cm-small">{head}</p>' + "".join(map(_line, table.to_dict("records")))


def _line(row: dict[str, Any]) -> str:
    amount = f"{row['usd']:,.0f}" if abs(row["usd"]) >= 1 else f"{row['usd']:,.2f}"
    told = html.escape(f"{row['phase']}: {row['item']}")
    parts = "".join(
        f"<dt>{name}</dt><dd>{html.escape(str(row[column]))}</dd>"
        for name, column in (("Formula", "basis"), ("Sources", "sources"))
    )
    share = "< 1 %" if 0 < row["share"] < LEAST_SHARE else percent(row["share"])
    line = f"<span>{told}</span><b>USD {amount}</b><i>{share}</i>"
    return f'<details class="cm-line"><summary>{line}</summary><dl>{parts}</dl></details>'


def beside(now: tuple[float, str], pinned: tuple[float, str] | None, study: Study) -> str:
    """How a number differs from the pinned one, in words."""
    if pinned is None or pinned[1] != now[1]:
        return ""
    (value, kind), (was, _) = now, pinned
    step = value - was
    if pd.isna(step):
        return "not comparable with the pin"
    if kind == "share":
        return f"{100 * step:+.0f} points against the pin" if abs(step) >= 0.005 else "as the pin"
    if kind == "month":
        return f"{step:+.0f} months against the pin" if step else "as the pin"
    if abs(step) < 1e-9 * max(abs(was), 1):
        return "as the pin"
    sign = "+" if step > 0 else "−"
    known = abs(was) > 1e-9 and abs(step / was) < 10
    share = f" ({sign}{percent(abs(step / was))})" if known else ""
    return f"{sign}{money(abs(step), study.terms)}{share} against the pin"


def first_lines(verdict: Verdict, study: Study) -> tuple[str, str]:
    """The verdict in two lines: what to do, and what it costs."""
    if verdict.named is None:
        return "No option can run", verdict.headline
    row, months = verdict.table.loc[verdict.named], study.terms.months
    month = money(row["expected"] / months, study.terms)
    first, found, _ = verdict.headline.partition(". ")
    if verdict.headline.startswith("It depends"):
        return first + ".", f"With wrong answers free: {verdict.named}, {month} a month expected."
    if not verdict.waits:
        first = f"{verdict.named}: {month} a month expected over {months} months"
        return first, _why(verdict, study)
    if not found:
        first = "Do not choose yet: no option is sure enough to reach the quality floor"
    for plan, judged in ({} if verdict.pilot is None else verdict.pilot.attrs["judged"]).items():
        if len(first) > LONG:
            first = first.replace(f" of {plan} first", f" of {len(judged)} options first")
    return (
        first + ".",
        f"Best today: {verdict.named}, {month} a month expected over {months} months.",
    )


def _why(verdict: Verdict, study: Study) -> str:
    """Why the named option is named, and which are as good."""
    table = verdict.table
    if TOKENS_ONLY in table.index:
        usd = money(table["to_pay"][TOKENS_ONLY] / study.terms.months, study.terms)
        return f"A token calculator shows {usd} of it; the rest is people, tests and upgrades."
    if "as_good" not in table or len(table) == 1 or study.risk:
        return verdict.headline
    text = lowest(study, verdict.named or "", table[table["eligible"]])
    text = text[:1].upper() + text[1:]
    if (floor := study.quality_floor) is not None:
        sure = percent(study.confidence)
        text += f" of those at least {sure} sure to reach {percent(floor)} accepted answers"
    equal = list(table.index[table["as_good"] & (table.index != verdict.named)])
    if equal:
        text += f"; as good: {listed(equal) if len(equal) < 3 else f'{len(equal)} others'}"
    return text + "."
