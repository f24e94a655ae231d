"""Release: how a change reaches users, what the careful way costs, and what a bad change costs.

A change that passed the offline evaluation still regresses with `regression_chance`. A policy is a
chain of steps, each of which may see it: replay and shadow before any user, a canary in stages, an
A/B test at half of the traffic; "none" sends it to everybody at once. Not in it: later turns of a
conversation that are judged off-policy beyond `shadow_sees`, and the revenue of a better version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, reduce
from math import prod
from typing import Any

import numpy as np

from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Line, Purchases, Traffic, every_call, labour
from costmodel.choices.running import (
    ACCEPTED_BEFORE,
    AGREEMENT,
    LEAST_SHARE,
    RUBRIC_TOKENS,
    VERDICT_TOKENS,
    bought_together,
    judge_call,
    listed,
    loss,
    requests_per_day,
)
from costmodel.choices.schedule import monthly, with_demand
from costmodel.choices.techniques.operations import Monitoring
from costmodel.core import (
    DAYS_PER_MONTH,
    HOURS_PER_DAY,
    ROUNDING,
    WORKING_HOURS_PER_WEEK,
    Number,
    assumed,
    check,
    frozen,
    validate,
)
from costmodel.facts.catalog import practice
from costmodel.laws.experiments import (
    Stage,
    chance_to_cross,
    chance_to_detect,
    days_to_collect,
    exposed_days,
    samples_per_arm,
    through_judge,
)

STEPS = ("replay", "shadow", "canary", "A/B")
POLICIES = ("none", *STEPS[:3], "replay + canary", "shadow + canary", "shadow + canary + A/B")
STAGES = "0.01, 0.05, 0.20, 0.50"
HALF = 0.5
THRESHOLDS = ("latency_threshold", "refusal_threshold")
Signal = tuple[Any, Any, Any, Any]  # share that shows in it, rise, threshold, spread of one answer


@frozen
class Release:
    """Release discipline: shadow, canary, A/B test, flags, and the expected loss of a bad release.

    You buy regressions that few users meet; you give up speed, which `usd_per_day_late` prices.

    Parameters
    ----------
    policy : str
        Steps joined by " + ", or "none". "replay" answers a share of the logged traffic again;
        "shadow" answers live traffic unseen, which about doubles inference while it runs; "canary"
        takes `stages` of the traffic for some hours each; "A/B" takes half of it until an
        improvement of `ab_effect` shows.
    releases_per_month, regression_chance : number or Range
        How many changes reach users, and the share of them that makes answers worse, by `drop`.
    candidate, judge : serving or None
        The new version, where its price differs, and who compares; None is the option's own.
    stages : str, or tuple of numbers
        Rising shares between 0 and 1 of the traffic that a canary takes.
    layers : number or Range, 1 to 6
        What one change touches of model, system prompt, prompt template, sampling, retrieval and
        parsing.
    separate : bool
        True releases each layer apart: as many rollouts, but a regression has one suspect.
    drop, accepted_before : number or Range, 0 to 1
        The fall of the accepted share in a bad release, and that share before it.
    days_unseen : number or Range, at least 0
        Days until users make a fault known.
    outcome_share : number or Range, 0 to 1
        Share of the live answers whose outcome is known.
    alpha : number or Range, 0 to 1
        Chance of a false alarm in one look.
    replay_share : number or Range, 0 to 1
        Share of the logged traffic that "replay" answers again.
    shadow_days, shadow_share : number or Range
        Days in which the old version answers as well, and the share of the requests.
    judged_share, shadow_sees : number or Range, 0 to 1
        Share of the shadowed answers that a judge compares, and share of the regressions that show
        without users.
    rubric_tokens, verdict_tokens : number or Range, at least 0
        Instructions and verdict of the judge [token].
    agreement : number or Range, 0.501 to 1
        Share of the cases in which the judge agrees with people.
    hours_per_stage, watch_hours : number or Range, at least 0
        How long a canary stays at one stage, and the hours of an engineer on it.
    ab_effect : number or Range, 0 to 1
        The smallest improvement of the accepted share that an A/B test must show.
    ab_days_most, analyst_hours : number or Range, at least 0
        The longest test [day], and the hours of an analyst on one.
    rollback_hours, incident_weeks : number or Range, at least 0
        Hours to take a release back, and weeks of an engineer lost to one that reached everybody.
    rollback, repair_days : bool, and number or Range, at least 0
        False: there is no way back. No flags are paid for, but a bad release stays with those who
        have it for `repair_days` after it is found, and each takes `incident_weeks`.
    latency_threshold, refusal_threshold : number or Range, or None
        Rise of the mean latency over that before, and of the share of answers refused, that stops a
        rollout; None watches neither. Published gates: 40 % (of p99) and 5 points. Low ones see
        more, and raise more false alarms.
    latency_rise, latency_spread, shows_in_latency : number or Range
        Rise in a regression that shows in the latency, standard deviation of one answer over the
        mean, and the share of the regressions that shows there.
    refusal_rise, refused_before, shows_in_refusals : number or Range, 0 to 1
        The same of refusals, and their share before a change.
    isolate_hours, flag_hours : number or Range, at least 0
        Hours to clear or blame one layer, and those on its flag.
    usd_per_month_flags : number or Range, at least 0
        Seats of a flag service [USD/month].
    usd_per_day_late : number or Range, at least 0
        What one day of waiting for a change costs [USD/day].

    Raises
    ------
    ValueError
        When a field is outside its range, or a step of the policy is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> release = cm.Release(policy="shadow + canary", stages="0.05, 0.5")
    >>> release.steps, release.shares
    (('shadow', 'canary'), (0.05, 0.5))
    """

    # -- changes, and how a bad one shows
    policy: str = "canary"
    releases_per_month: Number = assumed(
        0.5, 2, 8, "changes of model, prompt or retrieval for users", name="releases_per_month"
    )
    regression_chance: Number = practice("Release.regression_chance")
    drop: Number = practice("release.drop")
    accepted_before: Number = ACCEPTED_BEFORE
    days_unseen: Number = practice("drift.days_unseen")
    outcome_share: Number = practice("Release.outcome_share")
    alpha: Number = 0.05
    candidate: Any = None
    # -- replay and shadow
    replay_share: Number = practice("Release.replay_share")
    shadow_days: Number = practice("Release.shadow_days")
    shadow_share: Number = 1.0
    judged_share: Number = practice("Release.judged_share")
    shadow_sees: Number = practice("Release.shadow_sees")
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    agreement: Number = AGREEMENT
    # -- canary
    stages: str = STAGES
    hours_per_stage: Number = practice("canary.hours_per_stage")
    watch_hours: Number = practice("Release.watch_hours")
    # -- A/B test
    ab_effect: Number = practice("Release.ab_effect")
    ab_days_most: Number = practice("Release.ab_days_most")
    analyst_hours: Number = practice("Release.analyst_hours")
    # -- a bad release
    rollback_hours: Number = practice("Release.rollback_hours")
    incident_weeks: Number = practice("release.incident_weeks")
    rollback: bool = True
    repair_days: Number = practice("release.repair_days")
    # -- signals that stop a rollout at once
    latency_threshold: Number | None = None
    latency_rise: Number = practice("release.latency_rise")
    latency_spread: Number = practice("release.latency_spread")
    shows_in_latency: Number = practice("release.shows_in_latency")
    refusal_threshold: Number | None = None
    refusal_rise: Number = practice("release.refusal_rise")
    refused_before: Number = practice("release.refused_before")
    shows_in_refusals: Number = practice("release.shows_in_refusals")
    # -- layers and their flags
    layers: Number = practice("Release.layers")
    separate: bool = False
    isolate_hours: Number = practice("Release.isolate_hours")
    flag_hours: Number = practice("Release.flag_hours")
    usd_per_month_flags: Number = practice("Release.usd_per_month_flags")
    usd_per_day_late: Number = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.stages, (tuple, list)):
            object.__setattr__(self, "stages", ", ".join(map(str, self.stages)))
        validate(self)
        require_servings(self, "candidate", "judge")
        _ = self.steps
        ends = (0.0, *self.shares, 1.0)
        check(
            all(np.diff(ends) > 0),
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
        """The words of the policy."""
        return listed(self, "policy", "step", STEPS, "+")

    # -- the way of a change -----------------------------------------------------------------------

    def chance(self, answers: Any, agreement: Any = 1.0) -> Any:
        """Chance that so many answers with a known outcome show a fall of `drop`."""
        before = through_judge(self.accepted_before, agreement)
        after = np.maximum(self.accepted_before - self.drop, LEAST_SHARE)
        return chance_to_detect(answers, before, through_judge(after, agreement), self.alpha, 1)

    def ab_days(self, case: Case) -> Any:
        """Days of an A/B test at half of the traffic, by its power, at most `ab_days_most`."""
        better = np.minimum(self.accepted_before + self.ab_effect, 1 - LEAST_SHARE)
        needed = samples_per_arm(self.accepted_before, better, alpha=self.alpha)
        days = days_to_collect(needed, requests_per_day(case), HALF, self.outcome_share)
        return np.minimum(days, self.ab_days_most)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals that have a threshold."""
        refused = np.sqrt(self.refused_before * (1 - self.refused_before))
        known = (
            (self.shows_in_latency, self.latency_rise, self.latency_threshold, self.latency_spread),
            (self.shows_in_refusals, self.refusal_rise, self.refusal_threshold, refused),
        )
        return tuple(signal for signal in known if signal[2] is not None)

    def rollout(self, case: Case, signal: Signal | None = None) -> tuple[Stage, ...]:
        """The stages of one rollout of a regression that shows in a signal, or in none."""
        daily, steps, stages = requests_per_day(case), self.steps, []

        def look(share: Any, days: Any, answers: Any, seen: Any) -> None:
            missed = 1 - seen
            if signal is not None:
                missed = missed * (1 - chance_to_cross(*signal[1:], answers))
            stages.append(Stage(share, days, 1 - missed, answers))

        for step, share, judged in (  # no user is exposed
            ("replay", self.replay_share, 1.0),
            ("shadow", self.shadow_share, self.judged_share),
        ):
            if step in steps:
                answers = daily * self.shadow_days * share
                seen = self.shadow_sees * self.chance(answers * judged, self.agreement)
                look(0.0, self.shadow_days if step == "shadow" else 0.0, answers, seen)
        days = self.hours_per_stage / HOURS_PER_DAY
        exposed = [(share, days) for share in self.shares if "canary" in steps]
        if "A/B" in steps:
            exposed.append((HALF, self.ab_days(case)))
        for share, days in exposed:
            answers = daily * days * share
            look(share, days, answers, self.chance(answers * self.outcome_share))
        return tuple(stages)

    def _on_average(self, case: Case, law: Callable[[tuple[Stage, ...]], Any]) -> Any:
        """A law of the stages on average over the regressions that show in a signal or in none."""
        shown = sum(share for share, *_ in self.signals)
        in_none = np.maximum(1 - shown, 0.0) * law(self.rollout(case))
        return sum((s[0] * law(self.rollout(case, s)) for s in self.signals), in_none)

    def days_after(self, case: Case) -> Any:
        """Days until Monitoring, or else the users, bring a bad release back from everybody."""
        monitors = (t for t in case.techniques if isinstance(t, Monitoring))
        watches = (m.detection_days(case, self.drop) + m.reaction_days for m in monitors)
        return reduce(np.minimum, watches, self.days_unseen)

    def exposed(self, case: Case) -> Any:
        """Days of full traffic that a bad release reaches on average."""
        after, repair = self.days_after(case), 0.0 if self.rollback else self.repair_days

        def law(stages: tuple[Stage, ...]) -> Any:
            shares, days, chances, _ = zip(*stages, strict=True) if stages else ((),) * 4
            return exposed_days(shares, days, chances, after, repair)

        return self._on_average(case, law)

    def slips(self, case: Case) -> Any:
        """Chance that a regression passes every stage and reaches everybody."""
        return self._on_average(case, lambda stages: prod(1 - stage.chance for stage in stages))

    def calendar_days(self, case: Case) -> Any:
        """Days from the first to the last stage of a release."""
        return sum((stage.days for stage in self.rollout(case)), 0.0) * self.rollouts

    @property
    def rollouts(self) -> Any:
        """Rollouts of one release: one for each layer where layers are released apart."""
        return self.layers if self.separate else 1.0

    # -- what it buys ------------------------------------------------------------------------------

    def buys(self, case: Case) -> Purchases:
        yield from self._answers(case)
        for item, person, hours, words in self._work(case):
            words += " x {usd_per_hour}/h"
            cites = tuple(
                name for name in ("alpha", *THRESHOLDS) if getattr(self, name) is not None
            )
            yield labour(item, hours, person, monthly(), "release", words, cites)
        rate = partial(Line, phase="release", schedule=monthly())
        if self.steps and self.rollback:
            usd, cites = self.usd_per_month_flags, ("usd_per_month_flags",)
            yield rate(
                "flag service",
                quantity=1.0,
                unit="month",
                usd_per_unit=usd,
                basis="a month",
                cites=cites,
            )
        if np.any(self.usd_per_day_late):
            yield rate(
                "changes that arrive late",
                quantity=self.releases_per_month * self.calendar_days(case),
                unit="day",
                usd_per_unit=self.usd_per_day_late,
                basis="{releases_per_month} releases x days of a rollout "
                "x {usd_per_day_late} a day",
            )
        if np.any(case.work.usd_per_failure):
            yield loss(
                "bad releases",
                case,
                self.releases_per_month * self.regression_chance,
                self.exposed(case),
                self.drop,
                "{releases_per_month} releases a month x {regression_chance} bad "
                f"x days of full traffic that they reach under the policy {self.policy!r} "
                "(at most {days_unseen} after the last stage, sooner with Monitoring)",
                ("outcome_share",),
            )

    def _answers(self, case: Case) -> Purchases:
        """What the candidate answers before any user sees it, and the judge who compares."""
        for step, share, compared, words in (
            ("replay", self.replay_share, 1.0, ""),
            ("shadow", self.shadow_share, self.judged_share, " x {judged_share} compared"),
        ):
            if step not in self.steps:
                continue
            rollouts = self.releases_per_month * self.rollouts
            times = self.shadow_days / DAYS_PER_MONTH * share * rollouts
            when, phase = with_demand(), "release"
            basis = f"requests of {{shadow_days}} days x {{{step}_share}} x {{releases_per_month}}"
            for part, requests in bought_together(case):
                item, by = f"{step}: the candidate answers too", self.candidate or part.serving
                count = requests * times  # logged traffic is answered in one go, live as it comes
                row = count / np.maximum(rollouts, ROUNDING) if step == "replay" else None
                yield from every_call(item, part.request, count, when, phase, by, basis, (), row)
            call = judge_call(case, self, answers=2)
            count = requests_per_day(case) * DAYS_PER_MONTH * times * compared
            yield Traffic(f"{step}: judge", call, count, when, phase, self.judge, basis + words)

    def _work(self, case: Case) -> Iterator[tuple[str, Any, Any, str]]:
        """(item, person, hours a month, formula) of all that people do."""
        people, stages = case.terms.people, self.rollout(case)
        each = "{releases_per_month} releases x "
        rollouts = self.releases_per_month * self.rollouts
        if "canary" in self.steps:
            words = f"{each}{len(self.shares)} stages x {{watch_hours}} h"
            hours = rollouts * len(self.shares) * self.watch_hours
            yield "watch the canary", people.engineer, hours, words
        if "A/B" in self.steps:
            hours, words = rollouts * self.analyst_hours, each + "{analyst_hours} h"
            yield "design and read A/B tests", people.analyst, hours, words
        if self.steps and self.rollback:
            hours = self.releases_per_month * self.layers * self.flag_hours
            words = each + "{layers} layers x {flag_hours} h"
            yield "set and remove flags", people.engineer, hours, words
        bad, each = (
            self.releases_per_month * self.regression_chance,
            each + "{regression_chance} bad",
        )
        false = self.alpha * len(stages) + sum(
            chance_to_cross(0.0, *signal[2:], stage.answers) * -np.expm1(-stage.answers)
            for signal in self.signals
            for stage in stages
        )
        alarms = rollouts * (1 - self.regression_chance) * false
        suspects, back = 1.0 if self.separate else self.layers, float(self.rollback)
        hours = bad * (self.rollback_hours * back + suspects * self.isolate_hours)
        words = (
            " x ({rollback_hours} h + {layers} layers (1 if apart) x {isolate_hours} h), "
            "and {rollback_hours} h for each false alarm"
        )
        hours = hours + alarms * self.rollback_hours
        yield "roll back and find the layer", people.engineer, hours, each + words
        reached = self.slips(case) if self.rollback else 1.0
        met = requests_per_day(case) * self.days_after(case) * self.drop  # wrong answers until then
        reached = reached * -np.expm1(-met)  # an incident without any is none
        hours = bad * reached * self.incident_weeks * WORKING_HOURS_PER_WEEK
        words = (
            " x chance to pass every stage (1 without a rollback) and to meet a user "
            "x {incident_weeks} weeks x 40 h"
        )
        yield "firefight what reached everybody", people.engineer, hours, each + words
