"""How sure: closed forms of Sobol indices and of the value of information, paired differences,
fans, regret, calibration, drivers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from toys import ON, STILL, Buy, api

import costmodel as cm
from costmodel.choices.schedule import monthly
from costmodel.core.ranges import Z90

WORK = cm.Workload(
    300_000,
    instruction_tokens=600,
    input_tokens=900,
    output_tokens=250,
    corpus=cm.Corpus(tokens=4_000_000, churn_per_month=0.03),
    usd_per_failure=0.1,
)
ONE = cm.Workload(1, input_tokens=1, peak_to_average=2.0)


def free():
    return api(**{"in": 0.0, "out": 0.0})


def normal(mean, sd, name):
    """A doubt that is normal: its 90 % ends lie 1.645 standard deviations from its mean."""
    return cm.Range(mean - Z90 * sd, mean + Z90 * sd, form="signed", name=name)


def buys(*doubts):
    return cm.Option(
        free(),
        *(
            Buy(d, phase=phase)
            for d, phase in zip(doubts, ("build", "data", "training"), strict=False)
        ),
    )


@pytest.fixture(scope="module")
def options():
    return {
        label: option
        for label, option in cm.presets(WORK, on=ON, only="all").items()
        if label in ("Prompt", "RAG", "LoRA", "Few-shot")
    }


# -- Sobol indices ---------------------------------------------------------------------------------


def test_sobol_indices_of_ishigami():
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 on -pi..pi: first order 0.3139, 0.4424, 0; total
    0.5576, 0.4424, 0.2437 (Ishigami and Homma 1990)."""

    def ishigami(u):
        x = -np.pi + 2 * np.pi * u
        return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])

    table = (
        cm.uncertainty.sobol_indices(ishigami, ["x1", "x2", "x3"], points=8_192)
        .set_index("input")
        .loc[["x1", "x2", "x3"]]
    )
    assert table["first"].to_list() == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)
    assert table["total"].to_list() == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.01)
    for order, true in (("first", [0.3139, 0.4424, 0.0]), ("total", [0.5576, 0.4424, 0.2437])):
        assert (table[f"{order}_low"] <= table[f"{order}_high"]).all()
        assert (
            (table[f"{order}_low"] - 0.01 < true) & (true < table[f"{order}_high"] + 0.01)
        ).all()


def test_sobol_shares_of_a_sum_are_its_variances():
    """N(0, 30) + N(0, 40): 9/25 and 16/25 of the variance, nothing together."""
    table = cm.uncertainty.sobol(
        buys(normal(100, 30, "x"), normal(100, 40, "y")), ONE, terms=STILL
    ).set_index("input")
    assert table.loc[["x", "y"], "first"].to_list() == pytest.approx([0.36, 0.64], abs=0.02)
    assert table.loc[["x", "y"], "total"].to_list() == pytest.approx([0.36, 0.64], abs=0.02)


def test_sobol_of_a_difference_leaves_out_what_is_shared():
    shared, own = normal(500, 200, "shared"), normal(100, 10, "own")
    table = cm.uncertainty.sobol(
        {"option": buys(shared, own), "against": buys(shared)},
        ONE,
        "option",
        "against",
        terms=STILL,
    ).set_index("input")
    assert table["total"]["own"] == pytest.approx(1, abs=0.03) and table["total"][
        "shared"
    ] == pytest.approx(0, abs=0.01)


def test_a_driver_has_a_row_of_its_own():
    x, y = (replace(normal(100, 30, name), driver="economy", loading=0.6) for name in "xy")
    table = cm.uncertainty.sobol(buys(x, y), ONE, terms=STILL).set_index("input")["first"]
    # x + y = 30 (1.2 d + 0.8 a + 0.8 b): 1.44 / (1.44 + 0.64 + 0.64)
    assert table["driver economy"] == pytest.approx(1.44 / 2.72, abs=0.02) and table[
        "x"
    ] == pytest.approx(0.64 / 2.72, abs=0.02)


