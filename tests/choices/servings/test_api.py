"""Servings: what a call costs at an API, and what whole replicas cost."""

import re
from dataclasses import replace

import numpy as np
import pytest
from fleets import NOBODY
from toys import ON, STILL, api, lines, total

import costmodel as cm
from costmodel.core.draws import middle
from costmodel.core.errors import CatalogError
from costmodel.ledgers.engine import cases

MONTH = replace(STILL, months=1)
CACHED = {"in": 3.0, "cache_read": 0.3, "cache_write": 3.75, "cache_write_1h": 6.0, "out": 15.0}
WORK = cm.Workload(
    100_000, instruction_tokens=5_000, input_tokens=400, output_tokens=200, reasoning_tokens=100
)


def mtok(option, work, word=""):
    """Tokens a month [million] of the lines whose item has a word in it; one occurrence of a path
    is one month."""
    demand = work.demand(1)
    return sum(
        float(line.quantity * line.schedule.weights(1, demand)[1])
        for line in lines(option, work, MONTH)
        if line.unit == "Mtok" and word in line.item
    )


# -- token classes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "techniques",
    [(), (cm.PromptCache(),), (cm.PromptCache(ttl_s=3600),), (cm.FewShot(), cm.PromptCache())],
)
@pytest.mark.parametrize("requests", [10, 1_000, 1e6])
def test_token_classes_are_a_partition_of_the_request(techniques, requests):
    """Fresh, read, written, visible and reasoning tokens sum to the tokens of the request, cached
    or not."""
    work = replace(WORK, requests_per_month=requests)
    option = cm.Option(api(**CACHED), *techniques)
    ((_, case, _),) = cases(*cm.uncertainty.middle((option, work, MONTH)))
    (call,) = case.request.calls
    tokens = call.prompt_tokens + call.output_tokens + call.reasoning_tokens
    assert mtok(option, work) == pytest.approx(requests * tokens / 1e6)


def test_a_cached_token_is_billed_once():
    """The prefix is read or written, never also paid as input."""
    option = cm.Option(api(**CACHED), cm.PromptCache())
    assert mtok(option, WORK, "fresh") == pytest.approx(100_000 * 400 / 1e6)
    assert mtok(option, WORK, "cache") == pytest.approx(100_000 * 5_000 / 1e6)


def test_a_write_replaces_the_input_rate():
    """No two requests meet: every prefix is a write at 1.25 x, nothing else is paid for it."""
    lonely = replace(
        WORK, requests_per_month=0.01, output_tokens=0, reasoning_tokens=0, input_tokens=0
    )
    row = total(cm.Option(api(**CACHED), cm.PromptCache()), lonely, MONTH)
    assert row == pytest.approx(0.01 * 5_000 * 3.75 / 1e6, rel=1e-4)


def test_the_hour_cache_is_written_at_its_own_price():
    lonely = replace(
        WORK, requests_per_month=0.001, output_tokens=0, reasoning_tokens=0, input_tokens=0
    )
    row = total(cm.Option(api(**CACHED), cm.PromptCache(ttl_s=3600)), lonely, MONTH)
    assert row == pytest.approx(0.001 * 5_000 * 6.0 / 1e6, rel=1e-4)


@pytest.mark.parametrize(("prefix", "cached"), [(1_023, False), (1_024, True)])
def test_a_prefix_below_the_minimum_is_not_cached(prefix, cached):
    work = replace(WORK, instruction_tokens=prefix)
    assert (
        mtok(cm.Option(api(**CACHED), cm.PromptCache(minimum_tokens=1_024)), work, "cache") > 0
    ) is cached


def test_only_the_stable_part_is_cached():
    """Passages differ from request to request."""
    work = replace(WORK, corpus=cm.Corpus(tokens=1e6))
    option = cm.Option(api(**CACHED), cm.Rag(top_k=4, chunk_tokens=500), cm.PromptCache())
    assert mtok(option, work, "cache") == pytest.approx(100_000 * 5_000 / 1e6)


@pytest.mark.parametrize(("requests", "dearer"), [(100, True), (100_000, False)])
def test_thin_traffic_makes_a_cache_dearer_than_none(requests, dearer):
    work = replace(WORK, requests_per_month=requests)
    plain, cached = (
        total(cm.Option(api(**CACHED), *t), work, MONTH) for t in ((), (cm.PromptCache(),))
    )
    assert (cached > plain) is dearer


