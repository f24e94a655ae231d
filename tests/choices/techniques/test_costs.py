"""Costs of one's own: what a project pays that no other technique prices."""

import pytest
from toys import STAFFED, STILL, api

import costmodel as cm

WORK = cm.Workload(1_000, input_tokens=100, growth_per_year=1.0)
FREE = api(**{"in": 0, "out": 0})


def paid(*costs, terms=STILL, months=14):
    """USD by month of an option that costs nothing else."""
    book = cm.ledger(cm.Option(FREE, *costs), WORK, terms=terms, months=months)
    return book[book["item"] != "production: fresh input"].groupby("month")["usd"].sum().to_dict()


@pytest.mark.parametrize(
    ("fields", "months"),
    [
        ({"usd": 500}, {0: 500}),
        ({"usd": 500, "month": 3}, {3: 500}),
        ({"usd": 500, "persons": 12, "month": 2}, {2: 6_000}),
        ({"usd": 30, "per": "month", "month": 13, "persons": 20}, {13: 600, 14: 600}),
        ({"usd": 700, "per": "year"}, {1: 700, 13: 700}),
        ({"hours": 8, "month": 1}, {1: 800}),
        ({"hours": 2, "per": "month", "month": 14, "persons": 3}, {14: 600}),
    ],
    ids=str,
)
def test_a_cost_is_paid_as_often_as_it_says(fields, months):
    assert paid(cm.Cost("a cost", **fields), terms=STAFFED) == pytest.approx(months)


def test_a_cost_per_request_grows_with_them():
    by_month = paid(cm.Cost("licence", usd=0.5, per="request"))
    assert (by_month[1], by_month[13]) == pytest.approx((500, 1_000))


def test_a_cascade_pays_a_request_once():
    fee = cm.Cost("licence", usd=0.5, per="request")
    both = cm.cascade(cm.Option(FREE, fee), cm.Option(api("other", **{"in": 0}), fee), 0.3)
    assert cm.ledger(both, WORK, terms=STILL, months=1)["usd"].sum() == pytest.approx(500)


def test_the_ledger_says_where_a_cost_stands():
    cost = cm.Cost("new desks", usd=500, phase="compliance", treatment="capex", trend="service")
    option = cm.Option(FREE, cost, cm.Cost("audit", usd=cm.Range(100, 300), per="year"))
    book = cm.ledger(option, WORK, terms=STILL, months=2).set_index("item")
    place = ["phase", "treatment", "trend", "basis"]
    assert book.loc["new desks", place].to_list() == ["compliance", "capex", "service", "USD 500"]
    assert book.loc["audit", "basis"].endswith("a year")


def test_two_costs_are_two_doubts():
    costs = [cm.Cost(name, usd=cm.Range(100, 300)) for name in ("one", "two")]
    keys = cm.uncertainty.tornado(cm.Option(FREE, *costs), WORK, terms=STILL)["input"]
    assert {"one.usd", "two.usd"} <= set(keys)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "'fee' needs usd=, its price, or hours= of a person; give one of the two"),
        ({"usd": 1, "hours": 1}, "give one of the two"),
        ({"usd": -1}, "Cost.usd is -1, allowed is at least 0"),
        ({"usd": 1, "per": "moth"}, "no per 'moth' in the cost 'fee'; did you mean 'month'"),
        ({"usd": 1, "phase": "complianc"}, "no phase 'complianc' .* did you mean 'compliance'"),
        ({"usd": 1, "trend": "gpus"}, "no trend 'gpus' .* did you mean 'gpu'"),
        ({"usd": 1, "treatment": "capx"}, "no treatment 'capx' .* did you mean 'capex'"),
        ({"usd": 1, "month": 121}, "month of the cost 'fee' is 121, allowed is a whole number"),
        ({"usd": 1, "month": 2, "per": "request"}, "is paid per request; leave month out"),
        ({"hours": 1, "role": "councel"}, "no role 'councel' .* did you mean 'counsel'"),
    ],
    ids=str,
)
def test_a_slip_is_one_sentence(fields, words):
    with pytest.raises(ValueError, match=words):
        cm.Cost("fee", **fields)


def test_a_file_says_the_same(tmp_path):
    text = """
title: Test
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
terms: {on: 2026-11-20}
options:
  A:
    serving: {api: gpt-6-sol}
    techniques:
      - cost: {item: penetration test, usd: 12_000, month: 3, phase: compliance}
      - cost: {item: counsel, hours: {low: 4, high: 9}, role: counsel, per: month}
"""
    study = cm.load(text)
    bought = (
        cm.Cost("penetration test", usd=12_000, month=3, phase="compliance"),
        cm.Cost("counsel", hours=cm.Range(4, 9), role="counsel", per="month"),
    )
    assert study.options["A"].techniques == bought
    assert cm.load(cm.scenarios.save(study, tmp_path / "a.yaml")) == study


@pytest.mark.parametrize("per", ["once", "month", "year"])
def test_a_cost_after_the_horizon_is_said(per):
    """It is in no total, and neither lint nor the register passes over it."""
    late = cm.Cost("audit", usd=50_000, per=per, month=40)
    option, work = cm.Option(api(**{"in": 1, "out": 1}), late), cm.Workload(1_000, input_tokens=100)
    notes = {
        months: cm.operations.lint(option, work, months=months).set_index("code")["note"]
        for months in (12, 48)
    }
    assert "'audit' is first paid after the 12 months" in notes[12]["P26"]
    assert "P26" not in notes[48]
    used = cm.ledgers.register(option, work, months=12, unused=True).set_index("input")["used"]
    assert not used["audit.month"] and not used["audit.usd"]


def test_a_person_is_no_period():
    with pytest.raises(ValueError, match="give persons=, and per= how often"):
        cm.Cost("seat", usd=30, per="person")
