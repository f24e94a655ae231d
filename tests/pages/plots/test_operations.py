"""Figures of operations draw what the tables say, on the axes given, in the reader's currency."""

import numpy as np
import pytest
from toys import STILL, api

import costmodel as cm
from costmodel.core.words import Currency
from costmodel.pages.plots import operations as plots_operations
from costmodel.pages.plots import style

SERVING = api(**{"in": 2.0, "out": 10.0, "cache_read": 0.2, "cache_write": 2.5}, accepted=0.8)
WORK = cm.Workload(
    300_000, instruction_tokens=500, input_tokens=1_000, output_tokens=200, usd_per_failure=0.4
)
ALIVE = cm.Option(
    SERVING, cm.Evals(), cm.Release(), cm.Monitoring(), cm.Upgrades(every_months=5), cm.Compliance()
)
YEAR = cm.Terms(start="2026-12-01", months=12, trends=STILL.trends)
FIGURES = {
    "year": (lambda: cm.ledger(ALIVE, WORK, terms=YEAR), plots_operations.plot_year),
    "policies": (
        lambda: cm.operations.release_policies(ALIVE, WORK, terms=YEAR),
        plots_operations.plot_policies,
    ),
    "best_policy": (
        lambda: cm.operations.best_policy(ALIVE, WORK, [1e3, 1e5, 1e7], [0.01, 1.0], terms=YEAR),
        plots_operations.plot_best_policy,
    ),
    "shares": (
        lambda: cm.operations.inference_share(ALIVE, WORK, [1e4, 1e6], terms=YEAR),
        plots_operations.plot_shares,
    ),
    "tasks": (
        lambda: cm.operations.steps_and_success(
            cm.Option(SERVING, cm.Agent()), WORK, [2.0, 20.0], (0.9, 0.5), terms=YEAR
        ),
        plots_operations.plot_tasks,
    ),
    "agent_runs": (lambda: cm.operations.agent_runs(draws=200), plots_operations.plot_agent_runs),
}


@pytest.mark.parametrize("name", FIGURES)
def test_draws_on_the_axes_it_is_given_and_leaves_the_table_alone(name):
    table_of, plot = FIGURES[name]
    table = table_of()
    before, ax = table.copy(deep=True), style.picture()
    assert plot(table, ax=ax) is ax and table.equals(before)
    assert "[" in ax.get_xlabel() + ax.get_ylabel()
    assert style.svg(ax.figure).startswith("<?xml") and style.png(ax.figure)[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["year", "policies", "tasks"])
def test_in_the_readers_currency(name):
    table_of, plot = FIGURES[name]
    ax = plot(table_of(), money=Currency("EUR", 0.9, "2026-11-20"))
    assert "[EUR]" in ax.get_xlabel() + ax.get_ylabel()


def test_a_year_stacks_to_what_is_paid_and_names_its_events():
    book = cm.ledger(ALIVE, WORK, terms=YEAR)
    ax = plots_operations.plot_year(book, cm.operations.oneoffs(ALIVE, WORK, terms=YEAR))
    paid = book.groupby("month")["usd"].sum()
    tops = [
        max(
            p.get_y() + p.get_height()
            for p in ax.patches
            if abs(p.get_x() + p.get_width() / 2 - month) < 0.1
        )
        for month in range(13)
    ]
    assert tops == pytest.approx(paid.reindex(range(13), fill_value=0).to_list())
    named = " ".join(t.get_text() for t in ax.get_legend().get_texts())
    assert "forced model upgrade" in named and "expected loss" in named


def test_policy_bars_end_at_the_totals():
    table = cm.operations.release_policies(ALIVE, WORK, terms=YEAR)
    ax = plots_operations.plot_policies(table)
    for row, usd in enumerate(table["usd_total"]):
        ends = [
            p.get_x() + p.get_width()
            for p in ax.patches
            if abs(p.get_y() + p.get_height() / 2 - row) < 1e-6
        ]
        assert max(ends) == pytest.approx(usd)
    assert np.isclose(ax.get_xlim()[0], 0)
