"""The decision: paired draws, sweeps, break-evens with closed forms, tornado bars."""

import re
from dataclasses import replace

import numpy as np
import pytest
from fleets import NOBODY
from scipy import stats
from toys import ON, STILL, Better, Buy, api

import costmodel as cm
from costmodel.choices.schedule import monthly
from costmodel.core.nested import same
from costmodel.decisions.search import sign_changes
from costmodel.decisions.simulate import FEW, expected, totals
from costmodel.ledgers import engine

WORK = cm.Workload(
    300_000,
    instruction_tokens=600,
    input_tokens=900,
    output_tokens=250,
    corpus=cm.Corpus(tokens=4_000_000, churn_per_month=0.03),
    usd_per_failure=0.1,
)
BARE = cm.Workload(100_000, input_tokens=1_000)
MONTH = replace(STILL, months=1)
DEAR, CHEAP = (
    api("dear", **{"in": 2.0, "out": 8.0}, accepted=0.7),
    api("cheap", **{"in": 0.5, "out": 2.0}, accepted=0.7),
)


def pinned(study, key, value):
    """The study with one input at a value."""
    options, work, terms = cm.uncertainty.pin(
        (study.options, study.work, study.terms), key, float(value)
    )
    return study.changed(options=options, work=work, terms=terms)


@pytest.fixture(scope="module")
def options():
    return cm.presets(WORK, on=ON, only="all")


@pytest.fixture(scope="module")
def table(options):
    return cm.compare(options, WORK, draws=2_000, seed=7)


# -- paired draws ----------------------------------------------------------------------------------


def test_adding_an_option_changes_no_other_numbers(options, table):
    some = cm.compare(
        {label: options[label] for label in ("LoRA", "RAG")}, WORK, draws=2_000, seed=7
    )
    relative = ("more", "p_dearer", "as_good", "p_cheapest", "p_least_to_pay")
    columns = [c for c in table.columns if c not in relative]
    assert len(columns) == len(table.columns) - 5
    assert some[columns].equals(table.loc[some.index, columns])


def test_the_label_and_the_order_of_an_option_change_nothing(options, table):
    renamed = cm.compare({"z": options["RAG"], "a": options["Prompt"]}, WORK, draws=2_000, seed=7)
    assert renamed.p90["z"] == table.p90["RAG"] and renamed.p90["a"] == table.p90["Prompt"]


def test_compare_is_reproducible(options, table):
    assert cm.compare(options, WORK, draws=2_000, seed=7).equals(table)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_is_a_seed_also_when_it_is_0(options, seed):
    first, again, other = (
        cm.compare(options["RAG"], WORK, draws=200, seed=s).p50.item()
        for s in (seed, seed, seed + 1)
    )
    assert first == again != other


def test_the_median_is_stable_over_seeds(options):
    medians = np.array(
        [cm.compare(options, WORK, draws=2_000, seed=s).p50.sort_index() for s in range(4)]
    )
    assert (np.ptp(medians, axis=0) / medians.mean(axis=0) < 0.04).all()


def test_chances_of_being_cheapest_sum_to_1(table):
    assert table.p_cheapest.sum() == pytest.approx(1)
    assert (table.p_cheapest > 0).sum() >= 2


def test_one_percent_off_wins_in_every_draw(options):
    """The same option with 1 % off all API prices costs less in every draw: differences are
    paired."""
    option = options["Prompt"]
    cheaper = replace(option, serving=replace(option.serving, discount=0.01))
    table = cm.compare({"list price": option, "1 % off": cheaper}, WORK, draws=2_000)
    assert table.p_cheapest["1 % off"] == 1


def test_ties_are_split(options):
    table = cm.compare({"a": options["RAG"], "b": options["RAG"]}, WORK, draws=100)
    assert table.p_cheapest.to_list() == [0.5, 0.5]


def test_percentiles_are_in_order_and_around_the_middle(table):
    assert (table.p10 < table.p50).all() and (table.p50 < table.p90).all()
    assert table.base_case.between(table.p10, table.p90).all()
    assert table.expected.between(table.p10, table.p90).all()


def test_the_cheapest_comes_first(table):
    assert table.present_value.is_monotonic_increasing
    assert table.risk_adjusted.equals(table.present_value.rename("risk_adjusted"))


