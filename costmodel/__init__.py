"""What each way of using a language model costs over its whole life, and when the answer changes.

>>> import costmodel as cm
>>> work = cm.Workload(
...     requests_per_month=300_000, instruction_tokens=600, input_tokens=900, output_tokens=250
... )
>>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"), cm.FewShot(examples=8))
>>> cm.compare({"few-shot": option}, work, months=12)[["expected", "p10", "p90"]].shape
(1, 3)

What arrives    Workload Corpus QuestionMix Terms
A doubt         Range Measured
A choice        Option Mix Part cascade presets own_model
Who answers     Api Hosted Provisioned own_api own_gpu
Made to answer  Prompt FewShot PromptCache SemanticCache SecondTry Rag GraphRag LongContext
                TokenSizes FineTune Lora Distill Agent CodingAgent
Kept alive      Evals Release Monitoring Upgrades Compliance SecondRegion
Paid beside     Review Cost Egress
A question      Study load
An answer       compare recommend ledger explain breakeven sweep Infeasible

The rest lies by subject, and `help(cm.serving)` lists a subject: cm.facts.facts, cm.choices,
cm.training, cm.serving, cm.knowledge, cm.operations, cm.finance, cm.uncertainty, cm.decisions,
cm.ledgers, cm.validation, cm.scenarios, cm.plots, cm.report, cm.widgets; and your own numbers:
cm.ingest, cm.history.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from costmodel.choices.mixes import Mix, Part, cascade
from costmodel.choices.options import Option
from costmodel.choices.presets import presets
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.own import own_api, own_gpu
from costmodel.choices.servings.provisioned import Provisioned
from costmodel.choices.study import Study
from costmodel.choices.techniques.agents import Agent, CodingAgent
from costmodel.choices.techniques.compliance import Compliance
from costmodel.choices.techniques.costs import Cost, Egress, SecondRegion
from costmodel.choices.techniques.distillation import Distill
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.operations import Evals, Monitoring
from costmodel.choices.techniques.prompting import (
    FewShot,
    LongContext,
    Prompt,
    PromptCache,
    SemanticCache,
    TokenSizes,
)
from costmodel.choices.techniques.release import Release
from costmodel.choices.techniques.retries import SecondTry
from costmodel.choices.techniques.review import Review
from costmodel.choices.techniques.tuning import FineTune, Lora
from costmodel.choices.techniques.upgrades import Upgrades
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Corpus, QuestionMix, Workload
from costmodel.core import Infeasible, Measured, Range, absent
from costmodel.decisions.breakeven import breakeven
from costmodel.decisions.compare import compare, sweep
from costmodel.decisions.verdict import recommend
from costmodel.laws.architecture import own_model
from costmodel.ledgers.book import explain, ledger
from costmodel.scenarios.scenario import load

__version__ = "0.1.0"
__all__ = [
    "Agent",
    "Api",
    "CodingAgent",
    "Compliance",
    "Corpus",
    "Cost",
    "Distill",
    "Egress",
    "Evals",
    "FewShot",
    "FineTune",
    "GraphRag",
    "Hosted",
    "Infeasible",
    "LongContext",
    "Lora",
    "Measured",
    "Mix",
    "Monitoring",
    "Option",
    "Part",
    "Prompt",
    "PromptCache",
    "Provisioned",
    "QuestionMix",
    "Rag",
    "Range",
    "Release",
    "Review",
    "SecondRegion",
    "SecondTry",
    "SemanticCache",
    "Study",
    "Terms",
    "TokenSizes",
    "Upgrades",
    "Workload",
    "breakeven",
    "cascade",
    "compare",
    "explain",
    "ledger",
    "load",
    "own_api",
    "own_gpu",
    "own_model",
    "presets",
    "recommend",
    "sweep",
    "__version__",
]
FACES = {
    "choices": "choices",
    "decisions": "decisions",
    "facts": "facts",
    "finance": "finance",
    "history": "studies.history",
    "ingest": "ingest",
    "knowledge": "knowledge",
    "ledgers": "ledgers",
    "operations": "operations",
    "plots": "pages.plots",
    "report": "pages.report",
    "scenarios": "scenarios",
    "serving": "serving",
    "training": "training",
    "uncertainty": "uncertainty",
    "validation": "validation",
    "widgets": "pages.widgets",
}  # a subject is imported when it is first asked for
_absent = absent(__name__, [*__all__, *FACES])


def __getattr__(name: str) -> Any:
    if name in FACES:
        return import_module(f"costmodel.{FACES[name]}")
    inside = name.startswith("_") or find_spec(
        f"{__name__}.{name}"
    )  # a module that is about to be imported
    for face in () if inside else FACES:
        if name in import_module(f"costmodel.{FACES[face]}").__all__:
            raise AttributeError(
                f"module {__name__!r} has no attribute {name!r}; it is cm.{face}.{name}"
            )
    return _absent(name)


def __dir__() -> list[str]:
    return sorted([*__all__, *FACES])
