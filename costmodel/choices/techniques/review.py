"""People in the loop: who checks answers before they go out, and who redoes those that fail."""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, Purchases, cite, labour
from costmodel.choices.running import paid_as, requests_served
from costmodel.choices.schedule import by_month, level_of, scaled, staged, with_demand
from costmodel.choices.servings.baselines import OCCUPANCY, REDONE
from costmodel.choices.techniques.lookup import Id, find_records
from costmodel.core import MINUTES_PER_HOUR, Infeasible, Number, frozen, validate
from costmodel.facts import catalog


@frozen
class Review:
    """People check a share of the answers before they go out, and redo what they find wrong.

    Hours of checking = requests x (1 - escalated) x checked_share x minutes_per_review / 60 /
    occupancy, at least desk_hours_per_month. Answers redone, for a share a of the model's answers
    that is right:

        redone = escalated + (1 - escalated) x checked_share x noticed x (1 - a)

    Of those, `accepted_redone` are right. An evaluation of your own (`Option(quality=)`) is that of
    the model's answers, before people see them. Not in it: right answers that a checker redoes, and
    the time that a user waits for people.

    Parameters
    ----------
    checked_share : number or Range, 0 to 1
        Share of the model's answers that a person checks.
    minutes_per_review : number or Range, at least 0
        Minutes on one answer.
    noticed : number or Range, 0 to 1
        Share of the wrong answers among them that are found.
    escalated : number or Range, 0 to 1
        Share of the requests that go to a person at once, because the user asks for one or the
        model says that it cannot answer.
    minutes_per_redo : number or Range, at least 0
        Minutes to answer a request anew.
    accepted_redone : number or Range, 0 to 1
        Share of those answers that is accepted.
    role, redo_role : id or record
        Who checks, and who answers anew: persons of the catalogue, such as "support_agent".
    occupancy : number or Range, above 0, up to 1
        Paid time that is spent on answers.
    desk_hours_per_month : number or Range, at least 0
        Hours in which somebody has to be there to check, busy or not [hour/month].

    Raises
    ------
    Infeasible
        Where nobody knows how many answers are wrong.
    CatalogError
        When a role is not known.
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> review = cm.uncertainty.middle(cm.Review(0.5, noticed=0.8, accepted_redone=1.0))
    >>> round(review.repaired(0.9), 3)
    0.94
    """

    checked_share: Number
    minutes_per_review: Number = catalog.practice("Review.minutes_per_review")
    noticed: Number = catalog.practice("Review.noticed")
    escalated: Number = 0.0
    minutes_per_redo: Number = catalog.practice("Review.minutes_per_redo")
    accepted_redone: Number = REDONE
    role: catalog.Person | Id = "support_agent"
    redo_role: catalog.Person | Id = "support_agent"
    occupancy: Number = OCCUPANCY
    desk_hours_per_month: Number = 0.0

    def __post_init__(self) -> None:
        find_records(self, role=catalog.person, redo_role=catalog.person)
        validate(self)

    @property
    def _checked(self) -> Any:
        """Share of all requests whose answer a person checks."""
        return (1 - self.escalated) * self.checked_share

    def redone(self, accepted: Any) -> Any:
        """Share of all requests that people answer anew, of a model with this share accepted."""
        return self.escalated + self._checked * self.noticed * (1 - accepted)

    def repaired(self, accepted: Any) -> Any:
        """Share of the answers accepted after people, of a model with this share accepted."""
        right = (1 - self.escalated) * accepted
        return right + self.redone(accepted) * self.accepted_redone

    def _hours(self, minutes: Any) -> Any:
        return minutes / MINUTES_PER_HOUR / self.occupancy

    def buys(self, case: Case) -> Purchases:
        hours = requests_served(case) * self._checked * self._hours(self.minutes_per_review)
        basis = (
            "requests a month x (1 - {escalated}) x {checked_share} checked x "
            "{minutes_per_review} min / {occupancy} busy x {usd_per_hour}/h"
        )
        when: Any = with_demand()
        if np.any(self.desk_hours_per_month):
            level = level_of(when, case.work, case.terms)
            hours, when = by_month(np.maximum(hours * level, self.desk_hours_per_month))
            basis += ", at least {desk_hours_per_month} h a month"
        person = paid_as(self.role, case)
        yield labour("check answers", hours, person, when, "serving", basis)

    def redo(self, case: Case, answers: Any, accepted: Any) -> Line:
        """What answering anew costs, for the share of all requests that this option answers."""
        if accepted is None:
            raise Infeasible(
                "Review: nobody knows how many answers are wrong; give quality=Measured(accepted, "
                "trials)"
            )
        requests = answers * case.work.requests_per_month
        redone = staged(self.redone, accepted)
        count, when = scaled(requests, with_demand(), redone, case.work, case.terms)
        return labour(
            "answer anew what failed",
            count * self._hours(self.minutes_per_redo),
            paid_as(self.redo_role, case),
            when,
            "serving",
            "requests a month x ({escalated} at once + (1 - {escalated}) x {checked_share} checked "
            "x {noticed} noticed x share wrong) x {minutes_per_redo} min / {occupancy} busy x "
            "{usd_per_hour}/h",
            cite(self, "escalated", "checked_share", "noticed", "minutes_per_redo", "occupancy"),
        )
