"""What has to hold whatever the numbers are: monotone, additive, symmetric."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toys import ON, STILL, api

import costmodel as cm
from costmodel.decisions.simulate import totals

FEW = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
WORK = cm.Workload(
    1e5, instruction_tokens=500, input_tokens=900, output_tokens=250, usd_per_failure=0.5
)
TECHNIQUES = [(), (cm.Evals(),), (cm.FewShot(), cm.Monitoring()), (cm.Upgrades(), cm.PromptCache())]
amounts = st.floats(1e-3, 1e4)


def option(usd=2.0, techniques=()):
    rates = {"in": usd, "out": 4 * usd, "cache_read": usd / 10, "cache_write": usd}
    return cm.Option(api(accepted=0.7, **rates), *techniques)


def usd_of(thing, work=WORK, **more):
    return totals(cm.Study(thing, work, replace(STILL, months=12), **more), draws=12)["option"]


@FEW
@given(amounts, amounts, st.sampled_from(TECHNIQUES))
def test_a_higher_price_never_costs_less(one, other, techniques):
    low, high = sorted((one, other))
    assert (usd_of(option(low, techniques)) <= usd_of(option(high, techniques))).all()


@FEW
@given(
    st.sampled_from(["requests_per_month", "usd_per_failure", "input_tokens", "output_tokens"]),
    amounts, amounts, st.sampled_from(TECHNIQUES),
)  # fmt: skip
def test_more_demand_and_dearer_failures_never_cost_less(field, one, other, techniques):
    low, high = sorted((one, other))
    few, many = (usd_of(option(2, techniques), replace(WORK, **{field: x})) for x in (low, high))
    assert (few <= many * (1 + 1e-9)).all()


@FEW
@given(st.floats(0.01, 0.99), st.sampled_from(TECHNIQUES))
def test_a_mix_of_equals_is_the_option(share, techniques):
    mix = cm.Mix(cm.Part(option(2, techniques), answers=share), cm.Part(option(2, techniques)))
    assert usd_of(mix) == pytest.approx(usd_of(option(2, techniques)), rel=1e-12)


@FEW
@given(st.permutations(range(4)))
def test_the_order_of_options_and_of_techniques_changes_nothing(order):
    options = {f"o{i}": option(1 + i, TECHNIQUES[i]) for i in range(4)}
    terms = replace(STILL, months=12)
    usual = cm.compare(options, WORK, terms=terms, draws=20).sort_index()
    moved = {f"o{i}": options[f"o{i}"] for i in order}
    assert cm.compare(moved, WORK, terms=terms, draws=20).sort_index().equals(usual)
    every = (cm.Evals(), cm.FewShot(), cm.Monitoring(), cm.Upgrades())
    plain, turned = usd_of(option(2, every)), usd_of(option(2, tuple(every[i] for i in order)))
    assert turned == pytest.approx(plain, rel=1e-12)


@FEW
@given(st.sampled_from(TECHNIQUES))
def test_a_bill_is_the_sum_of_its_lines_and_of_its_months(techniques):
    study = cm.Study(option(2, techniques), WORK, replace(STILL, months=12), draws=20)
    book, table = cm.ledger(study), cm.compare(study)
    assert book["usd"].sum() == pytest.approx(table["expected"].item(), rel=1e-9)
    by_month = book.groupby("month")["usd"].sum()
    assert len(by_month) > 10 and by_month.sum() == pytest.approx(book["usd"].sum())


@FEW
@given(amounts, amounts)
def test_the_chances_of_two_options_sum_to_one(one, other):
    options = {"a": option(one), "b": option(other, (cm.Evals(),))}
    table = cm.compare(options, WORK, terms=replace(STILL, months=12), draws=40)
    assert table["p_cheapest"].sum() == pytest.approx(1)
    usd = totals(cm.Study(options, WORK, STILL, draws=40), draws=40)
    less, more = np.mean(usd["a"] < usd["b"]), np.mean(usd["a"] > usd["b"])
    assert less + more + np.mean(usd["a"] == usd["b"]) == pytest.approx(1)


@FEW
@given(st.sampled_from(TECHNIQUES), st.floats(1, 1e7))
def test_no_demand_costs_least(techniques, requests):
    work = replace(WORK, requests_per_month=requests)
    ends = replace(work, growth_per_year=-1.0)  # nobody asks after the first month
    nobody = replace(work, requests_per_month=1e-6)
    real = usd_of(cm.Option(cm.Api("gpt-4o", on=ON, accepted=0.7), *techniques), work)
    for less in (ends, nobody):
        usd = usd_of(cm.Option(cm.Api("gpt-4o", on=ON, accepted=0.7), *techniques), less)
        assert (usd <= real * (1 + 1e-9)).all() and (usd >= 0).all()
