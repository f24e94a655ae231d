"""Results of evaluations: one row for each answer that a grader judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costmodel.ingest.lookup import dig
from costmodel.ingest.reader import Reader, fields

RAGAS_METRICS = (
    "faithfulness answer_relevancy context_precision context_recall answer_correctness "
    "factual_correctness semantic_similarity answer_accuracy"
).split()
METRICS = ("exact_match", "acc", "acc_norm", "pass@1", "pass_at_1", "f1")  # of lm-eval, by rank
FAILED = 2  # promptfoo's reason for a call that broke


def _promptfoo(doc: dict, memory: dict) -> Iterator[dict]:
    """The answers of promptfoo, but calls that broke; a cost of 0 with tokens is unknown."""
    for row in doc["results"]["results"]:
        if row.get("failureReason") != FAILED:
            used = dig(row, ("response", "tokenUsage", "total"))
            yield {**row, "cost": None if used and not row.get("cost") else row.get("cost")}


def _inspect(doc: dict, memory: dict) -> Iterator[dict]:
    """Every score of every sample of an inspect-ai log."""
    for sample in doc["samples"] or []:
        used = [u or {} for u in (sample.get("model_usage") or {}).values()]
        sums = {side: sum(u.get(f"{side}_tokens", 0) for u in used) for side in ("input", "output")}
        for grader, score in ({} if sample.get("error") else sample["scores"] or {}).items():
            yield {**sample, **sums, "model": doc["eval"]["model"], "grader": grader,
                   "value": score["value"]}  # fmt: skip


def _lm_eval(doc: dict, memory: dict) -> Iterator[dict]:
    """The shares of lm-eval by task, with how many samples each is of."""
    for task, values in doc["results"].items():
        bare = {name.partition(",")[0]: v for name, v in values.items() if isinstance(v, float)}
        metric = next((m for m in METRICS if m in bare), None)
        count = dig(doc, ("n-samples", task, "effective"))
        if metric and count:
            name = doc.get("model_name") or dig(doc, ("config", "model_args"))
            yield {"item": task, "option": name, "accepted": bare[metric], "trials": count}


def _lm_eval_sample(doc: dict, memory: dict) -> Iterator[dict]:
    yield doc | {"value": next((doc[m] for m in METRICS if m in doc), None)}


def _ragas(doc: dict, memory: dict) -> Iterator[dict]:
    """Every metric of a row of ragas as a grader of its own."""
    for metric in RAGAS_METRICS:
        if doc.get(metric) not in (None, ""):
            yield {"item": doc["user_input"], "grader": metric, "score": doc[metric]}


def _openai(doc: dict, memory: dict) -> Iterator[dict]:
    """The events of OpenAI evals that judge an answer; the first line names the model."""
    if "spec" in doc:
        memory["option"] = ", ".join(doc["spec"].get("completion_fns") or [])
    data: dict[str, Any] = doc.get("data") or {}
    if doc.get("type") in ("match", "metrics") and {"correct", "score"} & data.keys():
        yield {**data, "item": doc["sample_id"], "option": memory.get("option")}


PROMPTFOO = """
item       testIdx
option     provider/label
           provider/id
accepted   success
score      score
latency_s  latencyMs@ms
input      response/tokenUsage/prompt
output     response/tokenUsage/completion
usd        cost
"""
INSPECT = """
item       id
option     model
grader     grader
accepted   value
latency_s  total_time
input      input
output     output
"""
LM_EVAL = """
item      item
option    option
accepted  accepted
trials    trials
"""
LM_EVAL_SAMPLES = """
item      doc_id
accepted  value
"""
DEEPEVAL = """
item      name
accepted  success
"""
RAGAS = """
item    item
grader  grader
score   score
"""
OPENAI = """
item      item
option    option
accepted  correct
score     score
"""
READERS = [
    Reader("promptfoo", "results/results", fields(PROMPTFOO), "evaluation", rows=_promptfoo),
    Reader("inspect-ai", "eval, samples", fields(INSPECT), "evaluation", rows=_inspect),
    Reader("lm-eval", "results, n-samples", fields(LM_EVAL), "evaluation", rows=_lm_eval),
    Reader("the samples of lm-eval", "doc_id, resps", fields(LM_EVAL_SAMPLES), "evaluation",
           rows=_lm_eval_sample),
    Reader("deepeval", "testCases/0/success", fields(DEEPEVAL), "evaluation",
           rows=lambda doc, memory: doc["testCases"]),
    Reader("ragas", "user_input, response", fields(RAGAS), "evaluation", rows=_ragas),
    Reader("OpenAI evals", "", fields(OPENAI), "evaluation", rows=_openai,
           fits=lambda doc: "spec" in doc or "sample_id" in doc),
]  # fmt: skip
