"""Where to start without a scenario: a few usual workloads, all of whose numbers can be changed."""

from __future__ import annotations

from typing import Any

from costmodel.choices.presets import presets, quick
from costmodel.choices.study import Study
from costmodel.choices.workload import Corpus, Workload

GIVEN: dict[str, dict[str, Any]] = {
    "I know my bill": {"usd_per_month": 1_000.0}
}  # of the question, to begin with
FLOOR = 0.6  # of accepted answers
TUNES = ["Small model", "Small model, few-shot + cache", "Prompt", "Few-shot + cache", "Cascade"]
TUNES += ["Managed fine-tune", "LoRA", "Distilled"]


def starting(name: str, on: str | None = None) -> tuple[Study, str]:
    """A study to start from, and its question, by the title of a card."""
    question, work = _WORK[name]
    if question == "quick":
        options, asked = quick(on=on)
        return Study(options, asked, title=name, accept_zero=None), question
    options = presets(work, on=on, only=TUNES if question == "tuning" else None)
    return Study(options, work, title=name, quality_floor=FLOOR), question


_WORK: dict[str, tuple[str, Any]] = {
    "Answer from documents": (
        "knowledge",
        Workload(
            30_000,
            task="answer from documents",
            instruction_tokens=600,
            input_tokens=300,
            output_tokens=250,
            corpus=Corpus(tokens=1_000_000, churn_per_month=0.03),
            usd_per_failure=0.4,
        ),
    ),
    "Extract fields": (
        "tuning",
        Workload(
            50_000,
            task="extract",
            instruction_tokens=500,
            input_tokens=2_500,
            output_tokens=200,
            usd_per_failure=0.25,
        ),
    ),
    "Help with code": (
        "approach",
        Workload(
            100_000,
            task="code",
            instruction_tokens=1_000,
            input_tokens=3_000,
            output_tokens=500,
            usd_per_failure=0.15,
        ),
    ),
    "I know my bill": ("quick", None),
}
