"""How much people do follows the tier and the log of the volume, unless somebody says a number."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STAFFED, STILL, api

import costmodel as cm
from costmodel.choices.effort import volume_factor
from costmodel.choices.servings.people import fleet_fte
from costmodel.core import draw_values, middle
from costmodel.decisions.simulate import totals

ON = "2026-11-20"
RATES = {"in": 2.0, "out": 10.0, "cache_read": 0.2, "cache_write": 2.5, "cache_write_1h": 4.0}
API = api(**RATES)
WORK = cm.Workload(100_000, instruction_tokens=600, input_tokens=500, output_tokens=300)
TOOL = replace(WORK, requests_per_month=6_000, tier="internal", corpus=cm.Corpus(tokens=4e6))
OWN = cm.Hosted("llama-3.1-8b", gpu="H100-SXM", accepted=0.6)


def lines(option, work, terms=STILL):
    """Each line at the middle of every Range: what it buys each time, how often, for how much."""
    book = cm.ledger(option, work, terms, base_case=True).groupby("item", sort=False)
    columns = {"quantity": ("quantity", "first"), "times": ("month", "nunique")}
    return book.agg(phase=("phase", "first"), unit=("unit", "first"), usd=("usd", "sum"), **columns)


def bill(option, work, terms=STILL):
    """Dollars a month, item by item, without the cost of wrong answers."""
    rows = lines(option, work, terms)
    return rows[rows.phase != "failures"].usd / terms.months


def hours(option, work, terms=STAFFED):
    rows = lines(option, work, terms)
    return rows[rows.unit == "hour"].quantity


def preset(label, work):
    return cm.presets(work, on=ON)[label]


# -- the law ---------------------------------------------------------------------------------------


def test_ten_times_the_requests_are_some_tens_of_per_cent_more_people():
    each = [
        hours(cm.Option(API, cm.Prompt()), replace(WORK, requests_per_month=n)) for n in (1e5, 1e6)
    ]
    assert (each[1] / each[0]).to_list() == pytest.approx([1.2, 1.2])


def test_half_the_traffic_is_not_half_the_people():
    whole, half = (
        hours(preset("RAG", TOOL), replace(TOOL, requests_per_month=n)).sum()
        for n in (6_000, 3_000)
    )
    assert 0.85 < half / whole < 1


def test_the_floor_holds_and_draws_broadcast():
    low = volume_factor(np.array([[1.0], [1e5]]), np.array([[0.4], [0.4]]), 1e5)
    assert low.ravel().tolist() == [0.3, 1.0]


@pytest.mark.parametrize(
    ("lower", "higher"),
    [("prototype", "internal"), ("internal", "product"), ("product", "critical")],
)
def test_each_tier_takes_more_people_than_the_one_below(lower, higher):
    less, more = (hours(preset("RAG", TOOL), replace(TOOL, tier=t)) for t in (lower, higher))
    assert (more.reindex(less.index) > less).all() and set(less.index) <= set(more.index)


# -- what was given is used as it is ---------------------------------------------------------------


@pytest.mark.parametrize("tier", ["prototype", "product", "critical"])
def test_hours_that_were_given_are_not_scaled(tier):
    option = cm.Option(
        API, cm.Prompt(build_weeks=2, upkeep_fte=0.1), cm.Evals(items=70, review_hours_per_month=9)
    )
    found = hours(option, replace(WORK, tier=tier, requests_per_month=900))
    assert found["write and test the prompt"] == 80
    assert found["review evaluations"] == 9
    assert found["write the reference answers"] == pytest.approx(70 * 5 / 60)


INSIDE = replace(WORK, tier="internal")


def test_a_number_that_is_given_under_its_key_counts_as_it_is_given():
    """On an axis, pinned, in a file and in a field, wherever: no tier scales it."""
    study = cm.Study(cm.Option(API, cm.Prompt()), INSIDE, STAFFED)
    one, two = totals(study, None, {"prompt.build_weeks": [1, 2]})["option"]
    assert two - one == pytest.approx(40 * 100)
    option = cm.uncertainty.pin(study.option(), "prompt.build_weeks", 2.0)
    assert option == cm.Option(API, cm.Prompt(build_weeks=2.0))
    assert hours(option, INSIDE)["write and test the prompt"] == 80
    text = TEXT.replace("tier: internal", "tier: critical")
    given = cm.load(text + "overrides: {prompt.build_weeks: 2}\n")
    field = cm.load(text.replace("[prompt]", "[prompt: {build_weeks: 2}]"))
    assert cm.compare(given, draws=200).equals(cm.compare(field, draws=200))


def test_a_draw_and_an_end_of_what_is_usual_are_scaled():
    """Also the one bar of a tornado that stands alone, and after the same numbers were given."""
    usual = cm.Prompt(upkeep_fte=0).build_weeks
    study = cm.Study(
        cm.Option(API, cm.Prompt(upkeep_fte=0)), INSIDE, STAFFED, draws=400, accept_zero=None
    )
    given = cm.Option(API, cm.Prompt(upkeep_fte=0, build_weeks=usual.value))
    beside = cm.Study(given, middle(INSIDE), STAFFED, draws=400, accept_zero=None)
    alone = replace(study, work=middle(INSIDE))
    for factor, one in ((0.33, alone), (1.0, beside), (0.33, alone)):
        for _ in range(4):  # the fourth answer is that of a plan
            usd = totals(replace(one), 400)["option"]
        low, high = (40 * 100 * factor * end for end in (usual.value.low, usual.value.high))
        tokens = usd.min() - 40 * 100 * factor * draw_of(usual.value).min()
        assert usd.max() - usd.min() == pytest.approx(
            40 * 100 * factor * np.ptp(draw_of(usual.value)), rel=1e-9
        )
        bar = cm.uncertainty.tornado(one).iloc[0]
        assert bar["input"] == "prompt.build_weeks"
        assert bar["usd_high"] - bar["usd_low"] == pytest.approx(high - low, rel=0.02)
        assert tokens > 0


def draw_of(doubt):
    return draw_values("prompt.build_weeks", doubt, 400, 0)[:, 0]


def test_the_value_that_an_analysis_calls_now_is_the_one_that_counts():
    """A sweep that stands where the input is now gives what the study costs."""
    study = cm.Study(cm.Option(API, cm.Prompt()), middle(INSIDE), middle(STAFFED), draws=100)
    now = cm.decisions.goal_seek(study, "option", over="prompt.build_weeks", usd=1.0)["now"].item()
    assert now == pytest.approx(0.33 * cm.Prompt().build_weeks.value.mid)
    plain = middle(study.option())
    here = totals(replace(study, options={"option": plain}), None)["option"]
    assert totals(study, None, {"prompt.build_weeks": [now]})["option"][0] == pytest.approx(here)


def test_months_between_retrainings_count_once_somebody_gives_them():
    """Beside `Monitoring` the usual ones do nothing: each drift asks for a retraining."""
    option = cm.Option(OWN, cm.Lora(examples=1_000), cm.Monitoring())
    study = cm.Study(option, WORK, cm.Terms(months=24))
    key = "fine_tune.retrain_months"
    now = cm.decisions.goal_seek(study, "option", over=key, usd=1.0)["now"].item()
    assert now == pytest.approx(12 / middle(cm.Monitoring()).drifts_per_year)
    two, six = totals(study, None, {key: [2.0, 6.0]})["option"]
    assert (
        two
        > six
        == totals(replace(study, options=cm.uncertainty.pin(study.options, key, 6.0)), None)[
            "option"
        ]
    )
    assert not cm.ledgers.register(study, unused=True).set_index("input").loc[key, "used"]


def test_draws_of_two_options_are_paired():
    options = {n: cm.Option(api(n, **RATES), cm.Prompt()) for n in ("a", "b")}
    table = cm.compare(options, replace(WORK, tier="internal"), terms=STAFFED, draws=200)
    assert table.p90["a"] == table.p90["b"] > table.p10["a"]


# -- what a reader sees ----------------------------------------------------------------------------


def test_the_ledger_says_the_resolved_number_and_its_sources():
    row = cm.explain(preset("RAG", TOOL), TOOL).set_index("item").loc["keep retrieval working"]
    assert "(usual 0.3 [0.1 to 0.6] × 0.25 [0.1 to 0.5] for the tier internal" in row.basis
    assert row.basis.startswith("0.0566")
    assert "Brainfish" in row.sources


@pytest.mark.parametrize("tier", [{}, {"tier": "internal"}])
def test_the_register_shows_the_tier_and_what_it_makes_of_a_usual_number(tier):
    work = replace(WORK, **tier)
    rows = cm.ledgers.register(cm.Option(API, cm.Prompt()), work).set_index("input")
    name = work.tier.id
    assert rows.source[f"{name}.volume_slope"] == "assumption"
    assert rows.default[f"{name}.build_factor"]
    assert f"for the tier {name}" in rows.why["prompt.build_weeks"]
    if not tier:
        assert rows.source["product.build_factor"] == "assumption"
        assert "unless the workload says another tier" in rows.why["product.build_factor"]


# -- what it must come to --------------------------------------------------------------------------


def test_an_internal_tool_of_200_requests_a_day_is_1000_to_4000_a_month():
    """Expected, as every page shows it, and in the base case."""
    option = preset("RAG", TOOL)
    assert 1_000 < cm.compare(option, TOOL)["per_month"].item() < 4_000
    assert 1_000 < bill(option, TOOL).sum() < 4_000


@pytest.mark.parametrize("label", ["Prompt", "RAG"])
def test_a_prototype_of_20_requests_a_day_is_a_few_hundred_a_month(label):
    work = replace(TOOL, requests_per_month=600, tier="prototype")
    assert 100 < bill(preset(label, work), work).sum() < 600


def test_ten_million_requests_a_day_on_own_gpus_take_a_team():
    work = replace(WORK, requests_per_month=3e8)
    option = cm.Option(OWN, cm.Prompt(), cm.Evals(), cm.Monitoring(judge=API))
    rows = lines(option, work)
    steady = rows[(rows.unit == "hour") & (rows.times > 30)]
    assert 2.5 < steady.quantity.sum() / (2_080 / 12) < 10
    traces = rows[rows.index.str.contains("traces")].usd
    assert 0 < traces.sum() < 0.1 * rows.usd.sum()


# -- GPUs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "on_call", "standby"),
    [("prototype", 0, 0), ("internal", 3, 0), ("product", 12, 1), ("critical", 12, 2)],
)
def test_own_gpus_have_a_rota(tier, on_call, standby):
    rows = lines(cm.Option(OWN), replace(WORK, tier=tier), STAFFED)
    assert rows.quantity.get("engineers on call", 0) == on_call
    weeks = rows.quantity.get("stand by in the rota", 0)
    assert weeks == pytest.approx(standby * 52.18 / 12, rel=1e-2)


def test_an_api_has_no_rota_and_given_hours_on_call_replace_it():
    assert "stand by in the rota" not in lines(cm.Option(API), WORK).index
    given = cm.Option(replace(OWN, on_call_hours_per_month=20))
    rows = lines(given, WORK, STAFFED)
    assert rows.quantity["engineers on call"] == 20 and "stand by in the rota" not in rows.index


def test_more_gpus_take_more_people_by_their_log():
    one, many = (
        hours(cm.Option(OWN), replace(WORK, requests_per_month=n))["keep serving running"]
        for n in (1e5, 2e8)
    )
    assert one == pytest.approx(0.3 * 2_080 / 12, rel=1e-3)
    assert many > 3 * one
    assert np.diff(fleet_fte(np.array([8, 24, 72]), 0.3, 1.5)) == pytest.approx([1.2, 1.2])


# -- traces ----------------------------------------------------------------------------------------


def traces(requests, **fields):
    option = cm.Option(API, cm.Monitoring(judge_share=0, **fields))
    found = bill(option, replace(WORK, requests_per_month=requests))
    return found.get("store traces", 0), found.get("store sampled traces", 0)


def test_all_traces_are_kept_up_to_a_volume_and_a_sample_beyond_it():
    assert traces(1e6) == (400, 0)
    full, sampled = traces(11e6)
    assert full == 400 and sampled == pytest.approx(10 * (0.1 + 0.9 * 0.01) * 400 * 0.75)


@pytest.mark.parametrize("growth", [0.0, 0.1])
def test_a_sample_that_nobody_needs_is_not_in_the_book(growth):
    calm = replace(WORK, requests_per_month=cm.Range(1e4, 2e4), growth_per_year=growth)
    items = cm.explain(cm.Option(API, cm.Monitoring()), calm, terms=STILL, draws=50)["item"]
    assert "store traces" in [*items] and "store sampled traces" not in [*items]


def test_a_share_of_traces_that_was_given_is_of_all():
    assert traces(11e6, trace_share=0.5) == (pytest.approx(5.5 * 400), 0)


def test_growing_traffic_is_sampled_month_by_month():
    grown = replace(WORK, requests_per_month=1e6, growth_per_year=9.0)
    rows = cm.ledger(
        cm.Option(API, cm.Monitoring()), grown, replace(STILL, months=13), base_case=True
    )
    rows = rows[rows["item"] == "store sampled traces"].set_index("month").quantity
    assert rows.index[0] == 2 and rows[13] == pytest.approx(9 * 0.109)


# -- evaluation reads the cache --------------------------------------------------------------------

CALM = {"spread": 0, "changes_per_week": 0, "agreement": 1.0}


def tokens(option, work, item):
    rows = lines(option, work).usd
    rows = rows[rows.index.str.startswith(f"{item}: ")]
    return rows.rename(lambda x: x.split(": ")[-1])


def test_the_first_of_a_run_writes_and_the_others_read():
    work = replace(WORK, instruction_tokens=4_000)
    option = cm.Option(API, cm.Evals(items=100, runs_per_month=1, **CALM))
    found = tokens(option, work, "evaluation runs") / STILL.months
    assert found["cache write"] == pytest.approx(4_000 * 2.5 / 1e6)
    assert found["cache read"] == pytest.approx(99 * 4_000 * 0.2 / 1e6)
    assert found["fresh input"] == pytest.approx(100 * 500 * 2.0 / 1e6)


@pytest.mark.parametrize(
    ("serving", "prefix"), [(API, 900), (api(**{"in": 2.0, "out": 10.0}), 4_000)]
)
def test_a_short_prefix_and_a_model_without_a_cache_are_sent_fresh(serving, prefix):
    option = cm.Option(serving, cm.Evals(items=100, runs_per_month=1, **CALM))
    found = tokens(option, replace(WORK, instruction_tokens=prefix), "evaluation runs")
    assert "cache read" not in found
    assert found["fresh input"] == pytest.approx(36 * 100 * (500 + prefix) * 2.0 / 1e6)


def test_evaluation_of_a_long_context_halves_at_least():
    work = replace(WORK, corpus=cm.Corpus(tokens=150_000))
    evals, cache = cm.Evals(items=200, runs_per_month=8, **CALM), cm.PromptCache()
    found = tokens(cm.Option(API, cm.LongContext(), cache, evals), work, "evaluation runs").sum()
    fresh = 36 * 1_600 * (151_100 * 2.0 + 300 * 10.0) / 1e6
    assert found < fresh / 2


def test_a_run_of_n_tasks_of_an_agent_costs_what_n_tasks_of_production_cost():
    n, work = 200, replace(WORK, requests_per_month=200_000)
    evals = cm.Evals(items=n, runs_per_month=1, **CALM)
    option = cm.Option(API, cm.Agent(), cm.PromptCache(), evals)
    run, production = (
        tokens(option, work, item).sum() for item in ("evaluation runs", "production")
    )
    assert run / n == pytest.approx(production / 200_000, rel=0.05)


def test_shadow_follows_the_cache_of_production():
    work = replace(WORK, instruction_tokens=4_000)
    with_cache, without = (
        tokens(
            cm.Option(API, cm.Release(policy="shadow"), *cache),
            work,
            "shadow: the candidate answers too",
        )
        for cache in ([cm.PromptCache()], [])
    )
    assert "cache read" in with_cache and "cache read" not in without


# -- files -----------------------------------------------------------------------------------------

TEXT = """
title: Mine
terms: {on: 2026-11-20}
workload: {requests_per_month: 6000, input_tokens: 900, output_tokens: 250, tier: internal}
options: {Ours: {serving: {api: gpt-6-luna}, techniques: [prompt]}}
"""


def test_a_tier_is_read_written_and_changed(tmp_path):
    study = cm.load(TEXT)
    assert study.work.tier.id == "internal"
    assert cm.load(cm.scenarios.save(study, tmp_path / "mine.yaml")) == study
    assert cm.load(TEXT, tier="critical").work.tier.id == "critical"
    with pytest.raises(cm.facts.CatalogError, match="did you mean 'internal'"):
        cm.load(TEXT.replace("tier: internal", "tier: internl"))


def test_an_override_of_a_usual_number_is_saved_as_one(tmp_path):
    study = cm.load(TEXT + "overrides: {prompt.build_weeks: 3}\n")
    again = cm.load(cm.scenarios.save(study, tmp_path / "mine.yaml"))
    assert again == study
    assert cm.compare(again).expected.item() == cm.compare(study).expected.item()
