"""Per outcome and per user, and why a total changed."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STILL, Better, Buy, api, total

import costmodel as cm
from costmodel.choices.schedule import monthly
from costmodel.decisions.simulate import per_draw
from costmodel.studies.outcomes import per_request

WORK = cm.Workload(1_000, input_tokens=1_000, peak_to_average=2.0)


def each(usd, accepted=None, *more):
    return cm.Option(api(accepted=accepted, **{"in": 1_000.0 * usd, "out": 0.0}), *more)


# -- per outcome -----------------------------------------------------------------------------------


def test_2_80_at_68_percent_is_4_12():
    row = cm.finance.per_outcome(each(2.80, 0.68), WORK, terms=STILL).iloc[0]
    assert round(row.per_accepted, 2) == 4.12


@pytest.mark.parametrize(
    ("p", "r", "d"), [(0.68, 0, 1.0), (0.5, 3, 0.7), (0.0, 2, 0.5), (1.0, 5, 1.0), (0.3, 1, 0.0)]
)
def test_what_becomes_of_requests_adds_up_and_agrees_with_counting(p, r, d):
    attempts, solved, escalated, wrong = (float(x) for x in cm.finance.resolve(p, r, d))
    assert (
        solved + escalated + wrong == pytest.approx(1) and min(solved, escalated, wrong) >= -1e-12
    )
    left, tries, ok, bad = 1.0, 0.0, 0.0, 0.0
    for _ in range(r + 1):
        tries, ok, bad, left = (
            tries + left,
            ok + left * p,
            bad + left * (1 - p) * (1 - d),
            left * (1 - p) * d,
        )
    assert (attempts, solved, escalated, wrong) == pytest.approx((tries, ok, left, bad))


def test_retries_people_and_wrong_answers_are_paid():
    """p = 0.5, one retry, all noticed: 1.5 attempts of $2, a quarter to a person at $8, three
    quarters accepted.
    """
    row = cm.finance.per_outcome(
        each(2.0, 0.5), WORK, retries=1, usd_per_escalation=8.0, terms=STILL
    ).iloc[0]
    assert (row.attempts, row.accepted, row.escalated, row.wrong) == (1.5, 0.75, 0.25, 0.0)
    assert row.per_accepted == pytest.approx((1.5 * 2 + 0.25 * 8) / 0.75)
    unseen = cm.finance.per_outcome(
        each(2.0, 0.5), WORK, detected=0.0, usd_per_wrong=10.0, terms=STILL
    ).iloc[0]
    assert unseen.per_accepted == pytest.approx((2 + 0.5 * 10) / 0.5)
    solved = cm.finance.per_outcome(
        each(2.0, 0.5), WORK, usd_per_escalation=8.0, person_solves=True, terms=STILL
    ).iloc[0]
    assert solved.per_accepted == pytest.approx(2 + 0.5 * 8)


def test_a_cheap_model_that_fails_40_percent_can_lose():
    table = cm.finance.per_outcome(
        {"cheap": each(1.0, 0.6), "dear": each(1.4, 0.95)},
        WORK,
        usd_per_escalation=2.0,
        terms=STILL,
    )
    assert table.index[0] == "dear"


def test_draws_that_do_not_fit_are_not_in_the_band():
    """A request of 200,000 tokens does not fit a window of 128,000: no price of it is drawn."""
    tokens = cm.Range(50e3, 200e3, mid=90e3)
    work = cm.Workload(1_000, input_tokens=tokens, output_tokens=250)
    option = cm.Option(cm.Api("gpt-4o", on="2026-11-01", accepted=0.8))
    row = cm.finance.per_outcome(option, work, months=12, draws=2_000).iloc[0]
    study = cm.Study(option, work, cm.Terms(months=12))
    (usd,) = per_draw(study, (per_request,), draws=2_000)[0].values()
    assert 0.05 < np.isnan(usd).mean() < 0.5
    assert row[["p10", "p90"]].to_list() == pytest.approx(np.nanpercentile(usd / 0.8, [10, 90]))
    assert row["p90"] < 128e3 * 2.5e-6 / 0.8 * 1.1


def test_unknown_quality_is_not_comparable():
    row = cm.finance.per_outcome(each(1.0), WORK, terms=STILL).iloc[0]
    assert np.isnan(row.per_accepted) and "not comparable" in row.why_not


def test_equal_quality_lets_people_do_the_rest():
    """$1 at 60 % and $3 at 90 %, both brought to 90 % at $5 a case: 1 + 0.3 x 5 against 3."""
    table = cm.finance.equal_quality(
        {"cheap": each(1.0, 0.6), "good": each(3.0, 0.9)}, WORK, 0.9, 5.0, months=1, terms=STILL
    )
    assert table["usd"].to_dict() == pytest.approx({"cheap": 2_500, "good": 3_000})
    assert table["by_people"].to_dict() == pytest.approx({"cheap": 0.3, "good": 0.0})


# -- users and seats -------------------------------------------------------------------------------


def test_a_power_user_costs_24_dollars_on_a_20_dollar_seat():
    """100 users, 10 requests each at $0.40: the mean user costs 4, the P95 user with six times as
    many 24, a margin of -20 %.
    """
    table = cm.finance.unit_economics(
        each(0.40), WORK, users=100, usd_per_seat_month=20.0, heavy=6.0, terms=STILL
    ).set_index("unit")
    assert table.usd["active user a month"] == pytest.approx(4) and table.margin[
        "active user a month"
    ] == pytest.approx(0.8)
    assert table.usd["P95 user a month"] == pytest.approx(24) and table.margin[
        "P95 user a month"
    ] == pytest.approx(-0.2)


def test_fixed_costs_are_shared_by_heads():
    table = (
        cm.finance.unit_economics(
            each(0.40, None, Buy(500, monthly(), phase="maintenance")),
            WORK,
            users=100,
            heavy=6.0,
            terms=STILL,
        )
        .set_index("unit")
        .usd
    )
    assert table["active user a month"] == pytest.approx(4 + 5) and table[
        "P95 user a month"
    ] == pytest.approx(24 + 5)
    assert table["request"] == pytest.approx(0.9)


def test_a_task_has_several_requests_and_is_resolved_sometimes():
    table = (
        cm.finance.unit_economics(
            each(0.40, 0.8), WORK, users=100, requests_per_task=3, terms=STILL
        )
        .set_index("unit")
        .usd
    )
    assert table["task"] == pytest.approx(1.2) and table["resolved task"] == pytest.approx(1.5)


# -- why did it change -----------------------------------------------------------------------------


def bars(before, after):
    table = cm.finance.waterfall(before, after)
    steps = table.iloc[1:-1]
    assert steps["usd"].sum() == pytest.approx(table["total"].iloc[-1] - table["total"].iloc[0])
    assert table["total"].iloc[-1] == pytest.approx(total(*after)) and table["total"].iloc[
        0
    ] == pytest.approx(total(*before))
    return steps.set_index("step")["usd"]


def test_each_kind_of_change_has_its_bar():
    work = replace(WORK, usd_per_failure=1.0)
    option = each(2.0, 0.5, Better(0.0))
    start = (option, work, STILL)
    price = replace(option, serving=api(accepted=0.5, **{"in": 3_000.0, "out": 0.0}))
    months = STILL.months
    assert bars(start, (price, work, STILL)).to_dict() == pytest.approx(
        dict.fromkeys(("volume", "quality", "people", "mix", "terms"), 0.0)
        | {"price": 1_000 * months}
    )
    assert bars(start, (option, replace(work, requests_per_month=1_500), STILL))[
        "volume"
    ] == pytest.approx(500 * 2.5 * months)
    assert bars(start, (option, replace(work, usd_per_failure=2.0), STILL))[
        "quality"
    ] == pytest.approx(500 * months)
    assert bars(start, (replace(option, techniques=(Buy(99.0),)), work, STILL))[
        "mix"
    ] == pytest.approx(99)
    assert bars(start, (option, work, replace(STILL, months=months + 1)))["terms"] == pytest.approx(
        2_500
    )


def test_people_have_a_bar():
    work = cm.Workload(1_000, input_tokens=900, corpus=cm.Corpus(tokens=1e6), peak_to_average=2.0)
    rag = cm.Option(api(**{"in": 1.0, "out": 1.0}), cm.Rag(upkeep_fte=0.1))
    more = replace(rag, techniques=(cm.Rag(upkeep_fte=0.3),))
    found = bars((rag, work, STILL), (more, work, STILL))
    assert found["people"] > 0 and found.drop("people").abs().max() < 1e-6


def test_two_dates_differ_by_price():
    """o3 fell from $10 to $2 a million on 2025-06-10."""
    option = cm.Option(cm.Api("o3", on="2025-06-09"))
    later = cm.choices.repriced(option, "2025-06-10")
    assert (bars((option, WORK, STILL), (later, WORK, STILL)).abs() < 1e-9).all()  # known before
    terms = replace(STILL, start="2025-03-01", months=3)
    found = bars((option, WORK, terms), (later, WORK, terms))
    assert (
        found["price"] == pytest.approx(-0.8 * total(option, WORK, terms))
        and found.drop("price").abs().max() < 1e-9
    )


def test_phases_sum_to_the_difference_too():
    table = cm.finance.by_phase((each(2.0), WORK, STILL), (each(1.0, None, Buy(99.0)), WORK, STILL))
    assert table["usd"].iloc[1:-1].sum() == pytest.approx(
        table["total"].iloc[-1] - table["total"].iloc[0]
    )
    assert table.set_index("step")["usd"]["build"] == 99


def test_a_resolved_task_costs_at_least_a_task():
    """$0.40 a request, half are right, $1 a wrong answer: 0.90 a request, 1.80 a resolved one."""
    work = replace(WORK, usd_per_failure=1.0)
    table = (
        cm.finance.unit_economics(each(0.40, 0.5), work, users=100, terms=STILL)
        .set_index("unit")
        .usd
    )
    assert table["task"] == pytest.approx(0.9) and table["resolved task"] == pytest.approx(1.8)
    assert (
        cm.finance.unit_economics(each(0.40, 0.0), work, users=100, terms=STILL)
        .set_index("unit")
        .usd["resolved task"]
        == np.inf
    )


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (
            lambda: cm.finance.per_outcome(each(1, 0.5), WORK, retries=1.5),
            "retries is 1.5, allowed is a whole number",
        ),
        (
            lambda: cm.finance.per_outcome(each(1, 0.5), WORK, usd_per_wrong=-1.0),
            "usd_per_wrong is -1.0, allowed is at least 0",
        ),
        (
            lambda: cm.finance.unit_economics(each(1), WORK, 100, usd_per_seat_month=-5),
            "usd_per_seat_month is -5, allowed is at least 0",
        ),
    ],
)
def test_what_cannot_happen_to_a_request_is_refused(ask, says):
    with pytest.raises(ValueError, match=says):
        ask()
