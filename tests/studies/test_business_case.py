"""The business case: textbook present values, undefined rates, depreciation that ends with the
model, tax, contingency, currency, baselines.
"""

from dataclasses import replace

import numpy as np
import pytest
from toys import STILL, Buy, api

import costmodel as cm
from costmodel.choices.schedule import every, monthly
from costmodel.laws.money import written_off

ONE = cm.Workload(1, input_tokens=1, peak_to_average=2.0)
FIVE_YEARS = replace(STILL, months=60, discount_rate=0.10)
ALL = cm.finance.Policy(realised=1.0)


def free():
    return api(**{"in": 0.0, "out": 0.0})


def buys(*purchases):
    return cm.Option(free(), *purchases)


def case(option, base, policy=ALL, terms=FIVE_YEARS, **more):
    return cm.finance.business_case({"it": option}, ONE, base, policy, terms=terms, **more).iloc[0]


INVEST, SAVED = buys(Buy(1e6)), buys(Buy(550_000, every(12)))


def test_the_present_value_of_the_textbook():
    """-1,000,000, then 550,000 a year for five years at 10 %: 1,084,933; the rate of return 47 %,
    the money back in month 23.8.
    """
    row = case(INVEST, SAVED)
    assert round(row.npv) == 1_084_933
    assert (
        row.irr == pytest.approx(cm.finance.irr([-1e6] + [550_000] * 5), rel=1e-9)
        and row.irr_says == "47% a year"
    )
    assert (row.investment, row.tco, row.benefit) == (1e6, 1e6, 5 * 550_000)
    assert row.payback_month == pytest.approx(
        23 + 450 / 550
    )  # 450,000 are missing in month 23, and month 24 brings 550,000
    assert row.npv_p10 == row.npv_p90 == pytest.approx(row.npv)


@pytest.mark.parametrize("amounts", [[100, 100], [-5, -5], [0, 0], [-1, 0]])
def test_a_rate_without_a_change_of_sign_is_undefined(amounts):
    assert np.isnan(cm.finance.irr(amounts))


def test_irr_is_where_the_present_value_is_0():
    for amounts in ([-100, 60, 60], [-100, 10, 10, 10], [100, -120], [-50, 400, -300]):
        rate = cm.finance.irr(amounts)
        assert cm.finance.npv(rate, amounts) == pytest.approx(0, abs=1e-7), amounts


def test_the_case_says_undefined():
    row = case(INVEST, buys(Buy(0)))
    assert (
        np.isnan(row.irr)
        and row.irr_says.startswith("undefined")
        and np.isnan(row.payback_month)
        and row.p_loss == 1
    )
    assert case(buys(Buy(0)), SAVED).irr_says.startswith(
        "undefined: the cash flow never changes sign, it is never negative"
    )


def test_only_what_is_realised_counts():
    assert case(INVEST, SAVED, cm.finance.Policy(realised=0.5)).benefit == pytest.approx(
        0.5 * 5 * 550_000
    )


def test_3_200_tickets_of_9_minutes_at_32_dollars():
    """The human baseline of a support desk: 3,200 x 9 / 60 x 32 = 15,360 a month."""
    work = cm.Workload(3_200, input_tokens=1, peak_to_average=2.0)
    people = cm.Option(cm.finance.Staff(9, usd_per_hour=32, accepted=None))
    assert cm.compare(people, work, months=1, terms=STILL, draws=5).mid.item() == pytest.approx(
        15_360
    )
    row = cm.finance.business_case(
        {"it": buys(Buy(0))}, work, people, ALL, months=1, terms=STILL
    ).iloc[0]
    assert row.benefit == pytest.approx(15_360)


def test_doing_nothing_costs_the_wrong_answers():
    work = cm.Workload(1_000, input_tokens=1, peak_to_average=2.0, usd_per_failure=2.0)
    table = cm.compare(
        {
            "nothing": cm.Option(cm.finance.Today(0, accepted=0.0)),
            "seats": cm.Option(cm.finance.Seats(50, 20), quality=0.9),
        },
        work,
        months=1,
        terms=STILL,
        draws=5,
    )
    assert table.mid.to_dict() == pytest.approx({"seats": 50 * 20 + 100 * 2.0, "nothing": 2_000})


