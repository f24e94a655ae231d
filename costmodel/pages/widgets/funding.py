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
from costmodel.studies.memo import PEOPLE, TODAY, baseline

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

    def in_sight(self, study: Study) -> tuple[str, ...]:
        return ("minutes_per_request", "tax_rate", *self.controls)

    def start(self, study: Study, **given: Any) -> dict[str, Any]:
        first = {"baseline": "", "role": "", "usd_per_month_today": None}
        return first | given

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        labels = ((label, label) for label in study.options)
        against = (("nothing yet", ""), ("people do it", PEOPLE), ("today's bill", TODAY))
        roles = ((name.replace("_", " "), name) for name in catalog.people())
        return [
            Pick(
                "baseline",
                "Held against",
                (*against, *labels),
                picked["baseline"] or "",
                front=True,
            ),
            Pick("role", "Who does it", (("nobody", ""), *roles), picked["role"] or "", front=True),
            *super().picks(study, picked),
        ]

    def numbers(self, study: Study, picked: Mapping[str, Any]) -> dict[str, Any]:
        usual = {"minutes_per_request": 5.0, "tax_rate": 0.0, "usd_per_month_today": 10_000.0}
        low, high = (picked.get(f"realised_{end}") for end in ("low", "high"))
        realised = Range(low or 0.5, high or 0.95)
        found = {name: picked.get(name) or value for name, value in usual.items()}
        return {**found, "realised": realised}

    def parameters(self, study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
        against = given["baseline"] or None
        asked = {"baseline": against, "tax_rate": given["tax_rate"]}
        if against == PEOPLE:
            names = ("minutes_per_request", "role", "usd_per_hour")
            asked |= {name: given[name] for name in names if given.get(name)}
            if "usd_per_hour" not in asked:
                asked.setdefault("role", USUAL_ROLE)
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

        def usd(name: str) -> str:
            return money(row[name] / terms.money.per_usd, terms)

        back, loss = row["payback_month"], chance_of(row["p_loss"])
        cards = (
            ("Present value", usd("npv"), f"8 cases in 10: {usd('npv_p10')} to {usd('npv_p90')}"),
            ("Saved", usd("benefit"), "what the baseline would cost, as far as it is realised"),
            ("Budget", usd("budget"), f"{usd('contingency')} of it contingency"),
            (
                "Money back",
                "never" if np.isnan(back) else f"month {back:.0f}",
                f"the case loses money in {loss} of the cases",
            ),
        )
        usd_of = (
            (float(row[x]) / terms.money.per_usd, "money") for x in ("npv", "benefit", "budget")
        )
        return replace(verdict, cards=cards), (*usd_of, (float(back), "month"))
