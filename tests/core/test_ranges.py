"""Doubt: forms of a Range, draws by key, and replacing Ranges inside nested dataclasses."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

import costmodel as cm
from costmodel.core.draws import draw_values, middle, sample, strata, uniforms, values_and_middle
from costmodel.core.errors import CatalogError
from costmodel.core.nested import find_key, key_of, leaves, pin, rewrite, same
from costmodel.core.ranges import Measured, Range

N = 4_000
LEVELS = np.array([0.05, 0.5, 0.95])


@dataclass(frozen=True)
class Fee:
    usd: object
    share: object = 0.5


@dataclass(frozen=True)
class Record:
    id: str
    usd: object


@dataclass(frozen=True)
class Bundle:
    first: object
    second: object = None
    label: str = "text stays"


# -- forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doubt", "expected"),
    [
        (Range(10, 1_000), (10, 100, 1_000)),
        (Range(10, 1_000, mid=30), (10, 30, 1_000)),
        (Range(0.1, 0.9, mid=0.3), (0.1, 0.3, 0.9)),
        (Range(-0.4, 0.2, mid=0.0, form="signed"), (-0.4, 0.0, 0.2)),
        (Range(-0.4, 0.2, mid=0.0), (-0.4, 0.0, 0.2)),
        (Range(0.3, 0.9, mid=0.4, form="amount"), (0.3, 0.4, 0.9)),
    ],
)
def test_a_range_has_its_ends_at_5_and_95_percent_and_its_middle_at_50(doubt, expected):
    assert doubt.quantile(LEVELS) == pytest.approx(expected)


def test_an_amount_is_lognormal_on_each_side_of_its_middle():
    """Quantiles of scipy's lognormal: spread log(mid / low) / 1.645 below the middle."""
    doubt, z90 = Range(2, 80, mid=10), stats.norm.ppf(0.95)
    below = stats.lognorm(s=np.log(10 / 2) / z90, scale=10).ppf([0.01, 0.2])
    above = stats.lognorm(s=np.log(80 / 10) / z90, scale=10).ppf([0.8, 0.99])
    assert doubt.quantile([0.01, 0.2, 0.8, 0.99]) == pytest.approx([*below, *above])


def test_another_level_puts_the_ends_elsewhere():
    assert Range(1, 100, level=0.5).quantile([0.25, 0.75]) == pytest.approx([1, 100])


@pytest.mark.parametrize(
    "doubt", [Range(0.01, 0.99), Range(0.9, 0.999, mid=0.99), Range(0.001, 0.5, mid=0.4)]
)
def test_a_share_never_leaves_0_to_1(doubt):
    values = doubt.quantile(np.linspace(1e-9, 1 - 1e-9, 10_001))
    assert values.min() > 0 and values.max() < 1


def test_an_amount_is_never_negative():
    assert Range(0.5, 5_000, mid=1).quantile(np.linspace(1e-12, 1 - 1e-12, 1_001)).min() > 0


def test_a_change_never_falls_below_minus_100_percent():
    assert Range(-0.9, 0.5, mid=0).quantile(np.linspace(1e-12, 1 - 1e-12, 1_001)).min() > -1


def test_a_range_without_width_is_a_number():
    assert middle(Range(3, 3)) == 3
    assert sample(Fee(Range(3, 3)), 10).usd == 3


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Range(2, 1), "low must not exceed high"),
        (lambda: Range(1, float("inf")), "both ends must be finite"),
        (lambda: Range("1", 2), "both ends must be finite numbers"),
        (lambda: Range(1, 2, mid=3), "mid is 3, it must lie between low and high"),
        (lambda: Range(1, 2, level=1.0), "level is 1.0, allowed is between 0 and 1"),
        (lambda: Range(0, 5), "an amount must be above 0"),
        (lambda: Range(0, 0.5), "a share must lie strictly between 0 and 1"),
        (lambda: Range(1, 2, form="triangle"), "form is 'triangle', allowed are"),
        (lambda: Measured(11, 10), "accepted must lie between 0 and trials"),
        (lambda: Measured(0, 0), "trials above 0"),
    ],
)
def test_a_wrong_range_is_refused_in_one_sentence(make, says):
    with pytest.raises(ValueError, match=says) as error:
        make()
    assert "\n" not in str(error.value)


# -- your own evaluation ---------------------------------------------------------------------------


