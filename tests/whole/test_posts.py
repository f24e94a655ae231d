"""The situation of each post as its author would type it, in Python and as a file, and what the
post says of it.

Twelve posts by Tian Pan (tianpan.co, 2026-04-09 and after); R1 to R15 are their headline results.
`test_headlines.py` derives their numbers one by one with prices made for it; here stand whole
cases with prices of the catalogue, and nothing that a user does not have.
"""

import pytest

import costmodel as cm

STILL = cm.Terms(
    on="2025-06-01",
    months=12,
    discount_rate=0,
    trends=cm.choices.Trends(api=0, gpu=0, labour=0, service=0),
)
TERMS = """
terms:
  on: 2025-06-01
  months: 12
  discount_rate: 0
  trends: {api: 0, gpu: 0, labour: 0, service: 0}
"""
POSTS = {}


def post(name, text):
    """Keep a case written in Python beside the same as a file."""

    def keep(case):
        POSTS[name] = case, f"title: {name}\n{TERMS}{text}"
        return case

    return keep


@post(
    "R1 fine-tuning",
    """
workload: {requests_per_month: 100_000, input_tokens: 300, output_tokens: 200}
options:
  LoRA:
    serving: {hosted: llama-3.1-8b, gpu: L40S}
    techniques:
      - lora: {examples: 1_000, runs: 5, usd_per_run: 2_000, build_weeks: 3, retrain_months: 6}
""",
)
def fine_tuning():
    tune = cm.Lora(examples=1_000, runs=5, usd_per_run=2_000, build_weeks=3, retrain_months=6)
    work = cm.Workload(100_000, input_tokens=300, output_tokens=200)
    return {"LoRA": cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"), tune)}, work, STILL


def test_the_run_is_the_smallest_part_and_estimates_are_more_than_3_to_5_times_low():
    """With engineers who keep tune and GPUs alive, whom the post only names, it is more."""
    study = cm.Study(*fine_tuning())
    usd = cm.ledger(study, base_case=True).groupby("phase")["usd"].sum()
    assert usd["training"] == usd.drop("evaluation").min() < 0.03 * usd.sum()
    tune = usd.drop(["serving", "maintenance"]).sum()
    assert 3 < tune / (usd["training"] + usd["data"]) < 5
    assert cm.training.underestimates(study)["factor"].min() > 5


@post(
    "R2 few-shot or tuned",
    """
workload: {requests_per_month: 500_000, input_tokens: 300, output_tokens: 200}
options:
  Few-shot:
    serving: {api: gpt-4o}
    techniques: [few_shot: {examples: 8, tokens_per_example: 250, build_hours: 1}]
  Cached:
    serving: {api: gpt-4o}
    techniques:
      - few_shot: {examples: 8, tokens_per_example: 250, build_hours: 1}
      - prompt_cache
  Tuned:
    serving: {own_api: tuned-4o, usd_per_mtok_in: 3.75, usd_per_mtok_out: 15}
    techniques: [cost: {item: labels and people and runs, usd: 40_000}]
""",
)
def few_shot_or_tuned():
    api, few = cm.Api("gpt-4o"), cm.FewShot(examples=8, tokens_per_example=250, build_hours=1)
    tuned = cm.own_api("tuned-4o", usd_per_mtok_in=3.75, usd_per_mtok_out=15, on="2025-06-01")
    options = {
        "Few-shot": cm.Option(api, few),
        "Cached": cm.Option(api, few, cm.PromptCache()),
        "Tuned": cm.Option(tuned, cm.Cost("labels and people and runs", usd=40_000)),
    }
    return options, cm.Workload(500_000, input_tokens=300, output_tokens=200), STILL


def test_a_tune_of_40_000_dollars_pays_after_11_million_requests_and_36_if_examples_are_cached():
    study = cm.Study(*few_shot_or_tuned())
    for prompt, millions in (("Few-shot", 11.03), ("Cached", 35.56)):
        monthly = cm.breakeven(study.only(prompt, "Tuned"), prompt, "Tuned")["crossing"].iloc[0]
        assert 12 * monthly / 1e6 == pytest.approx(millions, rel=0.02)


@post(
    "R3 distillation",
    """
workload: {requests_per_month: 304_000, input_tokens: 5_000, output_tokens: 200}
options:
  Frontier:
    serving: {own_api: frontier, usd_per_mtok_in: 2.5, usd_per_mtok_out: 6}
  Student:
    serving: {own_api: student-27b, usd_per_mtok_in: 0.25, usd_per_mtok_out: 0.6}
    techniques: [cost: {item: an engineer for a month, hours: 160}]
""",
)
def distillation():
    day = "2025-06-01"
    frontier = cm.own_api("frontier", usd_per_mtok_in=2.5, usd_per_mtok_out=6, on=day)
    student = cm.own_api("student-27b", usd_per_mtok_in=0.25, usd_per_mtok_out=0.6, on=day)
    options = {
        "Frontier": cm.Option(frontier),
        "Student": cm.Option(student, cm.Cost("an engineer for a month", hours=160)),
    }
    return options, cm.Workload(304_000, input_tokens=5_000, output_tokens=200), STILL


def test_a_student_of_10_000_documents_a_day_pays_within_months_and_of_1_000_not_in_a_year():
    study = cm.Study(*distillation())
    frontier, student = cm.compare(study)["expected"][["Frontier", "Student"]]
    assert frontier == pytest.approx(50_000, rel=0.01) and student < 0.6 * frontier
    month = (student - 0.1 * frontier) / (0.9 * frontier / 12)  # of saving that pays the engineer
    assert 3.5 < month < 7
    few = study.changed(work=cm.Workload(30_400, input_tokens=5_000, output_tokens=200))
    usd = cm.compare(few)["expected"]
    assert usd["Student"] > usd["Frontier"]


@post(
    "R4 and R5 long context or retrieval",
    """
workload:
  requests_per_month: 304_000
  input_tokens: 0
  output_tokens: 1
  corpus: {tokens: 999_000}
options:
  Everything: {serving: {api: gpt-4.1}, techniques: [long_context]}
  RAG: {serving: {api: gpt-4.1}, techniques: [rag: {top_k: 2, chunk_tokens: 400}]}
""",
)
def long_context_or_retrieval(corpus_tokens=999_000):
    api, corpus = cm.Api("gpt-4.1"), cm.Corpus(tokens=corpus_tokens)
    options = {
        "Everything": cm.Option(api, cm.LongContext()),
        "RAG": cm.Option(api, cm.Rag(top_k=2, chunk_tokens=400)),
    }
    return options, cm.Workload(304_000, input_tokens=0, output_tokens=1, corpus=corpus), STILL


def test_1250_times_is_a_million_tokens_against_800_and_16_dollars_a_day():
    book = cm.ledger(cm.Study(*long_context_or_retrieval()), base_case=True, months=1)
    tokens = book[book["item"] == "production: fresh input"].groupby("option")["usd"].sum()
    assert tokens["Everything"] / tokens["RAG"] == pytest.approx(1_250, rel=0.01)
    assert (tokens / 30.4).to_list() == pytest.approx([20_000, 16], rel=0.01)


def test_the_volume_from_which_retrieval_pays_falls_with_the_length_of_the_corpus():
    """Corpus and volume are one threshold: a tenth of the corpus, ten times the questions, and some
    more, because the people of retrieval grow with its volume."""
    least, most = (
        cm.breakeven(cm.Study(*long_context_or_retrieval(tokens)), low=1)["crossing"].iloc[0]
        for tokens in (999_000, 99_900)
    )
    assert 10 < most / least < 15


@post(
    "R6 context stuffing",
    """
workload:
  requests_per_month: 100_000
  instruction_tokens: 600
  input_tokens: 200
  output_tokens: 300
  usd_per_failure: 1
  corpus: {tokens: 4e6}
  question_mix: {fact: 0.5, multi_hop: 0.5}
options:
  RAG: {serving: {api: gpt-4.1}, techniques: [rag]}
""",
)
def context_stuffing():
    work = cm.Workload(
        100_000,
        instruction_tokens=600,
        input_tokens=200,
        output_tokens=300,
        usd_per_failure=1,
        corpus=cm.Corpus(tokens=4e6),
        question_mix=cm.QuestionMix(fact=0.5, multi_hop=0.5),
    )
    return {"RAG": cm.Option(cm.Api("gpt-4.1"), cm.Rag())}, work, STILL


def test_more_context_helps_until_it_harms():
    study = cm.Study(*context_stuffing(), draws=500)
    table = cm.knowledge.context_budget(study, "RAG", top_k=[1, 3, 10, 30, 100, 300, 1_000])
    for best in (table["quality"].idxmax(), table["per_accepted"].idxmin()):
        assert table.index[0] < best < table.index[-1]


@post(
    "R7 GraphRAG",
    """
workload:
  requests_per_month: 10_000
  input_tokens: 60
  output_tokens: 300
  corpus: {pages: 500}
options:
  RAG: {serving: {api: gpt-4o}, techniques: [rag]}
  GraphRAG: {serving: {api: gpt-4o}, techniques: [graph_rag: {variant: full}]}
  LightRAG: {serving: {api: gpt-4o}, techniques: [graph_rag: {variant: light}]}
  LazyGraphRAG: {serving: {api: gpt-4o}, techniques: [graph_rag: {variant: lazy}]}
""",
)
def graph_rag():
    api, corpus = cm.Api("gpt-4o"), cm.Corpus.from_pages(500)
    options = {
        "RAG": cm.Option(api, cm.Rag()),
        "GraphRAG": cm.Option(api, cm.GraphRag("full")),
        "LightRAG": cm.Option(api, cm.GraphRag("light")),
        "LazyGraphRAG": cm.Option(api, cm.GraphRag("lazy")),
    }
    return options, cm.Workload(10_000, input_tokens=60, output_tokens=300, corpus=corpus), STILL


def test_a_full_graph_of_500_pages_costs_tens_of_dollars_and_the_light_ways_a_fraction():
    options, work, _ = graph_rag()
    api = options["RAG"].serving
    table = cm.knowledge.index_cost(work, api, variants=["full", "light", "lazy"], draws=300)
    usd = table["usd"]
    assert 20 < usd["full"] < 200 and usd["lazy"] < usd["light"] < usd["full"]
    assert usd["lazy"] < 0.01 * usd["full"]
    waits = cm.knowledge.latency(cm.Study(*graph_rag()), draws=300)["p50"]
    assert waits["LazyGraphRAG"] > waits["RAG"] + 2


@post(
    "R8 prompt caching",
    """
workload: {requests_per_month: 30_400, instruction_tokens: 10_000, input_tokens: 200}
options:
  Plain: {serving: {api: claude-sonnet-4-0}}
  Cached: {serving: {api: claude-sonnet-4-0}, techniques: [prompt_cache]}
""",
)
def prompt_caching():
    api = cm.Api("claude-sonnet-4-0")
    options = {"Plain": cm.Option(api), "Cached": cm.Option(api, cm.PromptCache())}
    return options, cm.Workload(30_400, instruction_tokens=10_000, input_tokens=200), STILL


def test_without_a_cache_10_000_tokens_of_system_prompt_are_overpaid_by_60_to_90_percent():
    book = cm.ledger(cm.Study(*prompt_caching()), base_case=True)
    usd = book[~book["item"].str.endswith("output")].groupby("option")["usd"].sum()
    assert 0.6 < 1 - usd["Cached"] / usd["Plain"] < 0.9


@post(
    "R9 the hidden tax",
    """
workload:
  requests_per_month: 500_000
  instruction_tokens: 600
  input_tokens: 900
  output_tokens: 250
  corpus: {tokens: 4e6, churn_per_month: 0.03}
options:
  Assistant:
    serving: {api: gpt-4.1}
    techniques: [rag, evals, release, monitoring, upgrades, compliance]
""",
)
def hidden_tax():
    everything = cm.Rag(), cm.Evals(), cm.Release(), cm.Monitoring(), cm.Upgrades(), cm.Compliance()
    work = cm.Workload(
        500_000,
        instruction_tokens=600,
        input_tokens=900,
        output_tokens=250,
        corpus=cm.Corpus(tokens=4e6, churn_per_month=0.03),
    )
    return {"Assistant": cm.Option(cm.Api("gpt-4.1"), *everything)}, work, STILL


def test_inference_is_a_fifth_to_a_third_of_a_mature_feature():
    found = cm.operations.inference_share(cm.Study(*hidden_tax()), months=36).iloc[0]
    assert 0.15 < found["share"] < 0.35 and 3 < found["factor"] < 7


@post(
    "R10 release",
    """
workload: {requests_per_month: 1e6, input_tokens: 1_000, output_tokens: 100, usd_per_failure: 0.4}
options:
  Straight: {serving: {api: gpt-4.1}, techniques: [release: {policy: none}]}
  Shadow:
    serving: {api: gpt-4.1}
    techniques:
      - release:
          policy: shadow + canary
          releases_per_month: {low: 0.08, high: 0.09}
          shadow_days: 14
          shadow_share: 1
""",
)
def release():
    work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100, usd_per_failure=0.4)
    twice = cm.Release(
        "shadow + canary", releases_per_month=cm.Range(0.08, 0.09), shadow_days=14, shadow_share=1
    )
    options = {
        "Straight": cm.Option(cm.Api("gpt-4.1"), cm.Release("none")),
        "Shadow": cm.Option(cm.Api("gpt-4.1"), twice),
    }
    return options, work, STILL


