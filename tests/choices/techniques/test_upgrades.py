"""Successors: what their price and their answers change from the month of a move on."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STAFFED, Better, api, total

import costmodel as cm
from costmodel.decisions.simulate import totals
from costmodel.ledgers.calendar import Calendar

WORK = cm.Workload(1_000, input_tokens=1_000, output_tokens=100, usd_per_failure=0.5)
YEAR = replace(STAFFED, months=12)
CARD = api(**{"in": 2.0, "out": 10.0}, accepted=0.8)
MOVES = cm.Upgrades(every_months=5, retires=None, price_step=0.5, quality_step=0.0)


def book(*techniques, serving=CARD, work=WORK, terms=YEAR, **more):
    return cm.ledger(cm.Option(serving, *techniques, **more), work, terms=terms)


def monthly(table, start):
    return table[table["item"].str.startswith(start)].groupby("month").usd.sum()


def test_tokens_cost_the_price_of_the_successor_from_its_month_on():
    before, after = (monthly(book(x), "production") for x in (replace(MOVES, price_step=0), MOVES))
    factor = [1.0] * 4 + [1.5] * 5 + [2.25] * 3  # moves in months 5 and 10
    assert (after / before).to_list() == pytest.approx(factor, rel=1e-12)
    priced = book(MOVES).query("item == 'production: output'")
    assert priced.quantity.nunique() == 1 and priced.usd_per_unit.to_list() == pytest.approx(
        [10.0 * f for f in factor]
    )
    assert priced.basis.iloc[0].endswith("× (1 + 0.5) at each move to a successor")


def test_evaluation_pays_the_successor_too_and_a_judge_does_not():
    judge = api("judge", **{"in": 1.0, "out": 4.0})
    evals = cm.Evals(judge=judge)
    before, after = (book(x, evals) for x in (replace(MOVES, price_step=0), MOVES))
    factor = (after.usd / before.usd)[after.month == 12]
    stepped = after[(after.month == 12)].loc[factor.round(9) == 2.25, "item"]
    assert {"production: fresh input", "production: output"} < set(stepped)
    kept = after[(after.month == 12)].loc[factor.round(9) == 1.0, "item"]
    assert set(stepped) | set(kept) == set(after[after.month == 12]["item"])
    assert any("judge" in item for item in kept) and not any("judge" in item for item in stepped)


def test_a_model_ends_for_all_who_call_it():
    """A judge of the same model moves too, at its own price."""
    dear, other = (replace(CARD, discount=d) for d in (0.0, 0.5))
    for judge in (dear, other):
        after = monthly(book(MOVES, cm.Evals(judge=judge)), "evaluation judge")
        assert after[12] / after[1] == pytest.approx(2.25)


def test_an_announced_day_is_the_first_move():
    day = replace(MOVES, retires="2027-03-15", every_months=100)  # month 4 from December on
    after = monthly(book(day), "production")
    assert (after / after[1]).to_list() == pytest.approx([1.0] * 3 + [1.5] * 9)


def test_a_step_of_quality_changes_wrong_answers_alone():
    steps = replace(MOVES, price_step=0, quality_step=1.0)
    before, after = (book(x) for x in (replace(steps, quality_step=0.0), steps))
    wrong = "answers that fail"
    others, same = (x[x["item"] != wrong].usd.to_list() for x in (before, after))
    assert others == pytest.approx(same, rel=1e-12)
    shares = [float(cm.knowledge.shift(0.8, n)) for n in [0] * 4 + [1] * 5 + [2] * 3]
    failed = monthly(after, wrong)
    assert failed.to_list() == pytest.approx([1_000 * 0.5 * (1 - s) for s in shares])
    assert monthly(before, wrong).to_list() == pytest.approx([100.0] * 12)


@pytest.mark.parametrize("more", [{}, {"quality": 0.8}], ids=["assumed", "measured"])
def test_the_accepted_share_is_the_mean_over_the_requests(more):
    grows = replace(WORK, growth_per_year=1.0)
    option = cm.Option(CARD, replace(MOVES, quality_step=1.0), **more)
    table = cm.compare(option, grows, terms=YEAR, draws=1)
    shares = np.array([cm.knowledge.shift(0.8, n) for n in [0] * 4 + [1] * 5 + [2] * 3])
    assert table.quality.item() == pytest.approx(
        np.average(shares, weights=grows.demand(12)[1:]), rel=1e-12
    )


def test_an_own_model_has_the_quality_of_its_successor_and_no_price():
    own = cm.Hosted("llama-3.1-8b", gpu="L40S", accepted=0.5)
    plain = replace(MOVES, price_step=0)
    usd = [book(x, serving=own).usd.sum() for x in (plain, MOVES, replace(plain, quality_step=1))]
    assert usd[0] == usd[1] > usd[2]


def test_no_move_and_no_upgrades_change_nothing():
    late = replace(MOVES, every_months=50, quality_step=1.0)
    cost = total(cm.Option(CARD, late), WORK, YEAR)
    assert cost == pytest.approx(total(cm.Option(CARD, Better(0.0)), WORK, YEAR), rel=1e-12)


def test_draws_agree_with_single_numbers():
    months, steps, better = np.array([[4.0], [7.5]]), np.array([[0.5], [-0.3]]), [[1.0], [-0.2]]
    drawn = replace(
        MOVES, every_months=months, price_step=steps, quality_step=np.array(better), weeks=1.0
    )
    seasonal = replace(WORK, seasons={"may": 1.0})

    def evaluated(technique):
        option = cm.uncertainty.middle(cm.Option(CARD, technique))
        bill = cm.ledgers.evaluate(option, seasonal, YEAR)
        return bill.accepted, [line.item for line in bill.lines], bill

    share, items, bill = evaluated(drawn)
    for i in range(2):
        one = replace(
            MOVES,
            every_months=months[i, 0],
            price_step=steps[i, 0],
            quality_step=better[i][0],
            weeks=1.0,
        )
        single, names, other = evaluated(one)
        assert items == names and share[i, 0] == pytest.approx(float(single))
        calendar = Calendar(seasonal, YEAR)
        assert bill.paid(calendar)[i] == pytest.approx(other.paid(calendar))
        assert bill.total(calendar)[i, 0] == pytest.approx(float(other.total(calendar)))


def test_the_step_of_the_price_widens_the_band_of_an_api():
    moves = replace(MOVES, every_months=12, price_step=cm.Upgrades().price_step)
    certain = replace(moves, price_step=0.16)
    work = replace(WORK, requests_per_month=1e6)
    study = cm.Study(
        {"step": cm.Option(CARD, moves), "none": cm.Option(CARD, certain)}, work, STAFFED
    )
    usd = totals(study, draws=500)
    spread = {name: np.ptp(np.quantile(x, [0.1, 0.9])) for name, x in usd.items()}
    assert spread["step"] > 2 * spread["none"]


# -- the successor that a maker names --------------------------------------------------------------


def test_a_named_successor_is_paid_at_its_list_price_from_the_announced_day():
    """gpt-5-mini ends on 2026-12-11; OpenAI names gpt-6.1-terra, at another list price."""
    old, new = (cm.Api(m, on="2026-11-20") for m in ("gpt-5-mini", "gpt-6.1-terra"))
    first, then = (api.model.tiers[0] for api in (old, new))
    ratio = (3 * then.usd_per_mtok_in + then.usd_per_mtok_out) / (
        3 * first.usd_per_mtok_in + first.usd_per_mtok_out
    )
    terms = replace(YEAR, start="2026-11-01")
    moves = replace(MOVES, every_months=6)
    plain, moved, other = (
        monthly(book(*t, serving=old, terms=terms), "production")
        for t in ((), (moves,), (replace(moves, named_successor=False),))
    )
    factor = [1.0] + [ratio] * 6 + [ratio * 1.5] * 5
    assert (moved / plain).to_list() == pytest.approx(factor)
    assert (other / plain).to_list() == pytest.approx([1.0] + [1.5] * 6 + [2.25] * 5)


def test_a_day_of_your_own_and_a_model_that_nobody_follows_take_the_usual_step():
    old = cm.Api("gpt-5-mini", on="2026-11-20")
    for serving, day in ((old, "2027-03-15"), (cm.Api("gpt-5.4-nano", on="2026-11-20"), None)):
        moved = book(replace(MOVES, retires=day), serving=serving)
        assert "× (1 + 0.5) at each move" in moved.query("trend == 'api'").basis.iloc[0]
