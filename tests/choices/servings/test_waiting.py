"""The need for speed: what is too slow cannot run and says why, and own GPUs are sized for it."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STILL, api, total

import costmodel as cm
from costmodel.choices.quality.answering import cases
from costmodel.choices.servings.waiting import BATCH_S, waits
from costmodel.decisions.simulate import simulate
from costmodel.ledgers.engine import fleets

WORK = cm.Workload(3e6, input_tokens=2_000, output_tokens=300)
QUICK = cm.knowledge.Waiting(
    first_token_s=0.5, seconds_per_mtok=100, seconds_per_token=0.01, cached_wait_share=0.2, tail=2
)
API = replace(api(**{"in": 1, "out": 2}), waiting=QUICK)
OWN = cm.Hosted("llama-3.1-8b", gpu="H100-SXM", error=1.0)


def wait(option, of="first token", work=WORK):
    parts = cases(*cm.uncertainty.middle((option, work, STILL)))
    return [float(x) for x in waits([case for _, case, _ in parts], of)]


def why(option, **need):
    work = replace(WORK, **need)
    return cm.compare(option, work, terms=STILL, draws=1).why_not.item()


def test_an_api_reads_thinks_and_writes():
    assert wait(cm.Option(API)) == pytest.approx([0.7, 1.4])  # 0.5 + 2,000 tokens; twice that
    assert wait(cm.Option(API), "answer") == pytest.approx([3.7, 4.4])  # + 300 x 0.01
    thinking = replace(WORK, reasoning_tokens=100)
    assert wait(cm.Option(API), work=thinking) == pytest.approx([1.7, 2.4])
    search = cm.Option(API, cm.Rag(search_s=0.25, top_k=0.0 + 1, chunk_tokens=1))
    work = replace(WORK, corpus=cm.Corpus(tokens=1e6))
    assert wait(search, work=work) == pytest.approx([0.95, 1.65], abs=1e-3)


def test_a_cascade_waits_for_both_where_one_request_in_twenty_goes_on():
    both = cm.cascade(cm.Option(API), cm.Option(replace(API, discount=0.1)), 0.3)
    assert wait(both) == pytest.approx([0.7, 0.7 + 1.4])
    few = cm.cascade(cm.Option(API), cm.Option(replace(API, discount=0.1)), 0.04)
    assert wait(few) == pytest.approx([0.7, 1.4])


@pytest.mark.parametrize(
    ("option", "need", "words"),
    [
        (cm.Option(API), {"latency_s": 1.5}, ""),
        (cm.Option(API), {"latency_s": 1.3}, "one request in twenty waits 1.4 s or more for its"),
        (cm.Option(API), {"latency_s": 4.5, "latency_of": "answer"}, ""),
        (cm.Option(API), {"latency_s": 4.3, "latency_of": "answer"}, "needs 4.3 s; take a faster"),
        (cm.Option(OWN), {"latency_s": 1e-3}, "for its first token, the workload needs 0.001 s"),
        (cm.Option(cm.finance.Staff(9)), {"latency_s": 1}, ""),
    ],
)
def test_what_is_too_slow_says_why(option, need, words):
    found = why(option, **need)
    assert words in found if words else "one request in twenty" not in found


@pytest.mark.parametrize(("seconds", "runs"), [(BATCH_S - 1, False), (BATCH_S, True), (None, True)])
def test_a_batch_answers_within_a_day(seconds, runs):
    batch = cm.Option(cm.Api("gpt-4o", on="2026-11-01", mode="batch"))
    found = why(batch, latency_s=seconds)
    assert ("a batch is answered within a day" not in found) == runs


def test_the_published_middle_holds_where_nobody_measured():
    option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    assert "needs 1 s" in why(option, latency_s=1) and "needs" not in why(option, latency_s=5)


def test_own_gpus_answer_fewer_at_once_until_the_need_is_met():
    need = replace(WORK, latency_s=3.0, latency_of="answer")
    slow, fast = (
        fleets(*cm.uncertainty.middle((cm.Option(OWN), work, STILL)))[0] for work in (WORK, need)
    )
    assert fast[0].batch_max < slow[0].batch_max == 64
    assert wait(cm.Option(OWN), "answer")[1] > 3 >= wait(cm.Option(fast[0]), "answer")[1]
    assert fast[2].replicas >= slow[2].replicas
    busy = [f[2].load for f in (slow, fast)]
    assert busy[0] < busy[1]


def test_a_tighter_need_never_costs_less():
    usd = [
        total(cm.Option(OWN), replace(WORK, latency_s=s, latency_of="answer"), months=1)
        for s in (100, 6, 4, 3)
    ]
    rounded = [round(x, 6) for x in usd]
    assert rounded == sorted(rounded) and usd[0] < usd[-1]


def test_draws_that_are_too_slow_have_no_price():
    doubtful = replace(API, waiting=replace(QUICK, first_token_s=cm.Range(0.2, 1.2)))
    work = replace(WORK, latency_s=1.6)
    study = cm.Study(cm.Option(doubtful), work, STILL, draws=400)
    priced = np.isfinite(simulate(study).usd["option"]).mean()
    assert 0.3 < priced < 0.95


def test_a_need_is_checked():
    with pytest.raises(ValueError, match="latency_s"):
        replace(WORK, latency_s=0)
    with pytest.raises(ValueError, match=r"no latency_of 'answr' .* did you mean 'answer'"):
        replace(WORK, latency_s=1, latency_of="answr")
    with pytest.raises(ValueError, match=r"Api\.waiting is 3, it must be Waiting"):
        replace(API, waiting=3)


def test_a_file_says_the_same(tmp_path):
    study = cm.load(
        "title: Test\nterms: {on: 2026-11-20}\n"
        "workload: {requests_per_month: 1e5, input_tokens: 900, latency_s: 2, latency_of: answer}\n"
        "options: {A: {serving: {api: gpt-6-sol, waiting: {first_token_s: 0.3, tail: 2}}}}\n"
    )
    assert (study.work.latency_s, study.work.latency_of) == (2, "answer")
    assert study.options["A"].serving.waiting == cm.knowledge.Waiting(first_token_s=0.3, tail=2)
    assert cm.load(cm.scenarios.save(study, tmp_path / "a.yaml")) == study


def test_a_cached_prefix_of_own_gpus_shortens_the_first_token_as_that_of_an_api():
    """Before, own GPUs waited 0.50 s with and without it."""
    long = replace(WORK, instruction_tokens=7_800, input_tokens=200)
    cold = wait(cm.Option(OWN), work=long)
    for prefill in ("together", "apart"):
        own = replace(OWN, prefill=prefill)
        cached = wait(cm.Option(own, cm.PromptCache()), work=long)
        assert cached[0] < 0.5 * wait(cm.Option(own), work=long)[0]
        assert cached[0] < cached[1] < 0.6 * wait(cm.Option(own), work=long)[1]
    some, none = (wait(cm.Option(OWN, cm.PromptCache(prefixes=n)), work=long) for n in (900, 1e9))
    assert some[0] < 0.6 * cold[0] < some[1]  # more than half of them find it, not 19 of 20
    assert none == pytest.approx(cold, rel=0.01)


def test_requests_in_a_warm_line_wait_less_even_where_they_are_cold_themselves():
    call = replace(WORK, instruction_tokens=7_800, input_tokens=200).request().calls[0]
    call = replace(call, cache=cm.ledgers.Cache(ttl_s=300))
    alone, among = (cm.uncertainty.middle(OWN).waits_s(call, hits) for hits in (0.0, 0.9))
    assert among[2] < 0.3 * alone[2]  # the line
    assert alone[1] < among[0] < alone[0] and among[3] < alone[3]


def test_the_first_token_has_the_band_of_first_tokens():
    fitted = cm.Hosted("llama-3.1-8b", gpu="H100-SXM")
    first, later = fitted.first_token_error, fitted.error
    assert first.name == "serving.ttft_ratio" and first.high / first.low > later.high / later.low
    assert replace(fitted, error=1.2).first_token_error is None
    call = WORK.request().calls[0]
    slow = replace(OWN, first_token_error=2.0)
    known, twice = (cm.uncertainty.middle(own).waits_s(call) for own in (OWN, slow))
    assert twice == pytest.approx([2 * x for x in known[:3]] + [known[3]])
    assert cm.knowledge.latency(cm.Option(OWN), WORK, draws=50).eval("p50_high / p50").item() == 1
    wide = cm.knowledge.latency(cm.Option(fitted), WORK, draws=200)
    assert wide.eval("p50_high / p50_low").item() > 2
