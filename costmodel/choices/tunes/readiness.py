"""When a student may take over from its teacher: the rules, what it takes to know, and the wait."""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Purchases, cite, every_call, labour
from costmodel.choices.running import ACCEPTED_BEFORE, paid_as
from costmodel.choices.schedule import once
from costmodel.choices.techniques.lookup import Id, find_records
from costmodel.choices.tunes.life import labels
from costmodel.choices.tunes.run import RunPrice
from costmodel.core import DAYS_PER_MONTH, MINUTES_PER_HOUR, Number, frozen, number_text, validate
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws.experiments import answers_for_calibration, answers_for_share


@frozen
class Readiness:
    """Rules for a student before it takes over from its teacher, and what they cost.

    Both answer the same requests for some days (`Distill.shadow_days`). People read where they
    differ, until they know on how many of those answers the student is wrong; labelled requests
    that nobody trains on show the gap to the teacher's own examples and the error of the student's
    confidence. A student that is not ready is trained again and shown once more, and the teacher
    answers in the meantime. `cm.training.readiness` holds measured values against the rules.

    Parameters
    ----------
    wrong_max : number or Range, 0 to 1
        Share of the answers on which both differ that the student may have wrong.
    calibration_max : number or Range, above 0, up to 1
        Expected calibration error (ECE) that is allowed.
    gap_max : number or Range, above 0, up to 1
        Accepted share on the teacher's examples, less that on the labelled requests.
    entropy_lost_max : number or Range, 0 to 1
        1 less the entropy of the student's answers over that of the teacher's; more is a collapse.
    known_within : number or Range, above 0, up to 1
        Half width of the 90 % band of `wrong_max` that is precise enough to decide.
    accepted_before : number or Range, 0 to 1
        Expected accepted share; it sets how many labelled requests show a gap.
    disagreement : number or Range, 0 to 1
        Share of the answers on which student and teacher differ.
    minutes_per_disagreement, role : number or Range, and id or record
        Minutes of a person, such as "expert", on one of them.
    ready_chance : number or Range, above 0, up to 1
        Chance that a student is ready after one comparison; 1 / ready_chance of them are expected.
    days_per_round, teacher_share : number or Range, at least 0
        Days until the next student has been compared, and the share of the traffic that the teacher
        answers in them. What a student on an API saves in those days is not taken off.

    Raises
    ------
    CatalogError
        When the role is not known.
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> rules = cm.uncertainty.middle(cm.choices.Readiness(accepted_before=0.8))
    >>> float(rules.differing), float(rules.labelled)
    (247.0, 1630.0)
    """

    # -- the rules
    wrong_max: Number = practice("student.wrong_max")
    calibration_max: Number = practice("student.calibration_max")
    gap_max: Number = practice("student.gap_max")
    entropy_lost_max: Number = practice("student.entropy_lost_max")
    # -- what it takes to know
    known_within: Number = practice("student.known_within")
    accepted_before: Number = ACCEPTED_BEFORE
    disagreement: Number = practice("student.disagreement")
    minutes_per_disagreement: Number = practice("student.minutes_per_disagreement")
    role: catalog.Person | Id = "expert"
    # -- a student that is not ready
    ready_chance: Number = practice("student.ready_chance")
    days_per_round: Number = practice("student.days_per_round")
    teacher_share: Number = 1.0

    def __post_init__(self) -> None:
        find_records(self, role=catalog.person)
        validate(self)

    @property
    def differing(self) -> Any:
        """Answers on which both differ that people have to read [count]."""
        return answers_for_share(self.wrong_max, self.known_within)

    @property
    def labelled(self) -> Any:
        """Labelled requests that show the gap and the error of the confidence [count]."""
        share = self.accepted_before
        return np.maximum(
            answers_for_share(share, self.gap_max, samples=2),
            answers_for_calibration(share, self.calibration_max),
        )

    def proof(self, student: Any, case: Case, run: RunPrice) -> Purchases:
        """What it takes to know that a student is ready, and to wait until it is."""
        now, tenants, again = once(), student.tenants_words, 1 / self.ready_chance - 1
        rounds = "1 / {ready_chance} rounds x "
        yield labels(
            student,
            case,
            "label requests to test the student",
            "evaluation",
            self.labelled,
            now,
            _number(self.labelled)
            + "requests that show a gap of {gap_max} and an error of {calibration_max} x ",
            cite(self, "gap_max", "calibration_max", "accepted_before"),
        )
        yield from every_call(
            "student answers the test",
            case.request,
            self.labelled * student.adapters / self.ready_chance,
            now,
            "evaluation",
            basis=tenants + rounds + "each of the labelled requests",
            cites=cite(self, "ready_chance"),
        )
        compared = case.requests_per_month / DAYS_PER_MONTH * student.shadow_days
        differ = compared * student.shadow_share * self.disagreement
        person = paid_as(self.role, case)
        yield labour(
            "read where student and teacher differ",
            np.minimum(self.differing * student.adapters, differ)
            / self.ready_chance
            * self.minutes_per_disagreement
            / MINUTES_PER_HOUR,
            person,
            now,
            "release",
            f"{tenants}{rounds}{_number(self.differing)}answers that show a share of {{wrong_max}} "
            "within {known_within}, at most {disagreement} of those compared, x "
            "{minutes_per_disagreement} min x {usd_per_hour}/h",
            cite(
                self,
                *("ready_chance", "wrong_max", "known_within", "disagreement"),
                "minutes_per_disagreement",
            ),
        )
        yield run.line(
            "train again until the student is ready",
            "experiments",
            again * student.adapters,
            now,
            tenants + "(1 / {ready_chance} - 1) runs: ",
            cite(self, "ready_chance"),
            "capex",
        )
        days = again * self.days_per_round * self.teacher_share
        yield from every_call(
            "teacher answers until the student is ready",
            case.request,
            case.requests_per_month / DAYS_PER_MONTH * days,
            now,
            "release",
            student.teacher,
            "requests of (1 / {ready_chance} - 1) x {days_per_round} days x {teacher_share}",
            cite(self, "ready_chance", "days_per_round", "teacher_share"),
        )


def _number(count: Any) -> str:
    """A number that a formula follows from, where it is one."""
    return f"{number_text(count)} " if np.ndim(count) == 0 else ""
