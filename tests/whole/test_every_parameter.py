"""Every field of every technique moves a number: what is bought, how good it is, or how long one
waits. None is decoration.
"""

import dataclasses
import itertools
from dataclasses import replace

import numpy as np
import pytest
from toys import STILL, api

import costmodel as cm
from costmodel.core.glossary import limits
from costmodel.core.ranges import Doubt, unmarked
from costmodel.studies.knowledge import latency

AT = "2026-11-20"
RATES = {"in": 2.0, "out": 10.0, "cache_read": 0.2, "cache_write": 2.5, "cache_write_1h": 4.0}
SERVING, JUDGE = api(accepted=0.7, **RATES), api("judge", accepted=0.6, **{"in": 1.0, "out": 4.0})
EU = replace(SERVING, model=replace(SERVING.model, residency="eu"), residency="eu")
HOSTED = cm.Hosted("llama-3.1-8b", gpu="H100-SXM", accepted=0.5)
TEACHER = replace(JUDGE, accepted=0.9)
MIX = cm.QuestionMix(0.3, 0.2, 0.1, 0.2, 0.1, 0.1)
WORK = cm.Workload(
    300_000,
    instruction_tokens=2_000,
    input_tokens=1_000,
    output_tokens=200,
    usd_per_failure=0.5,
    question_mix=MIX,
    corpus=cm.Corpus(tokens=9e8, churn_per_month=0.02, access_groups=2),
    tier=replace(cm.facts.tier("product"), traces_in_full=100_000),  # a sample of the others
)
TERMS = replace(STILL, start="2026-06-01", months=48)