def test_with_an_aversion_the_least_risk_adjusted_comes_first(options):
    averse = cm.compare(options, WORK, draws=2_000, seed=7, risk=1.0)
    assert averse.risk_adjusted.is_monotonic_increasing
    assert (averse.risk_adjusted > averse.present_value).all()


def test_no_doubt_means_no_band():
    row = cm.compare(
        cm.Option(DEAR, Buy(10)), replace(BARE, peak_to_average=2.0), terms=MONTH, draws=20
    ).iloc[0]
    assert row.p10 == row.p90 == pytest.approx(row.base_case) == pytest.approx(row.expected)


def test_chunks_of_draws_join_without_a_seam(options, monkeypatch):
    """Evaluated in chunks of 64 rows or at once, the draws are the same."""
    study = cm.Study({"x": options["RAG"]}, WORK, STILL, seed=3)
    whole = totals(study, draws=300)["x"]
    monkeypatch.setattr("costmodel.ledgers.batches.BATCH", 64)
    monkeypatch.setattr("costmodel.ledgers.batches.WIDE", 64)
    assert totals(study, draws=300)["x"] == pytest.approx(whole, rel=1e-12)


def test_failures_can_change_the_ranking():
    good, bad = cm.Option(DEAR, Better(1.5)), cm.Option(CHEAP)
    assert cm.compare({"good": good, "bad": bad}, BARE, terms=MONTH, draws=10).index[0] == "bad"
    costly = replace(BARE, usd_per_failure=0.1)
    table = cm.compare({"good": good, "bad": bad}, costly, terms=MONTH, draws=10)
    assert table.index[0] == "good" and table.p_cheapest["good"] == 1


# -- sweep -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "values"),
    [
        ("requests_per_month", [1e4, 3e5, 7e6]),
        ("output_tokens", [50, 250, 900]),
        ("churn_per_month", [0.0, 0.03, 0.5]),
    ],
)
def test_a_sweep_equals_compare_at_each_value(options, over, values):
    some = {label: options[label] for label in ("RAG", "LoRA", "Few-shot + cache")}
    now = {"requests_per_month": 3e5, "output_tokens": 250, "churn_per_month": 0.03}
    now_study = cm.Study(some, WORK, seed=5)
    swept = cm.sweep(some, WORK, over, values, draws=100, seed=5).set_index(["option", over])
    for value in values:
        if over == "churn_per_month":
            work = replace(WORK, corpus=replace(WORK.corpus, churn_per_month=value))
        else:
            work = replace(WORK, **{over: value})
        study = cm.Study(some, work, seed=5)
        at, few = cm.compare(study), totals(study, 100, discounted=True)
        full = expected(now_study, {over: [value]}, now_study.draws)
        for label in some:
            row = swept.loc[(label, value)]
            band = np.percentile(few[label], [10, 50, 90])
            assert row[["p10", "p50", "p90"]].to_list() == pytest.approx(band.tolist())
            near = 1e-9 if value == now[over] else 0.04  # elsewhere 64 draws make the shape
            assert row.present_value == pytest.approx(at.present_value[label], rel=near)
            assert full[label] == pytest.approx([at.present_value[label]], rel=1e-9)  # all: exact


def test_a_grid_is_the_product_of_its_axes(options):
    grid = {"requests_per_month": [1e5, 1e6], "input_tokens": [500, 900, 2_000]}
    table = cm.sweep(options["RAG"], WORK, grid, draws=64)  # as many as lie behind the curve
    assert len(table) == 6 and list(table.columns[:3]) == ["option", *grid]
    row = table.query("requests_per_month == 1e6 and input_tokens == 500").iloc[0]
    study = cm.Study(options["RAG"], replace(WORK, requests_per_month=1e6, input_tokens=500))
    (worth,) = totals(study, 64, discounted=True).values()
    assert row.p90 == pytest.approx(np.percentile(worth, 90))
    at = cm.compare(study).present_value.item()
    assert row.present_value == pytest.approx(at, rel=0.04)  # 64 draws make the shape


