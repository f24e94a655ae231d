"""Figures of own GPUs show what is in the table, and say "never" where one side always wins."""

import numpy as np
import pandas as pd
import pytest
from fleets import RENT, option, work
from matplotlib.text import Text
from toys import ON

import costmodel as cm
from costmodel.core.words import Currency
from costmodel.pages.plots import serving as plots_serving
from costmodel.pages.plots import validation as plots_fidelity

OWN = cm.Hosted("llama-3.1-8b", requests_per_s=1.0, gpus_per_replica=1, rent=RENT)
ASKED = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)


def words(ax):
    return " ".join(text.get_text() for text in ax.figure.findobj(Text))


def test_price_against_use_shows_its_lines_in_the_currency():
    table = cm.serving.by_utilisation(
        OWN, ASKED, [0.05, 0.2, 1.0], fte=0.5, api=cm.Api("gpt-4o-mini", on=ON)
    )
    ax = plots_serving.plot_utilisation(table, money=Currency("EUR", 0.5, "2026-11-20"))
    assert np.allclose(ax.lines[0].get_ydata(), 0.5 * table["usd_per_mtok_out"])
    assert all(label in words(ax) for label in ("GPUs alone", "with people", "API", "EUR/Mtok"))


@pytest.mark.parametrize("scaling", ["fixed", "hourly"])
def test_a_day_shows_load_below_capacity(scaling):
    day = cm.serving.day(option(scaling=scaling), work(2.0, peak=2.0))
    ax = plots_serving.plot_day(day)
    assert "of the replica-hours of this day are in use" in words(
        ax
    ) and "answered by the API" not in words(ax)
    assert ax.get_ylim()[1] > day["capacity"].max()


def test_a_map_names_the_line_or_says_never():
    shares, staff = [0.05, 0.2, 1.0], [0.0, 1.0]
    crossed = cm.serving.own_over_api(OWN, cm.Api("gpt-4o", on=ON), ASKED, shares, staff)
    assert crossed.to_numpy().min() < 1 < crossed.to_numpy().max()
    assert "purple: own GPUs are cheaper" in words(
        plots_serving.plot_breakeven_map(crossed, now=(0.2, 0.5))
    )
    assert "never: the API is cheaper everywhere" in words(
        plots_serving.plot_breakeven_map(crossed * 100)
    )
    assert "never: own GPUs are cheaper everywhere" in words(
        plots_serving.plot_breakeven_map(crossed / 1_000)
    )
    with pytest.raises(ValueError, match="at least two rows"):
        plots_serving.plot_breakeven_map(crossed.iloc[:1])


def test_buying_stands_beside_each_rent_with_its_break_even():
    table = pd.DataFrame(
        cm.serving.buy_or_rent("H100-SXM", rents={"cheap": 0.5, "dear": 9.0}, draws=200)
    )
    text = words(plots_serving.plot_buy_or_rent(table))
    assert "never" in text and f"{table['breakeven_utilisation'].iloc[2] * 100:.0f}" in text


def test_measurements_without_a_band_are_no_hits():
    """The latency of a whole batch and the first token of a bare engine have no band.

    Their dots are grey and named, and only rows with a band are inside or outside.
    """
    served = cm.validation.serving_held_out()
    ax = plots_fidelity.plot_errors(served, "measured")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "inside its 80 % band",
        "outside",
        "without a band",
        "median",
    ]
    grey = sum(
        len(line.get_xdata()) for line in ax.lines if line.get_color() == plots_fidelity.GREY
    )
    bandless = served["measured"].isin(["static batch, latency", "first token, bare engine"])
    assert grey == served["low"].isna().sum() == bandless.sum() > 100
    banded = plots_fidelity.plot_errors(served[served["low"].notna()], "measured")
    assert len(banded.get_legend().get_texts()) == 3
