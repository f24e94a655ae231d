"""A pilot before the choice: beside nested simulation, its bounds, its price by hand, its words."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
from toys import STAFFED, STILL, Buy, api

import costmodel as cm
from costmodel.decisions import pilot, pilot_sentence, pilots
from costmodel.laws.experiments import through_judge
from costmodel.scenarios.scenario import examples

MONTH = replace(STILL, months=1)
WORK = cm.Workload(100, input_tokens=1_000, usd_per_failure=4.0)
DOUBT = cm.Range(0.5, 0.9, form="share", name="of the doubtful")
AGREED = cm.Range(0.7, 0.95, form="share", name="judge.agreement")


def costs(usd, accepted, *techniques):
    """An option of so many dollars and wrong answers among the 100 requests of one month."""
    return cm.Option(api(f"toy {usd}", **{"in": 10.0 * usd}), *techniques, quality=accepted)


TOYS = {"sure": costs(200, 0.8), "doubtful": costs(150, DOUBT)}
STUDY = cm.Study(TOYS, WORK, MONTH, draws=20_000, quality_floor=0.75, confidence=0.8)
SURE_USD, EACH = 200 + 400 * 0.2, 400.0  # the other costs 150 + 400 x (1 - accepted)


def posterior(n, agreement):
    """(chance of each count of n answers, mean of the accepted share and chance to reach the floor
    after it), by Bayes' rule on a grid of the share and of the agreement.
    """
    u = (np.arange(800) + 0.5) / 800
    share, judge = DOUBT.quantile(u)[:, None], 1.0
    if agreement is AGREED:
        judge = AGREED.quantile((np.arange(100) + 0.5) / 100)[None, :]
    seen = through_judge(share, judge)
    chance, mean, reaches = np.empty((3, n + 1))
    for k in range(n + 1):
        likely = binom.pmf(k, n, seen)
        chance[k] = likely.mean()
        mean[k] = (likely * share).mean() / chance[k]
        reaches[k] = (likely * (share >= 0.75)).mean() / chance[k]
    return chance, mean, reaches


@pytest.mark.parametrize("agreement", [1.0, AGREED], ids=["agrees", "errs"])
def test_it_is_worth_what_a_nested_simulation_says(agreement):
    """The inner posterior of every count, and the expected cost of the better option after it."""
    table = pilot(STUDY, n=(10, 40, 160), agreement=agreement).set_index(["plan", "n"])
    prior = SURE_USD, 150 + EACH * (1 - DOUBT.quantile((np.arange(800) + 0.5) / 800).mean())
    for n in (10, 40, 160):
        chance, mean, reaches = posterior(n, agreement)
        after = np.minimum(SURE_USD, 150 + EACH * (1 - mean))
        row = table.loc["doubtful", n]
        assert row.usd == pytest.approx(min(prior) - chance @ after, abs=3 * row.error + 0.05)
        changes = chance[150 + EACH * (1 - mean) > SURE_USD].sum()
        assert row.p_changes == pytest.approx(changes, abs=0.06)
    assert table["p_settled"].to_numpy() == pytest.approx(
        1
    )  # "sure" reaches the floor without any pilot
    settled = pilot(STUDY.only("doubtful"), n=40, agreement=agreement)["p_settled"][0]
    chance, _, reaches = posterior(40, agreement)
    near = chance[np.abs(reaches - 0.8) < 0.05].sum()  # counts that lie at the confidence itself
    assert settled == pytest.approx(chance[reaches >= 0.8].sum(), abs=near + 0.02)
    assert 0.05 < settled < 0.6


def test_two_options_are_worth_what_a_nested_simulation_says():
    """The posteriors of both counts, and the least of three expected costs after each pair."""
    other = replace(DOUBT, name="of the other")
    many = replace(WORK, requests_per_month=1e6)  # so many that a pilot of two pays
    study = replace(STUDY, options={**TOYS, "other": costs(160, other)}, work=many)
    table = pilot(study, n=(10, 40, 160), agreement=1)
    (plan,) = (p for p, options in table.attrs["judged"].items() if len(options) == 2)
    table = table.set_index(["plan", "n"]).loc[plan]
    for n in (10, 40, 160):
        chance, mean, _ = posterior(n, 1.0)
        after = EACH * (1 - mean)
        pairs = np.minimum(150 + after[:, None], 160 + after[None, :])
        worth = min(SURE_USD, 150 + chance @ after) - chance @ np.minimum(SURE_USD, pairs) @ chance
        row, worth = table.loc[n], 1e4 * worth
        assert row.usd == pytest.approx(worth, abs=3 * row.error) and row.error < 0.05 * worth
    assert table["usd"].sort_index().is_monotonic_increasing


def test_of_one_option_more_answers_are_never_worth_less():
    """Every count is summed, so that nothing but rounding is left, at any number of draws."""
    sizes = (*range(1, 40), 60, 100, 150, 200, 400, 1_000)
    for draws in (60, 500, 5_000):
        table = pilot(STUDY.changed(draws=draws), n=sizes)
        usd = table.pivot(index="plan", columns="n", values="usd").loc["doubtful"]
        assert (usd.diff().dropna() >= -1e-9).all() and usd.iloc[-1] > usd.iloc[5] > 0
        assert (usd <= table.attrs["perfect"] + 1e-9).all()


def test_endless_answers_of_a_perfect_judge_are_perfect_information():
    table = pilot(STUDY, n=(100, 10_000), agreement=1).set_index(["plan", "n"])
    row, perfect = table.loc["doubtful", 10_000], table.attrs["perfect"]
    assert perfect - 2 * row.error < row.usd <= perfect and row.band_after < 2
    assert row.band_before == pytest.approx(100 * np.diff(DOUBT.quantile([0.1, 0.9]))[0], abs=0.2)
    assert table["usd"]["sure", 10_000] == 0  # what is known already tells nothing


def test_it_rises_with_the_answers_and_the_options_and_stays_below_perfect_information():
    table = pilot(cm.load("support_assistant"), draws=2_000)
    usd, judged = table.pivot(index="plan", columns="n", values="usd"), table.attrs["judged"]
    assert (usd.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None) and (usd.to_numpy() >= 0).all()
    assert (usd <= table.attrs["perfect"]).all(axis=None) and usd.max(axis=None) > 0
    grown = sorted((p for p in judged if len(judged[p]) > 1), key=lambda p: len(judged[p]))
    assert grown and (usd.loc[grown].diff().iloc[1:] >= 0).all(axis=None)
    assert all((usd.loc[grown[0]] >= usd.loc[label]).all() for label in judged[grown[0]])
    assert list(table["worth"]) == sorted(table["worth"], reverse=True)
    rows = table[table["n"] == 100].set_index("plan")
    assert rows["band_before"]["RAG"] == table.attrs["bands_now"]["RAG"]
    assert rows["band_after"]["RAG"] < 0.6 * rows["band_before"]["RAG"]


def test_one_option_tells_about_another_as_far_as_they_go_together():
    def beside(loading):
        tied = replace(DOUBT, driver="difficulty", loading=0.95)
        other = replace(DOUBT, name="of the other", driver="difficulty", loading=loading)
        options = {"sure": TOYS["sure"], "doubtful": costs(150, tied), "dear": costs(900, other)}
        study = cm.Study(
            options, WORK, MONTH, quality_floor=0.75
        )  # all may reach it: all have hope
        table = pilot(study, n=(200,), agreement=1).set_index("plan")
        return table.loc["dear"], table.loc["doubtful"]

    (tied, itself), (apart, _) = beside(0.95), beside(0.0)
    assert 0.4 * itself.usd < tied.usd < itself.usd and apart.usd < 0.05 * itself.usd


def test_nobody_judges_what_has_no_hope():
    """Without a floor, who is never the cheapest; with one, who never reaches it."""
    dear = costs(900, replace(DOUBT, name="of the dear"))
    poor = costs(150, cm.Range(0.2, 0.5, name="of the poor"))
    options = {**TOYS, "dear": dear, "poor": poor}
    for floor, judged in ((None, {"sure", "doubtful"}), (0.75, {"sure", "doubtful", "dear"})):
        study = cm.Study(options, WORK, MONTH, draws=2_000, quality_floor=floor)
        assert {x for plan in pilot(study).attrs["judged"].values() for x in plan} == judged


def test_a_pilot_that_cannot_change_the_choice_is_worth_nothing():
    table = pilot({"cheap": costs(10, DOUBT), "dear": costs(900, 0.9)}, WORK, MONTH)
    assert (table["usd"] == 0).all() and (table["p_changes"] == 0).all()
    assert table["p_settled"].isna().all()
    said = "Judge nothing first: 200 answers would hardly change the choice."
    assert pilot_sentence(table) == said
    assert (pilot({"one": costs(10, DOUBT)}, WORK, MONTH)["usd"] == 0).all()


def test_asking_for_many_answers_too_keeps_the_best_plan():
    """Of several options the best number of answers differs from the largest that is asked."""
    study = cm.load("support_assistant").changed(draws=1_000)
    few, many = (pilot(study, n=(25, 50, 100, 200, 400, *more)).iloc[0] for more in ((), (5_000,)))
    assert many.plan == few.plan and many.n == few.n and many.worth == pytest.approx(few.worth)


def test_its_price_by_hand():
    """50 questions of 5 minutes and judgements of 4 at $60 an hour; 0.15 of 40 hours at $100, and a
    data set of $3,000 that is paid in full; what two options need alike is paid once.
    """
    prompt, data = cm.Prompt(build_weeks=1), Buy(3_000.0, phase="data")
    options = {
        "prompt": costs(150, DOUBT, prompt),
        "tune": costs(151, replace(DOUBT, name="of the tune"), prompt, data),
        "later": costs(152, 0.8, Buy(70.0, cm.ledgers.once(1), phase="data")),
    }
    work = replace(WORK, usd_per_failure=4e4)
    table = pilot(options, work, replace(STAFFED, months=1), n=50)
    usd = table.set_index("plan")["usd_to_measure"]
    one = 50 * (5.0 + 4.0)
    assert usd["prompt"] == pytest.approx(one + 0.15 * 40 * 100)
    assert usd["tune"] == pytest.approx(one + 0.15 * 40 * 100 + 3_000)
    assert usd["later"] == pytest.approx(one)
    (both,) = (usd[p] for p in table.attrs["judged"] if {"prompt", "tune"} == {*p.split(" and ")})
    assert both == pytest.approx(usd["tune"] + 50 * 4.0)
    assert (table["worth"] == table["usd"] - table["usd_to_measure"]).all()
    small = pilot(options, replace(work, tier="prototype"), replace(STAFFED, months=1), n=50)
    assert small.set_index("plan")["usd_to_measure"]["prompt"] == pytest.approx(one + 40 * 100)


def test_labels_are_judged_for_less_than_code_fixes():
    def judged(task):
        table = pilot({"a": costs(150, DOUBT)}, replace(WORK, task=task), MONTH, n=100, draws=50)
        return table["usd_to_measure"][0]

    label, many, fix = (judged(t) for t in ("classify", "classify, many labels", "fix code"))
    assert label < 0.7 * many < 0.1 * fix
    study = cm.Study({"a": costs(150, DOUBT)}, replace(WORK, task="classify"), MONTH)
    assert cm.uncertainty.measurements(study)[0].usd == pytest.approx(200 * 0.92, rel=0.1)


def test_nobody_buys_servers_for_a_prototype():
    table = pilot(cm.load("bank_on_premises"), n=25, draws=100).set_index("plan")
    bought, rag = (
        table.loc[label].usd_to_measure for label in ("Bought GPUs + RAG", "EU API + RAG")
    )
    assert rag < bought < rag + 10_000


def test_options_of_unknown_quality_are_left_out_and_twins_judged_once():
    seats = cm.Option(cm.finance.Seats(1, 1.0))
    options = {**TOYS, "unknown": seats, "twin": costs(160, DOUBT)}
    table = pilot(options, WORK, MONTH, draws=500)
    assert set(table["plan"]) <= {"sure", "doubtful", "doubtful and sure"}
    assert "quality unknown" in table.attrs["left_out"]["unknown"]
    with pytest.raises(ValueError, match="no option of known quality"):
        pilot({"unknown": options["unknown"]}, WORK, MONTH)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"n": 0}, "n is 0, allowed is a whole number"),
        ({"n": (25, 2.5)}, "n is 2.5"),
        ({"n": ()}, "n is empty"),
        ({"agreement": 0.4}, "agreement is 0.4, allowed is between 0.501 and 1"),
        ({"draws": 10}, "draws is 10"),
    ],
)
def test_what_it_refuses(more, says):
    with pytest.raises(ValueError, match=says):
        pilot(STUDY, **more)


def test_what_was_found_goes_back_as_one_line_of_the_file_and_leaves_less_to_find():
    text = examples()["support_assistant"].read_text(encoding="utf-8")
    found = cm.load(text + "\nquality: {RAG: {accepted: 164, trials: 200}}\n").changed(draws=2_000)
    errs = "\nquality: {RAG: {accepted: 164, trials: 200, agreement: {low: 0.7, high: 0.95}}}\n"
    judge = cm.load(text + errs).options["RAG"].quality.agreement
    assert (judge.low, judge.high) == (0.7, 0.95)
    pair = (s.only("RAG", "Small model + RAG") for s in (cm.load(text).changed(draws=2_000), found))
    before, after = (pilot(s).attrs for s in pair)
    assert after["bands_now"]["RAG"] < 15 < 40 < before["bands_now"]["RAG"]
    assert after["settled_now"] == 1 > before["settled_now"]
    assert after["perfect"] < before["perfect"]


def test_its_words():
    study = cm.load("support_assistant").only("RAG", "Small model + RAG", "Cascade")
    table = pilot(study, draws=2_000)
    row, text = table.iloc[0], pilot_sentence(table, study.terms)
    assert row.worth > 0 and text.startswith(
        f"Judge {row.n} or more answers each of {row.plan} first, for "
    )
    enough = pilot(study, n=(100, 400, 3_000), draws=2_000)
    assert enough["n"][0] < 3_000 and "or more" not in pilot_sentence(enough)
    assert f"from {row.band_before:.0f} to {row.band_after:.0f} points; in " in text
    assert text.endswith("one option is then 80 % sure to reach 60 %.")
    free = pilot(study.changed(work=replace(study.work, usd_per_failure=0.0)), draws=2_000)
    assert ". The pilot saves less than it costs, but in " in pilot_sentence(free)
    little = pilot(replace(STUDY, work=replace(WORK, requests_per_month=120), quality_floor=None))
    assert 0 < little["usd"][0] < little["usd_to_measure"][0]
    assert pilot_sentence(little).startswith(
        "Judge nothing first: what tells most, 200 answers of "
    )
    yen = replace(study.terms, currency="JPY 150 2026-11-20")
    assert "JPY" in pilot_sentence(table, yen) and "USD" not in pilot_sentence(table, yen)


@pytest.mark.parametrize("agreement", [1.0, AGREED], ids=["agrees", "errs"])
def test_the_band_after_a_pilot_is_that_of_the_evidence_that_comes_back(agreement):
    """What a pilot foretells, and the bands after counts that it may find, by the same judge."""
    study = cm.load("support_assistant").only("RAG", "Small model + RAG", "Cascade")
    study = study.changed(draws=4_000, months=1)
    foretold = pilot(study, n=(50, 100), agreement=agreement).set_index(["plan", "n"])
    found = []
    for accepted in (46, 60, 66, 72, 84) if agreement == 1 else (42, 54, 60, 66, 74):
        evaluation = cm.Measured(accepted, 100, agreement=agreement)
        judged = cm.choices.with_quality(study.options["RAG"], evaluation)
        table = cm.decisions.quality_bands(study.changed(options={**study.options, "RAG": judged}))
        found.append(100 * (table["high"] - table["low"]))
    found = np.mean([bands["RAG"] for bands in found])
    assert foretold["band_after"]["RAG", 100] == pytest.approx(found, rel=0.2)


def test_a_study_is_piloted_once(monkeypatch):
    asked, made = [], pilots._pilot
    monkeypatch.setattr(
        "costmodel.decisions.pilots._pilot", lambda *given: asked.append(given) or made(*given)
    )
    study = STUDY.changed(draws=2_000)
    first, again = cm.recommend(study), cm.recommend(study.changed(draws=2_000))
    pilot(study)
    assert len(asked) == 1 and again.pilot.equals(first.pilot)
    cm.recommend(study.changed(seed=1))
    assert len(asked) == 2