def test_a_region_map_says_who_is_cheapest_where():
    """Dear per request against dear up front: the border is volume x tokens = constant, here 75 M
    tokens a month."""
    many = {"pay as you go": cm.Option(DEAR), "up front": cm.Option(CHEAP, Buy(112.5))}
    grid = {"requests_per_month": [1e4, 1e5, 1e6], "input_tokens": [100, 1_000]}
    table = cm.sweep(many, replace(BARE, output_tokens=0), grid, terms=MONTH).pivot(
        index=list(grid), columns="option", values="present_value"
    )
    for (requests, tokens), cheapest in table.idxmin(axis=1).items():
        assert cheapest == ("up front" if requests * tokens > 75e6 else "pay as you go")


def test_points_beyond_the_window_are_left_out():
    option = cm.Option(api("narrow", window=2_000, **{"in": 1, "out": 1}))
    table = cm.sweep(option, BARE, "input_tokens", [1_000, 1_999, 2_001], draws=20)
    assert (
        table.present_value.isna().to_list() == table.p50.isna().to_list() == [False, False, True]
    )


@pytest.mark.parametrize(
    ("over", "values", "says"),
    [
        ("requests_pr_month", [1], "did you mean 'requests_per_month'"),
        ("requests_per_month", [-1, 5], "Workload.requests_per_month is"),
        ("churn_per_month", [0.5, 1.5], "allowed is between 0 and 1"),
        ("months", [12, 24], "the horizon cannot be swept"),
        ("requests_per_month", [], "needs values"),
    ],
)
def test_a_wrong_sweep_is_refused_in_one_sentence(options, over, values, says):
    with pytest.raises(ValueError, match=says):
        cm.sweep(options["RAG"], WORK, over, values)


def test_every_input_of_an_api_can_be_swept():
    """Fields that were used when the price card was made still count: a sweep over the discount
    moves the bill."""
    table = cm.sweep(cm.Option(DEAR), BARE, "Api.discount", [0.0, 0.25], terms=MONTH)
    assert table.present_value[1] == pytest.approx(0.75 * table.present_value[0])


# -- break-even ------------------------------------------------------------------------------------


def fixed_against_each(fixed, saved):
    """Two options: one saves `saved` USD on each request, for `fixed` USD up front."""
    tuned = cm.Option(api("tuned", **{"in": 1_000.0 * (1 - saved), "out": 0.0}), Buy(fixed))
    return {"plain": cm.Option(api("plain", **{"in": 1_000.0, "out": 0.0})), "tuned": tuned}


ONE_DOLLAR = cm.Workload(10_000, input_tokens=1_000)  # 1,000 tokens at $1,000 a million


def test_the_crossing_has_its_closed_form():
    """N* = fixed / saving per request = 75 / 0.25 = 300 requests."""
    row = cm.breakeven(fixed_against_each(75, 0.25), ONE_DOLLAR, terms=MONTH).iloc[0]
    assert row.crossing == pytest.approx(300, rel=1e-6)
    assert (row.below, row.above) == ("plain", "tuned")
    assert row.verdict.startswith("plain is cheaper below 300 requests per month, tuned above")


def test_over_a_horizon_the_crossing_is_a_monthly_volume():
    row = cm.breakeven(
        fixed_against_each(75, 0.25), ONE_DOLLAR, terms=replace(STILL, months=12)
    ).iloc[0]
    assert row.crossing == pytest.approx(300 / 12, rel=1e-6)


@pytest.mark.parametrize("label", ["RAG", "RAG + LoRA", "Long context + cache"])
def test_at_the_crossing_both_totals_are_equal(options, label):
    """A better answer pays for itself at some cost of a failure."""
    first, second = options["Few-shot"], options[label]
    found = cm.breakeven(
        {"first": first, "second": second},
        WORK,
        over="usd_per_failure",
        low=0.001,
        high=1_000,
        draws=20,
    )
    (at,) = found.crossing
    table = cm.compare(
        {"first": first, "second": second}, replace(WORK, usd_per_failure=at)
    ).present_value
    assert table["first"] == pytest.approx(table["second"], rel=1e-4)


