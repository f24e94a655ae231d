"""Try each feature that a peer has, or that nobody has, and print the table of yes and no.

    python benchmarks/features.py          the table (two minutes)
    python benchmarks/features.py 42 60    these rows, with the reason of each no

The numbers are those of the feature table of the peers (litellm, genai-prices, aiconfigurator and
nine others); rows 18, 34, 77, 78, 80 and 86 belong to other issues. A row is "yes" when its try
returns something true.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import costmodel as cm

ROOT = Path(__file__).parents[1]
ON = "2026-11-20"
WORK = cm.Workload(
    300_000, instruction_tokens=2_000, input_tokens=900, output_tokens=250, usd_per_failure=1
)
READING = replace(WORK, corpus=cm.Corpus(tokens=4e6, churn_per_month=0.03, growth_per_year=0.2))
THIN = replace(WORK, requests_per_month=3_000)
BUSY = replace(WORK, requests_per_month=3e7)
TERMS = cm.Terms(on=ON, months=12)
API = cm.Api("gpt-6.1-terra", on=ON)
OWN = cm.Hosted("llama-3.1-8b", gpu="L40S")
Try = Callable[[], Any]


@cache
def support() -> Any:
    return cm.load("support_assistant", draws=300)


@cache
def two() -> Any:
    return support().only("Prompt", "RAG")


def items(*parts: Any, work: Any = WORK) -> dict[str, float]:
    """USD by line of an option in the base case."""
    book = cm.ledger(cm.Option(*parts), work, terms=TERMS, base_case=True)
    return book.groupby("item")["usd"].sum().to_dict()


def has(found: Any, *words: str) -> bool:
    """Whether every word stands in one of the texts."""
    return all(any(word in text for text in found) for word in words)


def paid(*parts: Any, work: Any = WORK) -> float:
    """All that is paid: wrong answers are left out."""
    lines = items(*parts, work=work)
    return sum(lines.values()) - lines.get("answers that fail", 0.0)


def dearer(more: Any, less: Any, work: Any = WORK) -> bool:
    return paid(*more, work=work) > paid(*less, work=work)


def fleet(**fields: Any) -> Any:
    return replace(OWN, fleet=cm.serving.Fleet(**fields))


def usd_in(model: str, **how: Any) -> float:
    return float(cm.Api(model, on=ON, **how).model.tiers[0].usd_per_mtok_in)


def grown(churn: float, growth: float) -> Any:
    corpus = replace(READING.corpus, churn_per_month=churn, growth_per_year=growth)
    return replace(READING, corpus=corpus)


def together(loading: float) -> Any:
    """An option whose two token counts follow one driver."""
    doubts = {"input_tokens": cm.Range(300, 3_000), "output_tokens": cm.Range(100, 1_000)}
    names = {f"Workload.{name}": loading for name in doubts}
    return cm.uncertainty.drive(replace(WORK, usd_per_failure=0, **doubts), "length", names)


def width(work: Any) -> float:
    table = cm.compare(cm.Option(API), work, terms=TERMS, draws=2_000)
    return float((table["p90"] - table["p10"]).iloc[0])


def run(*arguments: str) -> bool:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, cwd=ROOT).returncode == 0


def offline() -> bool:
    case = "cm.compare(cm.load('support_assistant', draws=100))"
    return run("-c", f"import socket; socket.socket.connect = None; import costmodel as cm; {case}")


def reported() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        made = cm.report.run(ROOT / "notebooks" / "00_quick_answer.ipynb", out=folder)
        return made.html.stat().st_size > 10_000 and made.pdf.stat().st_size > 10_000


def price_book() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "contract.csv"
        book.write_text("model,discount\ngpt-6.1-terra,0.2\n")
        study = cm.scenarios.with_price_book(support(), book)
    return study.options["Prompt"].serving.discount == 0.2


def saved() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = cm.scenarios.save(support(), Path(folder) / "mine.yaml")
        same = cm.load(path) == support()
    return same and len(cm.finance.waterfall(support().only("Prompt"), support().only("RAG")))


def second_region() -> bool:
    """Spare replicas, replicas and stores in a second region, and its warm standby for less."""
    both, warm = cm.SecondRegion(), cm.SecondRegion(standby_share=0.3)
    return (
        dearer((fleet(spare_replicas=1),), (OWN,))
        and dearer((OWN, both), (OWN, warm), BUSY)
        and dearer((OWN, warm), (OWN,), BUSY)
        and has(items(OWN, both, cm.Rag(), work=READING), "further regions", "copy changes")
    )


def calibrated() -> bool:
    """A fit that has not seen the family of a model errs less than 6 N D at 40 % of the peak."""
    table = cm.validation.fidelity("fine-tuning").dropna(subset=["mid", "plain"])
    fit, plain = (np.log(table[x] / table["reported"]).abs().median() for x in ("mid", "plain"))
    return len(table) > 100 and fit < plain


def sold_in_units() -> bool:
    """Units of Azure, Vertex and Bedrock stand idle where the load is thin."""
    claude = cm.Api("anthropic.claude-sonnet-4-5-20250929-v1:0", "aws", on=ON)
    bedrock = {"tokens_per_min_per_unit": 10_000, "usd_per_unit_hour": 40, "units": 1}
    units = (
        cm.Provisioned("gpt-5", on=ON, units=15),
        cm.Provisioned("gemini-2.5-flash", "monthly", on=ON, seller="vertex", units=2),
        cm.Provisioned(claude, "monthly", seller="bedrock", **bedrock),
    )
    return all(has(items(unit, work=THIN), "units idle") for unit in units)


def optimised() -> bool:
    """0.2 fewer failures at USD 0.005, less as pay rises, are worth a price 0.001 higher."""
    worse, better = (
        cm.Option(cm.own_api(name, 0, 0, usd_per_request=usd, accepted=share, note="no tokens"))
        for name, usd, share in (("worse", 0.001, 0.7), ("better", 0.002, 0.9))
    )
    work = replace(THIN, usd_per_failure=0.05)
    study = cm.Study({"worse": worse, "better": better}, work, TERMS, draws=100)
    found = cm.decisions.goal_seek(study, "better", over="usd_per_failure")["needed"]
    return bool(np.isclose(float(found.iloc[0]), 0.005, rtol=0.1))


def wrong_units_refused() -> bool:
    """A fact in another unit, and a share of more than 1, are refused by name."""
    with tempfile.TemporaryDirectory() as folder:
        data = shutil.copytree(ROOT / "data" / "facts", Path(folder) / "facts")
        rents = (data / "rents.csv").read_text(encoding="utf-8")
        (data / "rents.csv").write_text(rents.replace("USD/GPU-hour", "USD/hour", 1))
        return refused("the unit is", cm.facts.rent, gpu="T4", folder=folder) and refused(
            "allowed is between 0 and 1", cm.Corpus, tokens=1e6, churn_per_month=3
        )


def refused(words: str, make: Callable[..., Any], **fields: Any) -> bool:
    try:
        make(**fields)
    except ValueError as error:
        return words in str(error)
    return False


def by_python() -> bool:
    """A question from a few lines of Python: its table, its ledger and its answer agree."""
    study = cm.Study({"API": cm.Option(API), "own GPUs": cm.Option(OWN)}, WORK, TERMS, draws=200)
    table, verdict = cm.compare(study), cm.recommend(study)
    booked = cm.ledger(study, base_case=True).groupby("option")["usd"].sum()
    return set(table.index) == set(booked.index) and str(table.index[0]) in str(verdict)


def teacher() -> Any:
    return cm.Distill(teacher=cm.Api("deepseek-v4-pro", on=ON))


TUNED = cm.Lora(examples=1_000)
ROWS: dict[int, tuple[str, Try]] = {
    # -- pricing data
    1: (
        "Multi-provider token price base",
        lambda: (
            len(cm.facts.api_models()) > 500
            and cm.Api("gpt-4o", "azure", on=ON).provider != cm.Api("gpt-4o", on=ON).provider
        ),
    ),
    2: ("Cached-read price", lambda: API.model.tiers[0].usd_per_mtok_cache_read),
    3: (
        "Cached-write price incl. 1-h TTL",
        lambda: cm.Api("claude-sonnet-4-5", on=ON).model.tiers[0].usd_per_mtok_cache_write_1h,
    ),
    4: ("Context-length price tiers", lambda: len(cm.Api("gemini-2.5-pro", on=ON).model.tiers) > 1),
    5: ("Batch price", lambda: usd_in("gpt-4o", mode="batch") == 0.5 * usd_in("gpt-4o")),
    6: (
        "Flex / priority service tiers",
        lambda: usd_in("gpt-5", mode="flex") < usd_in("gpt-5") < usd_in("gpt-5", mode="priority"),
    ),
    7: (
        "Effective-dated (historic) prices",
        lambda: cm.Api("o3", on="2025-06-09").model.tiers != cm.Api("o3", on=ON).model.tiers,
    ),
    8: (
        "Time-of-day prices",
        lambda: (
            cm.facts.api_price("deepseek-v4-pro", on="2026-11-20T02:00").tiers
            != cm.facts.api_price("deepseek-v4-pro", on="2026-11-20T12:00").tiers
        ),
    ),
    9: (
        "Source URL + check date per number",
        lambda: [
            bool(cm.facts.source(id).url and cm.facts.source(id).accessed)
            for _, id in cm.facts.rent("H100-SXM").sources
        ],
    ),
    10: (
        "Fine-tune training token price",
        lambda: cm.facts.tuning("openai.gpt-4.1").usd_per_mtok_train,
    ),
    11: (
        "Embedding / rerank / OCR / search prices",
        lambda: has(items(API, cm.Rag(reranker="rerank-v3.5"), work=READING), "embed", "rerank"),
    ),
    12: (
        "Vector/graph DB prices",
        lambda: dearer(
            (API, cm.Rag(store="qdrant-4c16g")), (API, cm.Rag(store="pgvector")), READING
        ),
    ),
    13: (
        "GPU hourly prices, several clouds/tenures",
        lambda: (
            cm.facts.rent("H100-SXM", "hyperscaler", "reserved_12mo").usd_per_gpu_hour.mid
            < cm.facts.rent("H100-SXM", "hyperscaler").usd_per_gpu_hour.mid
            != cm.facts.rent("H100-SXM", "neocloud").usd_per_gpu_hour.mid
        ),
    ),
    14: ("Negotiated discount / custom price book", price_book),
    15: (
        "Automatic cross-source discrepancy check",
        lambda: run("-m", "costmodel", "data", "--check"),
    ),
    # -- token counting
    16: ("Offline token count", lambda: cm.facts.count_tokens("Hello world", "gpt-4o")),
    17: (
        "Cross-tokenizer correction with error band",
        lambda: (
            cm.facts.count_tokens("Hello world", "claude-sonnet-4-5").low
            < cm.facts.count_tokens("Hello world", "claude-sonnet-4-5").high
        ),
    ),
    # -- training / adaptation
    19: (
        "FLOPs -> GPU-h -> $ full fine-tune/pretrain",
        lambda: (
            cm.training.training_flops(8e9, 1e9)
            and items(replace(OWN, gpu="H100-SXM"), cm.FineTune())["the run that passes"]
        ),
    ),
    20: ("LoRA / QLoRA time and cost", lambda: items(OWN, cm.Lora(quantised=True))["retrain"]),
    21: (
        "MFU predicted from size/hardware/method",
        lambda: (
            items(OWN, TUNED)["the run that passes"]
            != items(replace(OWN, gpu="H100-SXM"), TUNED)["the run that passes"]
        ),
    ),
    22: (
        "Failed experiments / sweeps multiplier",
        lambda: items(OWN, cm.Lora(sweep_runs=3))["sweep of settings"],
    ),
    23: ("Data curation & labelling cost", lambda: items(OWN, TUNED)["label the examples"]),
    24: ("R&D staff cost", lambda: items(OWN, TUNED)["build the data set and the training"]),
    25: (
        "Distillation (teacher tokens+student+quality loss)",
        lambda: has(items(OWN, teacher()), "teacher labels", "the run that passes"),
    ),
    26: (
        "Checkpoint storage / egress / idle overhead",
        lambda: (
            items(OWN, TUNED)["keep checkpoints"]
            and items(OWN)["GPU hours idle"]
            and items(API, cm.Egress(gb_free=0))["data that leaves the cloud"]
        ),
    ),
    # -- memory / fit
    27: ("Inference memory (weights+KV+activation)", lambda: int(OWN.gpus) == 1),
    28: (
        "Training memory (ZeRO, recompute)",
        lambda: len(cm.training.predict_training(8e9, 1e8, "H100-SXM", gpus=8)),
    ),
    29: ("GQA / MLA / MoE aware", lambda: int(cm.Hosted("deepseek-v3", gpu="H200-SXM").gpus) >= 4),
    30: (
        "Minimum GPUs recommended",
        lambda: int(cm.Hosted("llama-3.1-70b", gpu="H100-SXM", precision="bf16").gpus) == 4,
    ),
    # -- throughput / latency
    31: (
        "TTFT/TPOT/throughput for any shape",
        lambda: len(cm.serving.predict_serving("llama-3.1-8b", "H100-SXM")),
    ),
    32: ("Calibrated on measurements", calibrated),
    33: (
        "SLO-constrained optimum",
        lambda: len(cm.serving.plan_serving("llama-3.1-8b", "H100-SXM", requests_per_s=5)),
    ),
    35: (
        "$ per M tokens self-host",
        lambda: len(cm.serving.by_utilisation(OWN, WORK, shares=[0.2, 0.8])),
    ),
    36: ("Error band on throughput", lambda: OWN.error.low < OWN.error.high),
    # -- serving operations
    37: (
        "Bursty / diurnal load, queueing",
        lambda: dearer((fleet(burstiness=9),), (fleet(burstiness=1),), BUSY),
    ),
    38: (
        "Autoscale, cold start, warm pool cost",
        lambda: (
            dearer((fleet(),), (fleet(scaling="hourly"),), BUSY)
            and dearer(
                (fleet(scaling="hourly", warm_replicas=1),), (fleet(scaling="hourly"),), BUSY
            )
            and cm.serving.capacity(
                cm.Option(replace(fleet(scaling="hourly"), replicas_min=0)), THIN
            )["cold_starts"].gt(0)
        ),
    ),
    39: (
        "Reserved/spot/PTU commitment choice",
        lambda: (
            has(
                items(cm.Hosted("llama-3.1-8b", fleet=cm.serving.Fleet(committed_replicas=1))),
                "under the commitment",
            )
            and dearer((OWN,), (replace(OWN, term="spot"),))
            and sold_in_units()
        ),
    ),
    40: ("Redundancy N+1 / DR / multi-region", second_region),
    41: ("Idle vs usage cost split", lambda: has(items(OWN), "in use", "idle")),
    42: (
        "Multi-LoRA sharing of one base",
        lambda: len(cm.training.tenants(cm.Option(OWN, TUNED), WORK, counts=[1, 10])),
    ),
    # -- RAG / GraphRAG / long context
    43: (
        "Vector RAG: index + query + store",
        lambda: has(items(API, cm.Rag(), work=READING), "embed", "store the index"),
    ),
    44: (
        "Re-embedding churn / corpus growth",
        lambda: (
            len({paid(API, cm.Rag(), work=w) for w in (READING, grown(0.3, 0.2), grown(0.3, 2.0))})
            == 3
            and has(items(API, cm.Rag(), work=READING), "changed")
        ),
    ),
    45: (
        "GraphRAG indexing (extraction, communities)",
        lambda: has(items(API, cm.GraphRag("full"), work=READING), "index"),
    ),
    46: (
        "GraphRAG local/global/DRIFT query cost",
        lambda: dearer(
            (API, cm.GraphRag("full", mode="drift")), (API, cm.GraphRag("full")), READING
        ),
    ),
    47: (
        "Hybrid / rerank / agentic steps",
        lambda: dearer((API, cm.Rag(rounds=3, rewrites=1)), (API, cm.Rag()), READING),
    ),
    48: (
        "Long-context cost incl. tiers and prefill time",
        lambda: len(
            cm.knowledge.latency(
                cm.Option(API, cm.LongContext(document_tokens=50_000)), READING, draws=20
            )
        ),
    ),
    49: (
        "Long-context quality decay with length",
        lambda: (
            cm.knowledge.context_budget(support(), "RAG", top_k=[5, 100, 400])["quality"]
            .diff()
            .iloc[-1]
            < 0
        ),
    ),
    50: (
        "Prompt cache economics (TTL x arrival rate, write premium)",
        lambda: has(
            items(cm.Api("claude-sonnet-4-5", on=ON), cm.PromptCache(), work=THIN),
            "cache read",
            "cache write",
        ),
    ),
    51: ("All techniques compared in one model", lambda: len(cm.compare(support())) >= 5),
    # -- life-cycle and people
    52: (
        "One-off set-up labour by role",
        lambda: items(API, cm.Prompt())["write and test the prompt"],
    ),
    53: ("Run labour / on-call / maintenance", lambda: has(items(OWN), "on call")),
    54: (
        "Monitoring / observability / log storage",
        lambda: has(items(API, cm.Monitoring()), "store traces", "keep traces"),
    ),
    55: (
        "Retraining cadence from drift",
        lambda: dearer(
            (OWN, cm.Lora(), cm.Monitoring(drifts_per_year=4)),
            (OWN, cm.Lora(), cm.Monitoring(drifts_per_year=1)),
        ),
    ),
    56: (
        "Evaluation cost (judge tokens, human review, CI gates)",
        lambda: has(items(API, cm.Evals()), "evaluation judge", "review", "gate"),
    ),
    57: (
        "Model deprecation / migration cost",
        lambda: items(API, cm.Upgrades(every_months=6))["forced model upgrade"],
    ),
    58: (
        "Compliance / governance / residency",
        lambda: has(items(API, cm.Compliance()), "incident"),
    ),
    # -- quality-adjusted
    59: ("Quality enters the ranking", lambda: "p_reaches" in cm.compare(two(), quality_floor=0.5)),
    60: (
        "Cost per successful task; cost of errors/escalation",
        lambda: (
            cm.compare(two())["per_accepted"].gt(0).all()
            and items(API, cm.Review(0.2, escalated=0.05))["answer anew what failed"]
        ),
    ),
    61: ("Pareto frontier", lambda: len(cm.decisions.frontier(support()))),
    # -- uncertainty and decision
    62: ("Input distributions + Monte Carlo", lambda: len(cm.uncertainty.fan(two()))),
    63: ("Correlated inputs", lambda: width(together(0.95)) > 1.05 * width(together(0.0))),
    64: (
        "Shared draws across options (paired comparison)",
        lambda: (
            cm.uncertainty.p_cheaper(two().beside("again", two().options["RAG"]), "RAG", "again")
            is not None
        ),
    ),
    65: (
        "Global sensitivity (Sobol/Morris)",
        lambda: len(cm.uncertainty.sobol(cm.Option(API), WORK, draws=64)),
    ),
    66: ("Tornado / sliders", lambda: len(cm.uncertainty.tornado(support(), "RAG"))),
    67: (
        "P(A cheaper than B), regret, EVPI",
        lambda: (
            len(cm.uncertainty.regret(two())) and len(cm.uncertainty.value_of_information(two()))
        ),
    ),
    68: ("Break-even volume / date with interval", lambda: len(cm.breakeven(two()))),
    69: ("NPV / discounting / depreciation", lambda: cm.finance.npv(0.1, [-100, 60, 60]) > 0),
    70: (
        "Demand growth and price-decline paths",
        lambda: (
            sum(items(API, work=replace(WORK, growth_per_year=1.0)).values())
            > sum(items(API).values())
        ),
    ),
    71: ("Budget / SLO optimiser", optimised),
    # -- energy, currency, provenance
    72: (
        "Energy / carbon",
        lambda: (
            [
                cm.serving.footprint(cm.Option(*x), WORK, draws=200)["high"].gt(0).sum()
                for x in ((OWN,), (API,), (OWN, TUNED))
            ]
            == [4, 4, 6]
        ),
    ),
    73: ("Currencies", lambda: cm.Terms(currency="EUR 0.92 2026-11-01").money),
    74: (
        "Line-item trace (formula, inputs, source)",
        lambda: cm.explain(two(), "RAG")["basis"].ne("").all(),
    ),
    75: ("Unit / dimension checking", wrong_units_refused),
    76: (
        '"Which assumption is stale/unsourced" audit',
        lambda: (
            cm.ledgers.register(two())["confidence"].eq("assumed").any()
            and len(cm.operations.lint(cm.Option(API), WORK))
        ),
    ),
    # -- data in, UI, reports
    79: ("Jupyter widgets for what-if", lambda: cm.widgets.cockpit(two(), draws=50).controls),
    81: ("Parameterised HTML/PDF report", reported),
    82: ("Shareable scenario (file/URL), diff of two", saved),
    83: ("CLI", lambda: run("-m", "costmodel", "prices", "gpt-4o")),
    84: ("Python API", by_python),
    85: ("Works offline", offline),
    87: (
        "Automated tests",
        lambda: run("-m", "pytest", "-q", "tests/core", "-p", "no:cacheprovider"),
    ),
    88: (
        "Published validation against reality",
        lambda: len(cm.validation.reality()) and len(cm.validation.fidelity("fine-tuning")) > 100,
    ),
    89: ("Docs with every formula", lambda: run("benchmarks/formulas.py", "--check")),
}


def tried(attempt: Try) -> str:
    """ "" where it works, otherwise the reason."""
    try:
        found = attempt()
    except Exception as error:  # a row that stops is a no, with its reason
        return f"{type(error).__name__}: {error}"
    return "" if np.all(found) else f"it returned {found!r}"


def main(numbers: list[int]) -> int:
    """Print the rows and how many are yes; the number of those that are not."""
    reasons = {n: tried(ROWS[n][1]) for n in numbers or ROWS}
    for n, reason in reasons.items():
        print(f"{n:>3}  {ROWS[n][0]:<60} {'no' if reason else 'yes'}")
        if reason:
            print(f"     {' '.join(reason.split())[:160]}")
    missing = sum(map(bool, reasons.values()))
    print(f"\n{len(reasons) - missing} of {len(reasons)} rows are yes")
    return missing


if __name__ == "__main__":
    sys.exit(1 if main([int(n) for n in sys.argv[1:]]) else 0)
