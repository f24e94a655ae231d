"""The price of a wrong answer: intervals by hand, beside a scan of the engine, and in words."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STILL, api

import costmodel as cm
from costmodel.core.words import Currency
from costmodel.decisions.simulate import per_draw
from costmodel.decisions.wrong_answers import (
    wrong_answer_chances,
    wrong_answer_prices,
    wrong_answer_sentence,
)
from costmodel.ledgers.engine import Bill
from costmodel.scenarios.scenario import examples

MONTH = replace(STILL, months=1)
WORK = cm.Workload(100, input_tokens=1_000, usd_per_failure=cm.Range(2.0, 8.0, mid=4.0))


def costs(usd, accepted):
    """An option of so many dollars and wrong answers among the 100 requests of one month."""
    return cm.Option(api(f"toy {usd}", **{"in": 10.0 * usd, "out": 0.0}), quality=accepted)


TOYS = {"dear": costs(400, 0.95), "cheap": costs(100, 0.6), "middling": costs(200, 0.8)}
DOMINATED = {"worse": costs(300, 0.79)}
STUDY = cm.Study(TOYS | DOMINATED, WORK, MONTH, draws=2_000)


def test_three_options_by_hand():
    """100 + 40 x, 200 + 20 x and 400 + 5 x meet at 5 and at 200 / 15."""
    table = wrong_answer_prices(STUDY)
    assert list(table["option"]) == ["cheap", "middling", "dear"]
    assert table["from"].to_list() == pytest.approx([0, 5, 200 / 15])
    assert table["to"].to_list() == pytest.approx([5, 200 / 15, np.inf])
    assert table["to_pay"].to_list() == pytest.approx([100, 200, 400])
    assert table["failures"].to_list() == pytest.approx([40, 20, 5])
    assert table["holds_yours"].to_list() == [True, False, False]
    assert table.attrs["yours"][:3] == (2.0, 4.0, 8.0)  # then the mean of the draws
    assert table["share_of_yours"].sum() == pytest.approx(1)
    u = np.log(5 / 4) / np.log(2) * 1.6449  # where 5 lies on the scale of the Range
    from scipy.stats import norm

    assert table["share_of_yours"][0] == pytest.approx(norm.cdf(u), abs=0.001)
    mean = ((table["npv"] - table["to_pay"]) / table["failures"]).to_list()
    drawn = cm.Range(2.0, 8.0, mid=4.0).quantile((np.arange(2_000) + 0.5) / 2_000).mean()
    assert mean == pytest.approx([drawn] * 3) and table.attrs["yours"][3] == pytest.approx(drawn)


def test_three_lines_through_one_point_leave_no_interval_of_width_zero():
    """100 + 40 x, 200 + 20 x and 250 + 10 x all cost 300 at the price 5."""
    options = {"a": costs(100, 0.6), "b": costs(200, 0.8), "c": costs(250, 0.9)}
    table = wrong_answer_prices(options, WORK, MONTH, draws=10)
    assert list(table["option"]) == ["a", "c"] and table["to"][0] == pytest.approx(5)


@pytest.mark.parametrize("name", examples())
def test_every_change_is_where_a_scan_of_the_engine_finds_it(name):
    """A scan prices every option at each price; three figures: half a part in a thousand around."""
    study = cm.load(name).changed(draws=400)
    table = wrong_answer_prices(study)
    changes = table["to"].to_numpy()[:-1]
    eligible = [label for label in study.options if label not in table.attrs["left_out"]]
    near = np.outer(changes, (0.9995, 1.0005)).ravel()
    prices = np.unique([*near, *np.geomspace(1e-3, 100, 60)])

    def present_value(bill, calendar):
        return bill.total(calendar, discounted=True)

    (usd,) = per_draw(study.only(*eligible), (present_value,), 400, {"usd_per_failure": prices})
    runs = ~np.isnan(sum(usd.values()))
    means = np.array([x[runs.all(axis=1)].mean(axis=0) for x in usd.values()])
    assert runs.all(axis=1).mean() > 0.9
    scanned = [eligible[i] for i in means.argmin(axis=0)]
    told = table["option"].to_numpy()[np.searchsorted(changes, prices, side="right")]
    assert scanned == list(told)


def test_what_has_a_price_of_its_own_is_paid_at_any_price():
    """Incidents with personal data are losses, but no wrong answers."""
    plain = cm.Option(api(**{"in": 1.0, "out": 1.0}, accepted=0.8))
    watched = replace(plain, techniques=(cm.Compliance(),))
    work = replace(WORK, usd_per_failure=0.0)
    for option in (plain, watched):
        table = wrong_answer_prices(option, work, terms=STILL, draws=200)
        (usd,) = per_draw(cm.Study(option, work, STILL), (Bill.total,), 200)
        assert table["to_pay"].item() == pytest.approx(usd["option"].mean())
        assert table["failures"].item() == pytest.approx(100 * 36 * 0.2)


def test_the_floor_unknown_quality_and_what_cannot_run_are_left_out_and_said():
    unknown = cm.Option(cm.finance.Seats(1, 1.0))
    blocked = cm.Option(api("narrow", window=10, **{"in": 1.0, "out": 0.0}), quality=0.9)
    study = STUDY.changed(options={**TOYS, "unknown": unknown, "narrow": blocked})
    left_out = wrong_answer_prices(study, quality_floor=0.7).attrs["left_out"]
    assert left_out["cheap"] == "not 80 % sure to reach the floor"
    assert "quality unknown" in left_out["unknown"] and "window" in left_out["narrow"]
    asked = wrong_answer_prices(study, ["cheap", "dear"], quality_floor=0.7)
    assert list(asked["option"]) == ["cheap", "dear"] and not asked.attrs["left_out"]
    with pytest.raises(ValueError, match="no option of known quality"):
        wrong_answer_prices({"unknown": unknown}, WORK, MONTH)


def test_chances_are_those_of_the_draws():
    """Beside `compare` at a price that is certain; the options of the envelope are the best."""
    study = cm.load("support_assistant").changed(draws=500)
    prices = [0.0, 0.4, 2.0]
    table = wrong_answer_chances(study, prices=prices)
    assert table.groupby("usd_per_failure")["p_cheapest"].sum().to_numpy() == pytest.approx(1)
    now = study.changed(work=replace(study.work, usd_per_failure=0.4))
    now = now.changed(terms=replace(study.terms, discount_rate=0.0))
    flat = wrong_answer_chances(now, prices=prices).query("usd_per_failure == 0.4")
    wanted = cm.recommend(now, flips=False).table["p_cheapest"]
    for row in flat.itertuples():
        assert row.p_cheapest == pytest.approx(wanted[row.option], abs=1e-9)
    best = table[table["best"]].set_index("usd_per_failure")["option"]
    starts = table.attrs["from"]
    assert list(best) == [
        max((o for o in starts if starts[o] <= x), key=starts.get) for x in prices
    ]


def test_the_grid_reaches_beyond_your_price_and_the_next_change():
    at = wrong_answer_chances(STUDY)["usd_per_failure"]
    assert at.min() == 0 and at.max() == pytest.approx(1.25 * 8)
    low = STUDY.changed(work=replace(WORK, usd_per_failure=6.0))
    assert wrong_answer_chances(low)["usd_per_failure"].max() == pytest.approx(1.25 * 200 / 15)
    with pytest.raises(ValueError, match="prices"):
        wrong_answer_chances(STUDY, prices=[-1.0])


# -- in words --------------------------------------------------------------------------------------


def said(usd, option, terms=None):
    study = STUDY.changed(work=replace(WORK, usd_per_failure=usd))
    return wrong_answer_sentence(wrong_answer_prices(study), option, terms)


@pytest.mark.parametrize(
    ("usd", "option", "sentence"),
    [
        (
            6.0,
            "middling",
            "middling stays best while a wrong answer costs between USD 5 and 13; you said 6.",
        ),
        (
            0.4,
            "cheap",
            "cheap stays best while a wrong answer costs less than USD 5; you said 0.40.",
        ),
        (20.0, "dear", "dear stays best while a wrong answer costs more than USD 13; you said 20."),
        (
            13.2,
            "dear",
            "dear is best only while a wrong answer costs more than USD 13.30; you said 13.20: "
            "there middling is.",
        ),
        (
            0.0,
            "cheap",
            "cheap stays best while a wrong answer costs less than USD 5; you gave it no price.",
        ),
        (
            13.34,
            "dear",
            "dear stays best while a wrong answer costs more than USD 13.33; you said 13.34.",
        ),
        (1.0, "worse", "worse is best at no price of a wrong answer; at yours cheap is."),
    ],
)
def test_the_sentence(usd, option, sentence):
    assert said(usd, option) == sentence


def test_the_sentence_in_another_currency_and_without_ends():
    euros = replace(MONTH, currency="EUR 0.5 2026-11-20")
    assert euros.money == Currency("EUR", 0.5, "2026-11-20")
    assert "between EUR 2.50 and 6.70; you said 3." in said(6.0, "middling", euros)
    ranged = said(cm.Range(2.0, 8.0, mid=4.0), "cheap")
    assert ranged == (
        "cheap stays best while a wrong answer costs less than USD 5; "
        "you said 4, which averages 4.37 over its range."
    )
    alone = wrong_answer_prices(STUDY.only("dear"))
    assert wrong_answer_sentence(alone, "dear") == "dear stays best at any price of a wrong answer."