def test_a_crossing_that_only_few_draws_have_is_never():
    """By the curves of 20 draws the second becomes the better one, by all of them it never does:
    0.82 of its answers are right in the 20, 0.76 in all, and 0.79 of those of the first.
    """
    doubt = cm.Range(-1.0, 2.0, mid=0.5, name="a", form="signed")
    second = cm.Option(CHEAP, Buy(100.0), Better(doubt))
    pair = {"first": cm.Option(CHEAP, quality=0.79), "second": second}
    work = replace(BARE, usd_per_failure=0.0001, requests_per_month=cm.Range(1e4, 1e6))
    study, grid = cm.Study(pair, work, STILL), {"usd_per_failure": [0.0001, 1_000.0]}
    few = expected(study, grid, 20)
    every = totals(study, study.draws, grid, discounted=True)
    behind = few["second"] - few["first"]
    assert behind[0] > 0 > behind[1]
    assert ((every["second"] - every["first"]).mean(axis=0) > 0).all()
    row = cm.breakeven(study, over="usd_per_failure", low=0.0001, high=1_000, draws=20).iloc[0]
    assert np.isnan(row.crossing) and row.verdict.startswith("never: first is cheaper everywhere")


def test_dearer_in_every_way_is_never():
    row = cm.breakeven(fixed_against_each(75, -0.25), ONE_DOLLAR, terms=MONTH).iloc[0]
    assert np.isnan(row.crossing) and row.p_never == 1
    assert row.verdict.startswith(
        "never: plain is cheaper everywhere between 10 and 10,000,000 requests per month"
    )


def test_equal_options_never_cross():
    row = cm.breakeven({"first": cm.Option(DEAR), "second": cm.Option(DEAR)}, BARE).iloc[0]
    assert np.isnan(row.crossing) and "both cost the same" in row.verdict


def test_an_option_that_cannot_run_is_never():
    row = cm.breakeven({"first": cm.Option(DEAR), "second": cm.Option(DEAR, cm.Lora())}, BARE).iloc[
        0
    ]
    assert np.isnan(row.crossing) and "cannot run" in row.verdict


def test_whole_replicas_cross_a_price_per_request_again_and_again():
    """One replica carries 26.28 M requests a month and costs what 20 M cost at the API.

    The fleet is cheaper from 20 to 26.28 M, from 40 to 52.56 M, and from 60 M on to 78.84 M; then
    80 M are paid and carried by the fourth.
    """
    each = 730 * 3_600 * 10.0
    rent = replace(cm.facts.rent("H100-SXM"), id="ours", usd_per_gpu_hour=2.0)
    own = cm.Hosted(
        "llama-3.1-8b",
        rent=rent,
        requests_per_s=10.0,
        load_max=1.0,
        **NOBODY,
        gpus_per_replica=1,
        fleet=cm.serving.Fleet(burstiness=0),
    )
    usd_per_mtok = 730 * 2.0 / 20e6 / 1_000 * 1e6
    work = cm.Workload(1e7, input_tokens=1_000, active_hours_per_month=730, peak_to_average=1.0)
    found = cm.breakeven(
        {"api": cm.Option(api(**{"in": usd_per_mtok, "out": 1.0})), "own": cm.Option(own)},
        work,
        low=1e7,
        high=7e7,
        terms=MONTH,
        draws=5,
    )
    assert found.crossing.to_list() == pytest.approx([20e6, each, 40e6, 2 * each, 60e6], rel=1e-6)
    assert found.below.to_list() == ["api", "own", "api", "own", "api"]
    assert found.above.to_list() == ["own", "api", "own", "api", "own"]


def test_the_band_holds_the_middle_and_widens_with_doubt():
    def band(fixed):
        return cm.breakeven(
            fixed_against_each(fixed, 0.25), ONE_DOLLAR, terms=MONTH, draws=400
        ).iloc[0]

    narrow, wide = band(cm.Range(60, 94, mid=75)), band(cm.Range(25, 225, mid=75))
    for row in (narrow, wide):
        assert row.p10 < row.crossing < row.p90 and row.p_never == 0
    assert wide.p90 / wide.p10 > 2 * narrow.p90 / narrow.p10


