"""The rule: eligible by the chance to reach the floor, best by the mean over the draws; by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toys import ON, STILL, Better, Buy, api

import costmodel as cm
from costmodel.choices.schedule import monthly
from costmodel.core import sample
from costmodel.decisions import verdict
from costmodel.decisions.simulate import totals
from costmodel.laws.money import certainty_equivalent
from costmodel.ledgers import plans
from costmodel.ledgers.engine import evaluate_all
from costmodel.pages.terminal import comparison

EXAMPLES = list(cm.scenarios.examples())
ONE = cm.Workload(1_000, input_tokens=1_000, peak_to_average=2.0)
FREE = {"in": 0.0, "out": 0.0}


def buys(usd, accepted=None, *more):
    """An option that costs what its purchase says, once."""
    return cm.Option(api(accepted=accepted, **FREE), Buy(usd), *more)


@pytest.fixture(scope="module", params=EXAMPLES)
def study(request):
    return cm.load(request.param, draws=2_000)


@pytest.fixture(scope="module")
def drawn(study):
    """Of each option: total, present value and share accepted of each draw, by the lines."""
    found = {label: np.full((3, study.draws), np.nan) for label in study.options}
    things = (study.options, study.work, study.terms)
    for start in range(0, study.draws, 1_000):
        rows = slice(start, start + 1_000)
        made = evaluate_all(*sample(things, study.draws, study.seed, rows))
        calendar = made.calendar
        for label, bill in made.bills.items():
            numbers = [0.0, 0.0, bill.accepted]
            for line in bill.lines:
                weights = line.schedule.weights(calendar.months, calendar.demand)
                steps = 1.0 if line.schedule.price is None else line.schedule.price
                steps = getattr(steps, "by_month", steps)
                paid = line.usd * weights * calendar.prices(line.trend) * steps
                numbers[0] += paid.sum(axis=-1, keepdims=True)
                numbers[1] += (paid * calendar.discount).sum(axis=-1, keepdims=True)
            for found_row, x in zip(found[label], numbers, strict=True):
                found_row[rows] = np.where(np.ravel(bill.fits), np.ravel(x), np.nan)
    return found


# -- the examples, by brute force ------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_the_best_has_the_least_mean_of_those_that_reach_the_floor(study, drawn, confidence):
    said = cm.recommend(study, confidence=confidence, flips=False)
    floor = study.quality_floor or 0.0  # without one, every option that runs reaches it
    chance = {label: np.mean(x[2] >= floor) for label, x in drawn.items()}
    eligible = [label for label, share in chance.items() if share >= confidence]
    assert said.table["p_reaches"].to_dict() == pytest.approx(chance)
    assert set(said.table.index[said.table["eligible"]]) == set(eligible)
    mean = {label: np.nanmean(x[1]) for label, x in drawn.items()}
    assert said.table["present_value"].to_dict() == pytest.approx(mean)
    assert list(said.table.index) == sorted(mean, key=mean.get)
    if eligible:
        assert said.best == said.named == min(eligible, key=mean.get)
        assert said.leaders == sorted(eligible, key=mean.get)[:5]
        assert f"{said.best} has the lowest expected cost" in said.headline
        gap = {label: drawn[label][1] - drawn[said.best][1] for label in eligible}
        more = {label: np.nanmean(x) for label, x in gap.items()}
        assert said.table["more"].dropna().to_dict() == pytest.approx(more)
        for label, x in gap.items():
            x = x[~np.isnan(x)]
            little = max(0.05 * mean[said.best], 2 * x.std() / np.sqrt(x.size))
            assert said.table["as_good"][label] == (more[label] <= little)
            assert said.table["p_dearer"][label] == pytest.approx(np.mean(x > 0))
    else:
        assert said.best is None and said.headline.startswith("Do not choose yet: ")
        assert said.named in said.headline and not said.table["as_good"].any()
        assert said.table[["more", "p_dearer"]].isna().all(axis=None)


def test_the_examples_know_both_answers():
    """So that the test above has seen an answer, and none."""
    best = [cm.recommend(cm.load(name, draws=500), flips=False).best for name in EXAMPLES]
    assert None in best and any(best)


def test_the_expected_total_lies_among_the_draws(study, drawn):
    """Neither nearly all draws nor nearly none cost more than the headline says."""
    said = cm.recommend(study, flips=False)
    usd, said_usd = drawn[said.named][0], said.table["expected"][said.named]
    usd = usd[~np.isnan(usd)]
    assert usd.mean() == pytest.approx(said_usd)
    assert 0.2 < np.mean(usd > said_usd) < 0.7


def test_an_aversion_weighs_the_worst_tenth(study, drawn):
    table = cm.compare(study, risk=0.5)
    for label, (_, worth, _) in drawn.items():
        worth = np.sort(worth[~np.isnan(worth)])
        worst = worth[-round(worth.size / 10) :].mean()
        assert table["risk_adjusted"][label] == pytest.approx((worth.mean() + worst) / 2)


# -- toys ------------------------------------------------------------------------------------------


def test_two_equal_options_are_as_good():
    same = {"first": buys(100.0), "second": buys(100.0)}
    said = cm.recommend(same, ONE, STILL, draws=50)
    assert said.table["as_good"].all() and (said.table["p_dearer"] == 0).all()
    assert said.headline.endswith("; second is as good, within 5 %.")
    assert "first and second cost the same." in said.points


def test_one_percent_off_is_as_good_and_never_dearer():
    """1 % is less than anybody knows, and yet the cheaper one is so in every draw."""
    dear = cm.Api("gpt-6-sol", on=ON)
    options = {"list": cm.Option(dear), "off": cm.Option(replace(dear, discount=0.01))}
    said = cm.recommend(options, replace(ONE, requests_per_month=cm.Range(100, 10_000)), draws=500)
    table = said.table
    assert said.best == "off" and table["p_cheapest"].to_dict() == {"off": 1.0, "list": 0.0}
    assert table["p_dearer"].to_dict() == {"off": 0.0, "list": 1.0} and table["as_good"].all()
    assert table["more"]["list"] == pytest.approx(0.01 * table["present_value"]["list"])
    assert "list is as good" in said.headline and "in practically every case" in said.points[0]


def test_what_costs_a_tenth_more_is_not_as_good():
    table = cm.compare({"a": buys(100.0), "b": buys(104.9), "c": buys(110.0)}, ONE, STILL, draws=5)
    assert table["as_good"].to_dict() == {"a": True, "b": True, "c": False}


def test_a_difference_within_two_standard_errors_is_as_good():
    """N(110, 100) against 100: ten dollars are two standard errors at 400 draws, not at 2,500."""
    wild = buys(cm.Range(110 - 164.5, 110 + 164.5, form="signed", name="wild"))
    for draws, as_good in ((300, True), (2_500, False)):
        table = cm.compare({"sure": buys(100.0), "wild": wild}, ONE, STILL, draws=draws)
        assert table["as_good"]["wild"] == as_good


def test_the_mean_of_the_worst_tenth_by_hand():
    costs = np.array([10.0] * 18 + [100.0, 200.0])
    np.random.default_rng(0).shuffle(costs)
    assert certainty_equivalent(costs, 0.0) == costs.mean() == 24.0
    assert certainty_equivalent(costs, 1.0) == 150.0  # two draws of twenty
    assert certainty_equivalent(costs, 0.25) == 24.0 + 0.25 * (150.0 - 24.0)
    assert certainty_equivalent(np.array([7.0]), 1.0) == 7.0


def test_an_aversion_to_risk_chooses_the_safer_option():
    """The risky one has the lower mean and the worse tenth: it is the best until risk is minded."""
    options = {"risky": buys(cm.Range(10, 400, mid=60, name="risky")), "safe": buys(130.0)}
    means = cm.compare(options, ONE, STILL, draws=2_000)["present_value"]
    assert means["risky"] < means["safe"] == 130.0
    bold, careful = (cm.recommend(options, ONE, STILL, draws=2_000, risk=r) for r in (0.0, 0.5))
    assert (bold.best, careful.best) == ("risky", "safe")
    assert careful.table["present_value"].equals(means.reindex(careful.table.index))
    said = "ranked by the mean plus 50 % of what the worst tenth"
    assert said in careful.sentence and said not in bold.sentence


def test_who_is_55_percent_sure_is_eligible_at_a_half_and_not_at_four_fifths():
    share = cm.Range(0.5, 0.9, name="share")
    floor = float(share.quantile(0.45))
    options = {"doubtful": buys(10.0, share), "dear": buys(1_000.0, 0.95)}
    for confidence, best in ((0.5, "doubtful"), (0.8, "dear"), (1.0, "dear")):
        said = cm.recommend(
            options, ONE, STILL, draws=2_000, quality_floor=floor, confidence=confidence
        )
        assert said.table["p_reaches"].to_dict() == pytest.approx(
            {"doubtful": 0.55, "dear": 1.0}, abs=0.001
        )
        assert said.best == best
        assert said.table["eligible"]["doubtful"] == (confidence == 0.5)
    assert any(p.startswith("doubtful would cost less") and "55 %" in p for p in said.points)


def test_the_chance_to_be_cheapest_is_that_among_the_eligible():
    options = {"bad": buys(1.0, 0.2), "good": buys(100.0, 0.9), "dear": buys(200.0, 0.9)}
    table = cm.compare(options, ONE, STILL, draws=50, quality_floor=0.5)
    assert table["p_cheapest"].dropna().to_dict() == {"good": 1.0, "dear": 0.0}
    none = cm.compare(options, ONE, STILL, draws=50, quality_floor=0.95)
    assert none["p_cheapest"].to_dict() == {"bad": 1.0, "good": 0.0, "dear": 0.0}


def test_wrong_answers_are_in_the_cost_and_not_in_what_is_paid():
    """1,000 requests for $36, a fifth or a tenth of them wrong at $1 each, 36 months."""
    options = {"bad": buys(36.0, 0.8), "good": buys(360.0, 0.9)}
    table = cm.compare(options, replace(ONE, usd_per_failure=1.0), STILL, draws=5)
    assert table["to_pay"].to_dict() == pytest.approx({"good": 360.0, "bad": 36.0})
    assert table["wrong_answers"].to_dict() == pytest.approx({"good": 3_600.0, "bad": 7_200.0})
    assert table["per_accepted"]["bad"] == pytest.approx(36 / 28_800)
    assert table["p_cheapest"]["good"] == 1 == table["p_least_to_pay"]["bad"]


# -- what is said ----------------------------------------------------------------------------------


def test_a_part_of_a_study_says_so():
    whole = cm.Study(
        {label: buys(usd, 0.9) for label, usd in zip("abcde", range(1, 6), strict=True)}, ONE, STILL
    ).changed(draws=20)
    part = whole.only("b", "d", "e")
    assert part.part and not whole.part and not whole.only(*whole.options).part
    assert part.only("d", "e").part_of == tuple("abcde")
    assert "among these three options, b has the lowest" in cm.recommend(part).headline
    assert "among these" not in cm.recommend(whole).headline
    nobody = cm.recommend(part, quality_floor=0.95)
    assert nobody.headline.startswith("Do not choose yet: among these three options, ")


def test_what_leads_in_present_value_alone_is_said_to():
    """1,030 in equal months beside 1,000 at once: at 10 % a year the later ones are worth less."""
    terms = replace(STILL, discount_rate=0.1, months=24)
    late = cm.Option(api(accepted=0.8, **FREE), Buy(1_030 / 24, monthly()))
    options = {"late": late, "now": buys(1_000.0, 0.8)}
    study = cm.Study(options, ONE, terms, draws=20)
    said = cm.recommend(study)
    assert said.best == "late" and said.table["expected"].idxmin() == "now"
    assert "late has the lowest expected cost in present value: about USD 42.9" in said.headline
    (beside,) = (x for x in said.points if x.startswith("In present value, which ranks"))
    ahead = said.table["present_value"]["now"] - said.table["present_value"]["late"]
    assert f"late costs USD {ahead:.1f} less than now over 24 months" in beside
    assert "added up it costs USD 1.25 a month more, because" in beside
    floored = study.changed(quality_floor=0.9)  # nobody reaches it
    near = {**options, "late": replace(late, serving=api(accepted=cm.Range(0.7, 0.95), **FREE))}
    near["now"] = buys(1_000.0, cm.Range(0.7, 0.95))
    nobody = cm.recommend(floored.changed(options=near, draws=200), pilots=False)
    assert "late has the lowest expected cost in present value, about" in nobody.headline
    dear = cm.recommend(study.changed(options={**options, "late": buys(1_030.0, 0.8)}))
    assert dear.best == "now" and "present value" not in dear.sentence


def test_points_speak_of_the_options_that_the_headline_compares():
    """What costs less and comes nowhere near the floor is no answer at any price."""
    near = cm.Range(0.55, 0.75, name="near")
    options = {"bad": buys(10.0, 0.2), "a": buys(30_000.0, near), "b": buys(40_000.0, near)}
    work = replace(ONE, usd_per_failure=0.4)
    study = cm.Study(options, work, STILL, draws=200, quality_floor=0.65)
    said = cm.recommend(study, pilots=False)
    assert said.best is None and said.named == "a" and said.table.index[0] == "bad"
    assert "a has, of what comes near, the lowest expected cost at any price" in said.points[-1]
    assert "bad" not in said.sentence


def test_two_that_change_places_within_a_few_percent_are_said_to_cost_nearly_the_same():
    """The curves hold b at the mean of the price; the table, which counts all draws, has a."""
    prices = pd.DataFrame(
        {
            "option": ["a", "b"],
            "from": [0.0, 0.3],
            "to": [0.3, np.inf],
            "holds_yours": [False, True],
        }
    )
    prices.attrs["yours"] = (0.2, 0.3, 0.5, 0.32)
    for behind, words in ((101.0, "b costs nearly the same as a."), (200.0, "a is best only")):
        table = pd.DataFrame({"present_value": [100.0, behind]}, ["a", "b"])
        assert words in verdict._stays(prices, cm.Study({"a": buys(1.0)}, ONE, STILL), table, "a")


def test_a_price_that_rises_with_wages_says_that_it_is_an_average():
    options = {"a": buys(10.0, 0.8), "b": buys(20.0, 0.9)}
    work = replace(ONE, usd_per_failure=0.4)
    still = cm.recommend(options, work, STILL, draws=20)
    assert still.cards[1][2].endswith("USD 0.40 each")
    rising = replace(STILL, trends=replace(STILL.trends, labour=0.05))
    grown = cm.recommend(options, work, rising, draws=20)
    assert grown.cards[1][2].endswith("USD 0.43 each on average over the months")
    little = replace(STILL, trends=replace(STILL.trends, labour=0.005))
    assert cm.recommend(options, work, little, draws=20).cards[1][2].endswith("USD 0.40 each")


def test_a_chance_just_below_what_is_asked_for_does_not_read_as_much():
    """199 of 250 draws reach 60 %: 79.6 %, in the sentence, the card and both tables."""
    options = {"near": buys(10.0, cm.Range(0.5, 0.9)), "sure": buys(20.0, 0.9)}
    study = cm.Study(options, ONE, STILL, draws=250, quality_floor=0.6)
    chance = cm.compare(study)["p_reaches"]["near"]
    near = study.changed(confidence=chance + 0.001)
    assert f"{100 * chance:.0f}" == f"{100 * near.confidence:.0f}" and chance % 0.01
    said, just = cm.recommend(near, pilots=False), f"{100 * chance:.1f} %"
    assert said.best == "sure" and f"to reach 60 % is {just}, less than the " in said.sentence
    nobody = cm.recommend(near.only("near"), pilots=False)
    assert nobody.cards[3][1] == just and f"is only {just}" in nobody.headline
    assert just in comparison(said.table, near) and just in str(cm.report.show(said.table))


def test_labels_with_commas_stand_in_quotes_and_one_comma_parts_all():
    equal = {label: buys(10.0, 0.9) for label in ("a", "b, c", "d", "e")}
    said = cm.recommend(equal, ONE, STILL, draws=20).headline
    assert said.endswith('; "b, c", d and e are as good, within 5 %.')


def test_where_nothing_is_sure_to_run_no_option_is_chosen():
    """A limit that the busiest hour breaks in half of the draws."""
    narrow = replace(api(**{"in": 1.0, "out": 1.0}), tokens_per_min_max=240_000)
    work = cm.Workload(1e6, input_tokens=1_000, output_tokens=10)
    options = {"a": cm.Option(narrow), "b": cm.Option(narrow, Buy(9))}
    said = cm.recommend(options, work, STILL)
    assert said.best is None and said.named == "a" and 0 < said.table["p_reaches"]["a"] < 0.8
    assert said.headline.startswith("Do not choose yet: no option is 80 % sure to run; a, at ")
    assert cm.recommend(options, work, STILL, confidence=0.3).best == "a"
    floor = cm.recommend(options, work, STILL, quality_floor=0.3)  # nothing that a pilot can judge
    assert floor.best is None and "chance to reach your 30 % is only" in floor.headline
    sure = cm.Option(api("sure", **{"in": 2.0, "out": 2.0}))
    seldom = cm.recommend(
        {**options, "sure": sure}, replace(work, usd_per_failure=0.5), STILL, confidence=0.3
    )  # what seldom runs is on no curve of the prices of a wrong answer
    assert seldom.best == "a" and "at no price of a wrong answer" not in seldom.sentence


def test_where_no_quality_is_known_a_floor_has_no_answer():
    seats = {label: cm.Option(cm.finance.Seats(n, 1.0)) for n, label in enumerate("ab", 1)}
    said = cm.recommend(seats, ONE, STILL, draws=20, quality_floor=0.6)
    assert said.best is None and said.named == "a" and said.leaders == ["a", "b"]
    assert "the quality of no option is known" in said.headline
    assert said.cards[3] == ("Chance to reach 60 %", "not known", "80 % is asked for")


@pytest.mark.parametrize(
    ("share", "floor", "words"),
    [
        (cm.Range(0.5, 0.9), 0.72, "x has the lowest expected cost, about USD 2.78 a month"),
        (
            cm.Range(0.4, 0.8),
            0.70,
            "your 70 % is only 26 %; judge 200 answers of x first, for some",
        ),
        (cm.Range(0.5, 0.7), 0.69, "your 69 % is only 7 %; probably no option reaches it"),
        (cm.Range(0.3, 0.4), 0.90, "no option is likely to reach your 90 %; the nearest, x, has"),
    ],
)
def test_how_near_the_nearest_is_decides_the_words(share, floor, words):
    said = cm.recommend({"x": buys(100.0, share)}, ONE, STILL, draws=500, quality_floor=floor)
    assert said.best is None and words in said.headline


# -- crossings -------------------------------------------------------------------------------------

PAIRS = [
    ("support_assistant", "RAG", "Prompt", "requests_per_month"),
    ("support_assistant", "GraphRAG", "Distilled", "requests_per_month"),
    ("support_assistant", "RAG", "Few-shot", "usd_per_failure"),
    ("own_gpus", "API", "Own base load + API", "requests_per_month"),
    ("own_gpus", "API", "Own GPUs by the hour", "requests_per_month"),
    ("document_extraction", "Prompt", "Managed fine-tune", "requests_per_month"),
]


@pytest.mark.parametrize(("name", "first", "second", "over"), PAIRS)
def test_at_a_crossing_all_draws_cost_the_same_on_average(name, first, second, over):
    study = cm.load(name).only(first, second)
    found = cm.breakeven(study, over=over)["crossing"].dropna()
    assert len(found)
    for at in found:
        usd = totals(study, study.draws, {over: [at]}, discounted=True)
        assert np.mean(usd[first]) == pytest.approx(np.mean(usd[second]), rel=1e-3)


def test_a_flip_is_where_the_other_becomes_the_best():
    study = cm.load("document_extraction")
    flips = cm.recommend(study).flips
    assert list(flips.columns) == ["option", "over", "crossing", "below", "above"] and len(flips)
    best = cm.recommend(study, flips=False).best
    for flip in flips.itertuples():
        assert best in (flip.below, flip.above) and flip.option in (flip.below, flip.above)
        usd = totals(study, study.draws, {flip.over: [flip.crossing]}, discounted=True)
        assert np.mean(usd[best]) == pytest.approx(np.mean(usd[flip.option]), rel=0.02)
        for factor, cheaper in ((0.8, flip.below), (1.25, flip.above)):
            work = replace(study.work, requests_per_month=factor * flip.crossing)
            worth = cm.compare(study.only(best, flip.option), work=work)["present_value"]
            assert worth[cheaper] < 1.02 * worth.min()  # nearly parallel curves cross anywhere


def test_recommend_evaluates_half_as_many_rows_again_as_compare_at_most(monkeypatch):
    rows, answer = [], plans.Question.answer

    def counted(question, arrays):
        options, _, _ = question.slots.things
        rows.append(len(arrays[0]) * len(options))
        return answer(question, arrays)

    monkeypatch.setattr(plans.Question, "answer", counted)
    study = cm.load("support_assistant", confidence=0.0)
    left_out = ("Small model + RAG", "RAG", "Long context + cache", "LoRA", "Cascade")
    labels = [label for label in study.options if label not in left_out]
    ten, again = (study.only(*labels) for _ in range(2))
    assert len(labels) == 10
    cm.compare(ten)
    compared = sum(rows)
    rows.clear()
    assert len(cm.recommend(again).flips) >= 1
    assert 100_000 <= compared < sum(rows) <= 1.5 * compared


def test_an_effect_moves_the_chance_to_reach_the_floor():
    """Better by log-odds of 1: 0.6 becomes 0.80, so it reaches 0.7 in every draw."""
    options = {"plain": buys(1.0, 0.6), "better": buys(2.0, 0.6, Better(1.0))}
    table = cm.compare(options, ONE, STILL, draws=20, quality_floor=0.7)
    assert table["p_reaches"].to_dict() == {"better": 1.0, "plain": 0.0}
    assert table["quality"]["better"] == pytest.approx(1 / (1 + np.exp(-1) * 0.4 / 0.6))
