"""Techniques: each line that they buy, worked out by hand from numbers of the test."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STAFFED as TERMS
from toys import api, lines

import costmodel as cm
from costmodel.choices.tunes import life as lifecycle
from costmodel.facts import catalog
from costmodel.facts.records import Embedder, Labels, Store, Tuning
from costmodel.knowledge import capability

SERVING = api(**{"in": 2.0, "out": 10.0}, accepted=0.5)
WORK = cm.Workload(
    1e6, input_tokens=1_000, output_tokens=200, corpus=cm.Corpus(tokens=9e6, churn_per_month=0.1)
)


def bill(*techniques, serving=SERVING, work=WORK):
    """{item: (quantity, USD per unit)} of everything that techniques buy."""
    return {
        line.item: (pytest.approx(line.quantity), pytest.approx(line.usd_per_unit))
        for line in lines(cm.Option(serving, *techniques), work, TERMS)
    }


def when(item, *techniques, serving=SERVING):
    """Months in which an item is paid."""
    book = cm.ledger(cm.Option(serving, *techniques), WORK, terms=TERMS)
    return book[book["item"] == item].month.to_list()


# -- knowledge -----------------------------------------------------------------------------------

STORE = Store(
    "store",
    usd_per_gb_month=2.0,
    usd_per_million_reads=8.0,
    usd_per_million_writes=4.0,
    usd_per_month_minimum=1.0,
)


def rag(**fields):
    given = {
        "top_k": 5,
        "chunk_tokens": 500,
        "overlap": 0.1,
        "embedder": Embedder("embedder", 0.02, 1_000),
        "store": STORE,
        "index_overhead": 1.5,
        "metadata_bytes": 0,
        "build_weeks": 2,
        "upkeep_fte": 0.3,
    }
    return cm.Rag(**given | fields)


def test_retrieval_embeds_the_corpus_what_changed_and_the_questions():
    """9 M tokens at 10 % overlap are 10 M embedded ones; a tenth changes each month."""
    found = bill(rag())
    assert found["embed the corpus"] == (10.0, 0.02)
    assert found["embed what changed"] == (1.0, 0.02)
    assert found["embed the questions"] == (1_000.0, 0.02)


def test_retrieval_stores_reads_and_writes():
    """20,000 chunks of 1,000 float32 numbers and half as much again are 0.12 GB; 1 M reads, 2,000
    writes.
    """
    usd = 0.12 * 2.0 + 1.0 * 8.0 + 2_000 / 1e6 * 4.0
    assert bill(rag())["store the index"] == (1.0, usd)


def test_a_serverless_store_bills_raw_bytes_fields_and_whole_kilobytes_written():
    """20,000 x (4,000 + 500) bytes are 0.09 GB; a write of 4.5 kB takes 5 units; 20 M numbers."""
    store = replace(STORE, serverless=True, kb_per_write_unit=1.0, usd_per_mdimension_month=0.01)
    usd = 0.09 * 2.0 + 1.0 * 8.0 + 2_000 * 5 / 1e6 * 4.0 + 20 * 0.01
    found = bill(rag(store=store, metadata_bytes=500, top_k=4))["store the index"]
    assert found == (1.0, pytest.approx(usd))


def test_a_store_bills_at_least_its_minimum():
    assert bill(rag(store=replace(STORE, usd_per_month_minimum=50.0)))["store the index"] == (
        1.0,
        50.0,
    )


def test_retrieval_is_built_and_kept_by_people():
    found = bill(rag())
    assert found["build the retrieval pipeline"] == (80.0, 100.0)
    assert found["keep retrieval working"] == (0.3 * 2_080 / 12, 100.0)


def test_passages_are_read_with_every_question():
    assert bill(rag())["production: fresh input"] == (1_000 + 5 * 500, 2.0)


def test_passages_are_never_longer_than_the_corpus():
    small = replace(WORK, corpus=cm.Corpus(tokens=800))
    assert bill(rag(), work=small)["production: fresh input"] == (1_000 + 800, 2.0)


def test_a_graph_index_runs_a_model_over_the_corpus():
    """9 M tokens x 30 index tokens, a fifth of them written, by the extractor at its own price."""
    extractor = api("extractor", **{"in": 0.5, "out": 1.5})
    graph = cm.GraphRag(
        index_tokens=30, output_share=0.2, extractor=extractor, refresh_share=0.7, refresh_months=3
    )
    found = bill(graph)
    assert found["index the graph: fresh input"] == (9 * 30 * 0.8, 0.5)
    assert found["index the graph: output"] == (9 * 30 * 0.2, 1.5)
    assert found["refresh the graph: output"] == (9 * 30 * 0.2 * 0.7, 1.5)
    assert when("refresh the graph: output", graph) == list(range(3, 37, 3))


def test_a_long_context_sends_the_documents_or_the_whole_corpus():
    some, whole = (
        bill(cm.LongContext(document_tokens=d), work=replace(WORK, corpus=cm.Corpus(tokens=5e5)))
        for d in (20_000, None)
    )
    assert some["production: fresh input"] == (21_000, 2.0)
    assert whole["production: fresh input"] == (501_000, 2.0)


# -- adaptation ----------------------------------------------------------------------------------

OFFER = Tuning("offer", "toys", "toy", usd_per_mtok_train=25.0, premium=1.5)
TUNE = {
    "examples": 1_000,
    "tokens_per_example": 800,
    "epochs": 3,
    "runs": 4,
    "build_weeks": 5,
    "retrain_months": 6,
    "retrain_labels": 0.25,
    "retrain_hours": 40,
    "upkeep_fte": 0.3,
    "labels": Labels("label", 7.0),
    "failed_share": 1.0,
}


def test_a_managed_tune_pays_each_run_by_its_tokens():
    """1,000 examples of 800 tokens, 3 epochs: 2.4 M tokens a run; three of four runs do not
    pass.
    """
    found = bill(cm.FineTune(tuning=OFFER, **TUNE))
    assert found["the run that passes"] == (2.4, 25.0)
    assert found["runs that do not pass"] == (3 * 2.4, 25.0)
    assert found["retrain"] == (2.4, 25.0)
    assert found["production: fresh input"] == (1_000, 3.0)
    assert found["production: output"] == (200, 15.0)


def test_a_tune_pays_labels_people_and_upkeep():
    found = bill(cm.FineTune(tuning=OFFER, **TUNE))
    assert found["label the examples"] == (1_000, 7.0)
    assert found["label again for retraining"] == (250, 7.0)
    assert found["build the data set and the training"] == (200, 100.0)
    assert found["retrain: people"] == (40, 100.0)
    assert found["keep the tune working"] == (0.3 * 2_080 / 12, 100.0)
    assert when("retrain", cm.FineTune(tuning=OFFER, **TUNE)) == [6, 12, 18, 24, 30, 36]


def test_stated_prices_of_a_tuned_model_replace_those_of_the_base():
    stated = replace(OFFER, usd_per_mtok_in=2.2, usd_per_mtok_out=12.0, premium=None)
    found = bill(cm.FineTune(tuning=stated, **TUNE))
    assert (found["production: fresh input"][1], found["production: output"][1]) == (2.2, 12.0)


def test_a_hosted_tuned_model_pays_every_hour():
    found = bill(cm.FineTune(tuning=replace(OFFER, usd_per_hour_hosting=1.5), **TUNE))
    assert found["host the tuned model"] == (730, 1.5)


@pytest.mark.parametrize(
    ("start", "weeks", "runs"),
    [
        ("2026-12-31", 0, True),
        ("2027-01-01", 0, False),
        ("2026-12-17", 2, True),
        ("2026-12-18", 2, False),
    ],
)
def test_an_offer_is_refused_when_it_closes_before_the_first_run(start, weeks, runs):
    """Two weeks of building from 2026-12-18 end on the day it closes."""
    option = cm.Option(
        SERVING,
        cm.FineTune(tuning=replace(OFFER, closes="2027-01-01"), **TUNE | {"build_weeks": weeks}),
    )
    why = cm.compare(option, WORK, terms=replace(TERMS, start=start), draws=1).why_not.item()
    assert (why == "") is runs and ("closes on 2027-01-01" in why) is not runs


def test_a_provider_that_closes_sells_no_more_runs():
    """Closed in month 14: the runs of months 18 to 36 come from somebody else, and lines say so."""
    tune = cm.FineTune(tuning=replace(OFFER, closes="2028-01-06"), provider_life_months=100, **TUNE)
    book = cm.ledger(cm.Option(SERVING, tune), WORK, terms=TERMS)
    words = ", from 2028-01-06 on at another provider, taken to cost as much"
    for item in ("retrain", "train on a new base"):
        assert book[book["item"] == item].basis.str.contains(words).all()
    assert when("retrain", tune) == [6, 12, 18, 24, 30, 36]


@pytest.mark.parametrize(
    ("model", "why"),
    [("llama-3.1-8b", ""), ("llama-3.1-70b", "llama-3.1-70b has 71 billion parameters")],
)
def test_a_size_class_tunes_the_models_of_that_size_and_they_answer_on_gpus_by_the_hour(model, why):
    """Open models up to 16 billion parameters at half a dollar a million training tokens: 2.4
    million tokens.
    """
    serving = replace(own(), model=cm.facts.model(model), gpus_per_replica=None)
    option = cm.Option(serving, cm.FineTune(tuning="fireworks.16b", **TUNE))
    assert why in cm.compare(option, WORK, terms=TERMS, draws=1).why_not.item()
    if not why:
        found = bill(cm.FineTune(tuning="fireworks.16b", **TUNE), serving=serving)
        assert (
            found["the run that passes"] == (2.4, 0.5)
            and "host the tuned model" not in found
            and found["GPU hours idle"][0].expected > 0
        )
    api_ = cm.Option(
        api("meta-llama/Llama-3.1-8B-Instruct", accepted=0.5, **{"in": 0.2, "out": 0.2}),
        cm.FineTune(tuning="fireworks.16b", **TUNE),
    )
    assert "run on GPUs by the hour" in cm.compare(api_, WORK, terms=TERMS, draws=1).why_not.item()


def test_a_provider_trains_an_adapter_that_answers_on_own_gpus():
    """Tenants share the base; a provider that has closed is refused, and one that closes later
    sells no more runs.
    """
    serving = replace(own(), model=cm.facts.model("llama-3.1-8b"), gpus_per_replica=None)
    found = bill(cm.Lora(tuning="together.lora-16b", **TUNE), serving=serving)
    assert found["the run that passes"] == (2.4, 0.48)
    assert bill(cm.Lora(tuning="together.lora-16b", adapters=3, **TUNE), serving=serving)[
        "the run that passes"
    ] == (3 * 2.4, 0.48)
    offer = catalog.tuning("together.lora-16b")
    why = cm.compare(
        cm.Option(serving, cm.Lora(tuning=replace(offer, closes="2026-12-01"), **TUNE)),
        WORK,
        terms=TERMS,
        draws=1,
    ).why_not.item()
    assert "closes on 2026-12-01" in why
    later = cm.Lora(tuning=replace(offer, closes="2028-01-06"), **TUNE)
    book = cm.ledger(cm.Option(serving, later), WORK, terms=TERMS)
    assert book[book["item"] == "retrain"].basis.str.contains("from 2028-01-06 on at another").all()
    large = replace(serving, model=cm.facts.model("llama-3.1-70b"))
    assert (
        "Lora: together.lora-16b tunes"
        in cm.compare(
            cm.Option(large, cm.Lora(tuning="together.lora-16b", **TUNE)),
            WORK,
            terms=TERMS,
            draws=1,
        ).why_not.item()
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"packed": "yes"}, "packed is 'yes', allowed are True and False"),
        ({"quantised": "4bit"}, "quantised is '4bit', allowed are True and False"),
        ({"labels": 3}, "labels is 3, it must be an id such as .*, or a Labels"),
        ({"tuning": 3}, "tuning is 3, it must be an id such as .*, or a Tuning"),
        ({"epochs": 1e9}, "epochs is .*, allowed is between 0.01 and 1000"),
        ({"tokens_per_example": 4_000}, "seq_len is 2,048, an example has 4,000 tokens"),
        ({"seq_len": 500}, "seq_len is 500, an example has 800 tokens"),
    ],
)
def test_what_a_tune_cannot_mean_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        cm.Lora(**TUNE | fields)


def test_a_base_that_is_retired_already_is_refused():
    gone = replace(own(), model=replace(own().model, retired="2026-11-30"))
    assert (
        "retired since 2026-11-30"
        in cm.compare(cm.Option(gone, cm.Lora(**TUNE)), WORK, terms=TERMS, draws=1).why_not.item()
    )


@pytest.mark.parametrize(
    ("field", "value"), [("epochs", 0), ("tokens_per_example", 0), ("examples", 0)]
)
def test_nothing_to_train_on_is_an_error(field, value):
    with pytest.raises(
        ValueError, match=rf"Lora.{field} is 0, allowed is (at least 1|between 0.01 and 1000)"
    ):
        cm.Lora(**{field: value})


def test_the_error_of_a_run_is_that_of_its_class():
    """A draw at the edge of the band of adapters is at the edge of the band of a full tune and of a
    mixture of experts.
    """
    from costmodel.choices.tunes.run import training_run, widened_error
    from costmodel.laws.training.calibration import laws

    bands, edge = laws()[2], laws()[2]["adapter"]
    experts = cm.Hosted("qwen3-30b-a3b", gpu="H100-SXM")
    for serving, method, stack, kind in (
        (own(), "lora", "standard", "adapter"),
        (own(), "full", "standard", "dense"),
        (experts, "lora", "standard", "moe"),
        (own(), "full", "offload", "offload"),
    ):
        assert widened_error(
            edge, training_run(serving, method, 2_048, None, stack)
        ) == pytest.approx(bands[kind])


def own():
    rent = replace(cm.facts.rent("H100-SXM"), id="ours", usd_per_gpu_hour=2.0)
    return cm.Hosted("llama-3.1-8b", rent=rent, requests_per_s=10.0, accepted=0.5)


@pytest.mark.parametrize("quantised", [False, True])
def test_a_lora_run_takes_4nd_and_the_hours_it_is_held(quantised):
    """With a measured utilisation: 4 x 8.03e9 parameters x 2.4e6 tokens over 989e12 FLOP/s at 40 %,
    and two hours on one GPU.
    """
    serving = own()
    flops = 4 * serving.model.active_parameters * 2.4e6
    found = bill(cm.Lora(mfu=0.4, hours_per_run=2, quantised=quantised, **TUNE), serving=serving)
    assert found["the run that passes"] == (
        flops / (serving.gpu.peak_flops_bf16 * 0.4) / 3_600 + 2,
        2.0,
    )


def test_a_full_tune_is_held_on_the_gpus_that_its_optimiser_needs():
    """8.03e9 parameters x 16 bytes are 129 GB: two H100 of 80 GB, sharded."""
    serving = own()
    hours = (
        6 * serving.model.active_parameters * 2.4e6 / (serving.gpu.peak_flops_bf16 * 0.4) / 3_600
    )
    assert bill(cm.FineTune(mfu=0.4, hours_per_run=2, **TUNE), serving=serving)[
        "the run that passes"
    ] == (hours + 2 * 2, 2.0)


@pytest.mark.parametrize(("technique", "method"), [(cm.FineTune, "full"), (cm.Lora, "lora")])
@pytest.mark.parametrize("stack", ["standard", "naive", "tuned", "offload"])
def test_a_run_takes_the_hours_that_training_is_predicted_to_take(technique, method, stack):
    serving = own()
    m = serving.model
    tune = technique(hours_per_run=0, stack=stack, speed=1.0, **TUNE)
    known = {
        "layers": m.layers,
        "hidden": m.hidden,
        "vocab": m.vocab,
        "method": method,
        "stack": stack,
    }
    least = cm.training.predict_training(m.parameters, 2.4e6, "H100-SXM", **known).gpus_min.item()
    once, twice = cm.training.predict_training(
        m.parameters, [2.4e6, 4.8e6], "H100-SXM", gpus=least, **known
    ).gpu_hours_mid
    hours = twice - once  # without the start, which is in hours_per_run
    assert bill(tune, serving=serving)["the run that passes"] == (hours, 2.0)


def test_qlora_is_slower_than_lora_and_a_faster_stack_is_cheaper():
    lora, qlora, naive, fast = (
        bill(t, serving=own())["the run that passes"][0].expected
        for t in (
            cm.Lora(**TUNE),
            cm.Lora(quantised=True, **TUNE),
            cm.Lora(stack="naive", **TUNE),
            cm.Lora(speed=2.0, **TUNE),
        )
    )
    assert fast < lora < qlora and lora < naive


def test_a_known_price_of_a_run_replaces_the_prediction():
    found = bill(cm.Lora(usd_per_run=2_000, **TUNE), serving=own())
    assert (found["the run that passes"], found["runs that do not pass"]) == (
        (1, 2_000),
        (3, 2_000),
    )


def test_failed_runs_are_stopped_early_searched_for_and_debugged():
    found = bill(
        cm.Lora(
            usd_per_run=2_000,
            sweep_runs=10,
            sweep_share=0.1,
            debug_hours=8,
            **TUNE | {"failed_share": 0.5},
        ),
        serving=own(),
    )
    assert found["runs that do not pass"] == (3 * 0.5, 2_000)
    assert found["sweep of settings"] == (1.0, 2_000)
    assert found["find out why runs fail"] == (3 * 8, 100.0)


def test_the_number_of_runs_is_geometric():
    """At a chance of 1 in 5, a quarter of all tunes needs more than 6 runs: 0.8^6 = 26 %."""

    def runs(luck):
        return (
            1
            + bill(
                cm.Lora(usd_per_run=1.0, pass_chance=0.2, luck=luck, **TUNE | {"runs": None}),
                serving=own(),
            )["runs that do not pass"][0].expected
        )

    assert [runs(u) for u in (0.05, 0.5, 0.737, 0.739)] == [1, 4, 6, 7]
    shares = cm.uncertainty.sample(cm.Lora(), 20_000).luck
    assert (1 + (lifecycle.runs_until_pass(0.2, shares) - 1)).mean() == pytest.approx(5.0, rel=0.05)


def test_candidates_are_evaluated_and_checkpoints_kept():
    found = bill(cm.FineTune(tuning=OFFER, candidate_items=300, **TUNE))
    assert found["evaluate candidates: output"] == (4 * 300 * 200 / 1e6, 15.0)
    full = bill(cm.FineTune(checkpoints=3, usd_per_gb_month=0.1, **TUNE), serving=own())
    small = bill(cm.Lora(checkpoints=3, usd_per_gb_month=0.1, **TUNE), serving=own())
    assert full["keep checkpoints"] == (3 * own().model.parameters * 2 / 1e9, 0.1)
    assert (
        3 * 0.05 < small["keep checkpoints"][0].expected < 3 * 0.15
    )  # rank 16 on every linear layer of 8B: 42 million weights


def test_a_retired_base_takes_labels_runs_and_people_with_it():
    """Retired on 2027-03-15, the fourth month, and again every 12 months."""
    lost = replace(OFFER, retires="2027-03-15")
    life = {"labels_kept": 0.6, "rebuild_share": 0.5, "provider_life_months": 12}
    tune = cm.FineTune(tuning=lost, **life, **TUNE)
    found = bill(tune)
    assert found["label again for a new base"] == (400, 7.0)
    assert found["train on a new base"] == (4 * 2.4, 25.0)
    assert found["move to a new base: people"] == (100, 100.0)
    for item in ("label again for a new base", "train on a new base", "move to a new base: people"):
        assert when(item, tune) == [4, 16, 28]
    assert when("train on a new base", cm.Lora(base_life_months=15, **TUNE), serving=own()) == [
        15,
        30,
    ]


def test_the_ledger_says_on_which_day_and_by_whom_a_base_ends():
    tune = cm.FineTune(tuning="openai.gpt-4.1", customer=True, build_weeks=2)
    book = cm.ledger(cm.Option(api("gpt-4.1", **{"in": 2.0, "out": 10.0}), tune), WORK, terms=TERMS)
    (event,) = book[(book["item"] == "move to a new base: people") & (book.month == 2)].itertuples()
    assert "on 2027-01-06" in event.basis and "openai-tuning-end" in event.sources
    old = replace(own(), model=replace(own().model, retired="2027-05-31"))
    assert when("train on a new base", cm.Lora(base_life_months=24, **TUNE), serving=old) == [6, 30]


def test_the_last_day_of_new_jobs_ends_a_tune_as_well():
    closes = cm.FineTune(
        tuning=replace(OFFER, closes="2027-01-06", retires="2027-06-01"),
        provider_life_months=100,
        **TUNE,
    )
    assert when("train on a new base", closes) == [2]


def test_a_tuned_model_that_is_gone_already_is_refused():
    option = cm.Option(SERVING, cm.FineTune(tuning=replace(OFFER, retires="2026-10-23"), **TUNE))
    assert "retired on 2026-10-23" in cm.compare(option, WORK, terms=TERMS, draws=1).why_not.item()


def test_tenants_share_the_base_and_the_engineering():
    """Ten adapters: ten times the labels and the runs, and 1 + 9 x 0.2 times the people."""
    one, ten = (
        bill(cm.Lora(usd_per_run=2_000, adapters=n, further_share=0.2, **TUNE), serving=own())
        for n in (1, 10)
    )
    for item in ("label the examples", "the run that passes", "runs that do not pass", "retrain"):
        assert ten[item][0].expected == pytest.approx(10 * one[item][0].expected)
    for item in ("build the data set and the training", "retrain: people", "keep the tune working"):
        assert ten[item][0].expected == pytest.approx(2.8 * one[item][0].expected)
    assert ten["GPU hours idle"][0].expected == pytest.approx(
        one["GPU hours idle"][0].expected
    )  # one fleet
    whole = cm.compare(
        cm.Option(own(), cm.FineTune(adapters=2, **TUNE)), WORK, terms=TERMS, draws=1
    ).why_not.item()
    assert "do not share GPUs" in whole


def test_more_data_and_larger_models_cost_more():
    def usd(serving=None, **more):
        run = bill(cm.Lora(**TUNE | more), serving=serving or own())["the run that passes"]
        return run[0].expected * run[1].expected

    assert usd() < usd(examples=2_000) < usd(examples=2_000, epochs=6)
    assert usd() < usd(
        serving=replace(own(), model=cm.facts.model("qwen2.5-32b"), gpus_per_replica=None)
    )


def test_a_teacher_labels_more_than_are_kept():
    """700 examples of which 70 % pass the filter: 1,000 calls, each with a rationale of 100 tokens,
    at the teacher's price.
    """
    teacher = api("teacher", **{"in": 5.0, "out": 20.0})
    tune = {k: v for k, v in TUNE.items() if k != "examples"}
    student = cm.Distill(
        teacher=teacher,
        terms_allow_training=True,
        real_share=0.0,
        examples=700,
        kept=0.7,
        rationale_tokens=100,
        **tune,
    )
    found = bill(student, serving=own())
    assert found["teacher labels: fresh input"] == (1_000 * 1_000 / 1e6, 5.0)
    assert found["teacher labels: output"] == (1_000 * 300 / 1e6, 20.0)
    assert found["teacher labels for retraining: output"] == (0.25 * 1_000 * 300 / 1e6, 20.0)
    assert found["label the examples"][0] == 0


TEACHER = api("teacher", **{"in": 5.0, "out": 20.0}, accepted=0.8)


def test_people_label_the_real_share_and_the_teacher_shadows_the_student():
    student = cm.Distill(
        teacher=TEACHER,
        terms_allow_training=True,
        real_share=0.3,
        shadow_days=7.3,
        shadow_share=0.5,
        readiness=None,
        **TUNE,
    )
    found = bill(student, serving=own())
    assert found["label the examples"] == (300, 7.0)
    assert found["shadow comparison: output"] == (1e6 * 7.3 * 24 / 730 * 0.5 * 200 / 1e6, 20.0)
    assert when("shadow comparison: output", student, serving=own()) == [0]


def test_soft_labels_are_stored():
    """1,000 examples x 200 tokens x 50 probabilities of 6 bytes are 0.06 GB."""
    student = cm.Distill(
        teacher=TEACHER,
        terms_allow_training=True,
        real_share=0.0,
        soft_labels=50,
        usd_per_gb_month=0.1,
        **TUNE,
    )
    assert bill(student, serving=own())["keep the teacher's probabilities"] == (0.06, 0.1)


@pytest.mark.parametrize(
    ("teacher", "more", "runs"),
    [
        (cm.Api("gpt-4o", on="2026-11-01"), {}, False),
        (cm.Api("gpt-4o", on="2026-11-01"), {"terms_allow_training": True}, True),
        (cm.Api("deepseek-v4-pro", on="2026-11-01"), {}, True),
        (cm.Hosted("llama-3.1-70b"), {}, True),
        (cm.Hosted("llama-2-70b"), {}, True),
    ],
)
def test_a_teacher_whose_terms_forbid_it_is_refused(teacher, more, runs):
    why = cm.compare(
        cm.Option(own(), cm.Distill(teacher=teacher, **more)), WORK, terms=TERMS, draws=1
    ).why_not.item()
    assert ("forbid to train on" in why) is not runs


def test_a_licence_that_keeps_answers_to_its_own_maker_is_read():
    """Llama 2 may teach Llama models only; a licence that nobody has read here is no permission."""

    def why(teacher, **more):
        student = replace(own(), model=cm.facts.model("qwen3-8b"), gpus_per_replica=None)
        return cm.compare(
            cm.Option(student, cm.Distill(teacher=cm.Hosted(teacher), **more)),
            WORK,
            terms=TERMS,
            draws=1,
        ).why_not.item()

    assert (
        "Llama 2 Community License of llama-2-70b forbids" in why("llama-2-70b")
        and why("llama-2-70b", terms_allow_training=True) == ""
    )
    assert "is not known; read it" in why(
        "minimax-m2.5"
        if cm.facts.model("minimax-m2.5").licence not in ("Modified MIT",)
        else "minimax-m3"
    )


TAUGHT = TUNE | {"examples": 20_000}
UNREAD = replace(WORK, corpus=None, task="extract")  # all that an answer needs is in the request


def test_a_student_reaches_a_share_of_its_teacher():
    student = cm.Option(
        own(), cm.Distill(teacher=TEACHER, terms_allow_training=True, of_teacher=0.9, **TAUGHT)
    )
    assert cm.compare(student, UNREAD, terms=TERMS, draws=1).quality.item() == pytest.approx(
        0.9 * 0.8
    )


def test_a_student_learns_more_from_more_answers_and_never_falls():
    def share(examples, base=0.5):
        student = cm.Option(
            replace(own(), accepted=base),
            cm.Distill(
                teacher=TEACHER,
                terms_allow_training=True,
                of_teacher=0.9,
                **TUNE | {"examples": examples},
            ),
        )
        return cm.compare(student, UNREAD, terms=TERMS, draws=1).quality.item()

    assert 0.5 < share(500) < share(5_000) < share(50_000) < share(5e6) <= 0.8 + 1e-9
    assert share(20_000, base=0.9) == pytest.approx(0.9)  # better than its teacher before


def test_more_examples_gain_more_and_an_adapter_about_as_much():
    """Up to the ceiling of the task, which is flat beyond 10,000 examples."""

    def share(technique, **more):
        return cm.compare(
            cm.Option(own(), technique(**TUNE | more)), UNREAD, terms=TERMS, draws=1
        ).quality.item()

    few, many, whole = share(cm.Lora), *(share(t, examples=10_000) for t in (cm.Lora, cm.FineTune))
    assert 0.5 < few < many < whole == share(cm.FineTune, examples=50_000)
    task = cm.choices.Task("extract")
    ceiling = task.tuned_level.mid + task.tuned_slope * (capability(7.61) - capability(20))
    assert whole == pytest.approx(1 / (1 + np.exp(-ceiling)), abs=1e-9)


def test_with_a_corpus_teacher_and_student_read_what_is_retrieved():
    """The preset's student is behind retrieval with the large model, whose answers it learns, and
    before a model that has read nothing.
    """
    work = cm.Workload(1e5, input_tokens=500, output_tokens=200, corpus=cm.Corpus(tokens=4_000_000))
    options = cm.presets(work, on="2026-11-20", only="all")
    quality = cm.compare(
        {name: options[name] for name in ("Prompt", "Distilled", "RAG")}, work, draws=1
    ).quality
    assert quality["Prompt"] < quality["Distilled"] < quality["RAG"]
    rows = cm.ledger({"Distilled": options["Distilled"]}, work)
    labelled = rows[rows["item"].str.startswith("teacher labels: ")].usd.sum()
    bare = cm.ledger(
        replace(options["Distilled"], techniques=options["Distilled"].techniques[1:]), work
    )
    assert (
        labelled > 1.5 * bare[bare["item"].str.startswith("teacher labels: ")].usd.sum()
    )  # the teacher reads the passages too


def test_hard_cases_go_back_to_the_teacher():
    teach = cm.Option(TEACHER)
    student = cm.Option(
        own(), cm.Distill(teacher=TEACHER, terms_allow_training=True, of_teacher=0.9, **TAUGHT)
    )
    parts = cm.cascade(student, teach, escalated=0.2, signal=None)
    found = cm.compare(parts, UNREAD, terms=TERMS, draws=1)
    assert found.quality.item() == pytest.approx(0.8 * 0.72 + 0.2 * 0.8)


def test_confident_mistakes_cost_more_than_a_student_saves_at_every_volume():
    """It saves about half a cent and fails on 8 points more: dearer for ever above some 6 cents a
    failure.
    """

    def volume(usd):
        work = replace(WORK, usd_per_failure=usd)
        student = cm.Option(
            replace(own(), build_weeks=0, upkeep_fte=0),
            cm.Distill(teacher=TEACHER, terms_allow_training=True, of_teacher=0.9, **TUNE),
        )
        return cm.breakeven(
            {"first": student, "second": cm.Option(TEACHER)}, work, terms=TERMS, draws=2
        ).crossing.max()

    assert volume(0.0) < volume(0.03)
    assert volume(1.0) != volume(1.0) or volume(1.0) < volume(0.0)


# -- prompting and operations --------------------------------------------------------------------


def test_examples_are_chosen_once_and_paid_in_every_prompt():
    found = bill(cm.FewShot(examples=8, tokens_per_example=250, build_hours=16))
    assert found["choose the examples"] == (16, 100.0)
    assert found["production: fresh input"] == (3_000, 2.0)


def test_a_golden_set_is_run_and_judged_every_month():
    """300 cases, 8 runs a month: 2,400 answers, each judged by reading rubric, question and
    answer.
    """
    judge = api("judge", **{"in": 1.0, "out": 4.0})
    found = bill(
        cm.Evals(
            items=300,
            runs_per_month=8,
            build_weeks=2,
            judge=judge,
            rubric_tokens=500,
            verdict_tokens=100,
            review_hours_per_month=6,
            spread=0,
            changes_per_week=0,
        )
    )
    assert found["build the golden set"] == (80, 100.0)
    assert found["evaluation runs: fresh input"] == (2_400 * 1_000 / 1e6, 2.0)
    assert found["evaluation judge: fresh input"] == (2_400 * (500 + 1_000 + 200) / 1e6, 1.0)
    assert found["evaluation judge: output"] == (2_400 * 100 / 1e6, 4.0)
    assert found["review evaluations"] == (6, 60.0)


def test_production_is_traced_sampled_and_read():
    judge = api("judge", **{"in": 1.0, "out": 4.0})
    found = bill(
        cm.Monitoring(
            usd_per_mtrace=300,
            judge_share=0.05,
            judge=judge,
            rubric_tokens=500,
            verdict_tokens=100,
            reviews_per_month=150,
            minutes_per_review=2,
        )
    )
    assert found["store traces"] == (1.0, 300.0)
    assert found["production judge: output"] == (50_000 * 100 / 1e6, 4.0)
    assert found["read sampled answers"] == (5.0, 20.0)


def test_models_are_retired_and_replaced():
    upgrade = cm.Upgrades(every_months=15, weeks=1.5)
    assert bill(upgrade)["forced model upgrade"] == (60, 100.0)
    assert when("forced model upgrade", upgrade) == [15, 30]


def test_a_growing_corpus_costs_more_to_keep():
    """What is embedded anew in a year of 50 % growth is half of the corpus; churn is paid on what
    is there.
    """

    def embedded(growth):
        work = cm.Workload(
            1_000,
            input_tokens=100,
            output_tokens=10,
            corpus=cm.Corpus(tokens=9e6, churn_per_month=0.1, growth_per_year=growth),
        )
        option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"), cm.Rag(overlap=0.1))
        rows = cm.ledger(option, work, terms=cm.Terms(months=12, on="2026-11-01"))
        return rows.groupby("item")["quantity"].sum()

    still, grown = embedded(0), embedded(0.5)
    assert "embed what is new" not in still and grown["embed what is new"] == pytest.approx(
        10 * 0.5
    )
    assert still["embed what changed"] == pytest.approx(12 * 1.0)
    assert grown["embed what changed"] == pytest.approx(sum(1.5 ** (m / 12) for m in range(1, 13)))


def test_both_models_of_a_cascade_are_evaluated():
    small, large = (cm.Api(name, on="2026-11-01") for name in ("gpt-4o-mini", "gpt-4o"))
    evals, work = (
        cm.Evals(items=100, runs_per_month=1),
        cm.Workload(1_000, input_tokens=100, output_tokens=10),
    )
    rows = cm.ledger(
        cm.cascade(cm.Option(small, evals), cm.Option(large, evals), 0.2),
        work,
        base_case=True,
        terms=cm.Terms(months=1, on="2026-11-01"),
    )
    runs = rows[rows["item"] == "evaluation runs: fresh input"]
    assert (
        sorted(runs["usd_per_unit"].round(2)) == [0.15, 2.5]
        and len(rows[rows["item"] == "build the golden set"]) == 1
    )