def test_sobol_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="power of two"):
        cm.uncertainty.sobol(buys(normal(1, 1, "x")), ONE, points=1_000, terms=STILL)


# -- the value of information ----------------------------------------------------------------------


def evpi(mean, sd):
    """Of a choice between 0 and N(mean, sd): sd phi(mean / sd) - |mean| Phi(-|mean| / sd) (Raiffa
    and Schlaifer 1961)."""
    return sd * stats.norm.pdf(mean / sd) - abs(mean) * stats.norm.cdf(-abs(mean) / sd)


def test_the_value_of_information_of_two_normal_options_has_its_closed_form():
    choices = {"a": buys(0), "b": buys(normal(30, 100, "x"), normal(0, 50, "y"))}
    table = cm.uncertainty.value_of_information(
        choices, ONE, groups={"both": ["x", "y"]}, terms=STILL
    ).set_index("input")
    expected = {
        "everything": evpi(30, np.hypot(100, 50)),
        "both": evpi(30, np.hypot(100, 50)),
        "x": evpi(30, 100),
        "y": evpi(30, 50),
    }
    for name, usd in expected.items():
        assert abs(table["usd"][name] - usd) < 3 * table["error"][name] + 0.2, name
    assert (
        table["kind"].to_dict().items()
        >= {"everything": "all", "both": "group", "x": "input"}.items()
    )


def test_what_changes_no_choice_is_worth_nothing(options):
    table = cm.uncertainty.value_of_information(
        {"a": buys(normal(100, 10, "x")), "b": buys(normal(500, 10, "y"))}, ONE, terms=STILL
    )
    assert (table["usd"] == 0).all()


def test_measuring_stands_beside_its_cost(options):
    """200 judgements of each of 4 options, 4 minutes of an expert at $110 an hour; the load test
    has 2 GPU-hours and 8 hours of an engineer."""
    table = cm.uncertainty.value_of_information(options, WORK, draws=1_000).set_index("input")
    judging = table["usd_to_measure"]["label 200 evaluation items"]
    assert judging == pytest.approx(200 * 4 * 4 / 60 * 110, rel=1e-3)
    assert table["worth"]["label 200 evaluation items"] == pytest.approx(
        table["usd"]["label 200 evaluation items"] - judging
    )
    assert table["usd_to_measure"]["a two-hour load test"] > 8 * 118
    graph = {**options, "GraphRAG": cm.presets(WORK, on=ON, only="all")["GraphRAG"]}
    (sample,) = [
        m for m in cm.uncertainty.measurements(graph, WORK) if m.name.startswith("index 2 %")
    ]
    book = cm.ledger(graph["GraphRAG"], WORK)
    assert sample.usd == pytest.approx(
        0.02 * book[book["item"].str.startswith("index the graph")]["usd"].sum()
    )


def test_no_input_is_worth_more_than_everything(options):
    table = cm.uncertainty.value_of_information(options, WORK, draws=2_000)
    assert (table["usd"] <= table["usd"].iloc[0] + 2 * table["error"]).all()


def test_a_group_of_nothing_is_refused(options):
    with pytest.raises(ValueError, match=r"no input .Rag.topk. in the group"):
        cm.uncertainty.value_of_information(options, WORK, groups={"mine": ["Rag.topk"]}, draws=500)


# -- pooled, paired, stable ------------------------------------------------------------------------


def test_variance_is_pooled_and_not_the_sum_of_worst_cases():
    """Sixteen independent N(100, 10): the total spreads by 4 x 10, not by 16 x 10."""
    many = cm.Option(free(), *(Buy(normal(100, 10, f"x{i}")) for i in range(16)))
    row = cm.compare(many, ONE, terms=STILL, draws=20_000).iloc[0]
    assert (row.p90 - row.p10) / (2 * stats.norm.ppf(0.9)) == pytest.approx(40, rel=0.02)
    worst = cm.uncertainty.tornado(many, ONE, terms=STILL)
    worst = worst[worst["input"].str.startswith("x")]
    assert worst["spread"].sum() > 3.9 * (row.p90 - row.p10) * Z90 / stats.norm.ppf(0.9)


