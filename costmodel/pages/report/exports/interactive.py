"""A study as one page that answers without Python: sliders over a response that was computed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from costmodel.choices.study import Study, analysis
from costmodel.core import check, middle, number_text
from costmodel.decisions.response import DRAWS, FAILURES, QUANTITIES, Response, respond
from costmodel.decisions.verdict import Verdict, recommend
from costmodel.facts.pricelist import snapshot
from costmodel.pages.plots.style import palette
from costmodel.pages.report.colophon import own_version
from costmodel.pages.report.html import page
from costmodel.pages.tables import show

POSITIONS = 200  # random positions at which the page is held against Python
FEW, ENOUGH, MORE_DRAWS = 30, 0.008, (4, 12)  # first looks, their error, and what it may take
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
def interactive(
    study: Study, path: str | Path, positions: int = POSITIONS, grid_draws: int = DRAWS
) -> Path:
    """Write a study as one HTML file with sliders that needs no network and no Python.

    Its sliders are requests, tokens of a question and of an answer, growth, horizon and the cost of
    a wrong answer; each moves with the doubt around it. Bars and sentence follow, over a response
    that is computed here and held against `compare` at random positions. Before a slider is moved,
    and without scripts, the page shows the numbers of the study, to the cent.

    Parameters
    ----------
    study : Study, or options with a workload
        What is written: of more than eight options that run, the eight best.
    path : str or Path
        The file.
    positions : int
        At how many random positions the largest error is measured, which the page states.
    grid_draws : int
        Draws behind each point of the response.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        When no option can run.
    """
    verdict = recommend(study, flips=False)
    ranked = verdict.table[verdict.table["expected"].notna()]
    labels = [str(x) for x in ranked.sort_values("eligible", ascending=False, kind="stable").index]
    check(labels, "no option can run, so there is nothing to move; see why_not of compare")
    for more in (1, *MORE_DRAWS):  # whole GPUs and servers need many draws to be a smooth curve
        response = respond(study, labels[:OPTIONS_MAX], grid_draws * more)
        if response.error(min(positions, FEW), seed=2) < ENOUGH:
            break
    error = response.error(positions)
    text = page_of(study, verdict, response, error, positions)
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def page_of(
    study: Study, verdict: Verdict, response: Response, error: float, positions: int
) -> str:
    """The page, with the numbers of the study before a slider is moved."""
    table, terms = verdict.table, study.terms
    rows = table.loc[list(response.labels)]
    most, colours = rows["expected"].max(), palette(response.labels)
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
    left_out = [x for x in table.index[table["expected"].notna()] if x not in response.labels]
    measured = (
        f"Once a slider is moved, the numbers are read off a computed response; at {positions} "
        f"random positions they differed from Python by at most {error:.2%}."
    )
    rest = f" Left out of the sliders: {', '.join(left_out)}." if left_out else ""
    stamp = f"costmodel {own_version()}; prices: {snapshot()}; "
    stamp += f"{study.draws:,} draws, seed {study.seed}"
    exact = {"expected": ",.2f", "base_case": ",.2f"}
    return page(
        "interactive.html.j2",
        title=study.title or "Cost of the options",
        byline=f"{terms.months} months from {terms.start}, prices of {terms.on or 'each option'}",
        headline=verdict.headline,
        dials=dials,
        rows=bars,
        table=f'<div class="table wide">{show(table[SHOWN], exact).html}</div>',
        error=measured + rest,
        stamp=stamp,
        data=_data(study, response, dials),
    )


def _dials(study: Study, response: Response) -> list[dict[str, Any]]:
    """The sliders: what they are called, where they stand and how far they reach."""
    work, made = middle(study.work), []
    for name, nodes in response.axes.items():
        growth = name == "growth_per_year"
        base, low, high = float(getattr(work, name)), float(nodes[0]), float(nodes[-1])
        shown = f"{100 * base:.0f} %" if growth else number_text(base)
        step = (high - low) / 200
        made.append({
            "name": name, "kind": "difference" if growth else "factor", "base": base,
            "low": low, "high": high, "step": step, "value": 0.0, "shown": shown,
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


def _data(study: Study, response: Response, dials: list[dict[str, Any]]) -> str:
    """What the script of the page reads; no text of the user can end the script."""
    content = {
        "labels": response.labels,
        "axes": {name: nodes.tolist() for name, nodes in response.axes.items()},
        "months": response.months,
        "quantities": len(QUANTITIES),
        "floor": study.quality_floor,
        "confidence": study.confidence,
        "dials": dials,
        "table": base64.b64encode(np.ascontiguousarray(response.table, "<f4").tobytes()).decode(),
    }
    return json.dumps(content).replace("<", "\\u003c")