def test_the_band_is_the_quantiles_of_the_closed_form():
    """N* = fixed / 0.25 with a lognormal fixed cost: its 10th and 90th percentiles are those of
    the cost over 0.25."""
    fixed = cm.Range(25, 225, mid=75)
    row = cm.breakeven(fixed_against_each(fixed, 0.25), ONE_DOLLAR, terms=MONTH, draws=1_000).iloc[
        0
    ]
    assert [row.p10, row.p90] == pytest.approx(fixed.quantile([0.1, 0.9]) / 0.25, rel=0.02)


def test_draws_without_a_crossing_are_counted():
    """$75 up front and 0.8 (0.4 to 1.6) of the price: never where the price is not below 1,
    lognormal above its middle; the mean of the draws decides where the two cross."""
    price = cm.Range(400, 1_600, mid=800)
    plain = cm.Option(api("plain", **{"in": 1_000.0, "out": 0.0}))
    row = cm.breakeven(
        {"first": plain, "second": cm.Option(api("tuned", **{"in": price, "out": 0.0}), Buy(75))},
        ONE_DOLLAR,
        terms=MONTH,
        draws=2_000,
    ).iloc[0]
    never = 1 - stats.norm.cdf(np.log(1 / 0.8) / np.log(1.6 / 0.8) * stats.norm.ppf(0.95))
    assert row.p_never == pytest.approx(never, abs=0.005)
    mean = price.quantile((np.arange(10_000) + 0.5) / 10_000).mean() / 1_000
    assert row.crossing == pytest.approx(75 / (1 - mean), rel=0.002)
    assert f"no crossing in {100 * row.p_never:.0f} % of the draws" in row.verdict
    numbers = re.findall(r"\d[\d,]*", row.verdict.split("; no crossing")[0])
    assert all(
        len(number.replace(",", "").rstrip("0")) <= 3 for number in numbers
    )  # nobody knows eight figures


def test_a_break_even_over_a_share_looks_between_0_and_1():
    """A cascade of $1 and $4 costs $1 + 4 x escalated, a router to the large one $4: they meet at
    0.75."""
    small, large = (
        cm.Option(api(name, **{"in": usd, "out": 0.0}))
        for name, usd in (("s", 1_000.0), ("l", 4_000.0))
    )
    row = cm.breakeven(
        {"first": cm.cascade(small, large, cm.Range(0.2, 0.4)), "second": large},
        ONE_DOLLAR,
        over="Cascade.escalated",
        terms=MONTH,
    ).iloc[0]
    assert row.crossing == pytest.approx(0.75, rel=1e-6)


def test_monthly_cost_against_cost_per_request():
    """$200 a month against $2.00 per query: 100 queries a month, at every horizon."""
    long, rag = (
        cm.Option(api("long", **{"in": 2_000.0, "out": 0.0})),
        cm.Option(api("rag", **{"in": 0.0, "out": 0.0}), Buy(200, monthly())),
    )
    for months in (1, 36):
        row = cm.breakeven(
            {"first": long, "second": rag}, ONE_DOLLAR, terms=replace(STILL, months=months), draws=5
        ).iloc[0]
        assert row.crossing == pytest.approx(100, rel=1e-6)


def test_the_columns_of_a_break_even_are_the_documented_ones():
    row = cm.breakeven(fixed_against_each(75, 0.25), ONE_DOLLAR, terms=MONTH, draws=5)
    assert list(row.columns) == [
        "over",
        "crossing",
        "p10",
        "p90",
        "unit",
        "p_never",
        "below",
        "above",
        "verdict",
    ]


@pytest.mark.parametrize(
    ("gap", "changes"),
    [
        ([1, 2, -1, -2, 1], [1, 3]),
        ([1, 0, -1], [0]),
        ([1, 0, 1], []),
        ([1, 0, 0, -1], [0]),
        ([0, 0, 1], []),
        ([1, 0, 0], []),
        ([1, np.nan, -1], []),
        ([0, 0], []),
    ],
)
def test_a_touch_is_no_crossing(gap, changes):
    assert sign_changes(np.array(gap, float)).tolist() == changes


def test_a_break_even_with_wrong_limits_is_refused():
    with pytest.raises(ValueError, match="low 50 must be below high 5"):
        cm.breakeven(fixed_against_each(75, 0.25), ONE_DOLLAR, low=50, high=5)


