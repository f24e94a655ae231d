"""Release: how a change reaches users, what the careful way costs, and what a bad change costs.

A change that passed the offline evaluation still regresses with `regression_chance`. A policy is a
chain of steps, each of which may see it: replay and shadow before any user, a canary in stages, an
A/B test at half of the traffic; "none" sends it to everybody at once. Not in it: later turns of a
conversation that are judged off-policy beyond `shadow_sees`, and the revenue of a better version.
"""

from __future__ import annotations

from functools import reduce
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
    Range,
    assumed,
    check,
    frozen,
    unknown,
    validate,
)
from costmodel.facts.catalog import practice
from costmodel.laws.experiments import (
    Stage,
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
        0.5,
        2,
        8,
        "changes of model, prompt or retrieval that reach users",
        name="releases_per_month",
    )
    regression_chance: Number = assumed(
        0.02,
        0.08,
        0.25,
        "share of changes that pass offline evaluation and still make answers worse",
    )
    drop: Number = practice("release.drop")
    accepted_before: Number = ACCEPTED_BEFORE
    days_unseen: Number = practice("drift.days_unseen")
    outcome_share: Number = assumed(
        0.01,
        0.05,
        0.3,
        "share of live answers whose outcome is known: feedback, a re-opened ticket, a judge",
    )
    alpha: Number = 0.05
    candidate: Any = None
    # -- replay and shadow
    replay_share: Number = assumed(
        0.005, 0.02, 0.1, "share of two weeks of logged traffic that is answered again"
    )
    shadow_days: Number = Range(
        7,
        21,
        mid=14,
        name="Release.shadow_days",
        why="two weeks in a published practice (tianpan.co, 2026-04-19)",
    )
    shadow_share: Number = 1.0
    judged_share: Number = assumed(
        0.005, 0.02, 0.1, "share of the shadowed answers that a judge compares"
    )
    shadow_sees: Number = assumed(
        0.5,
        0.8,
        0.95,
        "share of regressions that show off-policy; later turns of a conversation do not",
    )
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    agreement: Number = AGREEMENT
    # -- canary
    stages: str = STAGES
    hours_per_stage: Number = practice("canary.hours_per_stage")
    watch_hours: Number = assumed(0.25, 1, 3, "hours of an engineer on each stage")
    # -- A/B test
    ab_effect: Number = assumed(0.01, 0.03, 0.05, "the smallest improvement worth a test")
    ab_days_most: Number = assumed(14, 28, 42, "nobody waits longer for a result")
    analyst_hours: Number = assumed(4, 10, 24, "design and reading of one A/B test")
    # -- a bad release
    rollback_hours: Number = assumed(
        0.25, 2, 12, "a switch where flags carry a version, a deployment where not"
    )
    incident_weeks: Number = practice("release.incident_weeks")
    # -- layers and their flags
    layers: Number = assumed(1, 2, 6, "layers that one change touches, of six")
    separate: bool = False
    isolate_hours: Number = assumed(1, 4, 12, "find out for one layer whether it is to blame")
    flag_hours: Number = assumed(0.1, 0.5, 2, "set up a flag of one layer, and remove it")
    usd_per_month_flags: Number = assumed(20, 100, 500, "seats of a flag service", form="amount")
    usd_per_day_late: Number = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.stages, (tuple, list)):
            object.__setattr__(self, "stages", ", ".join(map(str, self.stages)))
        validate(self)
        require_servings(self, "candidate", "judge")
        policy = f"Release.policy is {self.policy!r}"
        check(
            isinstance(self.policy, str),
            f"{policy}, it must be words joined by +, such as 'shadow + canary'",
        )
        for step in self.steps:
            if step not in STEPS:
                known = STEPS if len(self.steps) > 1 else ("none", *STEPS)
                raise unknown("step", step, known, where=f"Release.policy {self.policy!r}")
        check(len(set(self.steps)) == len(self.steps), f"{policy}, each step may stand in it once")
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
        return () if self.policy == "none" else tuple(map(str.strip, self.policy.split("+")))

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

    def rollout(self, case: Case) -> tuple[Stage, ...]:
        """The stages of one rollout, in order."""
        daily, steps = requests_per_day(case), self.steps
        sampled = {"replay": self.replay_share, "shadow": self.shadow_share * self.judged_share}
        stages = []
        for step in (step for step in sampled if step in steps):  # no user is exposed
            seen = self.chance(daily * self.shadow_days * sampled[step], self.agreement)
            days = self.shadow_days if step == "shadow" else 0.0
            stages.append(Stage(0.0, days, self.shadow_sees * seen))
        days = self.hours_per_stage / HOURS_PER_DAY
        exposed = [(share, days) for share in self.shares if "canary" in steps]
        if "A/B" in steps:
            exposed.append((HALF, self.ab_days(case)))
        for share, days in exposed:
            answers = daily * days * share * self.outcome_share
            stages.append(Stage(share, days, self.chance(answers)))
        return tuple(stages)

    def days_after(self, case: Case) -> Any:
        """Days until Monitoring, or else the users, bring a bad release back from everybody."""
        monitors = (t for t in case.techniques if isinstance(t, Monitoring))
        watches = (m.detection_days(case, self.drop) + m.reaction_days for m in monitors)
        return reduce(np.minimum, watches, self.days_unseen)

    def exposed(self, case: Case) -> Any:
        """Days of full traffic that a bad release reaches on average."""
        if not self.steps:
            return self.days_after(case)
        shares, days, chances = zip(*self.rollout(case), strict=True)
        return exposed_days(shares, days, chances, self.days_after(case))

    def slips(self, case: Case) -> Any:
        """Chance that a regression passes every stage and reaches everybody."""
        return reduce(lambda unseen, stage: unseen * (1 - stage.chance), self.rollout(case), 1.0)

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
        yield from self._watching(case)
        yield from self._rollbacks(case)
        if np.any(self.usd_per_day_late):
            yield Line(
                "changes that arrive late",
                "release",
                self.releases_per_month * self.calendar_days(case),
                "day",
                self.usd_per_day_late,
                monthly(),
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

    def _watching(self, case: Case) -> Purchases:
        """People on a release that goes well, and its flags."""
        people, when, phase = case.terms.people, monthly(), "release"
        rollouts = self.releases_per_month * self.rollouts
        if "canary" in self.steps:
            hours = rollouts * len(self.shares) * self.watch_hours
            basis = (
                f"{{releases_per_month}} releases x {len(self.shares)} stages "
                "x {watch_hours} h x {usd_per_hour}/h"
            )
            yield labour("watch the canary", hours, people.engineer, when, phase, basis)
        if "A/B" in self.steps:
            hours = rollouts * self.analyst_hours
            basis = "{releases_per_month} tests x {analyst_hours} h x {usd_per_hour}/h"
            yield labour("design and read A/B tests", hours, people.analyst, when, phase, basis)
        if self.steps:
            hours = self.releases_per_month * self.layers * self.flag_hours
            basis = (
                "{releases_per_month} releases x {layers} layers "
                "x {flag_hours} h x {usd_per_hour}/h"
            )
            yield labour("set and remove flags", hours, people.engineer, when, phase, basis)
            usd, cites = self.usd_per_month_flags, ("usd_per_month_flags",)
            yield Line("flag service", phase, 1.0, "month", usd, when, basis="a month", cites=cites)

    def _rollbacks(self, case: Case) -> Purchases:
        """Hours on bad releases and false alarms: roll back, find the layer, and firefight."""
        engineer, when, phase = case.terms.people.engineer, monthly(), "release"
        bad = self.releases_per_month * self.regression_chance
        good = self.releases_per_month * self.rollouts * (1 - self.regression_chance)
        alarms = good * self.alpha * len(self.rollout(case))
        suspects = 1.0 if self.separate else self.layers
        each = self.rollback_hours + suspects * self.isolate_hours
        hours = bad * each + alarms * self.rollback_hours
        basis = (
            "{releases_per_month} releases x {regression_chance} bad x ({rollback_hours} h "
            "+ {layers} layers (1 if apart) x {isolate_hours} h), "
            "and {rollback_hours} h for each false alarm"
        )
        item, cites = "roll back and find the layer", ("alpha",)
        yield labour(item, hours, engineer, when, phase, basis, cites)
        hours = bad * self.slips(case) * self.incident_weeks * WORKING_HOURS_PER_WEEK
        basis = (
            "{releases_per_month} releases x {regression_chance} bad "
            "x chance to pass every stage x {incident_weeks} weeks x 40 h"
        )
        yield labour("firefight what reached everybody", hours, engineer, when, phase, basis)