# where each technique is at work: (serving, technique, more techniques); a field has to matter in
# one of them
PLACES = [
    (SERVING, cm.Prompt()),
    (SERVING, cm.FewShot()),
    (SERVING, cm.PromptCache(usd_per_mtok_hour=1, burst=2, prefixes=1_000)),
    (
        SERVING,
        cm.Rag(
            reranker="rerank-v3.5",
            hybrid=True,
            rewrites=1,
            rounds=2,
            helper=JUDGE,
            store="qdrant-4c16g",  # paid by the size of the index
        ),
    ),
    (SERVING, cm.Rag(reranker="voyage-rerank-3", metadata_filters=True, context_by=JUDGE)),
    (SERVING, cm.LongContext(document_tokens=20_000)),
    (SERVING, cm.SemanticCache()),
    (SERVING, cm.TokenSizes(500, 500, 100, 100)),
    (api(tiers={1_000: {"in": 9.0, "out": 9.0}}, **RATES), cm.TokenSizes(500, 500, 100, 100)),
    (SERVING, cm.SecondTry(checked=True)),
    *(
        (SERVING, cm.GraphRag(**more))
        for more in (
            {},
            {"mode": "global", "variant": "full"},
            {"mode": "drift"},
            {"variant": "light"},
        )
    ),
    (HOSTED, cm.FineTune(sweep_runs=2, examples=3_000)),
    (HOSTED, cm.FineTune(mfu=0.4, minutes_per_label=5)),
    (
        cm.Api("gpt-4.1", on="2026-06-01", accepted=0.7),
        cm.FineTune(tuning="openai.gpt-4.1", customer=True, adapters=3),
    ),
    *(
        (cm.Api("gpt-4.1", on="2026-06-01", accepted=0.7), tune)
        for tune in (
            cm.Lora(tuning="openai.gpt-4.1", customer=True),
            cm.Distill(
                teacher=TEACHER, terms_allow_training=True, tuning="openai.gpt-4.1", customer=True
            ),
        )
    ),
    *(
        (HOSTED, cm.Lora(**more))
        for more in (
            {"sweep_runs": 2, "adapters": 3},
            {"mfu": 0.4},
            {"tuning": "together.lora-16b"},
            {"minutes_per_label": 5},
        )
    ),
    *(
        (HOSTED, cm.Distill(teacher=t, terms_allow_training=True, **more))
        for t, more in (
            (TEACHER, {"sweep_runs": 2, "adapters": 3, "soft_labels": 20}),
            (replace(TEACHER, accepted=None), {"minutes_per_label": 5}),
        )
    ),
    # what a tune teaches shows where the model reads what it needs
    (HOSTED, cm.Lora(examples=10_000), cm.Rag()),
    (HOSTED, cm.Distill(teacher=TEACHER, terms_allow_training=True), cm.Rag()),
    (SERVING, cm.Evals(judge=JUDGE)),
    (SERVING, cm.Evals(effect=0.01, spread=0.15)),  # more noise than anybody pays for
    *(
        (
            SERVING,
            cm.Release(policy=policy, judge=JUDGE, candidate=JUDGE, usd_per_day_late=1, layers=3),
        )
        for policy in ("replay + canary", "shadow + canary + A/B")
    ),
    (
        SERVING,
        cm.Release(
            policy="canary",
            stages="0.0001, 0.001",  # so few answers that neither signal is sure
            latency_threshold=0.3,
            refusal_threshold=0.05,
            rollback=False,
        ),
    ),
    (SERVING, cm.Monitoring(judge=JUDGE)),
    (SERVING, cm.Monitoring(judge_share=0, reviews_per_month=5)),  # nobody sees it before users do
    (SERVING, cm.Upgrades(pinned=False, prompts=3), cm.PromptCache(minimum_tokens=0)),
    (cm.Api("gpt-5-mini", on="2026-06-01", accepted=0.7), cm.Upgrades()),
    (EU, cm.Compliance(region="eu", high_risk=True)),
    (EU, cm.Compliance(usd_per_mchar=0.5)),
    (SERVING, cm.Review(0.2)),
    (SERVING, cm.Review(0.2, desk_hours_per_month=9_000)),
    (SERVING, cm.Cost("fee", usd=100, persons=3)),
    (SERVING, cm.Cost("work", hours=10)),
    (SERVING, cm.Egress(gb_free=0.1)),
    (HOSTED, cm.SecondRegion(), cm.Rag()),
    *(
        (
            SERVING,
            kind(reviewed_share=0.5, compact_at=6_000, subagents=1, cap_steps=30),
            cm.PromptCache(minimum_tokens=0),
        )
        for kind in (cm.Agent, cm.CodingAgent)
    ),
    *(
        (SERVING, kind(clear_at=5_000, compressed_to=0.5, compressor=JUDGE), cm.PromptCache())
        for kind in (cm.Agent, cm.CodingAgent)
    ),
]
# what says where a cost of one's own stands in the ledger, and no number; tests/.../test_costs.py
WORDS = {
    cm.Cost: ("item", "phase", "treatment", "trend"),
    cm.Lora: ("log_odds_adapter",),  # without a corpus; tests/choices/techniques/test_techniques.py
}
OTHER = {  # another value of what is no number
    "checked": False,
    "embedder": "text-embedding-3-large",
    "store": "pgvector",
    "reranker": "voyage-rerank-3",
    "search": cm.Rag(hybrid=True),
    "plain": cm.Rag(hybrid=True),
    "helper": api("helper", **{"in": 9.0, "out": 9.0}),
    "questions": cm.QuestionMix(1.0),
    "variant": "light",
    "mode": "drift",
    "extractor": JUDGE,
    "labels": "entities",
    "tuning": None,
    "customer": False,
    "packed": False,
    "stack": "naive",
    "quantised": True,
    "teacher": replace(TEACHER, capability=60.0),
    "terms_allow_training": False,
    "judge": SERVING,
    "candidate": SERVING,
    "policy": "none",
    "stages": "0.1, 0.5",
    "separate": True,
    "retires": "2027-03-01",
    "pinned": True,
    "named_successor": False,
    "redacted": "none",
    "guarded": "secrets",
    "rollback": True,
    "interactive": True,
    "metadata_filters": False,
    "context_by": SERVING,
    "compressor": SERVING,
    "region": None,
    "counsel": "engineer",
    "high_risk": False,
    "hybrid": False,
    "role": "counsel",
    "per": "year",
    "redo_role": "counsel",
    "readiness": None,
    "label_role": "counsel",
    "cloud": "hyperstack",
    "prompts_leave": False,
}
SOME = {
    "prompt_lengths": cm.choices.PromptLengths(shares=(0.5, 0.5), input=(0.5, 1.5)),
    "minimum_tokens": 1e6,
    "dimensions": 256,
    "document_tokens": 3_000,
    "index_tokens": 9.0,
    "output_share": 0.5,
    "context_tokens": 700,
    "refresh_share": 0.9,
    "runs": 9,
    "speed": 0.5,
    "mfu": 0.2,
    "usd_per_run": 77.0,
    "minutes_per_label": 30.0,
    "usd_per_mchar": 0.2,
    "cap_steps": 12,
    "trace_share": 0.3,
    "compact_at": 5_000,
    "clear_at": 4_000,
    "latency_threshold": 0.2,
    "refusal_threshold": 0.02,
    "month": 4,
    "usd": 7.0,
    "hours": 5.0,
}  # a value of what is None by default
FIELDS = {
    kind: [f.name for f in dataclasses.fields(kind)]
    for kind in dict.fromkeys(type(place[1]) for place in PLACES)
}


