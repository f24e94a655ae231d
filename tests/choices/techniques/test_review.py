"""People in the loop: hours that check, hours that answer anew, and what it does to the quality."""

from dataclasses import replace

import pytest
from toys import STILL, api

import costmodel as cm

WORK = cm.Workload(60_000, input_tokens=100, usd_per_failure=2.0)
FREE = api(**{"in": 0, "out": 0})
AGENT = replace(cm.facts.person("support_agent"), id="agent", usd_per_hour=30.0)
EXPERT = replace(AGENT, id="expert of ours", usd_per_hour=90.0)
REVIEW = cm.Review(
    0.5,
    minutes_per_review=1,
    noticed=0.8,
    escalated=0.1,
    minutes_per_redo=6,
    accepted_redone=0.95,
    role=AGENT,
    redo_role=EXPERT,
    occupancy=0.75,
)


def book(option, work=WORK, months=1):
    return cm.ledger(option, work, terms=STILL, months=months).set_index("item")


def test_people_check_and_answer_anew():
    found = book(cm.Option(FREE, REVIEW, quality=0.9))
    check, redo = found.loc["check answers"], found.loc["answer anew what failed"]
    assert check.quantity == pytest.approx(60_000 * 0.9 * 0.5 / 60 / 0.75)
    assert check.usd == pytest.approx(check.quantity * 30)
    redone = 0.1 + 0.9 * 0.5 * 0.8 * 0.1
    assert redo.quantity == pytest.approx(60_000 * redone * 6 / 60 / 0.75)
    assert redo.usd == pytest.approx(redo.quantity * 90)


def test_fewer_answers_are_wrong_and_cost_less():
    plain, checked = (cm.Option(FREE, *more, quality=0.9) for more in ((), (REVIEW,)))
    quality = cm.compare({"plain": plain, "checked": checked}, WORK, terms=STILL, draws=10).quality
    after = 0.9 * 0.9 + (0.1 + 0.9 * 0.5 * 0.8 * 0.1) * 0.95
    assert quality.to_list() == pytest.approx([0.9, after])
    wrong = [book(o).usd["answers that fail"] for o in (plain, checked)]
    assert wrong == pytest.approx([60_000 * 0.1 * 2, 60_000 * (1 - after) * 2])


def test_a_desk_is_paid_busy_or_not():
    desk = replace(REVIEW, desk_hours_per_month=730)
    busy = book(cm.Option(FREE, REVIEW, quality=0.9)).quantity["check answers"]
    assert busy < 730
    assert book(cm.Option(FREE, desk, quality=0.9)).quantity["check answers"] == 730
    many = replace(WORK, requests_per_month=600_000)
    full = book(cm.Option(FREE, desk, quality=0.9), many).quantity["check answers"]
    assert full == pytest.approx(10 * busy)


def test_a_cascade_checks_each_answer_once_and_redoes_what_each_part_gets_wrong():
    small, large = (
        cm.Option(api(name, **{"in": 0}), replace(REVIEW, escalated=0.0), quality=q)
        for name, q in (("small", 0.6), ("large", 0.9))
    )
    found = book(cm.cascade(small, large, 0.3))
    assert found.loc[["check answers"]].quantity.sum() == pytest.approx(60_000 * 0.5 / 60 / 0.75)
    wrong = 0.7 * 0.4 + 0.3 * 0.1
    redo = found.loc[["answer anew what failed"]].quantity.sum()
    assert redo == pytest.approx(60_000 * 0.5 * 0.8 * wrong * 6 / 60 / 0.75)


def test_what_nobody_knows_is_refused():
    option = cm.Option(cm.finance.Seats(5, 30.0), REVIEW)
    found = cm.compare(option, WORK, terms=STILL, draws=1).why_not.item()
    assert "nobody knows how many answers are wrong" in found


def test_a_file_says_the_same(tmp_path):
    study = cm.load(
        "title: Test\nterms: {on: 2026-11-20}\n"
        "workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}\n"
        "options: {A: {serving: {api: gpt-6-sol}, quality: 0.9, techniques: "
        "[{review: {checked_share: 0.2, redo_role: lawyer, desk_hours_per_month: 160}}]}}\n"
    )
    wanted = cm.Review(0.2, redo_role="lawyer", desk_hours_per_month=160)
    assert study.options["A"].techniques == (wanted,)
    assert cm.load(cm.scenarios.save(study, tmp_path / "a.yaml")) == study


def test_the_formula_says_what_is_billed():
    """Of the requests that are not escalated, the checked and noticed ones are answered anew."""
    basis = book(cm.Option(FREE, REVIEW, quality=0.9)).loc["answer anew what failed"].basis
    assert "(0.1 at once + (1 - 0.1) × 0.5 checked × 0.8 noticed × share wrong)" in basis
