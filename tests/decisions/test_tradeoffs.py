"""Goals, dates, dominance and maps, each against its closed form."""

from dataclasses import replace

import numpy as np
import pytest
from toys import ON, STILL, Better, Buy, api

import costmodel as cm
from costmodel.choices.schedule import monthly

ONE_DOLLAR = cm.Workload(10_000, input_tokens=1_000)
MONTH = replace(STILL, months=1)


def each(usd, *more, name="toy", accepted=None):
    return cm.Option(api(name, accepted=accepted, **{"in": 1_000.0 * usd, "out": 0.0}), *more)


@pytest.fixture(scope="module")
def pair():
    return {"plain": each(1.0), "tuned": each(0.75, Buy(75))}


def test_goal_seek_finds_the_closed_form(pair):
    """75 up front to save 0.25 a request: cheaper from 300 requests on; at 10,000 it is, and stops
    being so below 300."""
    row = cm.decisions.goal_seek(
        pair, ONE_DOLLAR, "tuned", over="requests_per_month", terms=MONTH
    ).iloc[0]
    assert (
        np.isnan(row.needed) and "between 333.3 and 300,000" in row.verdict
    )  # a thirtieth of 10,000 is above 300
    row = cm.decisions.goal_seek(
        pair,
        replace(ONE_DOLLAR, requests_per_month=100),
        "tuned",
        over="requests_per_month",
        terms=MONTH,
    ).iloc[0]
    assert row.needed == pytest.approx(300, rel=1e-6) and row.verdict.startswith(
        "tuned becomes the cheapest once requests per month is above 300 (now 100"
    )
    row = cm.decisions.goal_seek(
        pair,
        replace(ONE_DOLLAR, requests_per_month=1_000),
        "tuned",
        over="requests_per_month",
        terms=MONTH,
    ).iloc[0]
    assert (
        row.needed == pytest.approx(300, rel=1e-6)
        and "no longer the cheapest once requests per month is below 300 (now 1,000)" in row.verdict
    )


def test_goal_seek_for_an_amount(pair):
    row = cm.decisions.goal_seek(
        pair,
        replace(ONE_DOLLAR, requests_per_month=500),
        "tuned",
        over="requests_per_month",
        usd=825.0,
        terms=MONTH,
    ).iloc[0]
    assert row.needed == pytest.approx(1_000, rel=1e-6)


def test_goal_seek_says_how_likely_and_never(pair):
    """A price of 0.5 to 2 around 1, of the mean 1.093: the dearer one. Below 1.0075 in just over
    half of its range; never for an input that moves both alike."""
    price = cm.Range(500, 2_000, name="price")
    options = {"doubtful": cm.Option(api("a", **{"in": price, "out": 0.0})), "sure": each(1.0075)}
    work = replace(ONE_DOLLAR, peak_to_average=2.0)
    table = cm.decisions.goal_seek(options, work, "doubtful", terms=MONTH).set_index("input")
    row = table.loc["price"]
    assert (
        row.needed == pytest.approx(1_007.5, rel=0.01)  # between two points, on a straight line
        and row.inside
        and row.chance == pytest.approx(0.507, abs=0.01)
        and row.verdict.startswith("doubtful becomes the cheapest once price is below 1,01")
    )
    assert np.isnan(table.needed["Workload.requests_per_month"]) and table.verdict[
        "Workload.requests_per_month"
    ].startswith("never")


def test_at_the_value_sought_both_cost_the_same():
    work = cm.Workload(
        300_000,
        instruction_tokens=600,
        input_tokens=900,
        output_tokens=250,
        corpus=cm.Corpus(tokens=4e6),
        usd_per_failure=0.1,
    )
    options = cm.presets(work, on=ON, only=["Few-shot", "RAG"])
    best = cm.compare(options, work, draws=10).index[0]
    other = next(label for label in options if label != best)
    found = cm.decisions.goal_seek(options, work, other).dropna(subset="needed").iloc[0]
    worth = cm.compare(*cm.uncertainty.pin((options, work, cm.Terms()), found.input, found.needed))
    assert worth.present_value[best] == pytest.approx(worth.present_value[other], rel=0.02)


def test_goal_seek_refuses_unknown_names(pair):
    with pytest.raises(ValueError, match="no option 'tune'"):
        cm.decisions.goal_seek(pair, ONE_DOLLAR, "tune")
    with pytest.raises(ValueError, match="did you mean 'requests_per_month'"):
        cm.decisions.goal_seek(pair, ONE_DOLLAR, "tuned", over="requests_pr_month")


