"""Compliance: personal data taken out, data kept in a region, logs kept and deleted, audits, lawyers, and the incident that is left.

Not in it: fines as a share of turnover, the value of a certificate in sales, and the residency uplift of the model itself, which
is in its price: `Api(..., residency="eu")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, cite, labour, upkeep
from costmodel.choices.schedule import Schedule, every, monthly, once, path, with_demand
from costmodel.choices.servings.api import Api
from costmodel.choices.techniques.operations import kept
from costmodel.choices.techniques.tune_life import month_of
from costmodel.choices.terms import STEADY
from costmodel.core.checks import validate
from costmodel.core.errors import Infeasible, check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import (
    GB,
    MILLION,
    MONTHS_PER_YEAR,
    SECONDS_PER_HOUR,
    WORKING_HOURS_PER_WEEK,
)
from costmodel.facts import catalog
from costmodel.facts.catalog import practice

TEXTS = ("prompts", "chunks", "logs")
SURFACES = ("inference", "embedding", "vector store", "reranker", "cache", "trace store")
BYTES_PER_CHARACTER = 1.0  # English in UTF-8


@public
@dataclass(frozen=True)
class Compliance:
    """Rules kept: redaction, residency, retention, audits, legal review, a data protection impact assessment, and incidents.

    `redacted` names the texts that are scanned: prompts, retrieved chunks (once, and what changes), logs. The default scans
    with Presidio on own processors (`chars_per_s` of a core) and misses a part (`recall`), and all that it does not scan; a service has a price:
    `usd_per_mchar=practice("comprehend.usd_per_mchar")`. With a `region`, each of up to six `surfaces` that hold data
    (inference, embedding, vector store, reranker, cache, trace store) is moved and proved. `high_risk` adds the duties of the
    EU AI Act on the day they apply. Audits serve the whole company: this feature bears `borne`.
    """

    redacted: str = "prompts, chunks, logs"
    usd_per_mchar: Number | None = None
    chars_per_s: Number = practice("presidio.chars_per_s")
    usd_per_core_hour: Number = practice("processor.usd_per_core_hour")
    recall: Number = Range(
        0.5,
        0.95,
        mid=0.8,
        why="assumption: share of personal data found; names in free text are missed most",
    )
    build_weeks: Number = Range(
        1,
        6,
        mid=2,
        name="redaction.build_weeks",
        why="assumption: set up, tune and test the redaction",
    )
    upkeep_fte: Number = Range(
        0.01,
        0.1,
        mid=0.03,
        name="compliance.upkeep_fte",
        why="assumption: rules, records and questions of customers",
    )
    chars_per_token: Number = practice("text.chars_per_token")
    region: str | None = None
    surfaces: Number = 6
    hours_per_surface: Number = Range(
        4, 60, mid=16, why="assumption: move one surface to the region and document it"
    )
    usd_per_surface_month: Number = Range(
        20, 700, mid=100, why="assumption: least bill of a further regional deployment"
    )
    retention_days: Number = Range(
        180,
        400,
        mid=180,
        form="amount",
        name="Compliance.retention_days",
        why="at least six months for high-risk systems (EU AI Act, article 19)",
    )
    usd_per_gb_month: Number = practice("trace_store.usd_per_gb_month")
    usd_per_audit: Number = practice("soc2.usd_once")
    renewal_share: Number = Range(0.5, 0.75, why="renewals cost 50 to 75 % of the first audit")
    usd_per_year_tool: Number = practice("compliance_tool.usd_per_year")
    borne: Number = Range(
        0.05,
        0.5,
        mid=0.15,
        why="assumption: share of company-wide audits and tools that this feature bears",
    )
    counsel: catalog.Person | str = "counsel"
    legal_hours: Number = Range(
        10, 80, mid=25, why="assumption: contracts, terms of the provider, notices"
    )
    dpia_hours: Number = Range(
        16, 120, mid=40, why="assumption: data protection impact assessment by an analyst"
    )
    review_share: Number = Range(
        0.2, 0.6, mid=0.3, why="assumption: yearly review over the first legal and impact work"
    )
    high_risk: bool = False
    high_risk_weeks: Number = Range(
        6,
        40,
        mid=15,
        why="assumption: risk management, technical file, logs, human oversight (articles 9 to 15)",
    )
    incidents_per_year: Number = practice("incident.incidents_per_year")
    usd_per_incident: Number = practice("incident.usd_per_incident")

    def __post_init__(self) -> None:
        if isinstance(self.counsel, str):
            object.__setattr__(self, "counsel", catalog.person(self.counsel))
        if isinstance(self.redacted, (tuple, list)):
            object.__setattr__(self, "redacted", ", ".join(map(str, self.redacted)))
        validate(self, optional=("usd_per_mchar",))
        check(
            isinstance(self.counsel, catalog.Person),
            f"Compliance.counsel is {self.counsel!r}, it must be a role such as 'counsel'",
        )
        check(
            isinstance(self.redacted, str),
            f"Compliance.redacted is {self.redacted!r}, allowed are {', '.join(TEXTS)}, or 'none'",
        )
        check(
            self.region is None or isinstance(self.region, str),
            f"Compliance.region is {self.region!r}, it must be a region such as 'eu', or None",
        )
        for text in self.texts:
            if text not in TEXTS:
                raise unknown("text", text, TEXTS, where=f"Compliance.redacted {self.redacted!r}")
        check(
            len(set(self.texts)) == len(self.texts),
            f"Compliance.redacted is {self.redacted!r}, each kind of text may stand in it once",
        )
        top = self.surfaces.high if isinstance(self.surfaces, Range) else np.max(self.surfaces)
        check(
            top <= len(SURFACES),
            f"Compliance.surfaces is {self.surfaces}, allowed is at most {len(SURFACES)}: {', '.join(SURFACES)}",
        )

    @property
    def texts(self) -> tuple[str, ...]:
        return (
            ()
            if self.redacted in ("", "none")
            else tuple(text.strip() for text in self.redacted.split(","))
        )

    def buys(self, case: Case) -> Iterator[Line]:
        people = case.terms.people
        if (
            self.region is not None
            and isinstance(case.serving, Api)
            and case.serving.residency != self.region
        ):
            where = f"in {case.serving.residency!r}" if case.serving.residency else "anywhere"
            raise Infeasible(
                f"data must stay in {self.region!r}, but {case.serving.model.id} answers {where}; write Api({case.serving.model.id!r}, residency={self.region!r})"
            )
        if self.texts:
            yield labour(
                "set up redaction",
                self.build_weeks * WORKING_HOURS_PER_WEEK,
                people.engineer,
                once(),
                "compliance",
                "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
                cite(self, "build_weeks"),
            )
            yield from self.redaction(case)
        yield labour(
            "keep the rules",
            upkeep("", self, people.engineer).quantity,
            people.engineer,
            monthly(),
            "compliance",
            "{upkeep_fte} of an engineer x working hours of a month x {usd_per_hour}/h",
            cite(self, "upkeep_fte"),
        )
        if self.region is not None:
            yield labour(
                "move data to the region",
                self.surfaces * self.hours_per_surface,
                people.engineer,
                once(),
                "compliance",
                "{surfaces} surfaces x {hours_per_surface} h x {usd_per_hour}/h",
                cite(self, "surfaces", "hours_per_surface"),
            )
            yield Line(
                "regional deployments",
                "compliance",
                self.surfaces,
                "surface",
                self.usd_per_surface_month,
                monthly(),
                "service",
                basis="{surfaces} surfaces x {usd_per_surface_month} a month",
                cites=cite(self, "surfaces", "usd_per_surface_month"),
            )
        stored = self.characters(case, "logs") * BYTES_PER_CHARACTER / GB
        yield kept(
            "keep logs for the auditor",
            "compliance",
            stored,
            self,
            "characters of prompts and answers",
            ("chars_per_token",),
        )
        yield from self.paper(case)
        if np.any(self.incidents_per_year):
            yield self.incident()

    def characters(self, case: Case, text: str) -> Any:
        """Characters of one kind of text in a month (chunks: of the whole corpus)."""
        if text == "prompts":
            tokens = case.requests_per_month * case.work.input_tokens
        elif text == "logs":
            tokens = case.requests_per_month * sum(
                ((c.prompt_tokens + c.output_tokens) * c.per_request for c in case.request.calls),
                0.0,
            )
        else:
            tokens = case.work.corpus.tokens if case.work.corpus is not None else 0.0
        return tokens * self.chars_per_token

    def scan(self, item: str, characters: Any, when: Schedule, basis: str, *cites: str) -> Line:
        """Characters scanned: by a service at its price, or on own processors by the core-hour."""
        cites = (*cites, *cite(self, "chars_per_token"))
        if self.usd_per_mchar is not None:
            return Line(
                item,
                "compliance",
                characters / MILLION,
                "Mchar",
                self.usd_per_mchar,
                when,
                "service",
                basis=basis,
                cites=(*cites, *cite(self, "usd_per_mchar")),
            )
        return Line(
            item,
            "compliance",
            characters / self.chars_per_s / SECONDS_PER_HOUR,
            "core-hour",
            self.usd_per_core_hour,
            when,
            "service",
            basis=basis + " / {chars_per_s} a second of one core",
            cites=(*cites, *cite(self, "chars_per_s", "usd_per_core_hour")),
        )

    def redaction(self, case: Case) -> Iterator[Line]:
        """What is scanned: prompts and logs as they come, chunks once and as they change."""
        for text in self.texts:
            characters = self.characters(case, text)
            if text != "chunks":
                yield self.scan(
                    f"redact {text}",
                    characters,
                    with_demand(),
                    "tokens a month x {chars_per_token} characters",
                )
            elif case.work.corpus is not None:
                yield self.scan(
                    "redact the corpus",
                    characters,
                    once(),
                    "corpus tokens x {chars_per_token} characters",
                )
                yield self.scan(
                    "redact what changed",
                    characters * case.work.corpus.churn_per_month,
                    monthly(),
                    "corpus x {churn_per_month} churn a month x {chars_per_token} characters",
                    "Corpus.churn_per_month",
                )

    def paper(self, case: Case) -> Iterator[Line]:
        """Audits, tools, lawyers, assessments, and the duties of high-risk systems from their day on."""
        analyst, year = case.terms.people.analyst, every(MONTHS_PER_YEAR)
        yield Line(
            "first audit",
            "compliance",
            self.borne,
            "audit",
            self.usd_per_audit,
            once(),
            "service",
            basis="{borne} borne by this feature x {usd_per_audit}",
            cites=cite(self, "borne", "usd_per_audit"),
        )
        yield Line(
            "renew the audit",
            "compliance",
            self.borne * self.renewal_share,
            "audit",
            self.usd_per_audit,
            year,
            "service",
            basis="{borne} x {renewal_share} x {usd_per_audit} every 12 months",
            cites=cite(self, "borne", "renewal_share", "usd_per_audit"),
        )
        yield Line(
            "compliance tool",
            "compliance",
            self.borne / MONTHS_PER_YEAR,
            "year",
            self.usd_per_year_tool,
            monthly(),
            "service",
            basis="{borne} x {usd_per_year_tool} a year / 12",
            cites=cite(self, "borne", "usd_per_year_tool"),
        )
        for item, hours, person, field in (
            ("legal review", self.legal_hours, self.counsel, "legal_hours"),
            ("impact assessment", self.dpia_hours, analyst, "dpia_hours"),
        ):
            yield labour(
                item,
                hours,
                person,
                once(),
                "compliance",
                f"{{{field}}} h x {{usd_per_hour}}/h",
                cite(self, field),
            )
            yield labour(
                f"{item}, yearly",
                hours * self.review_share,
                person,
                year,
                "compliance",
                f"{{{field}}} h x {{review_share}} every 12 months",
                cite(self, field, "review_share"),
            )
        if self.high_risk:
            day = catalog.fact("regulation", "eu_ai_act.high_risk.applies").value
            month = np.arange(case.terms.months + 1)
            due = max(month_of(day, case.terms.start), 0)
            then = path((month == due).astype(float))
            yield labour(
                "duties of a high-risk system",
                self.high_risk_weeks * WORKING_HOURS_PER_WEEK,
                case.terms.people.engineer,
                then,
                "compliance",
                f"{{high_risk_weeks}} engineer-weeks x 40 h, due on {day}",
                cite(self, "high_risk_weeks"),
            )

    def incident(self) -> Line:
        """Expected loss of incidents with personal data a month; each kind of text holds the same share of it, by assumption."""
        scanned = len(self.texts) / len(TEXTS)
        number = self.incidents_per_year * (1 - self.recall * scanned) / MONTHS_PER_YEAR
        return Line(
            "incidents with personal data",
            "failures",
            number,
            "incident",
            self.usd_per_incident,
            monthly(),
            STEADY,
            basis=f"{{incidents_per_year}} a year without redaction x (1 - {{recall}} found in {len(self.texts)} of {len(TEXTS)} kinds of text) / 12 x {{usd_per_incident}}",
            cites=cite(self, "incidents_per_year", "recall", "usd_per_incident"),
        )