def test_a_cache_without_a_price_is_an_error():
    with pytest.raises(
        CatalogError, match=r"cache_read of 'toy' is not priced; leave out PromptCache\(\)"
    ):
        total(cm.Option(api(**{"in": 1.0, "out": 1.0}), cm.PromptCache()), WORK, MONTH)


def test_a_class_without_a_price_is_one_sentence_and_stops_no_comparison():
    asked = cm.Workload(1_000, input_tokens=500, output_tokens=100)
    table = cm.compare(
        {
            "no output": cm.Option(api(**{"in": 1.0})),
            "whole": cm.Option(api(**{"in": 1.0, "out": 2.0})),
        },
        asked,
    )
    assert table.loc["no output", "why_not"] == (
        "output of 'toy' at toys is not priced; "
        "choose another model, or a price card with usd_per_mtok_out"
    )
    assert table.loc["whole", "expected"] > 0
    inputs_alone = cm.Option(replace(api(**{"in": 1.0}), failed=0.1))
    assert total(inputs_alone, cm.Workload(1_000, input_tokens=500)) > 0


def test_a_price_in_another_unit_is_asked_about():
    posted = replace(api(**{"in": 3e-6, "out": 15e-6}).model, notes=())
    with pytest.raises(ValueError, match="is 3e-06 USD per million tokens"):
        cm.Api(posted)
    said = replace(posted, notes=("unusual price: of our own cluster",))
    assert cm.Api(said).model.tiers[0].usd_per_mtok_in == 3e-6


def test_reasoning_is_billed_as_output():
    assert mtok(cm.Option(api(**CACHED)), WORK, "reasoning") == pytest.approx(10)
    without = replace(WORK, reasoning_tokens=0)
    assert total(cm.Option(api(**CACHED)), WORK, MONTH) - total(
        cm.Option(api(**CACHED)), without, MONTH
    ) == pytest.approx(10 * 15)


# The long-context comparison: $3 a million, reads at 0.1 x, writes at 1.25 x or 2 x, 150,000 tokens
# (300 pages), 22 days of 10 hours, Poisson arrivals, output left out; RAG sends 5,000 tokens.
TABLE = [  # queries a day, hit rate %, no cache, 5-minute cache, 1-hour cache, RAG with $70 a month
    (5, 4, 50, 60, 62, 72),
    (50, 34, 495, 425, 56, 86),
    (200, 81, 1_980, 628, 198, 136),
    (2_000, 100, 19_800, 1_980, 1_980, 730),
    (5_000, 100, 49_500, 4_950, 4_950, 1_720),
]


@pytest.mark.parametrize(("a_day", "hits", "plain", "minutes", "hour", "rag"), TABLE)
def test_long_context_against_retrieval(a_day, hits, plain, minutes, hour, rag):
    """Every camp is right at its own traffic: no cache, 5-minute cache, 1-hour cache, or
    retrieval."""
    work = cm.Workload(a_day * 22, instruction_tokens=150_000, active_hours_per_month=220)
    serving = api(**CACHED)
    rate = float(cm.knowledge.hit_rate(work.arrivals_per_s(work.requests_per_month), 300))
    assert round(100 * rate) == hits
    assert round(total(cm.Option(serving), work, MONTH)) == pytest.approx(plain, abs=0.5)
    assert round(total(cm.Option(serving, cm.PromptCache()), work, MONTH)) == pytest.approx(
        minutes, rel=0.01
    )
    assert round(
        total(cm.Option(serving, cm.PromptCache(ttl_s=3600)), work, MONTH)
    ) == pytest.approx(hour, rel=0.01, abs=1)
    looked_up = total(cm.Option(serving), replace(work, instruction_tokens=5_000), MONTH) + 70
    assert round(looked_up) == pytest.approx(rag, abs=1)


