"""A study as one page that answers without Python: sliders over a response that was computed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from costmodel.choices.study import Study, analysis
from costmodel.core import check, listed, middle, number_text, whole_number, write
from costmodel.decisions.response import FAILURES, FAR, MIDDLE, NEAR, QUANTITIES, Response, respond
from costmodel.decisions.verdict import Verdict, recommend
from costmodel.facts.pricelist import dated_list
from costmodel.pages.report.colophon import own_version
from costmodel.pages.report.html import page
from costmodel.pages.report.table_form import framed
from costmodel.pages.tables import show

POSITIONS, MOST_POSITIONS = 256, 2_048  # that are computed; the page is held to those in reach
CLOSE = 0.01  # an option whose curve errs by more has no sliders
OPTIONS_MAX = 8
WORDS = {
    "requests_per_month": "requests a month",
    "input_tokens": "tokens of a question",
    "output_tokens": "tokens of an answer",
    "growth_per_year": "growth a year",
    "months": "horizon, months",
    "usd_per_failure": "cost of a wrong answer, USD",
}
SHOWN = ["expected", "p10", "p90", "quality", "p_reaches", "base_case", "why_not"]


@analysis
def interactive(study: Study, path: str | Path, positions: int = POSITIONS) -> Path:
    """Write a study as one HTML file with sliders that needs no network and no Python.

    Its sliders are requests, tokens of a question and of an answer, growth, horizon and the cost of
    a wrong answer; each moves with the doubt around it. Bars, sentence and the picture of where the
    choice changes follow a response: curves through random positions that are computed here, on all
    draws. Before a slider is moved, and
    without scripts, the page shows the numbers of the study, to the cent. An option that its curve
    misses by more than 1 %, or that cannot run everywhere, has no sliders, and is named.

    Parameters
    ----------
    study : Study, or options with a workload
        What is written: of more than eight options that run, the eight best.
    path : str or Path
        The file.
    positions : int
        How many random positions are computed, a power of two up to 2,048; an option that they do
        not meet gets twice, then four times as many. The page states the largest error at those
        within the reach of the sliders, each left out of its own curve.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        When no option can run, or none is met within 1 %.

    Examples
    --------
    >>> import tempfile
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> path = Path(tempfile.mkdtemp()) / "mine.html"
    >>> path = interactive({"API": option}, work, path=path, positions=64, draws=20)
    >>> "they differ from Python by at most" in path.read_text()
    True
    """
    whole_number("interactive: positions", positions, 1, MOST_POSITIONS)
    verdict = recommend(study, flips=False)
    labels = _ranked(verdict)
    check(labels, "no option can run, so there is nothing to move; see why_not of compare")
    response = respond(study, labels[:OPTIONS_MAX], positions)
    close = {x: y for x, y in response.curves.items() if response.errors[x] <= CLOSE}
    check(close, f"no option is met within {CLOSE:.0%} by the curves of the page; write a workbook")
    text = page_of(study, verdict, replace(response, curves=close))
    write(path, text)
    return Path(path)


def page_of(study: Study, verdict: Verdict, response: Response) -> str:
    """The page, with the numbers of the study before a slider is moved."""
    from costmodel.pages.plots.style import palette  # draws with matplotlib

    table, terms = verdict.table, study.terms
    rows = table.loc[[*response.curves]]
    most, colours = rows["expected"].max(), palette([*response.curves])
    bars = [
        {
            "label": label,
            "colour": colours[label],
            "pay_width": 100 * row["to_pay"] / most,
            "wrong_width": 100 * row["wrong_answers"] / most,
            "usd": f"{row['expected']:,.2f}",
            "eligible": row["eligible"],
        }
        for label, row in rows.iterrows()
    ]
    dials = _dials(study, response)
    worst = max(response.errors[label] for label in response.curves)
    least = min(response.positions[label] for label in response.curves)
    unsure = _unsure(response)
    chance = f", and chances to reach the quality floor by {100 * unsure:.1f} points"
    measured = (
        f"Once a slider is moved, the numbers are read off a computed response. At {least} "
        f"random positions or more they differ from Python by at most {100 * worst:.2f} %"
        f"{chance if study.quality_floor is not None else ''}; each of these "
        " was left out of the curve that it was held against. Such curves miss the ends of a "
        "likely range by more, so that no range is shown then."
    )
    stamp = f"costmodel {own_version()}; prices: {dated_list()}; "
    stamp += f"{study.draws:,} draws, seed {study.seed}"
    exact = {"expected": ",.2f", "base_case": ",.2f"}
    return page(
        "interactive.html.j2",
        title=study.title or "Cost of the options",
        byline=f"{terms.months} months from {terms.start}, prices of {terms.on or 'each option'}",
        headline=verdict.headline,
        dials=dials,
        rows=bars,
        table=framed(show(table[SHOWN], exact).html),
        error=" ".join((measured, *_left_out(verdict, response))),
        stamp=stamp,
        data=_data(study, response, dials, [bar["colour"] for bar in bars]),
    )


def _unsure(response: Response) -> float:
    """How far a chance to reach the floor may be off: an option so near to the asked one counts."""
    return max(response.unsure[label] for label in response.curves)


def _ranked(verdict: Verdict) -> list[str]:
    """The options that can run, eligible ones first; the first OPTIONS_MAX of them are moved."""
    runs = verdict.table[verdict.table["expected"].notna()]
    return [str(x) for x in runs.sort_values("eligible", ascending=False, kind="stable").index]


def _left_out(verdict: Verdict, response: Response) -> Iterator[str]:
    """Which options that can run have no sliders, and why."""
    ranked, moved = _ranked(verdict), response.errors
    reasons = {
        f"the page misses them by more than {CLOSE:.0%}": moved.keys() - response.curves.keys(),
        "they cannot run at every position": {*ranked[:OPTIONS_MAX]} - moved.keys(),
        f"{OPTIONS_MAX} options are better": {*ranked[OPTIONS_MAX:]},
    }
    for reason, labels in reasons.items():
        if labels:
            named = listed([label for label in ranked if label in labels])
            yield f"Without sliders, because {reason}: {named}."


def _dials(study: Study, response: Response) -> list[dict[str, Any]]:
    """The sliders: what they are called, where they stand and how far they reach."""
    work, made = middle(study.work), []
    for name, (low, high) in response.reach.items():
        growth, base = name == "growth_per_year", float(getattr(work, name))
        shown = f"{100 * base:.0f} %" if growth else number_text(base)
        made.append({
            "name": name, "kind": "difference" if growth else "factor", "base": base, "low": low,
            "high": high, "step": (high - low) / 200, "value": 0.0, "shown": shown,
        })  # fmt: skip
    at = response.months.index(study.terms.months)
    made.append({
        "name": "months", "kind": "months", "base": 0, "low": 0, "high": len(response.months) - 1,
        "step": 1, "value": at, "shown": str(study.terms.months),
    })  # fmt: skip
    if response.usd_per_failure > 0:
        usd = response.usd_per_failure
        made.append({
            "name": "usd_per_failure", "kind": "times", "base": usd, "low": 0, "high": FAILURES,
            "step": 0.02, "value": 1, "shown": number_text(usd),
        })  # fmt: skip
    return [{**dial, "words": WORDS[str(dial["name"])]} for dial in made]


def _data(study: Study, response: Response, dials: list[dict[str, Any]], colours: list[str]) -> str:
    """What the script of the page reads; no text of the user can end the script."""

    def numbers(x: np.ndarray) -> str:
        return base64.b64encode(np.ascontiguousarray(x, "<f8").tobytes()).decode()

    parts = ("nodes", "start", "trend", "lean", "weights")
    curves = [
        {"label": label} | {part: numbers(getattr(curve, part)) for part in parts}
        for label, curve in response.curves.items()
    ]
    money = study.terms.money
    content = {
        "curves": curves,
        "colours": colours,
        "months": response.months,
        "quantities": len(QUANTITIES),
        "reach": {name: high for name, (_, high) in response.reach.items()},
        "middle": MIDDLE,
        "near": NEAR,
        "far": FAR,
        "floor": study.quality_floor,
        "confidence": study.confidence,
        "unsure": _unsure(response),
        "money": {"code": money.code, "per_usd": money.per_usd, "rate": money.rate},
        "dials": dials,
    }
    return json.dumps(content).replace("<", "\\u003c")