@pytest.mark.parametrize(("accepted", "trials"), [(68, 100), (0, 20), (50, 50)])
def test_measured_is_the_jeffreys_posterior(accepted, trials):
    """Beta(accepted + 1/2, trials - accepted + 1/2), Brown, Cai & DasGupta 2001, section 3.1.3."""
    u = np.array([0.01, 0.05, 0.5, 0.95, 0.99])
    oracle = stats.beta(accepted + 0.5, trials - accepted + 0.5).ppf(u)
    assert Measured(accepted, trials).quantile(u) == pytest.approx(oracle)


def test_two_evaluations_err_apart_and_one_errs_the_same_everywhere():
    """70 of 100 beats 68 of 100 with the probability that scipy gives two independent Betas."""
    first, second, again = (
        sample(Fee(1, share=m), N).share
        for m in (Measured(68, 100), Measured(70, 100), Measured(68, 100))
    )
    rng = np.random.default_rng(0)
    better = (
        stats.beta(70.5, 30.5).rvs(200_000, rng) > stats.beta(68.5, 32.5).rvs(200_000, rng)
    ).mean()
    assert (second > first).mean() == pytest.approx(better, abs=0.03)
    assert np.array_equal(first, again)


@pytest.mark.parametrize(
    ("accepted", "trials", "median"), [(10, 10, 0.978), (0, 20, 0.0112), (85, 100, 0.8488)]
)
def test_the_middle_of_an_evaluation_is_its_posterior_median(accepted, trials, median):
    found = Measured(accepted, trials)
    assert middle(found) == pytest.approx(median, abs=5e-4)
    assert 0 < found.low < found.mid < found.high < 1


# -- evaluations of the same questions -------------------------------------------------------------


@pytest.mark.parametrize(
    "counts",
    [
        (80, 5, 5, 10),
        (80, 8, 3, 9),
        (140, 20, 10, 30),
        (95, 0, 5, 0),
        (45, 3, 0, 2),
        (0, 50, 40, 10),
    ],
)
def test_a_pair_is_better_as_often_as_in_the_joint_posterior(counts):
    """Beside draws of Dirichlet(counts + 1/4), whose margins are those of `Measured`."""
    first, second = Measured.paired(*counts)
    a, b = (sample(Fee(1, share=m), N).share for m in (first, second))
    cells = np.random.default_rng(1).dirichlet(np.array(counts) + 0.25, 200_000)
    assert (a > b).mean() == pytest.approx((cells[:, 1] > cells[:, 2]).mean(), abs=0.02)
    assert np.std(a - b) == pytest.approx(np.std(cells[:, 1] - cells[:, 2]), rel=0.05)
    for mine, share in ((a, cells[:, 0] + cells[:, 1]), (b, cells[:, 0] + cells[:, 2])):
        assert np.quantile(mine, [0.1, 0.9]) == pytest.approx(
            np.quantile(share, [0.1, 0.9]), abs=0.01
        )


def test_a_pair_is_known_better_than_two_evaluations_apart():
    pair = Measured.paired(80, 8, 3, 9)
    apart = Measured(88, 100, name="one"), Measured(83, 100, name="other")
    together, alone = (
        np.std(np.subtract(*(sample(Fee(1, share=m), N).share for m in both)))
        for both in (pair, apart)
    )
    assert together < 0.75 * alone


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (5, -1, 2, 3), (5, float("nan"), 2, 3)])
def test_a_pair_needs_counts(counts):
    with pytest.raises(ValueError, match="must be a count of questions from 0, not all 0"):
        Measured.paired(*counts)


def test_an_evaluation_that_follows_needs_something_to_follow():
    with pytest.raises(ValueError, match="a loading needs a driver"):
        Measured(68, 100, loading=0.5)


def test_more_trials_make_a_narrower_band():
    few, many = Measured(7, 10), Measured(700, 1_000)
    assert many.high - many.low < (few.high - few.low) / 5


# -- draws -----------------------------------------------------------------------------------------


def test_the_same_key_and_seed_give_the_same_draws():
    strata.cache_clear()
    before = uniforms("price", N, 7).copy()
    strata.cache_clear()
    assert np.array_equal(before, uniforms("price", N, 7))


def test_seed_0_is_reproducible_and_differs_from_seed_1():
    first = uniforms("price", N, 0).copy()
    strata.cache_clear()
    assert np.array_equal(first, uniforms("price", N, 0))
    assert not np.array_equal(first, uniforms("price", N, 1))


def test_draws_are_a_latin_hypercube():
    """Exactly one draw in each of n equal strata, and the draws of two keys are not correlated."""
    found = np.floor(uniforms("price", N, 3)[:, 0] * N).astype(int)
    assert np.array_equal(np.sort(found), np.arange(N))
    other = uniforms("rent", N, 3)[:, 0]
    assert abs(np.corrcoef(found, other)[0, 1]) < 4 / np.sqrt(N)


