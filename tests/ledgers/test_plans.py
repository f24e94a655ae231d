"""What is asked of bills comes by a plan, and equals what the engine says."""

import numpy as np
import pytest

import costmodel as cm
from costmodel.core import Plan, Range, pin, sample
from costmodel.decisions.simulate import NUMBERS, per_draw
from costmodel.ledgers import plans
from costmodel.ledgers.engine import evaluate_all
from costmodel.scenarios.scenario import examples

WORK = cm.Workload(
    Range(1e4, 9e4), input_tokens=900, output_tokens=Range(200, 400), usd_per_failure=0.5
)
OPTIONS = cm.presets(WORK, on="2026-11-20", only=["Prompt", "RAG", "Few-shot"])


@pytest.fixture(autouse=True)
def forgotten():
    plans._known.cache_clear()
    plans._seen.cache_clear()


def known():
    return plans._known.cache_info()


def by_engine(study, draws):
    things = (study.options, study.work, study.terms)
    made = evaluate_all(*sample(things, draws, study.seed))
    return {
        label: [np.where(bill.fits, number(bill, made.calendar), np.nan) for number in NUMBERS]
        for label, bill in made.bills.items()
    }


@pytest.mark.parametrize("name", [*examples()])
@np.errstate(all="ignore")
def test_every_example_runs_by_a_plan_that_equals_the_engine(name, monkeypatch):
    study = cm.load(name)
    runs, run = [], Plan.run

    def counted(plan, arrays):
        runs.append(len(arrays[0]))
        return run(plan, arrays)

    monkeypatch.setattr(Plan, "run", counted)
    for seed in (0, 1, 2, 3):  # twice the engine, the recording, the plan
        ran = per_draw(study.changed(seed=seed), NUMBERS, 400)
    assert runs.count(400) >= 2
    for label, numbers in by_engine(study.changed(seed=3), 400).items():
        for found, right in zip(ran, numbers, strict=True):
            right = np.broadcast_to(right, (400, 1))[:, 0]
            np.testing.assert_array_equal(found[label], right, err_msg=label)


@np.errstate(all="ignore")
def test_a_number_of_the_workload_that_moves_keeps_its_plan(monkeypatch):
    recordings, recorded = [], plans.recorded
    monkeypatch.setattr(plans, "recorded", lambda *x: recordings.append(x) or recorded(*x))
    study = cm.Study(OPTIONS, WORK)
    for tokens in (900, 1_100, 1_300, 1_500.0):
        moved = study.changed(work=pin(WORK, "Workload.input_tokens", tokens))
        ran = per_draw(moved, NUMBERS, 300)
        for label, numbers in by_engine(moved, 300).items():
            for found, right in zip(ran, numbers, strict=True):
                right = np.broadcast_to(right, (300, 1))[:, 0]
                np.testing.assert_allclose(found[label], right, rtol=1e-13, err_msg=label)
    assert len(recordings) == 1  # with the second number; the others run by that plan
    other = study.changed(options={"RAG": OPTIONS["RAG"]})
    per_draw(other, NUMBERS, 300)
    assert len(recordings) == 1  # in other things nothing has moved yet


def test_a_range_that_moves_keeps_its_plan_and_a_number_needs_another():
    study = cm.Study(OPTIONS, WORK)
    for volume in (2e4, 3e4, 4e4):
        moved = study.changed(work=pin(WORK, "Workload.requests_per_month", Range(1e4, volume)))
        per_draw(moved, NUMBERS, 50)
    assert known().misses == 1
    per_draw(study.changed(work=pin(WORK, "Workload.requests_per_month", 2e4)), NUMBERS, 50)
    assert known().misses == 2


def test_a_branch_that_turns_is_asked_of_the_engine():
    work = cm.Workload(Range(9e4, 1.1e5), input_tokens=900, output_tokens=5)
    option = cm.Option(cm.Api("gpt-4o", on="2026-11-20"))
    study = cm.Study({"API": option}, work)
    answers = [[100, 200], [300, 400], [0, 0], [100, 200]]  # [tokens]; nobody buys none
    totals = [
        per_draw(study, NUMBERS, 20, {"output_tokens": tokens})[0]["API"].mean()
        for tokens in answers
    ]
    assert totals[0] == totals[3] and totals[2] < totals[0] < totals[1]


def test_many_rows_are_planned_at_once_and_equal_few():
    study = cm.Study(OPTIONS, WORK)
    many = per_draw(study, NUMBERS, 6_000)
    things = (study.options, study.work, study.terms)
    made = evaluate_all(*sample(things, 6_000, 0))
    for label, bill in made.bills.items():
        np.testing.assert_allclose(many[0][label], bill.total(made.calendar)[:, 0], rtol=1e-12)
