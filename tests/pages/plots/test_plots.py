"""Figures draw what the table says, on the axes given, and leave the table and pyplot alone."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import costmodel as cm
from costmodel.choices.purchases import PHASES
from costmodel.core.words import Currency
from costmodel.pages import plots
from costmodel.pages.plots import marks, style

ON = "2026-11-20"
WORK = cm.Workload(
    requests_per_month=300_000,
    instruction_tokens=600,
    input_tokens=900,
    output_tokens=250,
    usd_per_failure=0.2,
    corpus=cm.Corpus(tokens=4_000_000, churn_per_month=0.03),
)
OPTIONS = cm.presets(WORK, on=ON, only="all")
VOLUMES = np.geomspace(1e4, 1e7, 7)
SOME = {1: {"RAG": OPTIONS["RAG"]}, 15: OPTIONS}

FIGURES = {
    "lifecycle": (lambda options: cm.ledger(options, WORK), plots.plot_lifecycle),
    "bands": (lambda options: cm.compare(options, WORK, draws=100), plots.plot_bands),
    "cumulative": (lambda options: cm.finance.cash_flow(options, WORK), plots.plot_cumulative),
    "sweep": (
        lambda options: cm.sweep(options, WORK, "requests_per_month", VOLUMES, draws=50),
        lambda table, ax=None, **more: plots.plot_sweep(table, "requests_per_month", ax, **more),
    ),
    "quality": (
        lambda options: cm.compare(options, WORK, draws=100),
        lambda table, ax=None, **more: plots.plot_quality(table, ax, floor=0.5, **more),
    ),
    "tornado": (
        lambda options: cm.uncertainty.tornado(next(iter(options.values())), WORK),
        plots.plot_tornado,
    ),
}


def texts(ax) -> str:
    return "\n".join(
        t.get_text() for t in [*ax.texts, *ax.get_yticklabels(), *ax.get_xticklabels()]
    )


@pytest.mark.parametrize("count", SOME)
@pytest.mark.parametrize("name", FIGURES)
def test_draws_on_the_axes_it_is_given(name, count):
    table_of, plot = FIGURES[name]
    table = table_of(SOME[count])
    before = table.copy(deep=True)
    ax = style.picture()
    assert plot(table, ax) is ax
    pd.testing.assert_frame_equal(table, before)
    assert "[" in ax.get_xlabel() or "month" in ax.get_xlabel()
    assert "[" in ax.get_xlabel() + ax.get_ylabel()  # the unit of money at least
    assert style.svg(ax.figure).startswith("<?xml") and style.png(ax.figure)[:4] == b"\x89PNG"
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.parametrize("name", FIGURES)
def test_in_the_readers_currency(name):
    table_of, plot = FIGURES[name]
    ax = plot(table_of(SOME[1]), money=Currency("EUR", 0.9, ON))
    assert (
        "[EUR]" in ax.get_xlabel() + ax.get_ylabel()
        and "[USD]" not in ax.get_xlabel() + ax.get_ylabel()
    )
    ax.figure.canvas.draw()
    assert "€" in texts(ax) and "$" not in texts(ax)


def test_a_label_keeps_its_colour():
    every = style.palette(OPTIONS)
    assert len(set(every.values())) == len(OPTIONS)
    assert style.palette(["LoRA"]) == {"LoRA": every["LoRA"]}
    own = style.palette([*OPTIONS, "Our own"])
    assert own["Our own"] not in every.values() and {k: own[k] for k in every} == every
    assert style.palette(["b", "a", "c"]) == style.palette(["c", "b", "a"])


def test_lifecycle_bars_end_at_the_totals_cheapest_on_top():
    table = cm.ledger(OPTIONS, WORK)
    totals = table.groupby("option")["usd"].sum().sort_values()
    ax = plots.plot_lifecycle(table)
    assert [t.get_text() for t in ax.get_yticklabels()] == list(totals.index)
    for row, usd in enumerate(totals):
        ends = [
            p.get_x() + p.get_width()
            for p in ax.patches
            if abs(p.get_y() + p.get_height() / 2 - row) < 1e-6
        ]
        assert max(ends) == pytest.approx(usd)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # first row on top


def test_a_legend_of_many_phases_ends_within_the_figure():
    phases = list(PHASES)
    paid = pd.DataFrame({"option": "a rather long name of an option", "phase": phases, "usd": 1.0})
    figure = plots.plot_lifecycle(paid).figure
    figure.draw_without_rendering()
    legend = figure.axes[0].get_legend()
    assert len(legend.get_texts()) == len(phases)
    assert legend.get_window_extent().x1 <= figure.bbox.x1


def test_log_odds_are_shown_as_a_bar_without_their_numbers():
    table = cm.uncertainty.tornado(OPTIONS["Prompt"], WORK, draws=100)
    odds = table["input"].map(lambda key: style.unit_of(key.rsplit(".", 1)[-1])) == "log-odds"
    ax = plots.plot_tornado(table[odds])
    said = " ".join([texts(ax), *(text.get_text() for text in ax.get_yticklabels())])
    assert odds.any() and "log-odds" not in said and "-0." not in said
    assert "difficulty of your task" in said and "(task)" not in said


def test_bands_say_why_not():
    table = cm.compare(OPTIONS, WORK, draws=100)
    numbers = table.select_dtypes("number").columns
    table.loc["RAG", numbers] = np.nan
    table.loc["RAG", "eligible"] = False
    table.loc["RAG", "why_not"] = "the corpus does not fit"
    ax = plots.plot_bands(table)
    assert "the corpus does not fit" in texts(ax)
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[-1] == "RAG" and ax.get_yticklabels()[-1].get_color() == style.GREY


def test_cumulative_names_the_crossing():
    months = np.arange(13)
    rows = [
        pd.DataFrame({"option": n, "month": months, "present_value": start + rate * months})
        for n, start, rate in (("A", 0, 10), ("B", 55, 2))
    ]
    ax = plots.plot_cumulative(pd.concat(rows, ignore_index=True))
    assert "B has cost less than A from month 7 on" in texts(ax)  # 55 + 2 m = 10 m at m = 6.9


def test_sweep_marks_the_break_even():
    pair = {k: OPTIONS[k] for k in ("RAG", "LoRA")}
    found = cm.breakeven(pair, WORK, draws=20)
    ax = plots.plot_sweep(
        cm.sweep(pair, WORK, "requests_per_month", VOLUMES), "requests_per_month", crossings=[found]
    )
    assert ax.get_xscale() == "log"
    if np.isfinite(found["crossing"][0]):
        assert "is cheaper than" in texts(ax) and any(
            line.get_xdata()[0] == found["crossing"][0] for line in ax.lines
        )


def test_sweep_says_which_column_is_missing():
    with pytest.raises(
        ValueError, match=r"no column 'volume'; the table has option, requests_per_month"
    ):
        plots.plot_sweep(cm.sweep(SOME[1], WORK, "requests_per_month", VOLUMES), "volume")


def test_quality_frontier_is_what_nothing_beats():
    table = pd.DataFrame(
        {"per_accepted": [1.0, 2.0, 3.0], "quality": [0.5, 0.9, 0.6]},
        index=["cheap", "good", "beaten"],
    )
    ax = plots.plot_quality(table)
    line = ax.lines[0]
    assert sorted(line.get_xdata()) == [0.5, 0.9]
    faded = {t.get_text(): t.get_color() for t in ax.texts}
    assert faded["beaten"] == style.GREY and faded["good"] == style.INK


def test_names_do_not_meet():
    places = marks._apart(np.array([0.5, 0.5, 0.5, 0.1]), 0.05)
    assert np.diff(np.sort(places)).min() > 0.049 and places[3] == pytest.approx(0.1)


def test_same_figure_same_bytes():
    table = cm.compare(SOME[1], WORK, draws=100)
    assert style.svg(plots.plot_bands(table).figure) == style.svg(plots.plot_bands(table).figure)


def test_an_empty_table_is_an_error():
    with pytest.raises(ValueError, match="no option can run"):
        plots.plot_lifecycle(cm.ledger(SOME[1], WORK).head(0))


# -- the decision and the business case ------------------------------------------------------------


def test_figures_of_the_decision_show_their_tables():
    """Each figure takes the table of its analysis and draws every row of it."""
    from toys import STILL, Buy, api

    from costmodel.choices.schedule import monthly
    from costmodel.pages.plots import decisions as pd_

    work = cm.Workload(cm.Range(500, 2_000), input_tokens=1_000, peak_to_average=2.0)
    plain = cm.Option(api("a", **{"in": cm.Range(800, 1_200, name="price"), "out": 0.0}))
    tuned = cm.Option(
        api("b", **{"in": 750.0, "out": 0.0}), Buy(cm.Range(2_000, 9_000, name="tune"))
    )
    options, terms = {"plain": plain, "tuned": tuned}, replace(STILL, months=12)
    change = cm.finance.waterfall((plain, work, terms), (tuned, work, terms))
    ax = pd_.plot_waterfall(change)
    assert [t.get_text() for t in ax.get_yticklabels()] == change["step"].to_list()
    few = pd_.plot_waterfall(change, least=0.9)
    rows = [t.get_text() for t in few.get_yticklabels()]
    assert rows[0] == "before" and rows[-2:] == ["smaller steps", "after"] and len(rows) < 7
    left, width = few.patches[-2].get_x(), few.patches[-2].get_width()
    assert left + width == pytest.approx(change["total"].iloc[-1])
    fan = cm.uncertainty.fan(options, work, terms=terms, draws=50)
    ends = {line.get_ydata()[-1] for line in pd_.plot_fan(fan).get_lines()}
    assert ends == set(fan[fan["month"] == 12]["p50"])
    flow = cm.finance.case_flow(
        {"tuned": tuned},
        work,
        cm.Option(api(**{"in": 0.0, "out": 0.0}), Buy(2_000, monthly())),
        cm.finance.Policy(realised=1.0),
        terms=terms,
    )
    ax = pd_.plot_case(flow)
    assert [bar.get_height() for bar in ax.patches[:13]] == flow["net"].to_list()
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == ["comes in", "goes out", "sum so far"]
    assert "sum so far" not in [text.get_text() for text in ax.texts]  # it would lie on the bars
    areas = cm.decisions.regions(
        options, work, {"requests_per_month": None, "input_tokens": [100, 1_000]}, terms=terms
    )
    ax = pd_.plot_regions(areas)
    assert {t.get_text() for t in ax.get_legend().get_texts()} == set(areas["best"])
    shares = cm.uncertainty.sobol(tuned, work, points=64, terms=terms)
    assert len(pd_.plot_sobol(shares, n=2).patches) == 4
    known = cm.uncertainty.value_of_information(options, work, draws=500, terms=terms)
    assert len(pd_.plot_information(known).get_yticklabels()) == min((known["usd"] > 0).sum(), 9)


def test_a_sweep_of_many_options_greys_what_is_nowhere_the_cheapest():
    rows = [
        (f"option {i}", x, (i + 1) * x + 100 / (i + 1))
        for i in range(6)
        for x in (1.0, 10.0, 100.0)
    ]
    table = pd.DataFrame(rows, columns=["option", "requests_per_month", "present_value"])
    winners = set(
        table.loc[table.groupby("requests_per_month")["present_value"].idxmin(), "option"]
    )
    assert 1 < len(winners) < 6
    ax = plots.plot_sweep(table, "requests_per_month", relative=True, now=10.0)
    drawn = {t.get_text(): t.get_color() for t in ax.texts if t.get_text().startswith("option")}
    assert {name for name, colour in drawn.items() if colour != style.GREY} == winners
    lines = [line for line in ax.lines if len(line.get_xdata()) == 3]
    assert min(line.get_ydata().min() for line in lines) == 1.0 and "dotted: 10" in texts(ax)


def test_what_misses_the_floor_is_pale_among_the_bands():
    table = cm.compare(OPTIONS, WORK, draws=100)
    table["eligible"] = table.index != "RAG"
    colours = {t.get_text(): t.get_color() for t in plots.plot_bands(table).get_yticklabels()}
    assert colours.pop("RAG") == style.GREY and set(colours.values()) == {style.INK}


def test_nothing_worth_knowing_is_a_picture_too():
    from costmodel.decisions.information import COLUMNS
    from costmodel.pages.plots.decisions import plot_information

    table = pd.DataFrame(
        [
            ("everything", "", "all", 0.0, 0.0, np.nan, np.nan, ""),
            ("x", "", "input", 0.0, 0.0, np.nan, np.nan, ""),
        ],
        columns=COLUMNS,
    )
    assert [text.get_text() for text in plot_information(table).get_yticklabels()] == ["everything"]


def test_a_pilot_shows_worth_and_price_below_perfect_information_in_the_readers_currency():
    table = cm.decisions.pilot(cm.load("support_assistant"), n=(25, 100), draws=1_000)
    before = table.copy(deep=True)
    ax = plots.plot_pilot(table, money=Currency("EUR", 0.5, ON))
    pd.testing.assert_frame_equal(table, before)
    most = max(table.attrs["judged"].values(), key=len)
    ends = {t.get_text().removeprefix("and ") for t in ax.texts} - {"knowing everything"}
    assert ends == {*most} and len(most) > 1
    perfect, *lines = (line.get_ydata() for line in ax.lines)
    assert perfect[0] == 0.5 * table.attrs["perfect"] and len(lines) == 2 * len(most)
    usd = table.set_index(["plan", "n"]).loc[most[0]].sort_index()
    assert lines[0].tolist() == (0.5 * usd["usd_to_measure"]).to_list()
    assert lines[len(most)].tolist() == (0.5 * usd["usd"]).to_list()
    assert "EUR" in ax.get_ylabel()
    with pytest.raises(ValueError, match="two sizes"):
        plots.plot_pilot(table[table["n"] == 25])


def test_wrong_answers_show_the_lines_the_changes_and_your_price_in_the_readers_currency():
    study = cm.load("support_assistant").changed(draws=300)
    table = cm.decisions.wrong_answer_chances(study)
    before = table.copy(deep=True)
    ax = plots.plot_wrong_answers(table, money=Currency("EUR", 0.5, ON))
    pd.testing.assert_frame_equal(table, before)
    upper, lower = ax.figure.axes
    assert upper is ax and "[EUR]" in ax.get_ylabel() and "[EUR]" in lower.get_xlabel()
    best = table[table["option"] == "Long context + cache"]
    assert any(
        np.size(line.get_ydata()) == len(best) and np.allclose(line.get_ydata(), 0.5 * best["npv"])
        for line in ax.lines
    )
    changes = [0.5 * x for x in table.attrs["from"].values()]
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([x for x in changes if 0 < x < ax.get_xlim()[1]])
    assert 0.75 in [line.get_xdata()[0] for line in lower.lines]  # half of USD 1.50
    assert "your price" in texts(ax) and "Long context + cache" in texts(ax)
    assert "$" not in texts(ax)
    areas = lower.collections[:-1]  # the last are the ends of your price
    tops = [path.vertices[:, 1].max() for c in areas for path in c.get_paths()]
    assert max(tops) == pytest.approx(1)
    assert style.svg(ax.figure).startswith("<?xml")


def test_wrong_answers_need_axes_that_can_be_parted():
    ax = style.picture().figure.add_axes((0.1, 0.1, 0.8, 0.8))
    table = cm.decisions.wrong_answer_chances(SOME[1], WORK, draws=20)
    with pytest.raises(ValueError, match="ax must be a subplot"):
        plots.plot_wrong_answers(table, ax)