def test_a_full_shadow_of_two_weeks_a_year_is_4_percent_of_inference_and_fewer_users_are_hurt():
    book = cm.ledger(cm.Study(*release()), base_case=True)
    shadow = book[book["option"] == "Shadow"]
    twice = shadow[shadow["item"].str.startswith("shadow: the candidate")]["usd"].sum()
    assert twice / shadow[shadow["phase"] == "serving"]["usd"].sum() == pytest.approx(
        0.0384, rel=0.05
    )
    table = cm.operations.release_policies(cm.Study(*release()), "Straight").set_index("policy")
    assert table.loc["shadow + canary", "usd_loss"] < 0.5 * table.loc["none", "usd_loss"]


@post(
    "R11 the upgrade trap",
    """
workload: {requests_per_month: 304_000, input_tokens: 900, output_tokens: 250, usd_per_failure: 0.4}
options:
  Blind:
    serving: {api: gpt-4.1}
    techniques:
      - upgrades: {every_months: 9, retires: 2026-03-01}
      - monitoring: {judge_share: 0.0001, reviews_per_month: 1}
  Watched:
    serving: {api: gpt-4.1}
    techniques: [upgrades: {every_months: 9, retires: 2026-03-01}, monitoring]
""",
)
def upgrade_trap():
    work = cm.Workload(304_000, input_tokens=900, output_tokens=250, usd_per_failure=0.4)
    upgrades = cm.Upgrades(every_months=9, retires="2026-03-01")
    options = {
        "Blind": cm.Option(
            cm.Api("gpt-4.1"), upgrades, cm.Monitoring(judge_share=0.0001, reviews_per_month=1)
        ),
        "Watched": cm.Option(cm.Api("gpt-4.1"), upgrades, cm.Monitoring()),
    }
    return options, work, STILL


