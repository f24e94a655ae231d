"""Where to start: a few usual workloads, all of whose numbers can be changed, or files of yours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from costmodel.choices.presets import presets, quick
from costmodel.choices.study import Study
from costmodel.choices.workload import Corpus, Workload
from costmodel.core import check
from costmodel.ingest.collect import by_kind
from costmodel.ingest.given import given
from costmodel.scenarios.scenario import load
from costmodel.studies.history.question import study as study_of_files

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


def kept_files(files: Iterable[Mapping[str, Any]], folder: str) -> Path:
    """Where files that were chosen in a page lie: in a new folder of this one."""
    place = Path(tempfile.mkdtemp(dir=folder))
    for file in files:
        (place / Path(file["name"]).name).write_bytes(bytes(file["content"]))
    return place


OF_FILES = {"usage": "usage", "bill": "invoice", "evaluation": "evaluation"}  # kind: its pick


def opened(folder: Path) -> tuple[Path | None, Study, dict[str, Any]]:
    """What lies in a folder: the path of a scenario and its study; or no path, the study of usage,
    bills and judged answers, and the folder of each kind."""
    if scenarios := [x for x in folder.iterdir() if x.suffix.lower() in (".yaml", ".yml")]:
        check(
            len([*folder.iterdir()]) == 1,
            "a scenario and other files are chosen; open the scenario alone, or the others",
        )
        return scenarios[0], load(scenarios[0]), {}
    picks: dict[str, Any] = {}
    for kind, files in by_kind(folder).items():
        if files and kind in OF_FILES:
            place = folder / kind
            place.mkdir()
            for file in files:
                file.rename(place / file.name)
            picks[OF_FILES[kind]] = str(place)
    found = given(**picks)
    return None, study_of_files(found.usage, found.bill, found.evaluations), picks


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