def test_the_median_is_stable_to_1_percent_at_the_default_draws():
    options = cm.presets(WORK, on=ON, only="all")
    medians = np.array([cm.compare(options, WORK, seed=seed).p50.sort_index() for seed in range(4)])
    assert (np.abs(medians / medians.mean(axis=0) - 1) < 0.01).all()


def test_an_option_against_itself_with_1_percent_off(options):
    cheaper = replace(options["Prompt"], serving=replace(options["Prompt"].serving, discount=0.01))
    table = cm.uncertainty.p_cheaper(
        {"first": cheaper, "second": options["Prompt"]}, WORK, draws=2_000
    )
    assert table.set_index("by").probability[0.0] == 1


def test_p_cheaper_by_a_margin_has_its_closed_form():
    """A at exp(N(0, s)) x 80 against B at 100: cheaper by x where 80 e^z <= 100 (1 - x)."""
    a, b = buys(cm.Range(40, 160, mid=80, name="a")), buys(100)
    table = (
        cm.uncertainty.p_cheaper({"first": a, "second": b}, ONE, by=(0, 0.25, 0.5), terms=STILL)
        .set_index("by")
        .probability
    )
    sd = np.log(2) / Z90
    for x in (0, 0.25, 0.5):
        assert table[x] == pytest.approx(stats.norm.cdf(np.log(100 * (1 - x) / 80) / sd), abs=0.001)


def test_the_least_expected_regret_is_the_value_of_perfect_information(options):
    regret = cm.uncertainty.regret(options, WORK, draws=2_000, seed=3)
    known = cm.uncertainty.value_of_information(options, WORK, draws=2_000, seed=3)
    assert regret["expected_regret"].min() == pytest.approx(known["usd"][0])
    assert regret["expected_regret"].is_monotonic_increasing and (regret["p90_regret"] >= 0).all()


def test_the_fan_ends_at_the_percentiles_of_compare(options):
    fan = cm.uncertainty.fan(options, WORK, draws=1_000, seed=5)
    last = fan[fan["month"] == 36].set_index("option")
    table = cm.compare(options, WORK, draws=1_000, seed=5)
    for label in options:
        assert last.loc[label, ["p10", "p50", "p90"]].to_list() == pytest.approx(
            table.loc[label, ["p10", "p50", "p90"]].to_list()
        )
    assert (
        list(fan.columns) == ["option", "month", "p10", "p50", "p90"]
        and (fan["p10"] <= fan["p90"]).all()
    )


def test_a_fan_of_single_months():
    fan = cm.uncertainty.fan(
        cm.Option(free(), Buy(7.0, monthly())),
        ONE,
        terms=STILL,
        months=3,
        cumulative=False,
        draws=5,
    )
    assert fan["p50"].to_list() == [0, 7, 7, 7]


# -- drivers -----------------------------------------------------------------------


def test_drivers_correlate_and_keep_each_range():
    """Loadings of 0.8 on one driver: a correlation of 0.64 on the scale of the normal."""
    a, b = (cm.Range(50, 200, name=n, driver="d", loading=0.8) for n in "xy")
    drawn = cm.uncertainty.sample(cm.Option(free(), Buy(a), Buy(b)), 4_000)
    x, y = (np.ravel(t.usd) for t in drawn.techniques)
    assert np.corrcoef(np.log(x), np.log(y))[0, 1] == pytest.approx(0.64, abs=0.03)
    alone = cm.uncertainty.sample(cm.Option(free(), Buy(replace(a, driver=None, loading=0))), 4_000)
    assert np.sort(x)[20:-20] == pytest.approx(
        np.sort(np.ravel(alone.techniques[0].usd))[20:-20], rel=0.01
    )


def test_drive_moves_named_inputs_only(options):
    moved = cm.uncertainty.drive(
        (options, WORK, cm.Terms()), "economy", {"Trends.api": 0.5, "rag.top_k": -0.5}
    )
    trends = moved[2].trends
    assert (trends.api.driver, trends.api.loading, trends.service.driver) == ("economy", 0.5, None)
    with pytest.raises(ValueError, match="did you mean"):
        cm.uncertainty.drive(options, "economy", {"rag.topk": 0.5})