def test_a_forced_move_every_nine_months_and_drift_that_nobody_watches_costs_answers():
    book = cm.ledger(cm.Study(*upgrade_trap()), base_case=True, months=36)
    moves = book[(book["item"] == "forced model upgrade") & (book["option"] == "Blind")]
    assert moves["month"].to_list() == [9, 18, 27, 36]
    lost = book[book["phase"] == "failures"].groupby("option")["usd"].sum()
    assert lost["Watched"] < lost["Blind"]


@post(
    "Evals in CI",
    """
workload: {requests_per_month: 100_000, input_tokens: 900, output_tokens: 250}
options:
  Everything:
    serving: {api: gpt-4.1}
    techniques: [evals: {items: 800, smoke_items: 800, changes_per_week: 30, spread: 0}]
  Smoke set:
    serving: {api: gpt-4.1}
    techniques: [evals: {items: 800, smoke_items: 100, changes_per_week: 30, spread: 0}]
""",
)
def evals_in_ci():
    api, work = cm.Api("gpt-4.1"), cm.Workload(100_000, input_tokens=900, output_tokens=250)
    each = {"items": 800, "changes_per_week": 30, "spread": 0}
    options = {
        "Everything": cm.Option(api, cm.Evals(smoke_items=800, **each)),
        "Smoke set": cm.Option(api, cm.Evals(smoke_items=100, **each)),
    }
    return options, work, STILL


