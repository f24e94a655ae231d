"""A second try: tests, a validator or a tool say what was wrong, and the model answers again."""

from __future__ import annotations

from dataclasses import replace

from costmodel.choices.effort import BUILD, usual
from costmodel.choices.options import Case
from costmodel.choices.purchases import Purchases, setup
from costmodel.choices.quality.tasks import TESTED
from costmodel.choices.requests import Request, Segment
from costmodel.choices.techniques.lookup import task_fact
from costmodel.choices.workload import Workload
from costmodel.core import Number, checked
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect


@checked
class SecondTry:
    """Show the model why its answer failed, and let it try again.

    You buy right answers where a machine can tell that one is wrong, as tests and tools do of code,
    SQL, agents and calls of tools; you pay the prompt, the first answer and the feedback once more
    for those that are tried again. On other tasks nothing is gained without a check of your own.

    Parameters
    ----------
    again : number or Range, 0 to 1
        Share of the requests that are tried again.
    noticed : number or Range, 0 to 1
        Share of the wrong answers that tests, a validator or a tool notice.
    checked : bool or None
        Whether something tells that an answer is wrong; None takes what the task usually has.
    feedback_tokens : number or Range, at least 0
        What the model is told [token].
    log_odds : number or Range
        What a second try adds to the log-odds of a right answer where all failures are noticed.
    build_weeks : number or Range, at least 0
        Weeks of an engineer who builds the check.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(10_000, input_tokens=500, output_tokens=100)
    >>> tried = cm.SecondTry(again=0.2, feedback_tokens=50).shape(work.request(), work)
    >>> [(float(call.prompt_tokens), call.per_request) for call in tried.calls]
    [(500.0, 1.0), (650.0, 0.2)]
    """

    again: Number = practice("SecondTry.again")
    noticed: Number = practice("SecondTry.noticed")
    checked: bool | None = None
    feedback_tokens: Number = practice("SecondTry.feedback_tokens")
    log_odds: Number = task_fact("second_try.log_odds")
    build_weeks: Number = usual("SecondTry.build_weeks", BUILD)

    def shape(self, request: Request, work: Workload) -> Request:
        last = request.calls[-1]
        seen = (
            Segment("first answer", last.output_tokens),
            Segment("feedback", self.feedback_tokens),
        )
        second = replace(
            last, segments=(*last.segments, *seen), per_request=last.per_request * self.again
        )
        return Request((*request.calls, second))

    def buys(self, case: Case) -> Purchases:
        yield setup("build the check", self, case.work, case.terms.people.engineer)

    def quality(self, case: Case) -> Effect:
        told = case.work.task.family in TESTED if self.checked is None else self.checked
        said = "a second try that sees why the first failed"
        if not told:
            said = "nothing tells that the first answer is wrong; give checked=True with a check"
        return Effect(self.log_odds * self.noticed * float(told), said)
