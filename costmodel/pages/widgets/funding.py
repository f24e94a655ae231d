"""The question of notebook 05: whether to fund it, against what is done today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.study import Study
from costmodel.core import Range, chance_of, money
from costmodel.decisions.verdict import Verdict
from costmodel.facts import catalog
from costmodel.pages.widgets.questions import VOLUME, WRONG, Amounts, Pick, Question
from costmodel.studies.business_case import Policy, business_case
from costmodel.studies.memo import PEOPLE, TODAY, VERBS, baseline, case_sentence

USUAL_ROLE = "support_agent"  # where nobody says who does the work today


@dataclass(frozen=True)
class Case(Question):
    """Whether to fund it, against what is done today."""

    title: str = "Should we fund it?"
    controls: tuple[str, ...] = (VOLUME, "ramp_months", WRONG, "months")
    tab: str = "Over time"
    in_two: bool = False
    notebook: str = "05_business_case"
    remembered: bool = True

    def in_sight(self, study: Study, picked: Mapping[str, Any]) -> tuple[str, ...]:
        first = {
            PEOPLE: ("minutes_per_request", "usd_per_hour"),
            TODAY: ("usd_per_month_today",),
        }.get(picked["baseline"], ("minutes_per_request",))
        return (*first, "tax_rate", *self.controls)

    def idle(self, given: Mapping[str, Any]) -> dict[str, str]:
        if not given["baseline"]:
            why = "not used: choose above what the case is held against"
            return dict.fromkeys(("minutes_per_request", "tax_rate"), why)
        if given["baseline"] != PEOPLE:
            return {"minutes_per_request": "not used: people are not what it is held against"}
        return {}

    def start(self, study: Study, **given: Any) -> dict[str, Any]:
        first = {"baseline": "", "role": "", "usd_per_month_today": None}
        return first | given

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        labels = ((label, label) for label in study.options)
        against = (("nothing yet", ""), ("people do it", PEOPLE), ("today's bill", TODAY))
        roles = tuple((name.replace("_", " "), name) for name in catalog.people())
        baseline, role = picked["baseline"] or "", picked["role"] or USUAL_ROLE
        own = [Pick("baseline", "Held against", (*against, *labels), baseline, front=True)]
        if baseline == PEOPLE:
            own.append(Pick("role", "Who does it", roles, role, front=True))
        return [*own, *super().picks(study, picked)]

    def numbers(self, study: Study, picked: Mapping[str, Any]) -> dict[str, Any]:
        usual = {"minutes_per_request": 5.0, "tax_rate": 0.0, "usd_per_month_today": 10_000.0}
        low, high = (picked.get(f"realised_{end}") for end in ("low", "high"))
        realised = Range(low or 0.5, high or 0.95)
        found = {name: picked.get(name) or value for name, value in usual.items()}
        found["usd_per_hour"] = picked.get("usd_per_hour") or _rate(picked)
        return {**found, "realised": realised}

    def parameters(self, study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
        against = given["baseline"] or None
        asked = {"baseline": against, "tax_rate": given["tax_rate"]}
        if against == PEOPLE:
            asked["minutes_per_request"] = given["minutes_per_request"]
            asked["role"] = given["role"] or USUAL_ROLE
            if given["usd_per_hour"] != _rate(given):
                asked["usd_per_hour"] = given["usd_per_hour"]
        if against == TODAY:
            asked["usd_per_month_today"] = given["usd_per_month_today"]
        realised = given["realised"]
        return asked | {"realised_low": realised.low, "realised_high": realised.high}

    def answer(
        self, study: Study, given: Mapping[str, Any], full: bool = True
    ) -> tuple[Verdict, Amounts]:
        (verdict, amounts), terms = super().answer(study, given, full), study.terms
        names = ("minutes_per_request", "role", "usd_per_hour", "usd_per_month_today")
        asked = self.parameters(study, given)
        base = baseline(asked["baseline"], study.options, *map(asked.get, names))
        if base is None or verdict.named is None:
            return verdict, amounts
        policy = Policy(tax_rate=given["tax_rate"], realised=given["realised"])
        row = business_case(study.only(verdict.named), base, policy).iloc[0]
        said = case_sentence(verdict, row, terms, base, asked["baseline"])

        def usd(name: str) -> str:
            return money(row[name] / terms.money.per_usd, terms)

        back, loss = row["payback_month"], chance_of(row["p_loss"])
        cards = (
            ("Present value", usd("npv"), f"8 cases in 10: {usd('npv_p10')} to {usd('npv_p90')}"),
            ("Saved", usd("benefit"), "what the baseline would cost, as far as it is realised"),
            ("Budget", usd("budget"), f"{usd('contingency')} of it contingency"),
            (
                "Money back",
                "never" if np.isnan(back) else f"month {back:.1f}",
                f"the case loses money in {loss} of the cases",
            ),
        )
        usd_of = (
            (float(row[x]) / terms.money.per_usd, "money") for x in ("npv", "benefit", "budget")
        )
        return replace(verdict, headline=said, cards=cards), (*usd_of, (float(back), "month"))

    def lines(self, verdict: Verdict, study: Study) -> tuple[str, str] | None:
        head, found, rest = verdict.headline.partition(": ")
        if not (found and head.startswith(VERBS)):
            return None
        return f"{head}: {verdict.cards[0][1]} present value.", rest[:1].upper() + rest[1:]


def _rate(given: Mapping[str, Any]) -> Any:
    """What an hour of the person costs by the role."""
    return catalog.person(given.get("role") or USUAL_ROLE).usd_per_hour