def test_a_smoke_set_cuts_the_bill_of_evaluation_by_most():
    book = cm.ledger(cm.Study(*evals_in_ci()), base_case=True)
    tokens = book[(book["phase"] == "evaluation") & (book["unit"] == "Mtok")]
    usd = tokens.groupby("option")["usd"].sum()
    assert usd["Smoke set"] < 0.35 * usd["Everything"]


@post(
    "Feature flags",
    """
workload: {requests_per_month: 1e6, input_tokens: 900, output_tokens: 250, usd_per_failure: 0.4}
options:
  Bundle:
    serving: {api: gpt-4.1}
    techniques: [release: {policy: canary, layers: 6, regression_chance: 0.4}]
  Apart:
    serving: {api: gpt-4.1}
    techniques: [release: {policy: canary, layers: 6, separate: true, regression_chance: 0.4}]
""",
)
def feature_flags():
    work = cm.Workload(1e6, input_tokens=900, output_tokens=250, usd_per_failure=0.4)
    each = {"layers": 6, "regression_chance": 0.4}
    options = {
        "Bundle": cm.Option(cm.Api("gpt-4.1"), cm.Release("canary", **each)),
        "Apart": cm.Option(cm.Api("gpt-4.1"), cm.Release("canary", separate=True, **each)),
    }
    return options, work, STILL


