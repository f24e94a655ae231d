"""Compliance: personal data redacted, data kept in a region, logs, audits, lawyers, incidents.

Not in it: fines as a share of turnover, the value of a certificate in sales, and the residency
uplift of the model itself, which is in its price: `Api(..., residency="eu")`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, UPKEEP, usual
from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, Purchases, labour, setup, upkeep
from costmodel.choices.running import listed, stored
from costmodel.choices.schedule import Schedule, every, monthly, once, path, with_demand
from costmodel.choices.servings.api import Api
from costmodel.choices.techniques.lookup import Id, find_records
from costmodel.choices.terms import STEADY
from costmodel.choices.tunes.life import month_of
from costmodel.core import (
    GB,
    MILLION,
    MONTHS_PER_YEAR,
    SECONDS_PER_HOUR,
    WORKING_HOURS_PER_WEEK,
    Infeasible,
    Number,
    check,
    frozen,
    validate,
)
from costmodel.facts import catalog
from costmodel.facts.catalog import practice

TEXTS = ("prompts", "chunks", "logs")
GUARDS = ("secrets", "documents")
BYTES_PER_CHARACTER = 1.0  # English in UTF-8


@frozen
class Compliance:
    """Rules kept: redaction, residency, retention, audits, legal review, assessments, incidents.

    Parameters
    ----------
    redacted : str, or tuple of str
        What is scanned, joined by ", ": "prompts", "chunks" (once, and what changes), "logs"; or
        "none".
    usd_per_mchar : number or Range, at least 0, or None
        Price of a redaction service, such as `practice("comprehend.usd_per_mchar")`. None scans
        with Presidio on own processors, `chars_per_s` of a core.
    recall : number or Range, 0 to 1
        Share of the personal data that a scan finds.
    region : str or None
        Where data must stay, such as "eu": each of `surfaces` that hold data (inference, embedding,
        vector store, reranker, cache, trace store) is moved and proved.
    borne : number or Range, 0 to 1
        Share of company-wide audits and tools that this feature bears.
    counsel : id or record
        The role of the lawyer.
    high_risk : bool
        True adds the duties of the EU AI Act on the day they apply.
    chars_per_s : number or Range, above 0
        Characters that one core scans in a second [character/s].
    usd_per_core_hour : number or Range, at least 0
        Rent of one processor core [USD/core-hour].
    build_weeks, upkeep_fte : number or Range, at least 0
        Weeks of an engineer who sets up the redaction, and the share of one who keeps the rules.
    chars_per_token : number or Range, at least 0
        Characters of a token: about 4 in English, fewer in Arabic and Chinese.
    surfaces : number or Range, 0 to 6
        How many places hold data.
    hours_per_surface, usd_per_surface_month : number or Range, at least 0
        Hours to move one of them to the region, and the least bill of a regional deployment
        [USD/surface-month].
    retention_days, usd_per_gb_month : number or Range, at least 0
        Days that records are kept, and the price of their storage [USD/GB-month].
    usd_per_audit, renewal_share : number or Range, at least 0
        Fee of the first audit [USD], and that of a yearly renewal over it [share].
    usd_per_year_tool : number or Range, at least 0
        Price of a compliance tool [USD/year].
    legal_hours, dpia_hours : number or Range, at least 0
        Hours of a lawyer before release, and of an analyst on the data protection assessment.
    review_share : number or Range, 0 to 1
        Hours of a yearly review over those of the first legal work and assessment.
    high_risk_weeks : number or Range, at least 0
        Weeks of an engineer for the duties of a high-risk system.
    incidents_per_year, usd_per_incident : number or Range, at least 0
        Incidents with personal data in a year without redaction, and the cost of one [USD].
    guarded : str, or tuple of str
        What is guarded, joined by ", ": "secrets" (keys and passwords in prompts and logs),
        "documents" (instructions of strangers in what is retrieved); or "none".
    leaks_per_year, usd_per_leak, poisonings_per_year, usd_per_poisoning : number or Range
        Secrets that leak and documents that mislead in a year without guards, and the cost of one
        [USD]; without a corpus no document does.
    stopped, guard_hours : number or Range
        Share of these that a guard stops, and the hours of an engineer on its alarms [hour/month].

    Raises
    ------
    Infeasible
        Where the API answers outside the region.
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6-luna"), cm.Compliance(redacted="none", region=None))
    >>> book = cm.explain(option, cm.Workload(10_000, input_tokens=500))
    >>> bool(book["item"].str.startswith("redact").any())
    False
    """

    # -- redaction
    redacted: str = "prompts, chunks, logs"
    usd_per_mchar: Number | None = None
    chars_per_s: Number = practice("presidio.chars_per_s")
    usd_per_core_hour: Number = practice("processor.usd_per_core_hour")
    recall: Number = practice("Compliance.recall")
    build_weeks: Number = usual("redaction.build_weeks", BUILD)
    upkeep_fte: Number = usual("compliance.upkeep_fte", UPKEEP)
    chars_per_token: Number = practice("text.chars_per_token")
    # -- residency
    region: str | None = None
    surfaces: Number = 6
    hours_per_surface: Number = practice("Compliance.hours_per_surface")
    usd_per_surface_month: Number = practice("Compliance.usd_per_surface_month")
    # -- logs that are kept
    retention_days: Number = practice("Compliance.retention_days")
    usd_per_gb_month: Number = practice("trace_store.usd_per_gb_month")
    # -- audits
    usd_per_audit: Number = practice("soc2.usd_once")
    renewal_share: Number = practice("Compliance.renewal_share")
    usd_per_year_tool: Number = practice("compliance_tool.usd_per_year")
    borne: Number = practice("Compliance.borne")
    # -- lawyers and assessments
    counsel: catalog.Person | Id = "counsel"
    legal_hours: Number = practice("Compliance.legal_hours")
    dpia_hours: Number = practice("Compliance.dpia_hours")
    review_share: Number = practice("Compliance.review_share")
    # -- the EU AI Act
    high_risk: bool = False
    high_risk_weeks: Number = practice("Compliance.high_risk_weeks")
    # -- incidents that are left
    incidents_per_year: Number = practice("incident.incidents_per_year")
    usd_per_incident: Number = practice("incident.usd_per_incident")
    guarded: str = "secrets, documents"
    stopped: Number = practice("guard.stopped")
    guard_hours: Number = practice("guard.guard_hours")
    leaks_per_year: Number = practice("incident.leaks_per_year")
    usd_per_leak: Number = practice("incident.usd_per_leak")
    poisonings_per_year: Number = practice("incident.poisonings_per_year")
    usd_per_poisoning: Number = practice("incident.usd_per_poisoning")

    def __post_init__(self) -> None:
        for name in ("redacted", "guarded"):
            if isinstance(given := getattr(self, name), (tuple, list)):
                object.__setattr__(self, name, ", ".join(map(str, given)))
        find_records(self, counsel=catalog.person)
        validate(self)
        _ = self.texts, self.guards
        check(
            self.region is None or isinstance(self.region, str),
            f"Compliance.region is {self.region!r}, it must be a region such as 'eu', or None",
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """The kinds of text that are scanned."""
        return listed(self, "redacted", "kind of text", TEXTS, ",")

    @property
    def guards(self) -> tuple[str, ...]:
        """What is looked through for secrets and for instructions of strangers."""
        return listed(self, "guarded", "guard", GUARDS, ",")

    def buys(self, case: Case) -> Purchases:
        engineer, phase = case.terms.people.engineer, "compliance"
        self._check_region(case)
        if self.texts:
            yield setup("set up redaction", self, case.work, engineer, phase)
            yield from self._redaction(case)
        yield upkeep("keep the rules", self, case.work, engineer, phase)
        if self.region is not None:
            yield labour(
                "move data to the region",
                self.surfaces * self.hours_per_surface,
                engineer,
                once(),
                phase,
                "{surfaces} surfaces x {hours_per_surface} h x {usd_per_hour}/h",
            )
            yield Line(
                "regional deployments",
                phase,
                self.surfaces,
                "surface",
                self.usd_per_surface_month,
                monthly(),
                basis="{surfaces} surfaces x {usd_per_surface_month} a month",
            )
        yield stored(
            "keep logs for the auditor",
            phase,
            self._characters(case, "logs") * BYTES_PER_CHARACTER / GB,
            self,
            "characters of prompts and answers",
            ("chars_per_token",),
        )
        yield from self._audits()
        yield from self._papers(case)
        if self.guards:
            hours, words = self.guard_hours * len(self.guards), f"{len(self.guards)} guards x "
            words += "{guard_hours} h a month x {usd_per_hour}/h"
            yield labour("guard secrets and documents", hours, engineer, monthly(), phase, words)
        yield from self.incidents(case)

    def _check_region(self, case: Case) -> None:
        serving, region = case.serving, self.region
        if region is not None and isinstance(serving, Api) and serving.residency != region:
            where = f"in {serving.residency!r}" if serving.residency else "anywhere"
            model = serving.model.id
            raise Infeasible(
                f"data must stay in {region!r}, but {model} answers {where}; "
                f"write Api({model!r}, residency={region!r})"
            )

    # -- redaction ---------------------------------------------------------------------------------

    def _characters(self, case: Case, text: str) -> Any:
        """Characters of one kind of text in a month (chunks: of the whole corpus)."""
        calls = case.request.calls
        if text == "prompts":
            tokens = case.requests_per_month * case.work.input_tokens
        elif text == "logs":
            each = ((c.prompt_tokens + c.output_tokens) * c.per_request for c in calls)
            tokens = case.requests_per_month * sum(each, 0.0)
        else:
            tokens = 0.0 if case.work.corpus is None else case.work.corpus.tokens
        return tokens * self.chars_per_token

    def _scan(self, item: str, characters: Any, when: Schedule, basis: str) -> Line:
        """Characters scanned: by a service at its price, or on own processors by the core-hour."""
        phase = "compliance"
        if self.usd_per_mchar is not None:
            mchar, usd, cites = characters / MILLION, self.usd_per_mchar, ("usd_per_mchar",)
            return Line(item, phase, mchar, "Mchar", usd, when, basis=basis, cites=cites)
        hours = characters / self.chars_per_s / SECONDS_PER_HOUR
        usd, cites = self.usd_per_core_hour, ("usd_per_core_hour",)
        basis += " / {chars_per_s} a second of one core"
        return Line(item, phase, hours, "core-hour", usd, when, basis=basis, cites=cites)

    def _redaction(self, case: Case) -> Purchases:
        """What is scanned: prompts and logs as they come, chunks once and as they change."""
        corpus, each = case.work.corpus, "x {chars_per_token} characters"
        for text in self.texts:
            characters = self._characters(case, text)
            if text != "chunks":
                yield self._scan(
                    f"redact {text}", characters, with_demand(), f"tokens a month {each}"
                )
            elif corpus is not None:
                yield self._scan("redact the corpus", characters, once(), f"corpus tokens {each}")
                yield self._scan(
                    "redact what changed",
                    characters * corpus.churn_per_month,
                    monthly(),
                    f"corpus x {{churn_per_month}} churn a month {each}",
                )

    # -- papers and incidents ----------------------------------------------------------------------

    def _audits(self) -> Purchases:
        """Audits and tools of the whole company, as far as this feature bears them."""
        yield Line(
            "first audit",
            "compliance",
            self.borne,
            "audit",
            self.usd_per_audit,
            once(),
            basis="{borne} borne by this feature x {usd_per_audit}",
        )
        yield Line(
            "renew the audit",
            "compliance",
            self.borne * self.renewal_share,
            "audit",
            self.usd_per_audit,
            every(MONTHS_PER_YEAR),
            basis="{borne} x {renewal_share} x {usd_per_audit} every 12 months",
        )
        yield Line(
            "compliance tool",
            "compliance",
            self.borne / MONTHS_PER_YEAR,
            "year",
            self.usd_per_year_tool,
            monthly(),
            basis="{borne} x {usd_per_year_tool} a year / 12",
        )

    def _papers(self, case: Case) -> Purchases:
        """Lawyers, assessments, and the duties of high-risk systems from their day on."""
        people, phase, year = case.terms.people, "compliance", every(MONTHS_PER_YEAR)
        for item, name, person in (
            ("legal review", "legal_hours", self.counsel),
            ("impact assessment", "dpia_hours", people.analyst),
        ):
            hours, basis = getattr(self, name), f"{{{name}}} h x "
            yield labour(item, hours, person, once(), phase, basis + "{usd_per_hour}/h")
            again = hours * self.review_share
            basis += "{review_share} every 12 months"
            yield labour(f"{item}, yearly", again, person, year, phase, basis)
        if self.high_risk:
            day = catalog.fact("regulation", "eu_ai_act.high_risk.applies").value
            due = max(month_of(day, case.terms.start), 0)
            yield labour(
                "duties of a high-risk system",
                self.high_risk_weeks * WORKING_HOURS_PER_WEEK,
                people.engineer,
                path(np.arange(case.terms.months + 1) == due),
                phase,
                f"{{high_risk_weeks}} engineer-weeks x 40 h, due on {day}",
            )

    def incidents(self, case: Case) -> Purchases:
        """Expected loss a month by kind; each kind of text is taken to hold the same share."""
        found = self.recall * len(self.texts) / len(TEXTS)
        said = f"{{recall}} found in {len(self.texts)} of {len(TEXTS)} kinds of text"
        secrets, documents = (self.stopped * float(guard in self.guards) for guard in GUARDS)
        kinds = [
            ("incidents with personal data", "incident", found, said),
            ("secrets that leak", "leak", secrets, "{stopped} if guarded"),
        ]
        if case.work.corpus is not None:
            kinds.append(("poisoned documents", "poisoning", documents, "{stopped} if guarded"))
        for item, unit, stopped, said in kinds:
            yield Line(
                item,
                "failures",
                getattr(self, f"{unit}s_per_year") * (1 - stopped) / MONTHS_PER_YEAR,
                unit,
                getattr(self, f"usd_per_{unit}"),
                monthly(),
                STEADY,
                basis=f"{{{unit}s_per_year}} a year x (1 - {said}) / 12 x {{usd_per_{unit}}}",
            )