def test_seats_or_build_breaks_even_at_a_number_of_users():
    """$2,000 a month against $20 a seat: 100 users."""
    row = cm.breakeven(
        {"first": cm.Option(cm.finance.Seats(50, 20)), "second": buys(Buy(2_000, monthly()))},
        ONE,
        over="Seats.seats",
        terms=STILL,
        draws=5,
    ).iloc[0]
    assert row.crossing == pytest.approx(100, rel=1e-6)


# -- the books -------------------------------------------------------------------------------------


def asset(usd, moves=None):
    """A capitalised purchase, and a forced move to another model after some months."""

    class Built:
        def buys(self, case):
            yield replace(next(Buy(usd).buys(case)), treatment="capex")
            if moves:
                yield next(Buy(1.0, every(moves), phase="migration").buys(case))

    return cm.Option(free(), Built())


def test_an_asset_iswritten_off_evenly_over_its_life():
    row = case(asset(36_000), SAVED, cm.finance.Policy(realised=1.0, life_months=36))
    assert (row.capex, row.depreciation, row.written_off_months, row.opex) == (
        36_000,
        pytest.approx(36_000),
        36,
        pytest.approx(0),
    )
    off = written_off(np.array([[1_200.0] + [0.0] * 24]), np.array([12.0]))[0]
    assert off.tolist() == pytest.approx([0.0] + [100.0] * 12 + [0.0] * 12)


def test_no_asset_outlives_its_model():
    row = case(asset(36_000, moves=9), SAVED, cm.finance.Policy(realised=1.0, life_months=36))
    assert row.written_off_months == 9


def test_what_is_left_at_the_horizon_is_notwritten_off():
    row = case(
        asset(36_000),
        SAVED,
        cm.finance.Policy(realised=1.0, life_months=120),
        terms=replace(FIVE_YEARS, months=12),
    )
    assert row.depreciation == pytest.approx(36_000 * 12 / 120)


@pytest.mark.parametrize("capitalise", ["tagged", "build", "nothing"])
def test_without_tax_the_policy_moves_no_cash(capitalise):
    """Cash NPV is unchanged whatever is capitalised; with tax, expensing at once is worth more."""
    assert case(
        asset(36_000), SAVED, cm.finance.Policy(capitalise, realised=1.0)
    ).npv == pytest.approx(case(asset(36_000), SAVED).npv)
    taxed = {
        c: case(asset(36_000), SAVED, cm.finance.Policy(c, tax_rate=0.25, realised=1.0)).npv
        for c in ("tagged", "nothing")
    }
    assert taxed["nothing"] > taxed["tagged"]


def test_tax_takes_its_share_of_the_gain():
    """All expensed: 25 % of (2,750,000 - 1,000,000)."""
    row = case(INVEST, SAVED, cm.finance.Policy("nothing", tax_rate=0.25, realised=1.0))
    assert row.tax == pytest.approx(0.25 * 1_750_000)


def test_the_contingency_reaches_the_chosen_percentile():
    usd = cm.Range(50, 200, mid=100, name="x")
    row = case(
        buys(Buy(usd)),
        SAVED,
        cm.finance.Policy(realised=1.0, contingency_percentile=90),
        draws=8_000,
    )
    assert row.tco == 100 and row.budget == pytest.approx(usd.quantile(0.9), rel=0.01)
    assert row.contingency == pytest.approx(row.budget - 100)


def test_another_currency_says_its_rate_and_date():
    row = case(INVEST, SAVED, terms=replace(FIVE_YEARS, currency="EUR 0.92 2026-11-20"))
    assert row.currency == "EUR at 0.92 per USD of 2026-11-20" and row.npv == pytest.approx(
        0.92 * 1_084_932.72, abs=0.01
    )


def test_the_flow_adds_up_to_the_case():
    policy = cm.finance.Policy(tax_rate=0.25, realised=0.9)
    flow = cm.finance.case_flow({"it": asset(36_000)}, ONE, SAVED, policy, terms=FIVE_YEARS)
    row = case(asset(36_000), SAVED, policy)
    assert flow["discounted"].sum() == pytest.approx(row.npv) and flow[
        "tax"
    ].sum() == pytest.approx(row.tax)
    assert (
        flow["net"] - (flow["benefit"] - flow["cost"] - flow["wrong_answers"] - flow["tax"])
    ).abs().max() < 1e-9