def test_six_layers_apart_take_six_rollouts_and_spare_the_search_for_the_guilty_one():
    usd = cm.ledger(cm.Study(*feature_flags()), base_case=True)
    usd = usd.groupby(["option", "item"])["usd"].sum()
    watched = [usd[option].filter(like="watch").sum() for option in ("Bundle", "Apart")]
    assert watched[1] == pytest.approx(6 * watched[0])
    isolated = [usd[option].filter(like="find the layer").sum() for option in ("Bundle", "Apart")]
    assert isolated[0] > isolated[1]


@post(
    "R14 compliance",
    """
workload: {requests_per_month: 100_000, input_tokens: 900, output_tokens: 250}
options:
  Open: {serving: {api: gpt-4.1}}
  Kept: {serving: {hosted: llama-3.1-8b, gpu: L40S}, techniques: [compliance: {region: eu}]}
  Abroad: {serving: {api: gpt-4.1}, techniques: [compliance: {region: eu}]}
""",
)
def compliance():
    work = cm.Workload(100_000, input_tokens=900, output_tokens=250)
    own, eu = cm.Hosted("llama-3.1-8b", gpu="L40S"), cm.Compliance(region="eu")
    options = {
        "Open": cm.Option(cm.Api("gpt-4.1")),
        "Kept": cm.Option(own, eu),
        "Abroad": cm.Option(cm.Api("gpt-4.1"), eu),
    }
    return options, work, STILL


def test_rules_are_lines_of_their_own_and_data_abroad_is_refused():
    study = cm.Study(*compliance())
    table = cm.compare(study)
    assert "eu" in table.loc["Abroad", "why_not"]
    items = " ".join(cm.explain(study, "Kept")["item"])
    assert all(word in items for word in ("redact", "audit", "region", "incident", "legal"))
    assert round(cm.operations.per_survivor(1.0, 0.3), 2) == 1.43


