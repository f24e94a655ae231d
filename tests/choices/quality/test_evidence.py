"""One evaluation moves all options: beside weights on draws of the law, and what follows."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import binom

import costmodel as cm
from costmodel.choices.quality.evidence import after_evidence
from costmodel.decisions.simulate import simulate

ON = "2026-11-20"
LABELS = ("RAG", "Small model + RAG", "Long context + cache", "Cascade", "Prompt")


@pytest.fixture(scope="module")
def plain():
    return cm.load("support_assistant").only(*LABELS).changed(draws=8_000)


def with_quality(study, **judged):
    """The study with evaluations, by label."""
    options = {x: cm.choices.with_quality(o, judged.get(x)) for x, o in study.options.items()}
    return study.changed(options=options)


def judge(study, label, accepted, trials):
    return with_quality(study, **{label: cm.Measured(accepted, trials)})


def band(share):
    return np.percentile(share, (10, 50, 90))


def width(share):
    return np.ptp(np.percentile(share, (10, 90)))


@pytest.mark.parametrize(("accepted", "trials"), [(85, 100), (120, 200), (12, 25)])
def test_it_agrees_with_weights_on_the_draws_of_the_law(plain, accepted, trials):
    """Every draw of the prior weighted by the chance of the counts: exact, but few draws count."""
    today = plain.changed(months=1)  # what is judged is the model of today, before any successor
    law = simulate(today.changed(draws=40_000)).accepted
    rng = np.random.default_rng(5)
    own = 1 / (1 + np.exp(-logit(law["RAG"]) - 0.2 * rng.standard_normal(40_000)))
    weights = binom.pmf(accepted, trials, own)
    found = simulate(judge(today, "RAG", accepted, trials).after_evidence()).accepted
    for label in ("Small model + RAG", "Long context + cache", "Cascade", "Prompt"):
        order = law[label].argsort()
        place = weights[order].cumsum() / weights.sum()
        exact = law[label][order][np.searchsorted(place, (0.1, 0.5, 0.9))]
        assert band(found[label]) == pytest.approx(exact, abs=0.025), label


def test_a_judge_who_errs_is_weighed_as_in_a_pilot(plain):
    """The same weights, where the share that is accepted passes through a doubtful judge."""
    today = plain.changed(months=1)
    law = simulate(today.changed(draws=40_000)).accepted
    rng = np.random.default_rng(5)
    own = 1 / (1 + np.exp(-logit(law["RAG"]) - 0.2 * rng.standard_normal(40_000)))
    errs = cm.Range(0.7, 0.95, mid=0.85, form="share", name="judge.agreement")
    right = errs.quantile(rng.permutation(40_000) / 40_000 + 1e-5)
    weights = binom.pmf(66, 100, right * own + (1 - right) * (1 - own))
    evaluation = cm.Measured(66, 100, agreement=errs)
    found = simulate(with_quality(today, RAG=evaluation).after_evidence()).accepted
    for label in ("Small model + RAG", "Long context + cache", "Cascade"):
        order = law[label].argsort()
        place = weights[order].cumsum() / weights.sum()
        exact = law[label][order][np.searchsorted(place, (0.1, 0.5, 0.9))]
        assert band(found[label]) == pytest.approx(exact, abs=0.035), label
    order = own.argsort()
    place = weights[order].cumsum() / weights.sum()
    exact = own[order][np.searchsorted(place, (0.1, 0.5, 0.9))]
    assert band(found["RAG"]) == pytest.approx(exact, abs=0.035)
    grid = (np.arange(4_000) + 0.5) / 4_000
    agreement = errs.quantile((np.arange(200) + 0.5) / 200)[:, None]
    angle = np.sin(np.pi / 2 * grid) ** 2  # equal steps of the Jeffreys prior
    chance = binom.pmf(66, 100, agreement * angle + (1 - agreement) * (1 - angle)).sum(axis=0)
    exact = angle[np.searchsorted(chance.cumsum() / chance.sum(), (0.1, 0.5, 0.9))]
    assert band(evaluation.quantile(grid)) == pytest.approx(exact, abs=0.01)
    people = simulate(judge(today, "RAG", 66, 100).after_evidence()).accepted
    assert width(found["Cascade"]) > width(people["Cascade"])  # he says less,
    assert found["Cascade"].mean() > people["Cascade"].mean()  # and rejects some that are right


def test_an_evaluation_of_a_judge_who_errs_says_less():
    people, other = cm.Measured(80, 100), cm.Measured(80, 100, agreement=0.85)
    assert other.mid > people.mid and other.high - other.low > people.high - people.low
    alike = other.by_people()
    assert alike.mid == pytest.approx(other.mid, abs=0.01) and alike.trials < 60
    assert people.by_people() is people
    assert cm.Measured.pooled(other, other).agreement == 0.85
    with pytest.raises(ValueError, match="different agreements"):
        cm.Measured.pooled(people, other)
    for wrong in (0.4, 1.1, cm.Range(0.4, 0.9)):
        with pytest.raises(ValueError, match=r"allowed is between 0\.501 and 1"):
            cm.Measured(80, 100, agreement=wrong)


def test_a_hundred_answers_of_one_option_narrow_the_others_too(plain):
    both = plain, judge(plain, "RAG", 85, 100)
    before, after = (simulate(study.after_evidence()).accepted for study in both)
    for label in ("Small model + RAG", "Long context + cache", "Cascade"):
        assert width(after[label]) < 0.8 * width(before[label])
        assert after[label].mean() > before[label].mean() + 0.05  # better than thought: all are
    poor = simulate(judge(plain, "RAG", 30, 100).after_evidence()).accepted
    assert all(poor[x].mean() < before[x].mean() for x in ("Small model + RAG", "Cascade"))


@pytest.mark.parametrize(("accepted", "trials"), [(0, 3), (1, 5), (3, 3), (25, 25), (460, 500)])
def test_the_judged_option_has_the_law_as_its_prior(plain, accepted, trials):
    """Few answers do not crown or kill an option; hundreds say what they say alone."""
    today = plain.changed(months=1, draws=20_000)
    law = simulate(today).accepted["RAG"]
    rng = np.random.default_rng(5)
    own = 1 / (1 + np.exp(-logit(law) - 0.2 * rng.standard_normal(len(law))))
    weights = binom.pmf(accepted, trials, own)
    study = judge(today, "RAG", accepted, trials).changed(draws=4_000).after_evidence()
    found = simulate(study).accepted
    exact = (weights * own).sum() / weights.sum()
    assert found["RAG"].mean() == pytest.approx(exact, abs=0.02)
    if trials == 500:
        assert found["RAG"].mean() == pytest.approx(0.919, abs=0.005)
    assert np.corrcoef(logit(found["RAG"]), logit(found["Long context + cache"]))[0, 1] > 0.15


def test_a_cascade_of_two_judged_options_lies_between_them(plain):
    pair = judge(judge(plain.changed(months=1), "RAG", 3, 3), "Small model + RAG", 3, 3)
    found = {x: y.mean() for x, y in simulate(pair.after_evidence()).accepted.items()}
    assert found["Small model + RAG"] - 0.01 < found["Cascade"]


def test_what_no_law_knows_has_its_counts_alone(plain):
    """Seats say nothing of quality, and a share that somebody gives is his word, not a prior."""
    seats = cm.Option(cm.finance.Seats(1, 1.0), quality=cm.Measured(3, 3))
    said = replace(plain.options["Prompt"].serving, accepted=0.9)
    told = cm.Option(said, quality=cm.Measured(10, 100))
    judged = judge(plain.changed(work=replace(plain.work, corpus=None)), "Prompt", 30, 60)
    options = {"Prompt": judged.options["Prompt"], "seats": seats, "told": told}
    found = simulate(judged.changed(options=options).after_evidence()).accepted
    assert found["seats"].mean() == pytest.approx(3.5 / 4, abs=0.01)
    assert found["told"].mean() == pytest.approx(10.5 / 101, abs=0.01)


def test_one_evaluation_of_two_options_counts_once(plain):
    same = cm.Measured(20, 40, name="of both")
    rag = replace(plain.options["RAG"], quality=same)
    study = plain.only("RAG", "Cascade")
    one = study.changed(options={**study.options, "RAG": rag})
    two = study.changed(options={**study.options, "RAG": rag, "RAG at another price": rag})
    first, second = (simulate(x.after_evidence()).accepted["Cascade"] for x in (one, two))
    assert band(first) == pytest.approx(band(second), abs=0.015)


def test_more_answers_tell_more(plain):
    widths = [
        width(simulate(judge(plain, "RAG", 0.8 * n, n).after_evidence()).accepted["Cascade"])
        for n in (10, 100, 1_000)
    ]
    assert widths == sorted(widths, reverse=True)


def test_evaluations_of_two_options_count_together(plain):
    one = simulate(judge(plain, "RAG", 85, 100).after_evidence()).accepted["Cascade"]
    two = judge(judge(plain, "RAG", 85, 100), "Small model + RAG", 70, 100)
    assert width(simulate(two.after_evidence()).accepted["Cascade"]) < width(one)


def test_two_evaluations_of_one_option_add_up_and_another_population_widens():
    both = cm.Measured.pooled(cm.Measured(40, 50), cm.Measured(41, 50))
    assert (both.accepted, both.trials) == (81, 100)
    alike = cm.Measured(160, 200).widened(0.3)
    assert alike.mid == pytest.approx(cm.Measured(160, 200).mid, abs=0.01)
    share = alike.quantile(np.array([0.16, 0.84]))
    assert np.diff(logit(share))[0] / 2 == pytest.approx(np.hypot(0.177, 0.3), rel=0.05)


def test_what_was_not_judged_is_a_study_unchanged(plain):
    assert plain.after_evidence() is plain
    numbers = with_quality(plain, RAG=0.8)
    assert numbers.after_evidence() is numbers  # a number is no evaluation


def test_an_evaluation_of_people_says_nothing_of_models(plain):
    staff = cm.Option(cm.finance.Staff(5, role="clerk"), quality=cm.Measured(90, 100))
    study = plain.changed(options={**plain.options, "people": staff})
    assert after_evidence(study).work.task == plain.work.task


def test_evidence_beside_the_choices_counts_and_only_keeps_it(plain):
    judged = judge(plain, "RAG", 85, 100)
    left = judged.only("Cascade", "Small model + RAG")
    assert list(left.evidence) == ["RAG"]
    whole, part = (simulate(x.after_evidence()).accepted["Cascade"] for x in (judged, left))
    assert band(whole) == pytest.approx(band(part), abs=0.02)
    given = plain.only("Cascade").changed(evidence={"pilot": judged.options["RAG"]})
    assert band(simulate(given.after_evidence()).accepted["Cascade"]) == pytest.approx(
        band(whole), abs=0.02
    )
    with pytest.raises(ValueError, match=r"the quality of evidence 'x' is None, it must be Measu"):
        plain.changed(evidence={"x": plain.options["RAG"]})


def test_every_analysis_sees_the_same_study_after_evidence(plain):
    judged = judge(plain, "RAG", 85, 100)
    table = cm.compare(judged)
    assert table.equals(cm.compare(judged.after_evidence()))
    assert cm.recommend(judged, flips=False).table.equals(table)
    register = cm.ledgers.register(judged).set_index("input")
    prior = cm.ledgers.register(plain).set_index("input")
    assert register.loc["task.difficulty", "mid"] < prior.loc["task.difficulty", "mid"] - 0.1
    assert "after your evaluation of RAG 85/100" in register.loc["task.difficulty", "why"]


def test_a_mix_is_judged_as_a_whole(plain):
    study = judge(plain, "Cascade", 85, 100).after_evidence()
    found, first = (simulate(x).accepted for x in (study, study.changed(months=1)))
    assert 0.81 < first["Cascade"].mean() < 0.85
    assert found["RAG"].mean() > simulate(plain).accepted["RAG"].mean() + 0.05


def test_other_draws_of_a_study_after_evidence_stay_in_step(plain):
    study = judge(plain, "RAG", 85, 100).after_evidence()
    few = simulate(study.changed(draws=500)).accepted
    assert band(few["Cascade"]) == pytest.approx(
        band(simulate(study).accepted["Cascade"]), abs=0.05
    )


def test_of_very_many_draws_a_part_is_moved_and_the_study_keeps_its_own(plain, monkeypatch):
    monkeypatch.setattr("costmodel.choices.quality.evidence.ENOUGH", 500)
    study = judge(plain, "RAG", 90, 100).changed(draws=1_200)
    after = after_evidence(study)
    assert (after.draws, after.before, after.accept_zero) == (1_200, study, study.accept_zero)
    assert {len(points) for points in after.points.values()} == {500}
    shares = simulate(after).accepted["RAG"], simulate(after.changed(draws=500)).accepted["RAG"]
    assert len(shares[0]) == 1_200
    assert shares[0].mean() == pytest.approx(shares[1].mean(), abs=0.02)
    assert after_evidence(plain.changed(draws=1_200)).points is None


def test_bands_before_and_after_are_shown_side_by_side(plain):
    table = cm.decisions.quality_bands(judge(plain, "RAG", 85, 100))
    assert table.loc["RAG", "judged"] == "85 of 100" and (table["judged"] == "").sum() == 4
    assert table.loc["Cascade", "narrower"] > 10
    same = cm.decisions.quality_bands(plain)
    assert same["narrower"].abs().max() == 0
    print(table.round(2))


def test_evidence_comes_back_from_a_file(plain, tmp_path):
    judged = judge(plain, "RAG", 85, 100).only("Cascade", "Small model + RAG")
    work = replace(
        judged.work, difficulty="harder", task="my questions (like answer from documents)"
    )
    path = tmp_path / "judged.yaml"
    cm.scenarios.save(judged.changed(work=work, title="judged"), path)
    back = cm.load(path)
    assert back.work.task == work.task and list(back.evidence) == ["RAG"]
    assert back.evidence["RAG"].quality == judged.evidence["RAG"].quality


def test_several_evaluations_in_a_file_are_pooled(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(
        "title: two\nworkload: {requests_per_month: 1000, input_tokens: 9, task: extract}\n"
        "options:\n  a:\n    serving: {api: gpt-6-luna}\n"
        "quality: {a: [{accepted: 40, trials: 50}, {accepted: 41, trials: 50}]}\n"
    )
    assert cm.load(path).options["a"].quality.trials == 100


def test_today_says_the_same_with_and_without_successors(plain):
    """What was judged says how good a model is now; its successors come on top."""
    bare = cm.Option(plain.options["Prompt"].serving)
    moves = replace(bare, techniques=(cm.Upgrades(),), quality=cm.Measured(36, 200))
    study = plain.changed(options={"bare": bare, "moves": moves})
    first = simulate(study.after_evidence().changed(months=1)).accepted
    assert first["bare"].mean() == pytest.approx(first["moves"].mean(), abs=0.03)


def test_a_poor_retrieval_does_not_crown_a_tune(plain):
    """A tune of a small model adds little to passages that are not found."""
    work, more = plain.work, ["RAG", "Small model + RAG", "RAG + LoRA"]
    options = cm.presets(work, on=ON, only=more)
    options["RAG"] = cm.choices.with_quality(options["RAG"], cm.Measured(40, 200))
    found = simulate(plain.changed(options=options).after_evidence()).accepted
    tuned = np.nanmean(found["RAG + LoRA"])  # in a draw of 8,000 its prompt is beyond the window
    assert tuned < found["RAG"].mean() + 0.05
    assert tuned < found["Small model + RAG"].mean() + 0.05