@pytest.mark.parametrize(
    ("given", "says"),
    [({"loading": 2, "driver": "d"}, "allowed is -1 to 1"), ({"loading": 0.5}, "needs a driver")],
)
def test_a_wrong_loading_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        cm.Range(1, 2, **given)


# -- what is not comparable, and what cannot be asked ----------------------------------------------


def test_unknown_quality_is_left_out_draw_by_draw():
    """Wrong answers at $1: an option of unknown quality has none in its bill, and wins nothing by
    that."""
    work = replace(ONE, usd_per_failure=1.0)
    known = {
        label: cm.Option(free(), Buy(normal(mean, 10, label)), quality=0.5)
        for label, mean in (("a", 100), ("b", 110))
    }
    more = {**known, "unknown": cm.Option(cm.finance.Seats(1, 1.0))}
    for ask in (cm.uncertainty.regret, cm.uncertainty.fan, cm.uncertainty.value_of_information):
        assert ask(more, work, terms=STILL, draws=200).equals(
            ask(known, work, terms=STILL, draws=200)
        ), ask
    seats = cm.Option(cm.finance.Seats(1, 100.4 / STILL.months))
    assert cm.uncertainty.p_cheaper(
        {"first": known["a"], "second": seats}, work, terms=STILL, draws=400
    )["probability"][0] == pytest.approx(0.5, abs=0.05)


def test_an_option_that_fails_in_a_few_draws_stays():
    """A prompt that is over the window in one draw of twenty: those draws are left out, not the
    option."""
    work = cm.Workload(1e5, input_tokens=cm.Range(500, 2_000, mid=900), output_tokens=100)
    options = {
        "narrow": cm.Option(
            api(window=2_100, **{"in": 1.0, "out": 1.0}), Buy(cm.Range(50, 200, name="x"))
        ),
        "wide": cm.Option(api(**{"in": 1.0, "out": 1.0}), Buy(100)),
    }
    assert set(cm.uncertainty.regret(options, work, terms=STILL, draws=1_000).index) == set(options)
    assert (
        cm.uncertainty.value_of_information(options, work, terms=STILL, draws=1_000)["usd"][0] > 0
    )


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda o: cm.uncertainty.tornado(o, WORK), "there are 4 options; name one of 'Prompt'"),
        (
            lambda o: cm.uncertainty.p_cheaper(
                {"first": o["RAG"], "second": o["LoRA"]}, WORK, by=2, draws=10
            ),
            "p_cheaper: by is 2, allowed is between 0 and 1",
        ),
        (
            lambda o: cm.uncertainty.value_of_information(o, WORK, groups=["task.*"], draws=50),
            "it must be {name: patterns of inputs}",
        ),
        (
            lambda o: cm.uncertainty.value_of_information(o, WORK, ways=["a test"], draws=50),
            "'a test' among the ways is no Measurement",
        ),
        (
            lambda o: cm.uncertainty.Measurement("x", ("a",), -5, ""),
            "Measurement.usd is -5, allowed is at least 0",
        ),
        (
            lambda o: cm.uncertainty.sobol_indices(lambda u: u, ["a", "b"]),
            "it must be one number a row",
        ),
        (
            lambda o: cm.uncertainty.sobol_indices(lambda u: u[:, 0], []),
            r"names is \[\], it must name",
        ),
        (
            lambda o: cm.uncertainty.drive(o, "economy", ["rag.top_k"]),
            "it must be {input: loading}",
        ),
        (
            lambda o: cm.breakeven({"first": o["RAG"], "second": o["LoRA"]}, WORK, low="1"),
            "low is '1', it must be a number",
        ),
    ],
)
def test_what_cannot_be_asked_of_doubt_is_one_sentence(options, ask, says):
    with pytest.raises(ValueError, match=says):
        ask(options)