@post(
    "R12 and R13 schema and steps",
    """
workload: {requests_per_month: 10_000, instruction_tokens: 3_000, input_tokens: 0, output_tokens: 1}
options:
  Good schema:
    serving: {api: gpt-4.1}
    techniques:
      - agent: {steps: 2, step_spread: 0, step_output_tokens: 250, tool_tokens: 750, tools: 0}
  Bad schema:
    serving: {api: gpt-4.1}
    techniques:
      - agent: {steps: 8, step_spread: 0, step_output_tokens: 250, tool_tokens: 750, tools: 0}
  Cheaper and longer:
    serving: {own_api: cheap, usd_per_mtok_in: 1.5, usd_per_mtok_out: 6}
    techniques:
      - agent: {steps: 3.5, step_spread: 0, step_output_tokens: 250, tool_tokens: 750, tools: 0}
""",
)
def schema_and_steps():
    each = {"step_spread": 0, "step_output_tokens": 250, "tool_tokens": 750, "tools": 0}
    cheap = cm.own_api("cheap", usd_per_mtok_in=1.5, usd_per_mtok_out=6, on="2025-06-01")
    options = {
        "Good schema": cm.Option(cm.Api("gpt-4.1"), cm.Agent(steps=2, **each)),
        "Bad schema": cm.Option(cm.Api("gpt-4.1"), cm.Agent(steps=8, **each)),
        "Cheaper and longer": cm.Option(cheap, cm.Agent(steps=3.5, **each)),
    }
    work = cm.Workload(10_000, instruction_tokens=3_000, input_tokens=0, output_tokens=1)
    return options, work, STILL


def test_eight_steps_send_7_4_times_the_tokens_and_cheaper_calls_make_a_dearer_task():
    book = cm.ledger(cm.Study(*schema_and_steps()), base_case=True)
    made = book[book["item"].str.startswith("production")]
    sent = made[made["item"].str.endswith("input")].groupby("option")["quantity"].sum()
    assert sent["Bad schema"] / sent["Good schema"] == pytest.approx(52 / 7, rel=0.01)
    usd = made.groupby("option")["usd"].sum()
    assert 1.31 < usd["Cheaper and longer"] / usd["Good schema"] < 1.7


@post(
    "R15 agentic coding",
    """
workload: {requests_per_month: 1_000, input_tokens: 1_000, output_tokens: 300}
options:
  Benchmark:
    serving: {api: claude-sonnet-4-0, accepted: 0.8}
    techniques: [coding_agent: {transfer: 1}]
  Your code:
    serving: {api: claude-sonnet-4-0, accepted: 0.8}
    techniques: [coding_agent: {transfer: 0.2875}]
""",
)
def agentic_coding():
    api, work = (
        cm.Api("claude-sonnet-4-0", accepted=0.8),
        cm.Workload(1_000, input_tokens=1_000, output_tokens=300),
    )
    options = {
        "Benchmark": cm.Option(api, cm.CodingAgent(transfer=1)),
        "Your code": cm.Option(api, cm.CodingAgent(transfer=0.2875)),
    }
    return options, work, STILL


def test_80_percent_on_the_benchmark_is_23_on_your_code_and_each_accepted_change_3_5_times_dearer():
    table = cm.compare(cm.Study(*agentic_coding()))
    assert table["quality"].to_list() == pytest.approx([0.80, 0.23], abs=0.01)
    assert table["per_accepted"]["Your code"] / table["per_accepted"]["Benchmark"] == pytest.approx(
        0.80 / 0.23, rel=0.02
    )


@pytest.mark.parametrize("name", POSTS)
def test_a_file_and_python_say_the_same(name):
    case, text = POSTS[name]
    options, work, terms = case()
    typed, read = cm.Study(options, work, terms, title=name), cm.load(text)
    assert read.options == typed.options and (read.work, read.terms) == (typed.work, typed.terms)