# -- dates -----------------------------------------------------------------------------------------


def test_the_break_even_date_has_its_closed_form():
    """$1,000 up front against $100 a month: level after ten months."""
    slow, fast = each(0, Buy(100, monthly())), each(0, Buy(1_000))
    row = cm.decisions.breakeven_date(
        {"slow": slow, "fast": fast}, ONE_DOLLAR, months=24, terms=STILL, draws=20
    ).iloc[0]
    assert row.month == pytest.approx(10) and (row.p10, row.p90, row.p_never) == (
        pytest.approx(10),
        pytest.approx(10),
        0,
    )
    assert row.date == STILL.date_of(10) and "from month 10.0 on" in row.verdict


def test_a_date_beyond_the_horizon_is_never():
    slow, fast = each(0, Buy(100, monthly())), each(0, Buy(1_000))
    row = cm.decisions.breakeven_date(
        {"first": slow, "second": fast}, ONE_DOLLAR, months=9, terms=STILL, draws=20
    ).iloc[0]
    assert np.isnan(row.month) and row.p_never == 1 and row.verdict.startswith("never")


def test_the_share_of_draws_without_a_date_is_said():
    """Up front $1,000 (500 to 2,000) against $100 a month over 10 months: half of the draws get
    there."""
    slow, fast = each(0, Buy(100, monthly())), each(0, Buy(cm.Range(500, 2_000, name="x")))
    row = cm.decisions.breakeven_date(
        {"first": slow, "second": fast}, ONE_DOLLAR, months=11, terms=STILL, draws=2_000
    ).iloc[0]
    assert 0.3 < row.p_never < 0.5 and "never in" in row.verdict


# -- dominance and maps ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def choices():
    base = {"good": (2.0, 0.9), "middle": (1.0, 0.8), "bad": (1.5, 0.7), "cheap": (0.2, 0.5)}
    return {label: each(usd, name=label, accepted=q) for label, (usd, q) in base.items()}


def test_the_frontier_names_who_dominates(choices):
    table = cm.decisions.frontier(choices, ONE_DOLLAR, cost="present_value", terms=MONTH)
    assert table["efficient"].to_dict() == {
        "good": True,
        "middle": True,
        "bad": False,
        "cheap": True,
    }
    assert table["dominated_by"]["bad"] == "middle"


def test_a_fast_option_is_not_dominated(choices):
    seconds = {"good": 3.0, "middle": 3.0, "bad": 0.5, "cheap": 3.0}
    assert cm.decisions.frontier(
        choices, ONE_DOLLAR, latency=seconds, cost="present_value", terms=MONTH
    )["efficient"]["bad"]
    table = cm.decisions.frontier(
        choices, ONE_DOLLAR, latency={"good": 3.0}, cost="present_value", terms=MONTH
    )
    assert table["why_not"]["bad"] == "not comparable: its latency is not known"


def test_an_irrelevant_option_turns_no_order_round(choices):
    """What min-max scores get wrong: adding an option that nobody wants reverses two others."""
    more = {**choices, "awful": each(50.0, name="awful", accepted=0.1)}
    some, all_ = (
        cm.decisions.frontier(c, ONE_DOLLAR, cost="present_value", terms=MONTH)
        for c in (choices, more)
    )
    assert (
        list(all_.index[:4]) == list(some.index)
        and (all_["efficient"][some.index] == some["efficient"]).all()
    )
    ranks = [
        cm.compare(c, ONE_DOLLAR, terms=MONTH, draws=5)
        .index.drop("awful", errors="ignore")
        .to_list()
        for c in (choices, more)
    ]
    assert ranks[0] == ranks[1]


def test_regions_agree_with_compare(pair):
    """75 up front against 0.25 x tokens / 1,000 a request: the border is requests x tokens =
    300,000."""
    table = cm.decisions.regions(
        pair,
        ONE_DOLLAR,
        {"requests_per_month": [100, 1_000], "input_tokens": [100, 1_000, 10_000]},
        terms=MONTH,
    )
    for row in table.itertuples():
        assert row.best == (
            "tuned" if row.requests_per_month * row.input_tokens > 300_000 else "plain"
        )
        assert row.second != row.best and row.margin > 0
    assert table.attrs["now"] == {"requests_per_month": 10_000, "input_tokens": 1_000}