def test_draws_are_the_quantiles_of_their_uniforms():
    for doubt in (Range(1, 3), Range(-0.3, 0.2), Measured(68, 100)):
        assert draw_values("price", doubt, N, 3) == pytest.approx(
            doubt.quantile(uniforms("price", N, 3))
        )


def test_draws_have_one_column():
    assert draw_values("price", Range(1, 3), N, 0).shape == (N, 1)


def test_one_uncertain_price_is_one_price_everywhere():
    """P(100 x price > 90 x price) = 1; a lazily redrawn price gives 0.57."""
    drawn = sample(Bundle(Fee(Range(1, 3)), Fee(Range(1, 3))), N)
    assert (100 * drawn.first.usd > 90 * drawn.second.usd).all()


def test_an_overridden_range_stays_paired():
    """Another Range under the same key moves with it: ranks are equal."""
    base, other = sample(Fee(Range(1, 3)), N).usd, sample(Fee(Range(10, 90, mid=20)), N).usd
    assert np.array_equal(np.argsort(base[:, 0]), np.argsort(other[:, 0]))


def test_a_name_of_its_own_makes_a_range_independent():
    base, other = sample(Fee(Range(1, 3)), N).usd, sample(Fee(Range(1, 3, name="mine")), N).usd
    assert abs(np.corrcoef(base[:, 0], other[:, 0])[0, 1]) < 4 / np.sqrt(N)


def test_records_draw_under_their_id():
    assert key_of(Record("engineer", 1), "usd", 1) == "engineer.usd"
    assert key_of(Fee(1), "usd", 1) == "Fee.usd"
    assert key_of(Fee(1), "usd", Range(1, 2, name="mine")) == "mine"


def test_some_rows_of_the_draws_are_those_rows():
    whole = sample(Fee(Range(1, 3)), N).usd
    assert np.array_equal(sample(Fee(Range(1, 3)), N, rows=slice(100, 200)).usd, whole[100:200])


def test_draws_cannot_be_written_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        draw_values("price", Range(1, 3), 10, 0)[0] = 5


@pytest.mark.parametrize("draws", [0, -1, 1.5, "x", None, True, float("nan"), 10**9])
def test_a_wrong_number_of_draws_is_refused_before_anything_is_made(draws):
    with pytest.raises(
        ValueError, match=f"draws is {draws!r}, allowed is a whole number between 1 and 1000000"
    ):
        sample(Fee(Range(1, 3)), draws)


@pytest.mark.parametrize("seed", ["a", -1, 1.5, None, True, 2**40])
def test_a_wrong_seed_is_refused(seed):
    with pytest.raises(
        ValueError, match=f"seed is {seed!r}, allowed is a whole number between 0 and 4294967295"
    ):
        sample(Fee(Range(1, 3)), 10, seed)


# -- replacing inside nested dataclasses -----------------------------------------------------------


def test_middle_replaces_every_range_at_any_depth():
    nested = Bundle(
        (Fee(Range(1, 4)), {"key": Fee(Measured(3, 4))}), Fee(2.0, Range(0.2, 0.6, mid=0.3))
    )
    assert middle(nested) == Bundle((Fee(2.0), {"key": Fee(Measured(3, 4).mid)}), Fee(2.0, 0.3))


def test_sample_replaces_every_range_at_any_depth():
    drawn = sample(Bundle((Fee(Range(1, 4)),), Fee(2.0, Range(0.2, 0.6))), 50)
    assert drawn.first[0].usd.shape == drawn.second.share.shape == (50, 1)
    assert drawn.second.usd == 2.0 and drawn.label == "text stays"


def test_rewrite_shares_what_it_does_not_touch():
    untouched = Fee(2.0)
    changed = middle(Bundle(untouched, Fee(Range(1, 4))))
    assert changed.first is untouched
    nothing = Bundle(untouched, untouched)
    assert rewrite(nothing, lambda key, value: value) is nothing


def test_what_occurs_twice_is_rewritten_once():
    fee = Fee(Range(1, 4))
    changed = middle(Bundle(fee, (fee,)))
    assert changed.first is changed.second[0]


def test_same_compares_arrays_inside():
    a, b = sample(Bundle(Fee(Range(1, 4))), 20), sample(Bundle(Fee(Range(1, 4))), 20)
    assert same(a, b) and not same(a, sample(Bundle(Fee(Range(1, 5))), 20))
    assert not same(Fee(1), Record("Fee", 1))