def test_tco_is_compare_at_each_horizon():
    option = buys(Buy(1_000), Buy(cm.Range(5, 20, name="x"), monthly()))
    table = cm.finance.tco(option, ONE, terms=STILL, draws=200).set_index("months")
    assert list(table.index) == [12, 24, 36, 48, 60]
    assert table.mid.to_list() == pytest.approx([1_000 + 10 * m for m in table.index])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"capitalise": "some"}, "allowed are tagged, nothing, build"),
        ({"tax_rate": 1.5}, "Policy.tax_rate is 1.5"),
        ({"contingency_percentile": 100}, "between 0.1 and 99.9"),
    ],
)
def test_a_wrong_policy_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        cm.finance.Policy(**given)


def test_a_baseline_must_be_an_option():
    with pytest.raises(ValueError, match="baseline is 5"):
        cm.finance.business_case(INVEST, ONE, 5)


def test_baselines_are_written_and_read():
    text = """
title: Baselines
workload: {requests_per_month: 3200, input_tokens: 900, output_tokens: 250, usd_per_failure: 2}
terms: {on: 2026-11-20, months: 12}
options:
  people: {serving: {staff: 9, usd_per_hour: {low: 25, high: 40}}}
  seats: {serving: {seats: 50, usd_per_seat_month: 20}, quality: 0.8}
  nothing: {serving: {today: 0, accepted: 0}}
"""
    from costmodel.scenarios.writing import as_yaml

    case = cm.load(text)
    again = cm.load(as_yaml(case))
    table = cm.compare(case.options, case.work, terms=case.terms, draws=100)
    assert cm.compare(again.options, again.work, terms=again.terms, draws=100).equals(table)
    assert table.mid["seats"] == pytest.approx(12 * 50 * 20 + 12 * 3_200 * 0.2 * 2)
    assert cm.report.made_of(case.options)["answers"].to_list() == [
        "people",
        "seats of a product",
        "as today",
    ]


def test_wrong_answers_count_only_where_both_qualities_are_known():
    """1,000 requests at $2 a wrong answer: a bill of today says nothing of its answers, so no
    option pays for its own against it.
    """
    work = cm.Workload(1_000, input_tokens=1, peak_to_average=2.0, usd_per_failure=2.0)
    known, unknown = (
        cm.Option(cm.finance.Seats(5, 10), quality=0.9),
        cm.Option(cm.finance.Seats(5, 10)),
    )
    for option, base in (
        (known, cm.Option(cm.finance.Today(500))),
        (unknown, cm.Option(cm.finance.Today(500, accepted=0.5))),
    ):
        row = cm.finance.business_case({"it": option}, work, base, ALL, months=1, terms=STILL).iloc[
            0
        ]
        assert np.isnan(row.wrong_answers) and row.npv == pytest.approx(500 - 50)
    row = cm.finance.business_case(
        {"it": known},
        work,
        cm.Option(cm.finance.Today(500, accepted=0.5)),
        ALL,
        months=1,
        terms=STILL,
    ).iloc[0]
    assert row.wrong_answers == pytest.approx(-800) and row.npv == pytest.approx(500 - 50 + 800)


def test_a_rate_that_is_huge_is_not_called_undefined():
    """5,000 today and 300,000 a month later: sixty-fold in a month."""
    assert cm.finance.irr([-5_000, 300_000]) == pytest.approx(59)
    assert case(buys(Buy(5_000)), buys(Buy(300_000, monthly()))).irr_says.startswith(
        "above 1,000% a year"
    )


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: case(INVEST, SAVED, draws=0), "draws is 0, allowed"),
        (lambda: case(INVEST, SAVED, "tagged"), "policy is 'tagged', it must be Policy"),
        (lambda: cm.finance.tco(INVEST, ONE, horizons=()), "horizons is empty"),
        (lambda: cm.finance.irr([[1, -1]]), "one finite number for each period"),
        (
            lambda: cm.finance.Policy(life_months=0),
            "Policy.life_months is 0, allowed is at least 1",
        ),
        (
            lambda: cm.finance.Policy(contingency_percentile="80"),
            "Policy.contingency_percentile is '80'",
        ),
    ],
)
def test_what_finance_cannot_mean_is_one_sentence(ask, says):
    with pytest.raises(ValueError, match=says):
        ask()