def test_any_two_fields_make_a_map(choices):
    better = {**choices, "tuned": each(1.2, Better(1.0), name="tuned", accepted=0.8)}
    work = replace(ONE_DOLLAR, usd_per_failure=1.0)
    table = cm.decisions.regions(
        better, work, {"usd_per_failure": None, "Better.log_odds": [0.0, 2.0]}, terms=MONTH
    )
    assert set(table["best"]) <= set(better) and len(table) == 41 * 2
    with pytest.raises(ValueError, match="needs two inputs"):
        cm.decisions.regions(choices, ONE_DOLLAR, {"requests_per_month": None})


# -- what is not comparable, and what cannot be asked ----------------------------------------------


def test_unknown_quality_is_left_out_of_goals_and_maps(choices):
    """An option of unknown quality would look cheap, for nobody counts its wrong answers."""
    work, more = (
        replace(ONE_DOLLAR, usd_per_failure=1.0),
        {**choices, "unknown": cm.Option(cm.finance.Seats(1, 100.0))},
    )
    for some in (choices, more):
        assert set(
            cm.decisions.regions(
                some,
                work,
                {"requests_per_month": [1e3, 1e4], "usd_per_failure": [0.1, 1.0]},
                terms=MONTH,
            )["best"]
        ) <= set(choices)
    assert cm.decisions.goal_seek(more, work, "good", terms=MONTH).equals(
        cm.decisions.goal_seek(choices, work, "good", terms=MONTH)
    )
    with pytest.raises(ValueError, match="goal_seek: 'unknown' cannot be ranked: quality unknown"):
        cm.decisions.goal_seek(more, work, "unknown", terms=MONTH)
    date = cm.decisions.breakeven_date(
        {"unknown": more["unknown"], "good": more["good"]}, work, terms=MONTH, draws=5
    )
    assert date["verdict"][0].endswith(
        "without the cost of wrong answers, because the quality of unknown is not known"
    )


def test_ahead_from_the_first_day_is_said_so():
    row = cm.decisions.breakeven_date(
        {"dear": each(1.0), "cheap": each(0.5)}, ONE_DOLLAR, terms=MONTH, draws=5
    ).iloc[0]
    assert (
        row.verdict == "cheap has cost less than dear from the first day on "
        "(at once in nearly all draws in which it happens)"
    )


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (
            lambda o: cm.decisions.frontier(o, ONE_DOLLAR, cost="quality"),
            "no cost 'quality' in the columns of compare",
        ),
        (lambda o: cm.decisions.frontier(o, ONE_DOLLAR, cost="p90"), "no cost 'p90'"),
        (
            lambda o: cm.decisions.frontier(o, ONE_DOLLAR, latency={"good": -1.0}),
            "latency of 'good' is -1.0, allowed is at least 0",
        ),
        (
            lambda o: cm.decisions.regions(
                o, ONE_DOLLAR, {"requests_per_month": None, "Workload.requests_per_month": None}
            ),
            "are one",
        ),
        (
            lambda o: cm.decisions.regions(
                o, ONE_DOLLAR, {"requests_per_month": [], "input_tokens": None}
            ),
            "'requests_per_month' needs values",
        ),
        (
            lambda o: cm.decisions.goal_seek(o, ONE_DOLLAR, "good", usd=-1),
            "usd is -1, allowed is at least 0",
        ),
        (
            lambda o: cm.decisions.goal_seek(
                {**o, "tune": each(1, cm.Lora())}, ONE_DOLLAR, "tune", over="input_tokens"
            ),
            "'tune' cannot run",
        ),
        (
            lambda o: cm.decisions.breakeven_date(
                {"first": o["good"], "second": o["bad"]}, ONE_DOLLAR, draws=0
            ),
            "draws is 0",
        ),
        (
            lambda o: cm.decisions.breakeven_date(
                {"good": o["good"], "tune": each(1, cm.Lora())}, ONE_DOLLAR
            ),
            "tune cannot run",
        ),
    ],
)
def test_what_cannot_be_asked_of_a_trade_is_one_sentence(choices, ask, says):
    with pytest.raises(ValueError, match=says):
        ask(choices)


def test_a_discount_rate_is_not_sought(choices):
    assert cm.decisions.goal_seek(choices, ONE_DOLLAR, "good", over="discount_rate")["verdict"][
        0
    ].startswith("not asked: the discount rate cannot be swept")


def test_where_no_option_is_eligible_the_one_that_is_named_is_compared():
    study = cm.load("support_assistant", quality_floor=0.99, draws=200)
    verdict = cm.recommend(study)
    turned = cm.decisions.turns(study, verdict)
    assert verdict.best is None and verdict.named not in set(turned["option"])
    assert set(turned["option"]) == set(verdict.leaders[1:])