# -- tornado ---------------------------------------------------------------------------------------


KEYS = ("rag.top_k", "engineer.usd_per_hour", "task.difficulty", "Trends.api")


def test_tornado_bars_are_runs_by_hand(options):
    """Each end of a bar is the mean of the draws with that input at that end and all others drawn,
    on the level of all draws."""
    study = cm.Study({"RAG": options["RAG"]}, WORK, draws=500)
    bars = cm.uncertainty.tornado(study).set_index("input")

    def level(n):
        return cm.compare(study).expected.item() / totals(study, n)["RAG"].mean()

    for key in KEYS:
        for end in ("low", "high"):
            at = pinned(study, key, bars.loc[key, end])
            few, many = (totals(at, n)["RAG"].mean() * level(n) for n in (FEW, 500))
            shown = bars.loc[key, f"usd_{end}"]  # the widest bars rest on more draws
            assert shown in (pytest.approx(few), pytest.approx(many)), key
    assert bars.attrs["usd"] == pytest.approx(cm.compare(study).expected.item())


def test_a_tornado_against_another_option_is_the_paired_difference(options):
    """Of present values, on the same draws; it turns where the difference changes its sign."""
    pair = ("RAG", "Cascade")
    study = cm.Study({label: options[label] for label in pair}, WORK, draws=500)
    bars = cm.uncertainty.tornado(study, *pair).set_index("input")
    all_draws = cm.compare(study).present_value

    def gap(at, n):
        here, moved = (totals(x, n, discounted=True) for x in (study, at))
        first, second = (moved[x].mean() * all_draws[x] / here[x].mean() for x in pair)
        return first - second

    assert bars.attrs["usd"] == pytest.approx(all_draws["RAG"] - all_draws["Cascade"])
    for key in KEYS:
        for end in ("low", "high"):
            at, shown = pinned(study, key, bars.loc[key, end]), bars.loc[key, f"usd_{end}"]
            assert shown in [pytest.approx(gap(at, n)) for n in (FEW, 500)], key
    assert bars.turns.equals((np.sign(bars.usd_low) != np.sign(bars.usd_high)).rename("turns"))
    assert bars.turns.any() and not bars.turns.all()


def test_tornado_lists_every_doubt_widest_first(options):
    bars = cm.uncertainty.tornado(options["RAG"], WORK)
    assert list(bars.columns) == [
        *("input", "low", "high", "unit", "usd_low", "usd_high", "spread", "currency")
    ]
    assert bars.spread.is_monotonic_decreasing and bars.input.is_unique
    register = cm.ledgers.register(options["RAG"], WORK)
    assert set(bars.input) == set(register.input[register.low < register.high])


# -- what an unknown or a rare failure may not do --------------------------------------------------


def test_a_few_draws_that_do_not_fit_leave_an_option_in_the_ranking():
    """One draw in twenty is over the window: those draws are lost, the others still count."""
    work = cm.Workload(1e5, input_tokens=cm.Range(500, 2_000, mid=900), output_tokens=100)
    narrow = replace(cm.facts.api_price("gpt-4o", on="2026-11-01"), window=2_100)
    options = {
        "narrow": cm.Option(cm.Api(narrow), quality=0.9),
        "dear": cm.Option(cm.Api("claude-opus-4-5", on="2026-11-01"), quality=0.9),
    }
    study = cm.Study(options, work, cm.Terms(on="2026-11-01"), draws=1_000)
    table = cm.compare(study)
    assert 0.8 < table.loc["narrow", "p_cheapest"] < 1
    assert table["p_cheapest"].sum() == pytest.approx(1)
    assert "does not fit in " in table.loc["narrow", "why_not"]
    assert cm.recommend(study, quality_floor=0.5).best == "narrow"
    swept = cm.sweep(study, "output_tokens", [100, 200], draws=300)
    assert swept[["p10", "p90"]].notna().all(axis=None)