def test_leaves_name_each_input_once():
    found = leaves(Bundle(Fee(Range(1, 4)), (Fee(Range(1, 4)), Record("engineer", 80))))
    assert found == {"Fee.usd": Range(1, 4), "Fee.share": 0.5, "engineer.usd": 80}


def test_pin_sets_an_input_wherever_it_occurs():
    pinned = pin(Bundle(Fee(Range(1, 4)), (Fee(9), Record("engineer", 80))), "Fee.usd", 7)
    assert (pinned.first.usd, pinned.second[0].usd, pinned.second[1].usd) == (7, 7, 80)


def test_find_key_takes_a_bare_field_that_is_the_only_one():
    things = Bundle(Fee(1), Record("engineer", 80))
    assert find_key(things, "share") == "Fee.share"
    assert find_key(things, "engineer.usd") == "engineer.usd"


def test_find_key_refuses_an_ambiguous_field_and_names_the_choices():
    with pytest.raises(
        ValueError, match=r"'usd' could be 'Fee.usd' or 'engineer.usd'; write one of them"
    ):
        find_key(Bundle(Fee(1), Record("engineer", 80)), "usd")


def test_find_key_names_the_nearest_of_an_unknown_field():
    with pytest.raises(CatalogError, match=r"no input 'Fee.shar' .*did you mean 'Fee.share'"):
        find_key(Bundle(Fee(1)), "Fee.shar")


def test_replace_is_the_way_to_ask_what_if():
    wider = replace(Range(1, 3), high=9, mid=None)
    assert (wider.low, wider.mid, wider.high) == pytest.approx((1, 3, 9))


def test_the_unit_of_a_field_says_what_its_range_is():
    """20 to 99 cents are an amount with a geometric mean; 20 to 99 percent are a share."""
    low, high = 0.2, 0.99
    work = cm.Workload(1e5, input_tokens=1, usd_per_failure=cm.Range(low, high))
    assert (
        work.usd_per_failure.mid == pytest.approx((low * high) ** 0.5)
        and work.usd_per_failure.form == "amount"
    )
    assert cm.Workload(
        1e5, input_tokens=1, usd_per_failure=cm.Range(0.5, 1)
    ).usd_per_failure.mid == pytest.approx(0.5**0.5)
    assert cm.Corpus(100, churn_per_month=cm.Range(0.01, 0.2)).churn_per_month.form == "share"
    with pytest.raises(ValueError, match="a share must lie strictly between 0 and 1"):
        cm.Corpus(100, churn_per_month=cm.Range(0.5, 1))
    assert (
        cm.Workload(
            1e5, input_tokens=1, usd_per_failure=cm.Range(0.2, 0.8, form="share")
        ).usd_per_failure.form
        == "share"
    )


# -- very many draws -------------------------------------------------------------------------------


def test_beyond_one_hypercube_its_blocks_are_one_too_and_nothing_is_kept():
    n, fee = 150_000, Fee(Range(1, 3), Range(0.2, 0.4))
    kept = values_and_middle.cache_info().currsize
    whole = sample(fee, n, 5)
    some = sample(fee, n, 5, rows=slice(70_000, 70_500))
    assert np.array_equal(some.usd, whole.usd[70_000:70_500])
    assert np.array_equal(sample(fee, n, 5, rows=np.array([9, 149_999])).usd, whole.usd[[9, -1]])
    assert values_and_middle.cache_info().currsize == kept
    u = np.sort(uniforms("Fee.usd", n, 5)[:, 0])
    assert len(np.unique(u)) == n and np.abs(u - (np.arange(n) + 0.5) / n).max() < 2e-4
    assert abs(stats.spearmanr(whole.usd, whole.share).statistic) < 0.01
    assert whole.usd.mean() == pytest.approx(sample(fee, 50_000, 5).usd.mean(), rel=1e-5)


def test_a_driver_moves_very_many_draws_as_it_moves_few():
    both = cm.uncertainty.drive(Fee(Range(1, 3), Range(2, 5)), "economy",
                                {"Fee.usd": 0.9, "Fee.share": 0.9})  # fmt: skip
    few, many = (sample(both, n, 5) for n in (50_000, 150_000))
    for drawn in (few, many):
        assert stats.spearmanr(drawn.usd, drawn.share).statistic == pytest.approx(0.796, abs=0.01)
    assert np.percentile(many.usd, [5, 95]) == pytest.approx([1, 3], rel=0.01)