def test_growing_traffic_warms_the_cache_month_by_month():
    work = cm.Workload(1_000, instruction_tokens=5_000, growth_per_year=3.0)
    book = cm.ledger(
        cm.Option(api(**CACHED), cm.PromptCache()), work, terms=replace(STILL, months=13)
    )
    read, written = (
        book[book["item"] == f"production: cache {x}"].set_index("month").quantity
        for x in ("read", "write")
    )
    share = read / (read + written)
    assert share[1] == pytest.approx(float(cm.knowledge.hit_rate(1_000 / (220 * 3_600), 300)))
    assert share[13] == pytest.approx(float(cm.knowledge.hit_rate(4_000 / (220 * 3_600), 300)))


# -- context tiers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "usd"), [(199_999, 0.199999), (200_000, 0.2), (200_001, 0.400002)]
)
def test_a_tier_holds_strictly_above_its_threshold_for_the_whole_request(tokens, usd):
    serving = api(tiers={200_000: {"in": 2.0, "out": 8.0}}, **{"in": 1.0, "out": 4.0})
    assert total(cm.Option(serving), cm.Workload(1, input_tokens=tokens), MONTH) == pytest.approx(
        usd
    )


def test_a_tier_reprices_the_output_too():
    serving = api(tiers={1_000: {"in": 2.0, "out": 8.0}}, **{"in": 1.0, "out": 4.0})
    work = cm.Workload(1e6, input_tokens=2_000, output_tokens=100)
    assert total(cm.Option(serving), work, MONTH) == pytest.approx(2_000 * 2 + 100 * 8)


def test_a_drawn_prompt_pays_its_own_tier_in_each_draw():
    """Prompts from 500 to 2,000 tokens around a threshold of 1,000: the median prompt is at it,
    the bill jumps."""
    serving = api(tiers={1_000: {"in": 10.0, "out": 1.0}}, **{"in": 1.0, "out": 1.0})
    table = cm.compare(
        cm.Option(serving),
        cm.Workload(1e6, input_tokens=cm.Range(500, 2_000, mid=1_000)),
        terms=MONTH,
        draws=500,
    )
    assert table.p10.item() < 1_000 and table.p90.item() > 10_000


# -- what-if on a serving --------------------------------------------------------------------------


def test_replace_asks_the_price_list_again():
    standard = cm.Api("gpt-4o", on=ON)
    usd = total(cm.Option(standard), WORK, MONTH)
    assert total(cm.Option(replace(standard, mode="batch")), WORK, MONTH) == pytest.approx(usd / 2)
    assert total(cm.Option(replace(standard, discount=0.2)), WORK, MONTH) == pytest.approx(
        0.8 * usd
    )
    assert replace(standard, model="gpt-4o-mini").model.id == "gpt-4o-mini"
    assert (
        replace(cm.Api("o3", on="2025-06-09"), on="2025-06-10").model.tiers[0].usd_per_mtok_in == 2
    )


def test_replace_asks_the_rents_again():
    own = cm.Hosted("llama-3.1-8b", gpu="H100-SXM")
    assert replace(own, gpu="L40S").rent == cm.facts.rent("L40S")
    assert replace(own, channel="hyperscaler").rent == cm.facts.rent("H100-SXM", "hyperscaler")
    ours = replace(own.rent, id="ours", usd_per_gpu_hour=1.0)
    assert replace(own, rent=ours, load_max=0.7).rent is ours


def test_a_discount_and_residency_scale_every_class():
    usd = total(cm.Option(cm.Api("gpt-6.1-terra", on=ON), cm.PromptCache()), WORK, MONTH)
    less = cm.Api("gpt-6.1-terra", on=ON, residency="eu", discount=0.2)
    assert total(cm.Option(less, cm.PromptCache()), WORK, MONTH) == pytest.approx(usd * 1.1 * 0.8)


# -- whole replicas --------------------------------------------------------------------------------

RENT = replace(cm.facts.rent("H100-SXM"), id="ours", usd_per_gpu_hour=2.5)
CALM = cm.serving.Fleet(burstiness=0)  # nobody waits: the queue is tested in test_hosting.py
STEADY = cm.Workload(
    1e6, input_tokens=1_000, output_tokens=1_000, active_hours_per_month=730, peak_to_average=1.0
)


def hosted(requests_per_s=1.0, **fields):
    given = {"load_max": 1.0, "fleet": CALM, **NOBODY, "gpus_per_replica": 1, "rent": RENT} | fields
    return cm.Option(cm.Hosted("llama-3.1-8b", requests_per_s=requests_per_s, **given))