def test_unknown_quality_is_never_taken_for_perfect():
    work = cm.Workload(1e5, input_tokens=900, output_tokens=250, usd_per_failure=1.0)
    known, not_known = (
        cm.Option(cm.Api("gpt-4o", on="2026-11-01"), quality=0.9),
        cm.Option(cm.finance.Seats(2_000, 30.0)),
    )
    terms = cm.Terms(on="2026-11-01")
    pair = cm.Study({"first": known, "second": not_known}, work, terms)
    found = cm.breakeven(pair, draws=50).iloc[0]
    assert found.below == "first" and found.verdict.endswith(
        "without the cost of wrong answers, because the quality of second is not known"
    )
    pair = cm.Study({"known": known, "not": not_known}, work, terms)
    table = cm.sweep(pair, "output_tokens", [100, 200]).set_index("option")
    assert (
        table.loc["not", "present_value"].isna().all()
        and table.loc["known", "present_value"].notna().all()
    )
    assert (
        cm.sweep({"not": not_known}, work, "output_tokens", [100.0]).present_value.notna().all()
    )  # alone, it is compared with nothing


def test_a_class_without_a_price_takes_one_option_out_not_all():
    work = cm.Workload(1e5, instruction_tokens=3_000, input_tokens=900, output_tokens=250)
    toy = api(**{"in": 1.0, "out": 1.0})
    table = cm.compare(
        {"plain": cm.Option(toy), "cached": cm.Option(toy, cm.PromptCache())}, work, draws=50
    )
    assert (
        "cache_read of 'toy' is not priced" in table.loc["cached", "why_not"]
        and table.loc["plain", "expected"] > 0
    )


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (
            lambda o, w: cm.breakeven({"first": o, "second": o}, w, over="discount_rate"),
            "the discount rate cannot be swept",
        ),
        (lambda o, w: cm.sweep(o, w, {}), "sweep needs an input"),
        (
            lambda o, w: cm.compare(o, w, seed=-1),
            "seed is -1, allowed is a whole number between 0 and 4294967295",
        ),
        (lambda o, w: cm.compare(o, w, terms={"months": 3}), "it must be Terms"),
        (lambda o, w: cm.compare(o, None), "it must be Workload"),
        (lambda o, w: cm.facts.price("gpt-4o", {"input": 3}), "it must be Tokens"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(ask, says):
    work = cm.Workload(cm.Range(1e5, 2e5), input_tokens=900, output_tokens=250)
    with pytest.raises(ValueError, match=says):
        ask(cm.Option(cm.Api("gpt-4o", on="2026-11-01")), work)


def test_a_sweep_stays_where_the_workload_may_be():
    option, work = (
        cm.Option(cm.Api("gpt-4o", on="2026-11-01")),
        cm.Workload(1e5, input_tokens=900, output_tokens=250),
    )
    assert cm.sweep(option, work, "active_hours_per_month").active_hours_per_month.max() <= 744
    assert cm.sweep(option, work, "peak_to_average").peak_to_average.min() >= 1


def test_the_register_begins_with_the_untouched_defaults_that_move_a_total_furthest(options):
    pair = {name: options[name] for name in ("RAG", "Few-shot")}
    register = cm.ledgers.register(pair, WORK, swings=cm.uncertainty.swings(pair, WORK))
    assert (
        register["default"].is_monotonic_decreasing
        and register[register["default"]]["swing"].is_monotonic_decreasing
    )
    assert register["swing"][0] > 0 and set(cm.ledgers.register(pair, WORK)["input"]) == set(
        register["input"]
    )
    for key in register["input"][:5]:  # the furthest of the two options
        spreads = [
            cm.uncertainty.tornado(option, WORK).set_index("input")["spread"].get(key, 0.0)
            for option in pair.values()
        ]
        assert register.set_index("input")["swing"][key] == pytest.approx(max(spreads))
    assert (register.loc[register["low"] == register["high"], "swing"] == 0).all()


def test_an_answer_without_eligible_rivals_is_weighed_against_the_others(options):
    said = cm.recommend(options, WORK, quality_floor=0.80, confidence=0.45, draws=200)
    assert said.table["eligible"].sum() == 1 == len(said.leaders)
    assert said.contest[0] == said.best and 1 < len(said.contest) <= 5
    assert (
        cm.recommend(options, WORK, draws=200).contest
        == cm.recommend(options, WORK, draws=200).leaders
    )


def test_recommend_asks_nothing_twice(monkeypatch):
    """No option is evaluated twice on the same inputs."""
    asked, evaluate = [], engine.evaluate

    def recorded(*inputs):
        asked.append(inputs)
        return evaluate(*inputs)

    monkeypatch.setattr(engine, "evaluate", recorded)
    study = cm.load("support_assistant", confidence=0.5)
    eligible = cm.recommend(study).table["eligible"].sum()
    # the middle and the draws; volumes of the eligible ones go by the plan of the draws
    assert eligible >= 3 and len(asked) >= 2 * len(study.options)
    again = [(i, j) for i, inputs in enumerate(asked) for j in range(i) if same(asked[j], inputs)]
    assert again == []


def test_a_verdict_is_one_sentence_and_the_points_it_turns_on(options):
    said = cm.recommend({"RAG": options["RAG"], "Cascade": options["Cascade"]}, WORK, draws=300)
    assert (
        said.headline.count(". ") == 0
        and said.headline.endswith(".")
        and said.sentence == " ".join((said.headline, *said.points))
    )
    rival = ({"RAG", "Cascade"} - {said.best}).pop()
    dearer = said.table.loc[rival, "p_dearer"]
    assert 0.005 < 1 - dearer < 0.9
    assert said.points[0] == (
        f"{said.best} costs {_money(said, rival)} a month less than {rival} on average, but is "
        f"dearer in {round(10 * (1 - dearer))} cases of 10."
    )


def _money(said, rival):
    """What the rival costs more a month, to three figures."""
    more = (said.table.expected[rival] - said.table.expected[said.best]) / 36
    return f"USD {float(f'{more:.3g}'):,.0f}"


def test_an_answer_that_reads_nothing_says_so_where_quality_is_free(options):
    free = cm.recommend(options, replace(WORK, usd_per_failure=0), draws=200)
    assert (
        free.points[0].startswith(f"{free.best} does not read the corpus")
        and "of its answers accepted" in free.headline
    )
    for said in (
        cm.recommend(options, replace(WORK, usd_per_failure=0), quality_floor=0.6, draws=200),
        cm.recommend(options, replace(WORK, usd_per_failure=2), draws=200),
    ):
        assert not any("does not read" in point for point in said.points)


def test_a_skewed_doubt_is_ranked_by_its_mean_and_not_by_its_middle():
    """Two skewed doubts: the mean lies above the sum of their middles, and so the steady option is
    the best, though the skewed one has the lower base case."""
    steady = cm.Option(
        cm.Api("gpt-6-sol", on="2026-11-01"), cm.Prompt(build_weeks=4.0, upkeep_fte=0.02)
    )
    doubts = {
        "build_weeks": cm.Range(3.8, 60, mid=3.9),
        "upkeep_fte": cm.Range(0.0199, 0.9, mid=0.01991),
    }
    skewed = cm.Option(cm.Api("gpt-6-sol", on="2026-11-01"), cm.Prompt(**doubts))
    said = cm.recommend(
        {"steady": steady, "skewed": skewed},
        cm.Workload(1_000, input_tokens=500, output_tokens=100),
        draws=2_000,
    )
    assert said.table["base_case"].idxmin() == "skewed"
    assert said.best == said.table["expected"].idxmin() == "steady"


def test_a_crossing_outside_its_band_says_so():
    """A fee that is about 1, but in one draw of twenty above 100: the mean of the draws lies above
    nine draws of ten."""
    fee = cm.Range(0.1, 10_000, mid=1.0, level=0.98, name="fee")
    dear, cheap = (
        cm.Option(api(**{"in": 0.0, "out": 0.0}), Buy(fee, monthly())),
        cm.Option(cm.finance.Seats(10, 1)),
    )
    found = cm.breakeven(
        {"first": cheap, "second": dear},
        cm.Workload(1_000, input_tokens=1),
        over="Seats.seats",
        low=0.01,
        high=1e6,
        months=1,
        terms=STILL,
    ).iloc[0]
    mean = fee.quantile((np.arange(10_000) + 0.5) / 10_000).mean()
    assert found["crossing"] == pytest.approx(mean, rel=0.05) and found["p90"] < mean
    assert "a few dear cases move the mean out of it" in found["verdict"]
