"""An API, a GPU and a model that no list knows, each in one line, in Python and in a file."""

from dataclasses import replace

import pytest
from toys import STILL, total

import costmodel as cm

WORK = cm.Workload(1e6, input_tokens=1_000, output_tokens=500)
ACME = cm.own_api("acme-1", usd_per_mtok_in=0.4, usd_per_mtok_out=1.6, window=128_000)


def test_an_own_api_costs_its_prices():
    # 1,000 Mtok x 0.4 + 500 Mtok x 1.6
    assert total(cm.Option(ACME), WORK, months=1) == pytest.approx(1_200)
    cheaper = cm.own_api("acme-1", 0.4, 1.6, discount=0.25, usd_per_request=0.001)
    assert total(cm.Option(cheaper), WORK, months=1) == pytest.approx(900 + 1_000)


def test_its_prices_hold_on_every_day_and_are_yours():
    terms = cm.Terms(on="2026-11-01", months=1)
    book = cm.ledger(cm.Option(ACME), WORK, terms=terms)
    assert set(book["sources"]) == {"yours"}
    assert cm.choices.repriced(ACME, "2026-11-01").on == "2026-11-01"


@pytest.mark.parametrize(
    ("fields", "tokens", "why"),
    [
        ({"window": 10_000}, 12_000, "2,000 tokens over the 10,000-token window of acme-1"),
        ({"window": None}, 12_000, None),
    ],
)
def test_a_window_is_checked_where_it_is_known(fields, tokens, why):
    option = cm.Option(cm.own_api("acme-1", 0.4, 1.6, **fields))
    found = cm.compare(option, cm.Workload(10, input_tokens=tokens), draws=1).why_not.item()
    assert "window" not in found if why is None else why in found


def test_a_window_that_the_list_lacks_can_be_set():
    api = cm.Api("gpt-4o", on="2026-11-01", window_tokens=2_000)
    found = cm.compare(cm.Option(api), cm.Workload(10, input_tokens=3_000), draws=1)
    assert "1,000 tokens over the 2,000-token window of gpt-4o" in found.why_not.item()


def test_a_prompt_cache_needs_its_price():
    option = cm.Option(ACME, cm.PromptCache(minimum_tokens=0))
    work = cm.Workload(1e6, instruction_tokens=1_000, output_tokens=500)
    with pytest.raises(cm.Infeasible, match="cache_read of 'acme-1' is not priced"):
        cm.ledger(option, work)
    cached = cm.own_api("acme-1", 0.4, 1.6, usd_per_mtok_cache_read=0.04)
    plain, warm = (cm.Option(cached, *more) for more in ((), option.techniques))
    assert total(warm, work) < total(plain, work)


def test_an_own_gpu_serves_and_trains_like_one_of_the_catalogue():
    known = cm.facts.gpu("H100-SXM")
    rent = 3.0
    own = cm.own_gpu(
        "mine",
        known.memory,
        known.bandwidth,
        known.peak_flops_bf16,
        usd_per_gpu_hour=rent,
        interconnect=known.interconnect,
        peak_flops_fp8=known.peak_flops_fp8,
        power=known.power,
    )
    theirs = cm.Hosted("llama-3.1-8b", gpu="H100-SXM")
    theirs = replace(theirs, rent=replace(theirs.rent, id="r", usd_per_gpu_hour=rent))
    mine = cm.Hosted("llama-3.1-8b", **own, error=theirs.error)
    usd = [total(cm.Option(x, cm.Lora(speed=1.0)), WORK, STILL) for x in (theirs, mine)]
    assert usd[0] == pytest.approx(usd[1])


def test_four_numbers_are_enough_and_the_rest_is_an_assumption():
    own = cm.own_gpu("b500", 288e9, 8e12, 2.5e15, usd_per_gpu_hour=4.5)
    assert dict(own["gpu"].sources)["memory"] == "yours"
    assert dict(own["gpu"].sources)["interconnect"] == "assumption"
    assert total(cm.Option(cm.Hosted("llama-3.1-70b", **own)), WORK) > 4.5 * 730 * 36


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cm.own_api("", 1, 1), "the id is '', it must be a word like 'acme-1'"),
        (lambda: cm.own_api("a", -1, 1), "own_api.usd_per_mtok_in is -1, allowed is at least 0"),
        (lambda: cm.own_api("a", 1, 1, window=0), "own_api.window is 0, allowed is at least 1"),
        (lambda: cm.own_gpu("a", 0, 1, 1, 1), "own_gpu.memory is 0, allowed is at least 1"),
        (lambda: cm.own_gpu("a", 1, 1, 1, 1, powr=2), "no field 'powr' .* did you mean 'power'"),
    ],
)
def test_a_slip_is_one_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()


TEXT = """
title: Test
workload: {requests_per_month: 1e6, input_tokens: 1000, output_tokens: 500}
terms: {on: 2026-11-20, months: 12}
options:
  Acme:
    serving: {own_api: acme-1, usd_per_mtok_in: 0.4, usd_per_mtok_out: {low: 1, high: 2}, window: 128_000, discount: 0.1}
  Own:
    serving:
      hosted: {own_model: house-9b, parameters: 9e9, window: 131_072}
      gpu: {own_gpu: b500, memory: 288e9, bandwidth: 8e12, peak_flops_bf16: 2.5e15, usd_per_gpu_hour: 4.5}
  Wide: {serving: {api: gpt-4o, window_tokens: 500_000}}
"""  # noqa: E501


def test_a_file_says_the_same_and_comes_back(tmp_path):
    study = cm.load(TEXT)
    acme = cm.own_api("acme-1", 0.4, cm.Range(1, 2), window=128_000, discount=0.1, on="2026-11-20")
    own = cm.Hosted(
        cm.own_model("house-9b", 9e9, window=131_072),
        **cm.own_gpu("b500", 288e9, 8e12, 2.5e15, usd_per_gpu_hour=4.5),
    )
    assert study.options["Acme"].serving == acme and study.options["Own"].serving == own
    assert study.options["Wide"].serving.window == 500_000
    assert cm.load(cm.scenarios.save(study, tmp_path / "a.yaml")) == study


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("memory: 288e9, ", "", "Own.serving.gpu has no memory; write memory"),
        ("bandwidth:", "bandwith:", "no field 'bandwith' .* did you mean 'bandwidth'"),
        ("usd_per_mtok_in:", "usd_per_mtok_inn:", "did you mean 'usd_per_mtok_in'"),
        ("own_gpu: b500", "own_gpus: b500", "serving.gpu is .*, it must be text|own_gpu"),
    ],
)
def test_a_slip_in_a_file_says_the_place(old, new, words):
    with pytest.raises(ValueError, match=words):
        cm.load(TEXT.replace(old, new))


def test_a_free_model_in_house_says_why(tmp_path):
    """A price of 0 may be a wrong unit; a word allows it, and a saved file keeps the word."""
    with pytest.raises(ValueError, match=r"house-1.usd_per_mtok_in is 0 .* note= of own_api"):
        cm.own_api("house-1", 0, 0)
    free = cm.own_api("house-1", 0, 0, note="on GPUs that are paid already")
    assert total(cm.Option(free), WORK, months=1) == 0
    options = {"free": cm.Option(free)}
    study = cm.Study(options, WORK, cm.Terms(months=1), title="Free")
    again = cm.load(cm.scenarios.save(study, tmp_path / "free.yaml"))
    assert again.options["free"].serving.model.notes == free.model.notes
