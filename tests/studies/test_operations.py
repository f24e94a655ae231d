"""Operations: sample sizes of the textbooks, closed forms of losses, lines worked out by hand, what
stays unpriced.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import STAFFED as TERMS
from toys import Buy, api, lines, total

import costmodel as cm
from costmodel.choices.techniques.release import POLICIES
from costmodel.core.nested import key_of, pin, walk
from costmodel.core.ranges import Doubt
from costmodel.decisions.simulate import totals
from costmodel.laws import experiments
from costmodel.ledgers.evidence import Evidence

SERVING = api(**{"in": 2.0, "out": 10.0, "cache_read": 0.2, "cache_write": 2.5}, accepted=0.8)
JUDGE = api("judge", **{"in": 1.0, "out": 4.0})
WORK = cm.Workload(
    730_000,
    instruction_tokens=1_000,
    input_tokens=1_000,
    output_tokens=200,
    corpus=cm.Corpus(tokens=9e6, churn_per_month=0.1),
    usd_per_failure=0.5,
)
DAILY = 730_000 / (730 / 24)  # 24,000
OPERATIONS = (cm.Evals(), cm.Release(), cm.Monitoring(), cm.Upgrades(), cm.Compliance())


def bill(*techniques, serving=SERVING, work=WORK):
    """{item: (quantity, USD per unit)} of everything that techniques buy."""
    return {
        line.item: (pytest.approx(line.quantity), pytest.approx(line.usd_per_unit))
        for line in lines(cm.Option(serving, *techniques), work, TERMS)
    }


# -- sample sizes ----------------------------------------------------------------------------------

# (first, second, power, alpha, sides) -> answers of each version, by statsmodels 0.15.0:
# ceil(samplesize_proportions_2indep_onetail(first - second, second, power, 1, alpha, 0, "two-sided"
# or "larger"))
STATSMODELS = {
    (0.80, 0.65, 0.80, 0.05, 2): 138,
    (0.80, 0.75, 0.80, 0.05, 2): 1_094,
    (0.50, 0.60, 0.80, 0.05, 2): 388,
    (0.80, 0.65, 0.80, 0.05, 1): 109,
    (0.92, 0.90, 0.90, 0.01, 2): 6_091,
    (0.80, 0.65, 0.90, 0.05, 2): 185,
    # from 0.3 to 0.97 less 0.01, 0.05 and 0.2, at a power of 0.8 and 5 %, then 0.95 and 1 %
    (0.30, 0.29, 0.80, 0.05, 2): 32_647,
    (0.30, 0.29, 0.95, 0.01, 2): 74_095,
    (0.30, 0.25, 0.80, 0.05, 2): 1_251,
    (0.30, 0.25, 0.95, 0.01, 2): 2_838,
    (0.30, 0.10, 0.80, 0.05, 2): 62,
    (0.30, 0.10, 0.95, 0.01, 2): 140,
    (0.60, 0.59, 0.80, 0.05, 2): 37_827,
    (0.60, 0.59, 0.95, 0.01, 2): 85_852,
    (0.60, 0.55, 0.80, 0.05, 2): 1_534,
    (0.60, 0.55, 0.95, 0.01, 2): 3_480,
    (0.60, 0.40, 0.80, 0.05, 2): 97,
    (0.60, 0.40, 0.95, 0.01, 2): 220,
    (0.90, 0.89, 0.80, 0.05, 2): 14_751,
    (0.90, 0.89, 0.95, 0.01, 2): 33_479,
    (0.90, 0.85, 0.80, 0.05, 2): 686,
    (0.90, 0.85, 0.95, 0.01, 2): 1_556,
    (0.90, 0.70, 0.80, 0.05, 2): 62,
    (0.90, 0.70, 0.95, 0.01, 2): 140,
    (0.97, 0.96, 0.80, 0.05, 2): 5_301,
    (0.97, 0.96, 0.95, 0.01, 2): 12_030,
    (0.97, 0.92, 0.80, 0.05, 2): 326,
    (0.97, 0.92, 0.95, 0.01, 2): 738,
    (0.97, 0.77, 0.80, 0.05, 2): 44,
    (0.97, 0.77, 0.95, 0.01, 2): 98,
}


@pytest.mark.parametrize(("case", "samples"), STATSMODELS.items(), ids=str)
def test_sample_sizes_are_those_of_statsmodels_to_the_unit(case, samples):
    assert cm.operations.samples_per_arm(*case) == samples


@settings(max_examples=60)
@given(st.floats(0.3, 0.95), st.floats(0.02, 0.2), st.floats(0.55, 0.99), st.sampled_from([1, 2]))
def test_that_many_samples_have_that_power_and_one_less_has_not(first, gap, power, sides):
    n = cm.operations.samples_per_arm(first, first - gap, power, 0.05, sides)
    assert cm.operations.chance_to_detect(n, first, first - gap, 0.05, sides) >= power - 1e-9
    assert (
        n == 1
        or cm.operations.chance_to_detect(n - 1, first, first - gap, 0.05, sides) < power + 1e-9
    )


def test_no_number_of_samples_tells_equal_shares_apart():
    assert cm.operations.samples_per_arm(0.8, 0.8) == np.inf


def test_a_judge_who_agrees_in_85_percent_needs_twice_the_answers():
    """A difference shrinks by 2 x 0.85 - 1 = 0.7, and answers grow by about its square."""
    seen = cm.operations.samples_per_arm(
        cm.operations.through_judge(0.8, 0.85), cm.operations.through_judge(0.7, 0.85)
    )
    assert seen / cm.operations.samples_per_arm(0.8, 0.7) == pytest.approx(1 / 0.7**2, rel=0.3)
    assert cm.operations.runs_to_see(0.05, 0.15, agreement=0.85) == pytest.approx(
        cm.operations.runs_to_see(0.05, 0.15) / 0.49, abs=1.5
    )


# -- thresholds, and no way back -------------------------------------------------------------------


def test_a_threshold_is_crossed_by_the_mean_of_the_answers():
    """Against 20,000 means of 400 answers of a rise of 8 points on a spread of 50."""
    means = np.random.default_rng(1).normal(0.08, 0.5 / np.sqrt(400), 20_000)
    chance = float(experiments.chance_to_cross(0.08, 0.05, 0.5, 400))
    assert chance == pytest.approx((means > 0.05).mean(), abs=0.01)


GATED = cm.Release(
    policy="canary",
    latency_threshold=0.4,
    refusal_threshold=0.05,
    shows_in_latency=0.1,
    shows_in_refusals=0.2,
)


def found(release, name, work=WORK):
    """A number of a release on the workload."""
    option = cm.uncertainty.middle(cm.Option(SERVING, release))
    case = option.case(cm.uncertainty.middle(work), TERMS)
    return float(getattr(option.techniques[0], name)(case))


def test_thresholds_see_the_regressions_that_show_there():
    """Seven in ten show in neither; the others are seen in every answer."""
    plain = replace(GATED, latency_threshold=None, refusal_threshold=None)
    sure = replace(GATED, latency_rise=9.0, refusal_rise=0.9)
    assert found(sure, "slips") == pytest.approx(0.7 * found(plain, "slips"))
    assert found(plain, "slips") > found(GATED, "slips") >= found(sure, "slips")
    assert found(plain, "exposed") > found(GATED, "exposed")


def test_a_low_threshold_stops_good_releases():
    hours = [
        bill(replace(GATED, refusal_threshold=at))["roll back and find the layer"][0].expected
        for at in (None, 0.05, 0.0005)
    ]
    assert hours[0] == pytest.approx(hours[1], rel=0.2) and hours[2] > 1.5 * hours[1]


def test_without_a_rollback_a_bad_release_stays_until_it_is_mended():
    back = cm.Release(policy="none", days_unseen=28, repair_days=5)
    stays = replace(back, rollback=False)
    assert found(back, "exposed") == 28 and found(stays, "exposed") == 33
    canary = cm.Release(policy="canary", repair_days=5)
    flags, none = bill(canary), bill(replace(canary, rollback=False))
    assert {*flags} - {*none} == {"set and remove flags", "flag service"}
    weeks = cm.Release.incident_weeks.mid * 40
    bad = cm.Release.releases_per_month.mid * cm.Release.regression_chance.mid
    assert none["firefight what reached everybody"][0] == bad * weeks
    assert flags["firefight what reached everybody"][0].expected < bad * weeks


def test_releases_of_your_own_are_compared_by_name():
    named = {"with thresholds": GATED, "no way back": replace(GATED, rollback=False)}
    option = cm.Option(SERVING)
    table = cm.operations.release_policies(option, WORK, policies=named, draws=50)
    assert {*table["policy"]} == {"none", *named}
    assert table.set_index("policy")["usd_saved"]["none"] == 0
    with pytest.raises(ValueError, match="policies: canary"):
        cm.operations.release_policies(option, WORK, policies={"canary": "canary"})


# -- secrets and poisoned documents ----------------------------------------------------------------


def test_secrets_and_poisoned_documents_are_expected_losses_that_guards_stop():
    rules = {"leaks_per_year": 0.12, "usd_per_leak": 50_000, "stopped": 0.75, "guard_hours": 3}
    rules |= {"poisonings_per_year": 0.24, "usd_per_poisoning": 10_000}
    none, both = (bill(cm.Compliance(**rules, guarded=g)) for g in ("none", "secrets, documents"))
    assert none["secrets that leak"] == (0.01, 50_000)
    assert both["secrets that leak"] == (0.01 * 0.25, 50_000)
    assert none["poisoned documents"] == (0.02, 10_000)
    assert both["poisoned documents"] == (0.02 * 0.25, 10_000)
    assert both["guard secrets and documents"][0] == 6
    assert "guard secrets and documents" not in none
    bare = bill(cm.Compliance(**rules), work=replace(WORK, corpus=None))
    assert "poisoned documents" not in bare
    with pytest.raises(cm.facts.CatalogError, match=r"no guard 'keys' in Compliance\.guarded"):
        cm.Compliance(guarded="keys")


def test_a_bill_without_rules_names_secrets_and_documents():
    row = cm.operations.unpriced(cm.Option(SERVING), WORK, TERMS).set_index("operation")
    row = row.loc["Compliance"]
    losses = [0.05 * 250_000, 0.1 * 40_000, 0.05 * 20_000]
    assert (
        row.usd_per_year == pytest.approx(sum(losses)) and "secrets that leak 4,000 USD" in row.why
    )


# -- expected loss ---------------------------------------------------------------------------------


def test_the_expected_loss_is_a_product():
    """P(regression) x exposed share x time to detect x failures more x cost of one."""
    assert cm.operations.expected_loss(0.08, 0.05 * 2, 24_000, 0.10, 0.5) == pytest.approx(
        0.08 * 0.05 * 2 * 24_000 * 0.10 * 0.5
    )


def test_a_rollout_in_closed_form():
    """Unseen everywhere: every stage, then the days after; seen for sure in the first: that stage
    alone; by halves: half of the rest.
    """
    shares, days = (0.01, 0.05, 0.20, 0.50), (1.5,) * 4
    assert cm.operations.exposed_days(shares, days, (0.0,) * 4, 28) == pytest.approx(
        1.5 * 0.76 + 28
    )
    assert cm.operations.exposed_days(shares, days, (1.0, 0, 0, 0), 28) == pytest.approx(0.015)
    assert cm.operations.exposed_days(shares, days, (0.5,) * 4, 28) == pytest.approx(
        1.5 * (0.01 + 0.05 / 2 + 0.20 / 4 + 0.50 / 8) + 28 / 16
    )
    assert cm.operations.exposed_days((), (), (), 28) == 28


def test_the_line_of_bad_releases_is_that_closed_form():
    release = cm.uncertainty.middle(
        cm.Release(
            policy="canary",
            releases_per_month=2,
            regression_chance=0.1,
            drop=0.1,
            accepted_before=0.8,
            days_unseen=28,
            outcome_share=0.05,
        )
    )
    quantity, usd = bill(release)["bad releases"]
    days = 1.5
    chances = [
        experiments.chance_to_detect(DAILY * days * share * 0.05, 0.8, 0.7)
        for share in release.shares
    ]
    reach, unseen = 0.0, 1.0
    for share, chance in zip(release.shares, chances, strict=True):
        reach, unseen = reach + share * days * unseen, unseen * (1 - chance)
    assert quantity == pytest.approx(2 * 0.1 * (reach + unseen * 28) * DAILY * 0.1) and usd == 0.5


# -- evaluation ------------------------------------------------------------------------------------


def test_a_judge_no_better_than_a_coin_does_not_ask_for_millions_of_runs():
    """Agreement is 70 to 95 %; a draw near 50 % would need 1 / (2 a - 1)^2 runs, and own the whole
    variance of a total.
    """
    assert cm.Evals(spread=0.05, effect=0.05, agreement=0.501, repeats_max=30).repeats == 30
    assert cm.Evals(spread=0.05, effect=0.05, agreement=1.0, repeats_max=1).repeats == 1
    drawn = cm.uncertainty.sample(cm.Evals(), 10_000).repeats
    assert drawn.max() < 300 and np.median(drawn) == cm.uncertainty.middle(cm.Evals()).repeats


def test_noise_multiplies_the_runs_of_the_whole_set_and_not_the_smoke_set():
    """15 points between the best and the worst of ten runs, a fall of five points to see: 12 runs
    of each case.
    """
    evals = cm.Evals(
        items=300,
        runs_per_month=4,
        smoke_items=100,
        changes_per_week=7,
        effect=0.05,
        spread=0.15,
        agreement=1.0,
    )
    quantity, usd = bill(evals)["evaluation runs: output"]
    changes = 7 * 730 / 24 / 7
    assert quantity == pytest.approx((300 * 4 * 12 + 100 * changes) * 200 / 1e6) and usd == 10.0


def test_developers_wait_and_experts_write_answers():
    found = bill(cm.Evals(items=300, minutes_per_case=5, changes_per_week=7, wait_minutes=6))
    assert found["write the reference answers"] == (25.0, 60.0)
    assert found["wait at the gate"] == (730 / 24 * 6 / 60, 100.0)


# -- monitoring ------------------------------------------------------------------------------------


def test_drift_is_seen_by_who_has_enough_answers_first():
    watch = cm.uncertainty.middle(
        cm.Monitoring(
            judge_share=0.01,
            drop=0.1,
            accepted_before=0.8,
            agreement=1.0,
            reviews_per_month=0,
            days_unseen=28,
        )
    )
    case = cm.Option(SERVING, watch).case(cm.uncertainty.middle(WORK), TERMS)
    assert watch.detection_days(case) == pytest.approx(
        cm.operations.samples_per_arm(0.8, 0.7, sides=1) / (DAILY * 0.01)
    )
    assert replace(watch, judge_share=0.0).detection_days(case) == 28
    readers = replace(watch, judge_share=0.0, reviews_per_month=730 / 24 * 50)
    assert readers.detection_days(case) == pytest.approx(
        cm.operations.samples_per_arm(0.8, 0.7, sides=1) / 50
    )


def test_drift_costs_failures_until_it_is_seen_and_repaired():
    watch = cm.Monitoring(
        judge_share=0,
        reviews_per_month=0,
        drifts_per_year=1.2,
        drop=0.1,
        days_unseen=20,
        reaction_days=5,
    )
    assert bill(watch)["drift that nobody has seen yet"] == (1.2 / 12 * 25 * DAILY * 0.1, 0.5)
    assert "drift that nobody has seen yet" not in bill(
        watch, work=replace(WORK, usd_per_failure=0.0)
    )


def test_people_and_a_judge_read_samples():
    found = bill(
        cm.Monitoring(
            reviews_per_month=150,
            minutes_per_review=2,
            judge_share=0.1,
            judge=JUDGE,
            verdict_tokens=100,
        )
    )
    assert found["read sampled answers"] == (5, 20.0) and found["production judge: output"] == (
        73_000 * 100 / 1e6,
        4.0,
    )


def test_a_store_holds_what_came_in_over_its_retention():
    """730,000 traces of 10 kB a month are 7.3 GB; kept for two months, 14.6 GB are paid."""
    assert bill(cm.Monitoring(kb_per_trace=10, retention_days=2 * 730 / 24, usd_per_gb_month=1.0))[
        "keep traces"
    ] == (14.6, 1.0)


# -- upgrades --------------------------------------------------------------------------------------


def test_an_announced_day_forces_the_first_move():
    """gpt-5-mini retires on 2026-12-11: the first month of this timeline, and 15 months after."""
    assert cm.facts.retirement("gpt-5-mini").retires == "2026-12-11"
    book = cm.ledger(
        cm.Option(cm.Api("gpt-5-mini", on="2026-11-20"), cm.Upgrades(every_months=15)),
        WORK,
        terms=TERMS,
    )
    moves = book[book["item"] == "forced model upgrade"]
    assert moves.month.to_list() == [1, 16, 31] and "on 2026-12-11" in moves.basis.iloc[0]
    asked = cm.ledger(
        cm.Option(SERVING, cm.Upgrades(every_months=15, retires="2027-03-31")), WORK, terms=TERMS
    )
    assert asked[asked["item"] == "forced model upgrade"].month.to_list() == [4, 19, 34]


def test_a_model_that_is_gone_is_refused():
    assert cm.facts.retirement("gpt-4.1-nano").retires == "2026-10-23"
    gone = cm.Option(cm.Api("gpt-4.1-nano", on="2026-10-01"), cm.Upgrades())
    assert "is retired on 2026-10-23" in cm.compare(gone, WORK, terms=TERMS, draws=2).why_not.item()


def test_forks_are_migrations_of_their_own():
    one, many = (
        bill(cm.Upgrades(weeks=1.5, prompts=n, fork_share=1.0 - 1e-9))["forced model upgrade"][0]
        for n in (1, 47)
    )
    assert one == 60 and many == pytest.approx(47 * 60)


def test_800_broken_cases_take_four_days():
    assert bill(cm.Upgrades(items=800))["re-anchor the evaluation"] == (32.0, 100.0)


def test_every_candidate_answers_the_golden_set_several_times():
    found = bill(cm.Upgrades(items=300, candidates=2, runs_per_candidate=3))
    assert found["try candidates: output"] == (300 * 2 * 3 * 200 / 1e6, 10.0)


def test_a_cache_is_warmed_again_only_where_there_is_one():
    upgrade = cm.Upgrades(cold_days=2, read_ratio=0.1)
    assert "warm the cache again: fresh input" not in bill(upgrade)
    assert bill(upgrade, cm.PromptCache(minimum_tokens=500))[
        "warm the cache again: fresh input"
    ] == (DAILY * 2 * 1_000 * 0.9 / 1e6, 2.0)


def test_an_alias_changes_silently_and_a_pinned_model_does_not():
    alias = cm.Upgrades(pinned=False, silent_per_year=2, drop=0.1, days_unseen=28)
    assert bill(alias)["silent changes behind an alias"] == (2 / 12 * 28 * DAILY * 0.1, 0.5)
    assert "silent changes behind an alias" not in bill(cm.Upgrades())


def test_falling_behind_waiting_and_giving_up_have_a_price():
    assert cm.operations.overpaid_share(0.35, 12) == pytest.approx(0.35)
    assert cm.operations.gain_of_waiting(
        60_000, 4_000, 6_000, 0
    ) == 0 and cm.operations.gain_of_waiting(
        60_000, 4_000, 3_000, 6
    ) > 0 > cm.operations.gain_of_waiting(10_000, 4_000, 9_000, 6)
    assert (
        cm.operations.gain_of_waiting(16_000, 0, 0, 3, discount_rate=0.0, superfluous=1.0) == 16_000
    )  # eight engineer-weeks that one parameter replaces


def test_waiting_puts_off_the_build_and_saves_its_interest():
    """$12,000 once and $1,000 a month at 10 % a year: a year later the build costs 12,000 / 1.1, so
    a month must be worth what it costs and that gain.
    """
    option, terms = (
        cm.Option(api(**{"in": 1.0, "out": 0.0}), Buy(12_000)),
        replace(TERMS, discount_rate=0.10),
    )
    row = cm.operations.putting_off(
        option, cm.Workload(1_000_000, input_tokens=1_000), (12,), terms=terms
    ).iloc[0]
    saved = 12_000 * (1 - 1 / 1.1)
    assert row.usd_saved == pytest.approx(saved) and row.per_month == pytest.approx(
        1_000 + saved / 12
    )
    assert row.overpaid == pytest.approx(cm.facts.practice("api.api_price_fall").mid)
    with pytest.raises(ValueError, match=r"months is \(0.0, 0.0\), allowed is at least 0.1"):
        cm.operations.putting_off(option, WORK, (0,), terms=terms)


# -- release ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_runs_and_buys_what_it_names(policy):
    found = bill(cm.Release(policy=policy, judge=JUDGE))
    assert ("shadow: the candidate answers too: output" in found) is ("shadow" in policy)
    assert ("replay: the candidate answers too: output" in found) is ("replay" in policy)
    assert ("watch the canary" in found) is ("canary" in policy)
    assert ("design and read A/B tests" in found) is ("A/B" in policy)
    assert "bad releases" in found and ("flag service" in found) is (policy != "none")


def test_a_step_and_a_stage_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="canary"):
        cm.Release(policy="cannary")
    with pytest.raises(ValueError, match=r"Release\.stages is"):
        cm.Release(stages=(0.5, 0.2))
    with pytest.raises(ValueError, match="must be shares"):
        cm.Release(stages="one, two")
    assert cm.Release(stages=(0.1, 0.5)) == cm.Release(stages="0.1, 0.5")


WRONG = {
    "Release.policy is None, allowed are replay, shadow, canary, A/B, joined by": lambda: (
        cm.Release(policy=None)
    ),
    "Release.policy is 'canary \\+ canary', each step may stand in it once": lambda: cm.Release(
        policy="canary + canary"
    ),
    "no step 'none' in Release.policy 'none \\+ canary'; known: A/B, canary": lambda: cm.Release(
        policy="none + canary"
    ),
    "Release.stages is empty, a canary needs stages": lambda: cm.Release(stages=()),
    "Release.stages is 0.5, it must be shares": lambda: cm.Release(stages=0.5),
    "Release.layers is 7, allowed is between 1 and 6": lambda: cm.Release(layers=7),
    "Release.separate is 'no', allowed are True and False": lambda: cm.Release(separate="no"),
    "Release.candidate is 'gpt-6-luna', it must be a serving": lambda: cm.Release(
        candidate="gpt-6-luna"
    ),
    "Evals.judge is a Option, it must be a serving": lambda: cm.Evals(judge=cm.Option(JUDGE)),
    "Evals.agreement is 0.5, allowed is between 0.501 and 1": lambda: cm.Evals(agreement=0.5),
    "Evals.effect is 0, allowed is between 1e-06 and 1": lambda: cm.Evals(effect=0),
    "Evals.items is an empty array": lambda: cm.Evals(items=np.array([])),
    "Monitoring.agreement is 0.3": lambda: cm.Monitoring(agreement=0.3),
    "Upgrades.retires is 'soon', it must be a day": lambda: cm.Upgrades(retires="soon"),
    "Upgrades.pinned is None, allowed are True and False": lambda: cm.Upgrades(pinned=None),
    "Upgrades.prompts is 0, allowed is at least 1": lambda: cm.Upgrades(prompts=0),
    "Compliance.redacted is None, allowed are prompts, chunks, logs": lambda: cm.Compliance(
        redacted=None
    ),
    "Compliance.counsel is 3, it must be an id such as": lambda: cm.Compliance(counsel=3),
    "Compliance.region is 7, it must be a region": lambda: cm.Compliance(region=7),
    "Compliance.chars_per_s is 0, allowed is at least 1e-06": lambda: cm.Compliance(chars_per_s=0),
    "release is 'canary', it must be Release": lambda: cm.operations.release_policies(
        cm.Option(SERVING), WORK, "canary"
    ),
    "best_policy: usd_per_failure is empty": lambda: cm.operations.best_policy(
        cm.Option(SERVING), WORK, [1e4], []
    ),
    "release policies are for an option in which a model answers": lambda: (
        cm.operations.release_policies(cm.Option(cm.finance.Staff(minutes_per_request=4)), WORK)
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_meant_is_one_sentence(message):
    with pytest.raises(ValueError, match=message):
        WRONG[message]()


def test_one_policy_may_be_asked_for_by_its_name_and_texts_as_a_list():
    assert set(
        cm.operations.release_policies(
            cm.Option(SERVING), WORK, terms=TERMS, policies="canary", draws=20
        ).policy
    ) == {"none", "canary"}
    assert cm.Compliance(redacted=("prompts", "logs")) == cm.Compliance(redacted="prompts, logs")


def test_people_have_no_operations_to_leave_out():
    people = cm.Option(cm.finance.Staff(minutes_per_request=4))
    assert cm.operations.unpriced(people, WORK, TERMS).empty
    both = cm.operations.unpriced(cm.cascade(cm.Option(SERVING), people, 0.2), WORK, TERMS)
    assert both.operation.to_list() == [type(t).__name__ for t in OPERATIONS]
    with pytest.raises(
        cm.Infeasible, match="Upgrades need a model that a provider can retire; Staff has none"
    ):
        lines(cm.Option(people.serving, cm.Upgrades()), WORK, TERMS)


def test_a_scenario_file_holds_every_operation(tmp_path):
    techniques = (
        cm.Agent(cap_steps=40, compact_at=9_000),
        cm.Evals(items=100),
        cm.Release(policy="shadow + canary", stages=(0.1, 0.5)),
        cm.Monitoring(judge_share=0.02),
        cm.Upgrades(prompts=3, retires="2027-06-30", pinned=False),
        cm.Compliance(redacted="prompts", high_risk=True),
    )
    case = cm.load("support_assistant")
    option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-20", accepted=0.7), *techniques)
    cm.scenarios.save(replace(case, options={"mine": option}), tmp_path / "mine.yaml")
    again = cm.load(tmp_path / "mine.yaml")
    assert total(again.options["mine"], again.work, again.terms) == pytest.approx(
        total(option, case.work, case.terms)
    )


def test_more_steps_lose_less_and_the_first_look_is_the_cheapest_loss():
    table = cm.operations.release_policies(cm.Option(SERVING), WORK, terms=TERMS).set_index(
        "policy"
    )
    assert table.usd_loss.idxmax() == "none" and table.slips["none"] == 1
    assert (
        table.usd_loss["shadow + canary + A/B"]
        < table.usd_loss["shadow + canary"]
        < table.usd_loss["canary"]
        < table.usd_loss["none"]
    )
    assert list(table.usd_total) == sorted(table.usd_total) and table.usd_saved["none"] == 0
    assert table.p_cheapest.sum() == pytest.approx(1) and (table.p_cheapest >= 0).all()
    for policy, row in table.iterrows():
        months = replace(TERMS, months=60)
        yearly = (
            total(cm.Option(SERVING, cm.Release(policy=policy)), WORK, months)
            - total(cm.Option(SERVING), WORK, months)
        ) / 5
        assert row.usd_total == pytest.approx(yearly)


def test_the_cheapest_policy_depends_on_traffic_and_on_the_cost_of_a_failure():
    """Few requests show nothing and lose little: none. More of either: look before users do; much
    of both: stages too.
    """
    grid = cm.operations.best_policy(
        cm.Option(SERVING), WORK, [1e3, 1e5, 1e7], [0.01, 1.0, 10.0], terms=TERMS
    )
    assert len(grid) == 9 and (grid.usd_saved >= 0).all()
    at = grid.set_index(["requests_per_month", "usd_per_failure"]).policy
    assert at[1e3, 0.01] == "none" and at[1e5, 1.0] != "none" and "canary" in at[1e7, 10.0]
    for (requests, usd), policy in at.items():
        row = cm.operations.release_policies(
            cm.Option(SERVING),
            replace(WORK, requests_per_month=requests, usd_per_failure=usd),
            terms=TERMS,
        ).iloc[0]
        assert row.policy == policy


def test_layers_rolled_out_apart_take_a_rollout_each_and_have_one_suspect():
    """Six layers: six canaries instead of one, and one suspect instead of six."""
    whole, apart = (
        cm.uncertainty.middle(
            cm.Release(layers=6, separate=separate, releases_per_month=1, watch_hours=1)
        )
        for separate in (False, True)
    )
    assert bill(apart)["watch the canary"][0] == 6 * bill(whole)["watch the canary"][0].expected
    case = cm.Option(SERVING, whole).case(cm.uncertainty.middle(WORK), TERMS)
    assert apart.calendar_days(case) == 6 * whole.calendar_days(case) == 36
    none = {
        "policy": "none",
        "releases_per_month": 1,
        "regression_chance": 0.1,
        "rollback_hours": 2,
        "isolate_hours": 4,
        "layers": 6,
    }
    assert bill(cm.Release(**none))["roll back and find the layer"] == (0.1 * (2 + 6 * 4), 100.0)
    assert bill(cm.Release(**none, separate=True))["roll back and find the layer"] == (
        0.1 * (2 + 4),
        100.0,
    )


def test_monitoring_takes_a_bad_release_back_sooner():
    """Unwatched it is out for 28 days; a judge on a tenth of the traffic sees it within one, and
    people take three to react.
    """
    watch = cm.Monitoring(judge_share=0.10, reaction_days=3)
    release = cm.Release(policy="none", days_unseen=28)
    case = cm.Option(SERVING, *cm.uncertainty.middle((watch, release))).case(
        cm.uncertainty.middle(WORK), TERMS
    )
    days = cm.uncertainty.middle(release).days_after(case)
    assert 3 < days < 4 and days == pytest.approx(
        cm.uncertainty.middle(watch).detection_days(case, release.drop.mid) + 3
    )
    alone, watched = (
        bill(*techniques)["bad releases"][0].expected
        for techniques in ((release,), (watch, release))
    )
    assert watched / alone == pytest.approx(days / 28)


def test_the_bill_of_a_release_by_hand():
    """Two releases a month of three layers, shadowed for 14 days: 2 % of 24,000 x 14 x 2 answers
    are compared by a judge, who reads a rubric of 500 tokens, a question of 1,000 and two answers
    of 200.
    """
    release = cm.uncertainty.middle(
        cm.Release(
            policy="shadow + canary + A/B",
            releases_per_month=2,
            layers=3,
            flag_hours=0.5,
            analyst_hours=10,
            watch_hours=1,
            shadow_days=14,
            judged_share=0.02,
            rubric_tokens=500,
            verdict_tokens=120,
            judge=JUDGE,
            regression_chance=0.1,
            rollback_hours=2,
            isolate_hours=4,
            alpha=0.05,
            incident_weeks=1.5,
        )
    )
    found = bill(release)
    assert (
        found["design and read A/B tests"] == (20, 80.0)
        and found["set and remove flags"] == (3, 100.0)
        and found["watch the canary"] == (8, 100.0)
    )
    compared = 24_000 * 14 * 2 * 0.02
    assert found["shadow: judge: fresh input"] == (
        compared * (500 + 1_000 + 400) / 1e6,
        1.0,
    ) and found["shadow: judge: output"] == (compared * 120 / 1e6, 4.0)
    assert found["roll back and find the layer"] == (
        0.2 * (2 + 3 * 4) + 1.8 * 0.05 * 6 * 2,
        100.0,
    )  # shadow, four stages, A/B: six looks
    case = cm.Option(SERVING, release).case(cm.uncertainty.middle(WORK), TERMS)
    assert found["firefight what reached everybody"] == (
        0.2 * release.slips(case) * 1.5 * 40,
        100.0,
    )


def test_a_look_before_users_sees_what_shows_off_policy_with_the_power_of_its_sample():
    """A perfect judge on 24,000 x 14 x 0.0005 = 168 answers, and 80 % of the regressions show."""
    release = cm.uncertainty.middle(
        cm.Release(
            policy="shadow",
            shadow_days=14,
            judged_share=0.0005,
            shadow_sees=0.8,
            agreement=1.0,
            accepted_before=0.8,
            drop=0.1,
        )
    )
    case = cm.Option(SERVING, release).case(cm.uncertainty.middle(WORK), TERMS)
    assert release.slips(case) == pytest.approx(
        1 - 0.8 * cm.operations.chance_to_detect(168, 0.8, 0.7)
    )
    replay = replace(release, policy="replay", replay_share=0.0005)
    assert (
        replay.slips(case) == pytest.approx(release.slips(case)) and replay.calendar_days(case) == 0
    )


def test_an_ab_test_takes_the_days_of_its_power_calculation():
    release = cm.uncertainty.middle(
        cm.Release(
            policy="A/B", ab_effect=0.03, accepted_before=0.8, outcome_share=0.05, ab_days_most=90
        )
    )
    case = cm.Option(SERVING, release).case(cm.uncertainty.middle(WORK), TERMS)
    assert release.ab_days(case) == pytest.approx(
        cm.operations.samples_per_arm(0.8, 0.83) / (DAILY * 0.5 * 0.05)
    )
    assert replace(release, ab_days_most=2.0).ab_days(case) == 2.0


def test_a_day_of_waiting_can_be_priced():
    late = cm.Release(
        policy="shadow + canary",
        shadow_days=14,
        hours_per_stage=36,
        releases_per_month=2,
        usd_per_day_late=100,
    )
    assert bill(late)["changes that arrive late"] == (2 * 20, 100)


def test_a_release_serves_all_parts_of_a_mix_once():
    """A cascade: the candidate answers what each part sees, and users lose what they ask, not what
    is asked twice.
    """
    small, large = (
        api("small", **{"in": 1.0, "out": 1.0}, accepted=0.7),
        api("large", **{"in": 4.0, "out": 4.0}, accepted=0.9),
    )
    release = cm.uncertainty.middle(
        cm.Release(policy="shadow", releases_per_month=1, shadow_days=14, judge=JUDGE)
    )
    found = lines(
        cm.cascade(cm.Option(small, release), cm.Option(large, release), 0.25), WORK, TERMS
    )
    shadow = {
        line.usd_per_unit: line.quantity
        for line in found
        if line.item == "shadow: the candidate answers too: output"
    }
    assert shadow == {
        1.0: pytest.approx(DAILY * 14 * 200 / 1e6),
        4.0: pytest.approx(0.25 * DAILY * 14 * 200 / 1e6),
    }
    assert sum(line.item == "bad releases" for line in found) == 1


# -- compliance ------------------------------------------------------------------------------------


def test_texts_are_scanned_by_the_character():
    """730,000 prompts of 1,000 tokens at 4 characters, and logs of prompt and answer; the corpus
    once and a tenth a month.
    """
    found = bill(cm.Compliance(chars_per_token=4, usd_per_mchar=0.001))
    assert found["redact prompts"] == (730_000 * 1_000 * 4 / 1e6, 0.001)
    assert found["redact logs"] == (730_000 * 2_200 * 4 / 1e6, 0.001)
    assert found["redact the corpus"] == (36.0, 0.001) and found["redact what changed"] == (
        3.6,
        0.001,
    )
    assert not any(item.startswith("redact") for item in bill(cm.Compliance(redacted="none")))
    assert "redact logs" not in bill(cm.Compliance(redacted="prompts"))
    own = bill(cm.Compliance(chars_per_token=4, chars_per_s=29_000, usd_per_core_hour=0.05))
    assert own["redact prompts"] == (730_000 * 1_000 * 4 / 29_000 / 3_600, 0.05)
    with pytest.raises(ValueError, match="chunks"):
        cm.Compliance(redacted="chunk")


def test_an_incident_costs_its_probability_and_redaction_takes_its_recall_off():
    rules = {"incidents_per_year": 0.12, "usd_per_incident": 100_000, "recall": 0.8}
    assert bill(cm.Compliance(**rules))["incidents with personal data"] == (0.01 * 0.2, 100_000)
    assert bill(cm.Compliance(**rules, redacted="none"))["incidents with personal data"] == (
        0.01,
        100_000,
    )
    assert bill(cm.Compliance(**rules, redacted="prompts"))["incidents with personal data"] == (
        0.01 * (1 - 0.8 / 3),
        100_000,
    )  # chunks and logs are left
    with pytest.raises(ValueError, match="each kind of text may stand in it once"):
        cm.Compliance(redacted="logs, logs")


def test_a_service_scans_dearer_than_own_processors():
    own, service = (
        cm.Compliance(),
        cm.Compliance(usd_per_mchar=cm.facts.practice("comprehend.usd_per_mchar")),
    )
    assert total(cm.Option(SERVING, service), WORK) > total(cm.Option(SERVING, own), WORK)


def test_residency_holds_for_six_surfaces_or_the_option_cannot_run():
    there = cm.Compliance(region="eu", surfaces=6, hours_per_surface=10, usd_per_surface_month=50)
    with pytest.raises(cm.Infeasible, match=r"residency='eu'"):
        bill(there)
    eu = cm.Api("gpt-6.1-terra", residency="eu", on="2026-11-20")
    found = bill(there, serving=eu)
    assert found["move data to the region"] == (60, 100.0) and found["regional deployments"] == (
        6,
        50,
    )
    with pytest.raises(cm.Infeasible, match="answers in 'us'"):
        bill(there, serving=cm.Api("gpt-6.1-terra", residency="us", on="2026-11-20"))
    with pytest.raises(ValueError, match="surfaces is 7, allowed is between 0 and 6"):
        cm.Compliance(surfaces=7)


def test_the_duties_of_a_high_risk_system_fall_due_on_the_day_of_the_law():
    """2 December 2027 since the digital omnibus: month 13 from December 2026. As the law stood in
    2025 it was 2 August 2026.
    """
    book = cm.ledger(
        cm.Option(SERVING, cm.Compliance(high_risk=True, high_risk_weeks=10)), WORK, terms=TERMS
    )
    assert book[book["item"] == "duties of a high-risk system"].month.to_list() == [13]
    law = {
        on: cm.operations.duties(on).set_index("duty").applies["high_risk"]
        for on in ("2025-06-01", "2026-11-23")
    }
    assert law == {"2025-06-01": "2026-08-02", "2026-11-23": "2027-12-02"}
    assert cm.operations.duties("2026-11-23").set_index("duty").in_force["transparency"]


def test_audits_come_back_every_year_for_a_part():
    book = cm.ledger(
        cm.Option(SERVING, cm.Compliance(usd_per_audit=40_000, borne=0.1, renewal_share=0.5)),
        WORK,
        terms=TERMS,
    )
    assert book[book["item"] == "first audit"].usd.to_list() == [4_000]
    assert book[book["item"] == "renew the audit"][["month", "usd"]].values.tolist() == [
        [12, 2_000],
        [24, 2_000],
        [36, 2_000],
    ]


# -- what is not priced ----------------------------------------------------------------------------


def test_an_option_with_every_operation_leaves_nothing_out():
    table = cm.operations.unpriced(cm.Option(SERVING, *OPERATIONS), WORK, TERMS)
    assert list(table.columns) == ["operation", "risk", "usd_per_year", "why"] and table.empty


@pytest.mark.parametrize("left_out", OPERATIONS, ids=lambda t: type(t).__name__)
def test_each_operation_that_is_left_out_names_its_risk_in_dollars(left_out):
    option = cm.Option(SERVING, *(t for t in OPERATIONS if t is not left_out))
    row = cm.operations.unpriced(option, WORK, TERMS)
    assert (
        row.operation.to_list() == [type(left_out).__name__]
        and row.usd_per_year.item() > 0
        and row.why.item()
    )


def test_what_releases_without_discipline_cost_is_what_the_policy_none_prices():
    option = cm.Option(SERVING, *(t for t in OPERATIONS if not isinstance(t, cm.Release)))
    months = replace(TERMS, months=60)
    priced = total(
        cm.Option(SERVING, *OPERATIONS[:1], cm.Release(policy="none"), *OPERATIONS[2:]),
        WORK,
        months,
    ) - total(option, WORK, months)
    assert cm.operations.unpriced(option, WORK, TERMS).usd_per_year.item() == pytest.approx(
        priced / 5
    )


def test_the_share_that_an_evaluation_would_stop_is_yours_to_say():
    """Nine of ten stopped: without an evaluation ten times as many are released, nine of which it
    would have stopped.
    """
    option = cm.Option(SERVING, *(t for t in OPERATIONS if not isinstance(t, cm.Evals)))
    half, most = (
        cm.operations.unpriced(option, WORK, TERMS, stopped_share=share).usd_per_year.item()
        for share in (0.5, 0.9)
    )
    assert most == pytest.approx(9 * half)
    with pytest.raises(ValueError, match=r"stopped_share is 1, allowed is between 0 and 0\.999"):
        cm.operations.unpriced(option, WORK, TERMS, stopped_share=1)


def test_a_failure_that_costs_nothing_is_said():
    table = cm.operations.unpriced(cm.Option(SERVING), replace(WORK, usd_per_failure=0.0), TERMS)
    assert table[table.operation == "Release"].why.str.contains("usd_per_failure is 0").all()


def test_a_preset_and_a_mix_can_be_asked():
    options = cm.presets(WORK, on="2026-11-20")
    for label in ("RAG", "Cascade"):
        assert cm.operations.unpriced(options[label], WORK).operation.to_list() == [
            "Release",
            "Compliance",
        ]


# -- ranges and draws ------------------------------------------------------------------------------


def test_operations_meet_draws_and_grids():
    option = cm.Option(SERVING, cm.PromptCache(), cm.Rag(), *OPERATIONS)
    table = cm.compare(
        {"all": option, "shadow": cm.Option(SERVING, cm.Release(policy="shadow + canary + A/B"))},
        WORK,
        terms=TERMS,
        draws=200,
    )
    assert (
        np.isfinite(table[["expected", "base_case", "p10", "p90"]].to_numpy(float)).all()
        and (table.p10 < table.p90).all()
    )
    swept = cm.sweep(option, WORK, "regression_chance", [0.0, 0.1, 0.2], terms=TERMS)
    assert swept.present_value.is_monotonic_increasing


@pytest.mark.parametrize(
    "technique", [*OPERATIONS, cm.Agent(), cm.CodingAgent()], ids=lambda t: type(t).__name__
)
def test_any_range_of_an_operation_may_be_an_array(technique):
    """Each doubt alone as a column of two numbers gives what the two numbers give."""
    doubts = [
        (name, value)
        for owner, name, value in walk(technique)
        if isinstance(value, Doubt) and owner is technique and value.low < value.high
    ]
    work = replace(cm.uncertainty.middle(WORK), usd_per_failure=0.5)
    for name, value in doubts:
        ends = (value.low, value.high)
        apart = [
            total(cm.Option(SERVING, pin(technique, key, end)), work, TERMS)
            for key in [key_of(technique, name, value)]
            for end in ends
        ]
        study = cm.Study({"both": cm.Option(SERVING, technique)}, work, TERMS, accept_zero=None)
        both = totals(study, grid={f"{type(technique).__name__}.{name}": ends})["both"]
        assert both.tolist() == pytest.approx(apart), name


SWITCHED_ON = [  # what is off or a plain number by default
    (
        cm.Agent(),
        {
            "cap_steps": (20, 60),
            "schema_tokens": (500, 5_000),
            "subagents": (1, 4),
            "reviewed_share": (0.1, 0.5),
            "own_tries": (1, 3),
            "compact_at": (4_000, 20_000),
        },
    ),
    (
        cm.Release(policy="shadow + canary", usd_per_day_late=1),
        {"shadow_share": (0.1, 0.9), "alpha": (0.01, 0.1), "usd_per_day_late": (10, 100)},
    ),
    (cm.Monitoring(), {"trace_share": (0.1, 0.9)}),
    (cm.Upgrades(pinned=False), {"prompts": (2, 47), "silent_per_year": (1, 4)}),
    (cm.Compliance(high_risk=True), {"usd_per_mchar": (0.1, 0.9), "high_risk_weeks": (5, 20)}),
]


@pytest.mark.parametrize(
    ("technique", "name", "ends"),
    [(t, name, ends) for t, fields in SWITCHED_ON for name, ends in fields.items()],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_is_off_by_default_may_be_a_range(technique, name, ends):
    apart = [
        total(cm.Option(SERVING, replace(technique, **{name: end})), WORK, TERMS) for end in ends
    ]
    option = cm.Option(SERVING, replace(technique, **{name: cm.Range(*ends)}))
    study = cm.Study({"both": option}, cm.uncertainty.middle(WORK), TERMS, accept_zero=None)
    both = totals(study, grid={f"{type(technique).__name__}.{name}": ends})["both"]
    assert both.tolist() == pytest.approx(apart)
    assert np.isfinite(cm.compare(option, WORK, terms=TERMS, draws=50).p90.item())


def test_every_line_of_the_operations_cites_what_is_there():
    """Each {name} of a formula is filled in, and each cited input resolves."""
    eu = cm.Api("gpt-6.1-terra", residency="eu", on="2026-11-20", accepted=0.8)
    option = cm.Option(
        eu,
        cm.Rag(),
        cm.PromptCache(),
        cm.CodingAgent(cap_steps=90, compact_at=20_000, subagents=1),
        cm.Evals(),
        cm.Monitoring(),
        cm.Release(policy="replay + shadow + canary + A/B", usd_per_day_late=10),
        cm.Upgrades(pinned=False),
        cm.Compliance(region="eu", high_risk=True),
    )
    found = Evidence(option, WORK, TERMS)
    for line in lines(option, WORK, TERMS):
        assert "{" not in found.basis(line), line.item
        assert [key for key in line.cites if key not in found.values] == [], line.item


def test_a_bibliography_lists_what_a_report_cites_beside_its_lines():
    law = cm.operations.duties("2026-11-23")["source"]
    alone, more = (
        set(cm.ledgers.bibliography(cm.Option(SERVING, cm.Upgrades()), WORK, TERMS, more=ids)["id"])
        for ids in ((), (*law, "assumption"))
    )
    assert more - alone == set(law) == {"ai-act", "ai-omnibus"}
    with pytest.raises(
        ValueError, match=r"no source 'ai-akt' in sources\.csv; did you mean 'ai-act'"
    ):
        cm.ledgers.bibliography(cm.Option(SERVING), WORK, TERMS, more=["ai-akt"])
