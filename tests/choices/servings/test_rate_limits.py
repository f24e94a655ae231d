"""Rate limits of an API: what is refused, what waits, and what another API answers."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STILL, api, lines

import costmodel as cm
from costmodel.decisions.simulate import totals
from costmodel.laws import queueing
from costmodel.ledgers.calendar import Calendar

MONTH = replace(STILL, months=1)
HOURS = 730
CARD = api(**{"in": 1.25, "out": 10.0})
OTHER = api("other", **{"in": 3.0, "out": 15.0})


def flat(tokens_per_min, peak=1.0, **more):
    """Input tokens a minute, all month, in requests of 1,000."""
    return cm.Workload(
        tokens_per_min / 1_000 * 60 * HOURS,
        input_tokens=1_000,
        active_hours_per_month=HOURS,
        peak_to_average=peak,
        **more,
    )


def limited(most=70_000, **more):
    return cm.Option(replace(CARD, tokens_per_min_max=most, **more))


def why(option, work, terms=MONTH):
    return cm.compare(option, work, terms=terms, draws=10).why_not.item()


# -- refused ---------------------------------------------------------------------------------------


def test_a_limit_below_the_busiest_minutes_is_infeasible():
    """80 requests a minute, and by chance 80 + 1.74 sqrt(80) = 95.6 in one of twenty."""
    asked = flat(40_000, peak=2.0)
    assert np.isfinite(cm.compare(limited(96_000), asked, terms=MONTH, draws=10).expected.item())
    assert why(limited(95_000), asked).startswith(
        "the busiest hour brings 80,000 tokens a minute on average and 95,562 in its busiest "
        "minutes, the limit of toy is 95,000; ask for a higher limit, "
    )
    few = cm.Option(replace(CARD, requests_per_min_max=79))
    assert why(few, asked).startswith("the busiest hour brings 80 requests a minute on average")


def test_a_drawn_peak_breaks_the_limit_in_some_draws():
    asked = replace(flat(40_000), peak_to_average=cm.Range(1.2, 3.0))
    says = cm.compare(limited(110_000), asked, draws=400).why_not.item()
    assert "does not fit in" in says or "quality unknown" in says
    usd = totals(cm.Study({"api": limited(110_000)}, asked, MONTH), draws=400)["api"]
    assert 0.05 < np.isnan(usd).mean() < 0.5


@pytest.mark.parametrize(
    ("more", "when"),
    [({"growth_per_year": 1.0}, "December 2027"), ({"seasons": {"march": 1.0}}, "March 2027")],
)
def test_the_limit_holds_in_the_busiest_month(more, when):
    says = why(limited(79_000), flat(40_000, **more), replace(STILL, months=13))
    assert says.startswith(f"the busiest hour of {when} brings 80,000 tokens a minute")


# -- waiting ---------------------------------------------------------------------------------------


def test_a_queue_says_who_waits_and_costs_the_same():
    asked = flat(40_000, peak=2.0)
    waits = cm.ledger(limited(85_000, over_limit="queue"), asked, terms=MONTH)
    free = cm.ledger(cm.Option(CARD), asked, terms=MONTH)
    assert waits.usd.sum() == pytest.approx(free.usd.sum())
    share, seconds = queueing.wait_chance(85.0, 80.0), queueing.wait_at_limit(80.0, 85.0)
    assert 0 < share < 1 and seconds == pytest.approx(60 / 2 / 5)
    assert waits.basis[0].endswith(
        f"; in the busiest hour {100 * share:.0f} % of the calls wait 6.0 s for the limit"
    )


def test_a_queue_holds_no_load_above_the_limit():
    says = why(limited(79_000, over_limit="queue"), flat(40_000, peak=2.0))
    assert says.startswith(
        "the busiest hour brings 80,000 tokens a minute, the limit of toy is 79,000; ask for"
    )


def test_waits_at_a_limit_agree_with_a_day_of_random_calls():
    """Calls at random, each of which needs a place in a sliding minute."""
    rate, most, rng = 9.0, 12, np.random.default_rng(1)
    asked = np.cumsum(rng.exponential(60 / rate, 60_000))
    sent = np.zeros(asked.size)
    for i, now in enumerate(asked):
        earliest = sent[i - most] + 60 if i >= most else 0.0
        sent[i] = max(now, earliest)
    waited = sent - asked
    share, seconds = queueing.wait_chance(most, rate), queueing.wait_at_limit(rate, most)
    assert (waited > 0).mean() == pytest.approx(float(share), rel=0.3)
    assert waited[waited > 0].mean() == pytest.approx(float(seconds), rel=0.3)


# -- elsewhere -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seasons", [None, {"december": 1.8}])
def test_tokens_over_both_apis_are_all_tokens(seasons):
    asked = flat(40_000, peak=2.5, output_tokens=200, seasons=seasons)
    terms = replace(STILL, months=12)
    both = cm.ledger(limited(over_limit="fallback", fallback=OTHER), asked, terms=terms)
    alone = cm.ledger(cm.Option(CARD), asked, terms=terms)
    for kind in ("fresh input", "output"):
        is_kind = both["item"].str.endswith(f"production: {kind}")
        want = alone[alone["item"] == f"production: {kind}"].groupby("month").quantity.sum()
        got = both[is_kind].groupby("month").quantity.sum()
        assert got.to_numpy() == pytest.approx(want.to_numpy())
    over = both[both["item"] == "overflow: production: fresh input"]
    assert over.usd_per_unit.to_list() == pytest.approx([3.0] * len(over))
    assert (over.quantity > 0).all()
    first = want.index[0]
    if seasons:  # December is month 1
        assert over.set_index("month").quantity[first] > 2.8 * over.quantity.iloc[-1]


def test_the_share_above_the_limit_is_the_area_of_the_load_curve():
    """Of 120,000 tokens a minute at the peak, 60,000 are allowed: half of the peak is covered."""
    asked = flat(60_000, peak=2.0)
    bought = {
        x.item: float(x.quantity)
        for x in lines(limited(60_000, over_limit="fallback", fallback=OTHER), asked, MONTH)
    }
    all_of_it = 60_000 * 60 * HOURS / 1e6
    assert bought["overflow: production: fresh input"] == pytest.approx(0.25 * all_of_it)
    assert bought["production: fresh input"] == pytest.approx(0.75 * all_of_it)


def test_draws_of_a_limit_agree_with_single_numbers():
    peaks = np.array([[1.2], [2.0], [3.0]])
    way = limited(over_limit="fallback", fallback=OTHER)

    def usd(peak):
        work = flat(40_000, peak=peak, seasons={"may": 1.0})
        bill = cm.ledgers.evaluate(*cm.uncertainty.middle((way, work, STILL)))
        return bill.total(Calendar(flat(40_000, seasons={"may": 1.0}), STILL))

    assert usd(peaks).ravel() == pytest.approx([float(usd(float(p))) for p in peaks.ravel()])


def test_the_limit_of_a_fallback_holds_too():
    tight = replace(OTHER, tokens_per_min_max=5_000)
    says = why(limited(over_limit="fallback", fallback=tight), flat(40_000, peak=2.0))
    assert says.startswith("the busiest hour brings 10,000 tokens a minute on average")
    assert "the limit of other is 5,000" in says


def test_a_limit_of_what_own_gpus_hand_on_is_no_broken_number():
    """In the draws in which the overflow is too much, the option does not fit; no total is NaN."""
    way = replace(CARD, requests_per_min_max=5_500)
    own = cm.Hosted("llama-3.1-8b", fleet=cm.serving.Fleet(cover=0.5), overflow=way)
    asked = flat(12_000_000, output_tokens=100)
    asked = replace(asked, peak_to_average=cm.Range(1.2, 3.0))
    study = cm.Study({"own": cm.Option(own, quality=0.5)}, asked, MONTH, draws=200)
    table = cm.compare(study)
    assert "does not fit in" in table["why_not"].item() and np.isfinite(table["expected"].item())
    usd = totals(study, draws=200)["own"]
    assert 0.02 < np.isnan(usd).mean() < 0.9
    assert not np.isnan(totals(study, 200, {"peak_to_average": [1.2, 1.3]})["own"]).any()


def test_a_fallback_moves_to_the_prices_of_another_day():
    one, two = (cm.Api(m, on="2026-11-20") for m in ("gpt-6-luna", "gpt-6.1-terra"))
    way = replace(one, tokens_per_min_max=9, over_limit="fallback", fallback=two)
    moved = cm.choices.repriced(cm.Option(way), "2026-11-01").serving
    assert (moved.on, moved.fallback.on) == ("2026-11-01", "2026-11-01")
    assert moved.where == "openai + openai"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"over_limit": "wait"}, "no over_limit 'wait' in Api"),
        ({"over_limit": "queue"}, "but there is no limit; give tokens_per_min_max="),
        (
            {"over_limit": "fallback", "tokens_per_min_max": 9},
            "over_limit='fallback' and fallback=Api(...) belong together",
        ),
        ({"fallback": OTHER, "tokens_per_min_max": 9}, "belong together; give both or none"),
        (
            {"over_limit": "fallback", "tokens_per_min_max": 9, "fallback": "gpt-6-sol"},
            "Api.fallback is",
        ),
        (
            {
                "over_limit": "fallback",
                "tokens_per_min_max": 9,
                "fallback": replace(OTHER, tokens_per_min_max=9, over_limit="queue"),
            },
            "Api.fallback has over_limit='queue', allowed is 'refuse'",
        ),
    ],
)
def test_slips_are_one_sentence(fields, says):
    with pytest.raises(ValueError) as reason:
        replace(CARD, **fields)
    assert says in str(reason.value)
