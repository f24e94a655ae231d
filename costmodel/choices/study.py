"""A study: one question in one object. Options, workload, terms, draws, seed and quality floor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from costmodel.choices.options import Option
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.choices.zeros import accept
from costmodel.core.checks import require
from costmodel.core.draws import counted
from costmodel.core.errors import check, unknown
from costmodel.core.public import public


@public
@dataclass(frozen=True)
class Study:
    """One question with its numbers: `cm.compare(s.options, s.work, terms=s.terms, draws=s.draws, seed=s.seed)`.

    `accept_zero` names the people, evaluation and refresh inputs that are 0 and meant to be; others are refused.
    """

    title: str
    prepared_for: str
    work: Workload
    options: dict[str, Any]
    terms: Terms = field(default_factory=Terms)
    quality_floor: float | None = None
    draws: int = 10_000
    seed: int = 0
    note: str = ""
    accept_zero: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        accept((self.options, self.work, self.terms), self.accept_zero)
        check(self.options, "options is empty; write at least one option, or presets")
        counted(self.draws, self.seed)
        if self.quality_floor is not None:
            require("quality_floor", self.quality_floor, 0, 1)

    def option(self, label: str) -> Option:
        """One option by its label, and no mix.

        >>> import costmodel as cm
        >>> cm.load("support_assistant").option("Rag")
        Traceback (most recent call last):
        costmodel.core.errors.CatalogError: no option 'Rag' in the scenario 'Support assistant over a knowledge base'; did you mean 'RAG' or 'LoRA' or 'GraphRAG'?
        """
        plain = {name: option for name, option in self.options.items() if isinstance(option, Option)}
        if label not in plain:
            raise unknown("option" if label not in self.options else "option without a mix", label, plain, f"the scenario {self.title!r}")
        return plain[label]