def gpu_hours(option, work, word=""):
    return sum(
        float(line.quantity)
        for line in lines(option, work, MONTH)
        if line.unit == "GPU-hour" and word in line.item
    )


@pytest.mark.parametrize(
    ("load", "replicas"), [(0.001, 1), (0.99, 1), (1.0, 1), (1.01, 2), (3.5, 4)]
)
def test_replicas_are_whole(load, replicas):
    work = replace(STEADY, requests_per_month=load * 730 * 3_600)
    assert gpu_hours(hosted(), work) == pytest.approx(replicas * 730)


def test_idle_and_busy_hours_are_all_hours_of_the_replicas():
    work = replace(STEADY, requests_per_month=2.25 * 730 * 3_600)
    option = hosted(gpus_per_replica=4)
    assert gpu_hours(option, work, "in use") == pytest.approx(2.25 * 730 * 4)
    assert gpu_hours(option, work, "idle") == pytest.approx(0.75 * 730 * 4)


def test_replicas_follow_the_peak_and_the_planned_load():
    """A mean of 1.2 replicas, 2.5 times that at the peak, planned for 75 %: 4 replicas."""
    work = replace(STEADY, requests_per_month=1.2 * 730 * 3_600, peak_to_average=2.5)
    assert gpu_hours(hosted(load_max=0.75), work) == pytest.approx(4 * 730)


def test_the_least_number_of_replicas_is_kept():
    assert gpu_hours(
        hosted(replicas_min=3), replace(STEADY, requests_per_month=10)
    ) == pytest.approx(3 * 730)


def test_half_the_traffic_is_not_half_the_bill():
    work = replace(STEADY, requests_per_month=1.8 * 730 * 3_600)
    half = replace(work, requests_per_month=0.9 * 730 * 3_600)
    quarter = replace(work, requests_per_month=0.45 * 730 * 3_600)
    costs = [total(hosted(), w, MONTH) for w in (work, half, quarter)]
    assert costs == pytest.approx([2 * 730 * 2.5, 730 * 2.5, 730 * 2.5])


@pytest.mark.parametrize(("busy", "usd_per_mtok"), [(1.0, 0.99), (0.1, 9.92)])
def test_a_rented_gpu_by_its_use(busy, usd_per_mtok):
    """$2.50 an hour at 700 tokens a second: $0.99 a million fully busy, $9.92 at 10 %."""
    work = replace(
        STEADY, requests_per_month=busy * 0.7 * 730 * 3_600
    )  # 1,000 tokens out of each request
    usd = total(hosted(requests_per_s=0.7), work, MONTH)
    assert round(usd / (work.requests_per_month * 1_000 / 1e6), 2) == usd_per_mtok


def test_replicas_follow_a_growing_demand_in_whole_steps():
    work = replace(STEADY, requests_per_month=0.9 * 730 * 3_600, growth_per_year=1.0)
    book = cm.ledger(hosted(), work, terms=replace(STILL, months=13))
    hours = book[book.unit == "GPU-hour"].groupby("month").quantity.sum()
    assert (hours / 730).to_list() == pytest.approx([1, 1] + [2] * 11)


def test_jobs_of_single_months_are_rented_on_top():
    """Teacher labels of an own teacher fall into month 0 and do not size the fleet."""
    teacher = cm.Hosted("llama-3.1-70b", gpu="H100-SXM")
    option = replace(hosted(), techniques=(cm.Distill(teacher=teacher),))
    book = cm.ledger(option, STEADY, terms=MONTH)
    labels = book[book["item"] == "teacher labels: GPU hours in use"]
    assert labels.month.to_list() == [0] and labels.phase.to_list() == ["data"]


def test_a_model_that_does_not_fit_says_by_how_much():
    """Llama 3.1 70B in 16 bits is 141 GB; 90 % of an H100's 86 GB, less 1 GB and the activations of
    a full pass, hold weights and cache."""
    option = cm.Option(
        cm.Hosted("llama-3.1-70b", gpu="H100-SXM", precision="bf16", gpus_per_replica=1)
    )
    why = cm.compare(
        {"own": option, "other": cm.Option(api("a", **{"in": 1, "out": 1}))}, STEADY, draws=10
    ).why_not["own"]
    assert re.match(
        r"llama-3.1-70b in bf16 does not fit 1 x H100-SXM: the weights are 66\.\d GB over", why
    )


