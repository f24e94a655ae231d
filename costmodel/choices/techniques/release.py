"""Release: how a change reaches users, what the careful way costs, and what a bad change costs on its way.

A change that passed the offline evaluation still regresses with `regression_chance`. A policy is a chain of steps, each of
which may see it: replay and shadow before any user, a canary in stages, an A/B test at half of the traffic; "none" sends it
to everybody at once. Not in it: judging later turns of a conversation off-policy beyond `shadow_sees`, and the revenue of a
better version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Line, Traffic, cite, labour
from costmodel.choices.schedule import monthly, with_demand
from costmodel.choices.techniques.operations import (
    AGREEMENT,
    BEFORE,
    LEAST_SHARE,
    RUBRIC_TOKENS,
    VERDICT_TOKENS,
    Monitoring,
    failures,
    judged,
    parts,
    requests_per_day,
)
from costmodel.core.checks import require, validate
from costmodel.core.errors import check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import DAYS_PER_MONTH, HOURS_PER_DAY, WORKING_HOURS_PER_WEEK
from costmodel.facts.catalog import practice
from costmodel.laws.experiments import (
    chance_to_detect,
    days_to_collect,
    expected_loss,
    exposed_days,
    samples_per_arm,
    through_judge,
)

STEPS = ("replay", "shadow", "canary", "A/B")
POLICIES = (
    "none",
    "replay",
    "shadow",
    "canary",
    "replay + canary",
    "shadow + canary",
    "shadow + canary + A/B",
)
LAYERS = ("model", "system prompt", "prompt template", "sampling", "retrieval", "parsing")
STAGES = "0.01, 0.05, 0.20, 0.50"
HALF = 0.5


class Stage(NamedTuple):
    """One step of a rollout: share of users exposed, days, chance that it shows a regression."""

    name: str
    share: Any
    days: Any
    chance: Any


@public
@dataclass(frozen=True)
class Release:
    """Release discipline: shadow, canary, A/B test, flags and rollback, and the expected loss of a bad release.

    `policy` joins steps by " + ": replay (logged traffic, a share of it), shadow (the candidate answers live traffic unseen,
    which about doubles inference while it runs), canary (`stages` of the traffic, a text or a tuple of shares, some hours
    each), A/B (half the traffic until an improvement of `ab_effect` shows); or "none". `candidate` is the serving of the new
    version, where its price differs. One change is up to six layers (model, system prompt, prompt template, sampling,
    retrieval, parsing); rolled out apart (`separate`) it takes as many rollouts but a regression has one suspect. You give up
    speed: `usd_per_day_late` prices the wait.
    """

    policy: str = "canary"
    releases_per_month: Number = Range(
        0.5,
        8,
        mid=2,
        name="releases_per_month",
        why="assumption: changes of model, prompt or retrieval that reach users",
    )
    regression_chance: Number = Range(
        0.02,
        0.25,
        mid=0.08,
        why="assumption: share of changes that pass offline evaluation and still make answers worse",
    )
    drop: Number = practice("release.drop")
    accepted_before: Number = BEFORE
    days_unseen: Number = practice("drift.days_unseen")
    outcome_share: Number = Range(
        0.01,
        0.3,
        mid=0.05,
        why="assumption: share of live answers whose outcome is known: feedback, a re-opened ticket, a judge",
    )
    alpha: Number = 0.05
    candidate: Any = None
    replay_share: Number = Range(
        0.005,
        0.1,
        mid=0.02,
        why="assumption: share of two weeks of logged traffic that is answered again",
    )
    shadow_days: Number = Range(
        7,
        21,
        mid=14,
        name="Release.shadow_days",
        why="two weeks in a published practice (tianpan.co, 2026-04-19)",
    )
    shadow_share: Number = 1.0
    judged_share: Number = Range(
        0.005, 0.1, mid=0.02, why="assumption: share of the shadowed answers that a judge compares"
    )
    shadow_sees: Number = Range(
        0.5,
        0.95,
        mid=0.8,
        why="assumption: share of regressions that show off-policy; later turns of a conversation do not",
    )
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    agreement: Number = AGREEMENT
    stages: str = STAGES
    hours_per_stage: Number = practice("canary.hours_per_stage")
    watch_hours: Number = Range(
        0.25, 3, mid=1, why="assumption: hours of an engineer on each stage"
    )
    ab_effect: Number = Range(
        0.01, 0.05, mid=0.03, why="assumption: the smallest improvement worth a test"
    )
    ab_days_most: Number = Range(14, 42, mid=28, why="assumption: nobody waits longer for a result")
    analyst_hours: Number = Range(
        4, 24, mid=10, why="assumption: design and reading of one A/B test"
    )
    rollback_hours: Number = Range(
        0.25,
        12,
        mid=2,
        why="assumption: a switch where flags carry a version, a deployment where not",
    )
    incident_weeks: Number = practice("release.incident_weeks")
    layers: Number = Range(1, 6, mid=2, why="assumption: layers that one change touches, of six")
    separate: bool = False
    isolate_hours: Number = Range(
        1, 12, mid=4, why="assumption: find out for one layer whether it is to blame"
    )
    flag_hours: Number = Range(
        0.1, 2, mid=0.5, why="assumption: set up a flag of one layer, and remove it"
    )
    usd_per_month_flags: Number = Range(
        20, 500, mid=100, form="amount", why="assumption: seats of a flag service"
    )
    usd_per_day_late: Number = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.stages, (tuple, list)):
            object.__setattr__(self, "stages", ", ".join(map(str, self.stages)))
        validate(self)
        require_servings(self, "candidate", "judge")
        require("Release.layers", self.layers, 1, len(LAYERS))
        check(
            isinstance(self.policy, str),
            f"Release.policy is {self.policy!r}, it must be words joined by +, such as 'shadow + canary'",
        )
        for step in self.steps:
            if step not in STEPS:
                raise unknown(
                    "step",
                    step,
                    STEPS if len(self.steps) > 1 else ("none", *STEPS),
                    where=f"Release.policy {self.policy!r}",
                )
        check(
            len(set(self.steps)) == len(self.steps),
            f"Release.policy is {self.policy!r}, each step may stand in it once",
        )
        rising = all(
            0 < a < b < 1 for a, b in zip((1e-12, *self.shares), self.shares, strict=False)
        )
        check(
            rising,
            f"Release.stages is {self.stages!r}, it must rise between 0 and 1, such as {STAGES!r}",
        )
        check(
            self.shares or "canary" not in self.steps,
            f"Release.stages is empty, a canary needs stages such as {STAGES!r}",
        )

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the traffic, stage after stage."""
        try:
            return tuple(float(share) for share in self.stages.split(",")) if self.stages else ()
        except (AttributeError, ValueError):
            raise ValueError(
                f"Release.stages is {self.stages!r}, it must be shares such as {STAGES!r}"
            ) from None

    @property
    def steps(self) -> tuple[str, ...]:
        return (
            () if self.policy == "none" else tuple(step.strip() for step in self.policy.split("+"))
        )

    # -- the way of a change -------------------------------------------------------------------------------

    def chance(self, answers: Any, agreement: Any = 1.0) -> Any:
        """Chance that so many answers with a known outcome show a fall of `drop`."""
        after = np.maximum(self.accepted_before - self.drop, LEAST_SHARE)
        return chance_to_detect(
            answers,
            through_judge(self.accepted_before, agreement),
            through_judge(after, agreement),
            self.alpha,
            1,
        )

    def ab_days(self, case: Case) -> Any:
        """Days of an A/B test at half of the traffic, by its power calculation, at most `ab_days_most`."""
        better = np.minimum(self.accepted_before + self.ab_effect, 1 - LEAST_SHARE)
        needed = samples_per_arm(self.accepted_before, better, alpha=self.alpha)
        return np.minimum(
            days_to_collect(needed, requests_per_day(case), HALF, self.outcome_share),
            self.ab_days_most,
        )

    def rollout(self, case: Case) -> tuple[Stage, ...]:
        """The stages of one rollout, in order."""
        daily, found = requests_per_day(case), []
        if "replay" in self.steps:
            found.append(
                Stage(
                    "replay",
                    0.0,
                    0.0,
                    self.shadow_sees
                    * self.chance(daily * self.shadow_days * self.replay_share, self.agreement),
                )
            )
        if "shadow" in self.steps:
            seen = self.chance(
                daily * self.shadow_days * self.shadow_share * self.judged_share, self.agreement
            )
            found.append(Stage("shadow", 0.0, self.shadow_days, self.shadow_sees * seen))
        if "canary" in self.steps:
            days = self.hours_per_stage / HOURS_PER_DAY
            found += [
                Stage(
                    f"canary {share:g}",
                    share,
                    days,
                    self.chance(daily * days * share * self.outcome_share),
                )
                for share in self.shares
            ]
        if "A/B" in self.steps:
            days = self.ab_days(case)
            found.append(
                Stage("A/B", HALF, days, self.chance(daily * days * HALF * self.outcome_share))
            )
        return tuple(found)

    def days_after(self, case: Case) -> Any:
        """Days until a regression that reached everybody is taken back: when the monitoring of the option sees it and people react,
        or when users make it known."""
        watches = [
            t.detection_days(case, self.drop) + t.reaction_days
            for t in case.techniques
            if isinstance(t, Monitoring)
        ]
        return reduce(np.minimum, watches, self.days_unseen)

    def exposed(self, case: Case) -> Any:
        """Days of full traffic that a bad release reaches on average."""
        way = self.rollout(case)
        return exposed_days(
            tuple(s.share for s in way),
            tuple(s.days for s in way),
            tuple(s.chance for s in way),
            self.days_after(case),
        )

    def slips(self, case: Case) -> Any:
        """Chance that a regression passes every stage and reaches everybody."""
        unseen: Any = 1.0
        for stage in self.rollout(case):
            unseen = unseen * (1 - stage.chance)
        return unseen

    def calendar_days(self, case: Case) -> Any:
        """Days from the first to the last stage of a release."""
        return sum((stage.days for stage in self.rollout(case)), 0.0) * self.rollouts

    @property
    def rollouts(self) -> Any:
        """Rollouts of one release: one for each layer where layers are switched apart."""
        return self.layers if self.separate else 1.0

    # -- what it buys ----------------------------------------------------------------------------------------

    def loss(self, case: Case) -> Line:
        """What bad releases cost a month."""
        number = self.releases_per_month * expected_loss(
            self.regression_chance, self.exposed(case), requests_per_day(case), self.drop, 1.0
        )
        return failures(
            "bad releases",
            number,
            case,
            "{releases_per_month} releases a month x {regression_chance} bad x days of full traffic that they reach under the policy "
            f"{self.policy!r} (at most {{days_unseen}} after the last stage, sooner with Monitoring) x requests a day x {{drop}}",
            cite(
                self,
                "releases_per_month",
                "regression_chance",
                "days_unseen",
                "drop",
                "outcome_share",
            ),
        )

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        engineer, rollouts = case.terms.people.engineer, self.releases_per_month * self.rollouts
        many = cite(self, "releases_per_month")
        for step, share in (("replay", self.replay_share), ("shadow", self.shadow_share)):
            if step not in self.steps:
                continue
            times = self.shadow_days / DAYS_PER_MONTH * share * rollouts
            cites = (*cite(self, "shadow_days", f"{step}_share"), *many)
            basis = f"requests of {{shadow_days}} days x {{{step}_share}} x {{releases_per_month}} releases a month"
            for part, requests in parts(case):
                for call in part.request.calls:
                    call = replace(call, cache=None) if step == "replay" else call
                    yield Traffic(
                        f"{step}: the candidate answers too",
                        call,
                        requests * times * call.per_request,
                        with_demand(),
                        "release",
                        self.candidate or part.serving,
                        basis,
                        cites,
                    )
            rest, compared = (
                ("", 1.0) if step == "replay" else (" x {judged_share} compared", self.judged_share)
            )
            sampled = () if step == "replay" else cite(self, "judged_share")
            asked, pair = (
                requests_per_day(case) * DAYS_PER_MONTH * times,
                judged(case, self.rubric_tokens, self.verdict_tokens, answers=2),
            )
            yield Traffic(
                f"{step}: judge",
                pair,
                asked * compared,
                with_demand(),
                "release",
                self.judge,
                basis + rest,
                (*cites, *sampled),
            )
        if "canary" in self.steps:
            yield labour(
                "watch the canary",
                rollouts * len(self.shares) * self.watch_hours,
                engineer,
                monthly(),
                "release",
                f"{{releases_per_month}} releases x {len(self.shares)} stages x {{watch_hours}} h x {{usd_per_hour}}/h",
                (*many, *cite(self, "watch_hours")),
            )
        if "A/B" in self.steps:
            yield labour(
                "design and read A/B tests",
                rollouts * self.analyst_hours,
                case.terms.people.analyst,
                monthly(),
                "release",
                "{releases_per_month} tests x {analyst_hours} h x {usd_per_hour}/h",
                (*many, *cite(self, "analyst_hours")),
            )
        if self.steps:
            yield labour(
                "set and remove flags",
                self.releases_per_month * self.layers * self.flag_hours,
                engineer,
                monthly(),
                "release",
                "{releases_per_month} releases x {layers} layers x {flag_hours} h x {usd_per_hour}/h",
                (*many, *cite(self, "layers", "flag_hours")),
            )
            yield Line(
                "flag service",
                "release",
                1.0,
                "month",
                self.usd_per_month_flags,
                monthly(),
                "service",
                basis="a month",
                cites=cite(self, "usd_per_month_flags"),
            )
        yield from self.rollbacks(case)
        if np.any(self.usd_per_day_late):
            late = self.releases_per_month * self.calendar_days(case)
            yield Line(
                "changes that arrive late",
                "release",
                late,
                "day",
                self.usd_per_day_late,
                monthly(),
                "service",
                basis="{releases_per_month} releases x days of a rollout x {usd_per_day_late} a day",
                cites=(*many, *cite(self, "usd_per_day_late")),
            )
        if np.any(case.work.usd_per_failure):
            yield self.loss(case)

    def rollbacks(self, case: Case) -> Iterator[Line]:
        """Hours of people on bad releases and on false alarms: roll back, find the layer, and firefight where everybody had it."""
        engineer, bad = case.terms.people.engineer, self.releases_per_month * self.regression_chance
        suspects = 1.0 if self.separate else self.layers
        alarms = (
            self.releases_per_month
            * self.rollouts
            * (1 - self.regression_chance)
            * self.alpha
            * len(self.rollout(case))
        )
        hours = (
            bad * (self.rollback_hours + suspects * self.isolate_hours)
            + alarms * self.rollback_hours
        )
        yield labour(
            "roll back and find the layer",
            hours,
            engineer,
            monthly(),
            "release",
            "{releases_per_month} releases x {regression_chance} bad x ({rollback_hours} h + {layers} layers (1 if apart) x "
            "{isolate_hours} h), and {rollback_hours} h for each false alarm",
            cite(
                self,
                "releases_per_month",
                "regression_chance",
                "rollback_hours",
                "layers",
                "isolate_hours",
                "alpha",
            ),
        )
        lost = bad * self.slips(case) * self.incident_weeks * WORKING_HOURS_PER_WEEK
        yield labour(
            "firefight what reached everybody",
            lost,
            engineer,
            monthly(),
            "release",
            "{releases_per_month} releases x {regression_chance} bad x chance to pass every stage x {incident_weeks} weeks x 40 h",
            cite(self, "releases_per_month", "regression_chance", "incident_weeks"),
        )