def numbers(serving, technique, *more):
    """All that an option says of itself: dollars of each month, quality, seconds; or why it cannot
    run.
    """
    option = cm.Option(serving, technique, *more)
    try:
        book = cm.ledger(option, WORK, terms=TERMS)
    except cm.Infeasible as reason:
        return str(reason)
    quality = cm.compare(option, WORK, terms=TERMS, draws=1).quality.item()
    waits = latency({"option": option}, WORK, draws=1, terms=TERMS)["p50"].item()
    return *book.groupby("month")["usd"].sum(), quality, waits


def others(technique, name):
    """Other values of a field: smaller and larger numbers, or the one named above."""
    value = unmarked(getattr(technique, name))
    if name in OTHER:
        return [OTHER[name]]
    if value is None:
        return [SOME[name]]
    mid, (low, high) = value.mid if isinstance(value, Doubt) else value, limits(name)
    steps = (
        [3600.0]
        if name == "ttl_s"
        else [mid / 10, mid / 2, mid * 0.9, mid * 1.5, mid + 0.3, mid + 3]
    )
    return [x for x in steps if low <= x <= high and x != mid]


@pytest.fixture(scope="module")
def before():
    return {i: numbers(*place) for i, place in enumerate(PLACES)}


def test_every_technique_has_a_place():
    techniques = {
        getattr(cm, name)
        for name in dir(cm)
        if hasattr(getattr(cm, name), "buys") or hasattr(getattr(cm, name), "shape")
    }
    assert {t for t in techniques if isinstance(t, type) and not hasattr(t, "price")} == set(FIELDS)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, n) for kind, names in FIELDS.items() for n in names if n not in WORDS.get(kind, ())],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_every_field_of_a_technique_moves_a_number(kind, name, before):
    for i, (serving, technique, *more) in enumerate(PLACES):
        if type(technique) is not kind:
            continue
        for value in others(technique, name):
            try:
                changed = replace(technique, **{name: value})
            except ValueError:
                continue
            if not np.array_equal(numbers(serving, changed, *more), before[i]):
                return
    pytest.fail(f"{kind.__name__}.{name} changes nothing anywhere")


# a task is at work by what a model reads, by what it knows from memory, by what it was taught
# (where it reads no corpus), and by its own hops (where no mix of questions says them)
WORKS = [WORK, replace(WORK, corpus=None), replace(WORK, question_mix=None)]
TASKS = [
    cm.choices.Task(id, difficulty=0.5, log_odds_read=-0.3)
    for id in ("answer from documents", "many-hop", "extract")
]
WAYS = {
    "from memory": cm.Option(replace(SERVING, accepted=None)),
    "read": cm.Option(replace(SERVING, accepted=None), cm.Rag()),
    "tuned": cm.Option(replace(HOSTED, accepted=None), cm.Lora()),
    "tuned and read": cm.Option(replace(HOSTED, accepted=None), cm.Rag(), cm.Lora()),
}


def shares(task, work):
    work = replace(work, task=task, other_languages=0.3)
    return cm.compare(WAYS, work, terms=TERMS, draws=1)["quality"].loc[list(WAYS)].to_list()


@pytest.mark.parametrize(
    "name",
    [f.name for f in dataclasses.fields(cm.choices.Task) if f.name not in ("id", "not_said")],
)
def test_every_field_of_a_task_moves_the_quality_of_an_option(name):
    for work, task in itertools.product(WORKS, TASKS):
        value = getattr(task, name)
        if value is None:  # the task can be done without its documents
            continue
        mid = value.mid if isinstance(value, Doubt) else value
        for changed in (mid * 0.8, mid + 0.3):
            moved = replace(task, **{name: changed})
            if not np.array_equal(shares(moved, work), shares(task, work), equal_nan=True):
                return
    pytest.fail(f"Task.{name} changes no quality")


@pytest.mark.parametrize("name", ["signal_auc", "correlation"])
def test_both_fields_of_a_signal_move_the_quality_of_a_cascade(name):
    small, large = (cm.Option(replace(SERVING, accepted=x)) for x in (0.5, 0.7))
    work = replace(WORK, corpus=None)
    shares = []
    for value in (0.7, 0.8):
        signal = replace(cm.choices.Signal(0.75, 0.75), **{name: value})
        mix = cm.cascade(small, large, 0.3, signal)
        shares.append(cm.compare(mix, work, terms=TERMS, draws=1)["quality"].item())
    assert shares[0] != shares[1]