def test_a_request_whose_cache_does_not_fit_says_so():
    """70B in fp8 leaves 4.2 GB of an H100; 120,000 tokens need 19.7 GB of keys and values in
    fp8."""
    option = cm.Option(cm.Hosted("llama-3.1-70b", gpu="H100-SXM", gpus_per_replica=1))
    why = cm.compare(option, replace(STEADY, input_tokens=120_000), draws=10).why_not.item()
    assert re.match(
        r"one request does not fit 1 x H100-SXM beside llama-3.1-70b: "
        r"its key-value cache is 1\d\.\d GB over",
        why,
    )


def test_replacing_the_model_takes_its_own_gpus():
    assert (
        replace(cm.Hosted("llama-3.1-70b"), model="llama-3.1-8b").gpus
        == cm.Hosted("llama-3.1-8b").gpus
        == 1
    )


def test_fewer_bits_are_not_slower_where_the_gpu_has_them():
    call = STEADY.request().calls[0]
    for gpu, kinds in (
        ("H100-SXM", ("fp8", "bf16")),
        ("B200-SXM", ("fp4", "fp8", "bf16")),
        ("L40S", ("fp8", "bf16")),
    ):
        seconds = [
            middle(cm.Hosted("llama-3.1-8b", gpu=gpu, precision=p, error=1.0)).seconds_per_call(
                call
            )
            for p in kinds
        ]
        assert seconds == sorted(seconds)


def test_enough_gpus_are_taken_when_nobody_says_how_many():
    assert cm.Hosted("llama-3.1-70b", gpu="H100-SXM", precision="bf16").gpus == 4
    assert cm.Hosted("llama-3.1-8b", gpu="H100-SXM").gpus == 1


@pytest.mark.parametrize("model", cm.facts.models())
def test_every_model_of_the_catalogue_is_priced_or_says_what_is_missing(model):
    try:
        option = cm.Option(cm.Hosted(model, gpu="B200-SXM"))
    except CatalogError as reason:
        assert "not published" in str(reason)
    else:
        assert np.isfinite(cm.compare(option, STEADY, draws=10).p50.item())


@pytest.mark.parametrize("gpu", cm.facts.gpus())
def test_every_gpu_of_the_catalogue_runs_a_small_model_or_has_no_rent(gpu):
    try:
        option = cm.Option(cm.Hosted("llama-3.2-1b", gpu=gpu))
    except CatalogError as reason:
        assert "rent" in str(reason)
    else:
        assert np.isfinite(cm.compare(option, STEADY, draws=10).p50.item())


def test_a_longer_answer_takes_a_replica_longer():
    own = cm.uncertainty.middle(cm.Hosted("llama-3.1-8b", gpu="H100-SXM"))
    (call,) = STEADY.request().calls
    assert own.seconds_per_call(replace(call, output_tokens=2_000.0)) > 1.5 * own.seconds_per_call(
        call
    )
    assert own.seconds_per_call(replace(call, reasoning_tokens=1_000.0)) == own.seconds_per_call(
        replace(call, output_tokens=2_000.0)
    )


@pytest.mark.parametrize(("hour", "usd"), [("", 0.7975), ("T02:00", 1.32), ("T12:00", 0.66)])
def test_an_hour_pins_the_price_also_in_a_file_and_on_another_day(hour, usd, tmp_path):
    """deepseek-v4-pro is dearer in 35 of 168 hours; a day alone pays the mean."""
    api = cm.Api("deepseek-v4-pro", on=f"2026-11-20{hour}")
    path = tmp_path / "hour.yaml"
    path.write_text(
        "title: hours\nworkload: {requests_per_month: 1000, input_tokens: 100}\n"
        f"options: {{a: {{serving: {{api: deepseek-v4-pro, on: '2026-11-20{hour}'}}}}}}\n"
    )
    moved = cm.choices.repriced(api, "2026-11-19")
    assert moved.on == f"2026-11-19{hour}"
    for found in (api, cm.Api(api.model), cm.load(path).options["a"].serving, moved):
        assert found.model.tiers[0].usd_per_mtok_in == pytest.approx(usd)
