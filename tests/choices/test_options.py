"""Workload, Option and Mix: how techniques compose, who pays for what, and what is refused."""

from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import pytest
from toys import ON, STILL, Better, Buy, api, lines, total

import costmodel as cm
from costmodel.choices.purchases import Traffic
from costmodel.choices.requests import Call, Segment
from costmodel.choices.schedule import monthly, with_demand
from costmodel.core.errors import CatalogError
from costmodel.facts.prices import rates

WORK = cm.Workload(1e6, instruction_tokens=600, input_tokens=900, output_tokens=250)
KNOWS = replace(WORK, corpus=cm.Corpus(tokens=4e6, churn_per_month=0.03))
SMALL = api("small", **{"in": 1.0, "out": 4.0}, accepted=0.6)
LARGE = api("large", **{"in": 10.0, "out": 40.0}, accepted=0.9)
EACH_SMALL = (1_500 * 1 + 250 * 4) / 1e6  # USD per request
EACH_LARGE = (1_500 * 10 + 250 * 40) / 1e6


# -- composing -------------------------------------------------------------------------------------


def test_the_order_of_shapes_does_not_matter():
    """Tiers and cache classes are resolved from the finished request, so every order of techniques
    costs the same."""
    serving = cm.Api("gpt-6.1-terra", on=ON)
    techniques = (
        cm.FewShot(examples=40),
        cm.PromptCache(),
        cm.Rag(),
        cm.LongContext(document_tokens=270_000),
    )
    costs = {
        round(total(cm.Option(serving, *order), KNOWS), 6) for order in permutations(techniques)
    }
    assert len(costs) == 1
    assert costs.pop() > total(cm.Option(serving, *techniques[:3]), KNOWS)


@dataclass(frozen=True)
class Reprice:
    """Adapts an Api: every price becomes price x factor + added."""

    factor: float = 1.0
    added: float = 0.0

    def adapt(self, serving):
        card = serving.model
        tier = replace(
            card.tiers[0], usd_per_mtok_in=card.tiers[0].usd_per_mtok_in * self.factor + self.added
        )
        return replace(serving, model=replace(card, tiers=(tier,)))


@pytest.mark.parametrize(
    ("techniques", "usd_per_mtok"),
    [
        ((Reprice(factor=2), Reprice(added=1)), 1.0 * 2 + 1),
        ((Reprice(added=1), Reprice(factor=2)), (1.0 + 1) * 2),
    ],
)
def test_adapts_apply_from_left_to_right(techniques, usd_per_mtok):
    case = cm.Option(SMALL, *techniques).case(WORK, STILL)
    assert rates(case.serving.model).usd_per_mtok_in == usd_per_mtok


@dataclass(frozen=True)
class Count:
    """Buys one line per token of the finished prompt, to show what a technique sees."""

    def buys(self, case):
        yield cm.ledgers.Line(
            "seen", "build", case.request.calls[0].prompt_tokens, "token", 1.0, cm.ledgers.once()
        )


def test_a_technique_sees_the_request_that_later_ones_have_shaped():
    option = cm.Option(SMALL, Count(), cm.FewShot(examples=4, tokens_per_example=100))
    (seen,) = [line.quantity for line in lines(option, WORK) if line.item == "seen"]
    assert seen == 600 + 900 + 400


# -- mixes -----------------------------------------------------------------------------------------


def tokens_at(option, usd_per_mtok):
    """Mtok a month that are bought at a price."""
    return sum(line.quantity for line in lines(option, WORK) if line.usd_per_unit == usd_per_mtok)


def test_a_router_sends_each_request_to_one_part():
    mix = cm.Mix(cm.Part(cm.Option(SMALL), answers=0.7), cm.Part(cm.Option(LARGE)))
    assert tokens_at(mix, 1.0) == pytest.approx(0.7 * 1_500)
    assert tokens_at(mix, 10.0) == pytest.approx(0.3 * 1_500)
    assert total(mix, WORK, months=1) == pytest.approx(1e6 * (0.7 * EACH_SMALL + 0.3 * EACH_LARGE))


def test_a_cascade_pays_twice_for_what_it_hands_on():
    mix = cm.cascade(cm.Option(SMALL), cm.Option(LARGE), escalated=0.3)
    assert tokens_at(mix, 1.0) == pytest.approx(1_500)
    assert tokens_at(mix, 10.0) == pytest.approx(0.3 * 1_500)
    assert total(mix, WORK, months=1) == pytest.approx(1e6 * (EACH_SMALL + 0.3 * EACH_LARGE))


def test_a_cascade_is_as_good_as_the_parts_that_answer():
    def share(signal):
        parts = cm.cascade(cm.Option(SMALL), cm.Option(LARGE), escalated=0.3, signal=signal)
        return cm.compare(parts, WORK, draws=10).quality.item()

    assert share(None) == pytest.approx(0.7 * 0.6 + 0.3 * 0.9)
    told = cm.choices.Signal(signal_auc=0.82, correlation=0.85)
    assert share(told) == pytest.approx(cm.knowledge.cascade_right(0.6, 0.9, 0.3, 0.82, 0.85))
    assert share(None) < share("asked_confidence") < share("typed_judge") < 0.9


def test_an_evaluation_of_a_mix_is_that_of_the_whole():
    parts = cm.cascade(cm.Option(SMALL), cm.Option(LARGE), escalated=0.3)
    table = cm.compare(cm.choices.with_quality(parts, 0.77), WORK, draws=10)
    assert table.quality.item() == pytest.approx(0.77)


def test_shares_of_a_mix_in_a_mix_multiply():
    inner = cm.cascade(cm.Option(SMALL), cm.Option(LARGE), escalated=0.5)
    mix = cm.Mix(cm.Part(inner, answers=0.4), cm.Part(cm.Option(LARGE), answers=0.6))
    assert tokens_at(mix, 1.0) == pytest.approx(0.4 * 1_500)
    assert tokens_at(mix, 10.0) == pytest.approx((0.4 * 0.5 + 0.6) * 1_500)


def test_equal_techniques_of_a_mix_are_bought_once():
    parts = [cm.Part(cm.Option(s, Buy(1_000)), answers=0.5) for s in (SMALL, LARGE)]
    assert sum(line.item == "a purchase" for line in lines(cm.Mix(*parts), WORK)) == 1


def test_different_techniques_of_a_mix_are_bought_both():
    mix = cm.Mix(
        cm.Part(cm.Option(SMALL, Buy(1_000)), answers=0.5),
        cm.Part(cm.Option(LARGE, Buy(2_000)), answers=0.5),
    )
    assert [line.usd_per_unit for line in lines(mix, WORK) if line.item == "a purchase"] == [
        1_000,
        2_000,
    ]


def test_what_is_bought_once_serves_the_requests_of_both_parts():
    rag = cm.Rag(reranker="rerank-v3.5")
    mix = cm.cascade(cm.Option(SMALL, rag), cm.Option(LARGE, rag), escalated=0.3)
    (searches,) = [line.quantity for line in lines(mix, KNOWS) if line.item == "rerank"]
    assert searches == pytest.approx(1.3e6)


def test_a_tune_is_bought_for_each_model_that_it_tunes():
    own = [cm.Hosted(model, gpu="L40S") for model in ("llama-3.1-8b", "llama-3.2-3b")]
    mix = cm.Mix(*(cm.Part(cm.Option(serving, cm.Lora()), answers=0.5) for serving in own))
    assert sum(line.item == "the run that passes" for line in lines(mix, WORK)) == 2


def test_equal_servings_of_a_mix_pool_their_load():
    """Half the requests with few-shot examples, half without, on one fleet: fewer replicas than
    two fleets apart."""
    own = cm.Hosted("llama-3.1-8b", gpu="H100-SXM", requests_per_s=10.0, load_max=1.0)
    work = replace(
        WORK, active_hours_per_month=730, peak_to_average=1.0, requests_per_month=730 * 3600 * 12
    )
    one, two = cm.Option(own), cm.Option(own, cm.FewShot())
    hours = [
        line.quantity
        for line in lines(cm.Mix(cm.Part(one, answers=0.5), cm.Part(two, answers=0.5)), work)
        if line.unit == "GPU-hour"
    ]
    assert sum(hours) == pytest.approx(2 * 730)  # 12 requests a second at 10 a replica


def test_other_servings_price_what_they_are_named_for():
    option = cm.Option(LARGE, cm.Evals(judge=SMALL))
    prices = {line.item: line.usd_per_unit for line in lines(option, WORK)}
    assert prices["evaluation judge: fresh input"] == 1.0
    assert prices["evaluation runs: fresh input"] == 10.0


@dataclass(frozen=True)
class Shadow:
    """Sends a share of production to another serving as well."""

    by: object
    sampled: float

    def buys(self, case):
        call = Call((Segment("copy", 1_000.0),), 0.0)
        yield Traffic(
            "shadow",
            call,
            case.requests_per_month * self.sampled,
            with_demand(),
            "release",
            self.by,
        )


def test_shadow_traffic_is_a_technique_of_ten_lines():
    alone, shadowed = (
        total(cm.Option(LARGE), WORK, months=1),
        total(cm.Option(LARGE, Shadow(SMALL, 0.1)), WORK, months=1),
    )
    assert shadowed - alone == pytest.approx(1e6 * 0.1 * 1_000 / 1e6 * 1.0)


# -- what cannot run -------------------------------------------------------------------------------


def test_an_option_that_cannot_run_keeps_its_row_outside_the_ranking():
    narrow = api("narrow", window=1_600, **{"in": 0.01, "out": 0.01}, accepted=0.9)
    table = cm.compare({"narrow": cm.Option(narrow), "small": cm.Option(SMALL)}, WORK, draws=50)
    assert (
        table.loc["narrow", "why_not"]
        == "a request is 150 tokens over the 1,600-token window of narrow"
    )
    said = {"currency", "why_not", "eligible", "as_good"}
    assert table.loc["narrow", [c for c in table if c not in said]].isna().all()
    assert not table.loc["narrow", ["eligible", "as_good"]].any()
    assert table.loc["small", "p_cheapest"] == 1 and table.loc["small", "why_not"] == ""
    assert table.index[-1] == "narrow"


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (
            lambda: cm.Option(SMALL, cm.Rag()),
            "Rag has nothing to look up: the workload has no corpus",
        ),
        (lambda: cm.Option(SMALL, cm.GraphRag()), "GraphRag has nothing to look up"),
        (lambda: cm.Option(SMALL, cm.Lora()), "Lora on 'small' needs tuning="),
        (lambda: cm.Option(SMALL, cm.FineTune()), "needs tuning=, the provider's offer"),
        (
            lambda: cm.Option(SMALL, cm.FineTune(tuning="openai.gpt-4.1")),
            "tunes 'gpt-4.1', this serving answers with 'small'",
        ),
        (
            lambda: cm.Option(
                cm.Api("gpt-4.1", on="2026-11-20"), cm.FineTune(tuning="openai.gpt-4.1")
            ),
            "closed to new customers since",
        ),
        (
            lambda: cm.Option(cm.Hosted("llama-3.1-8b"), cm.FineTune(tuning="openai.gpt-4.1")),
            "is a provider's offer, this serving is Hosted",
        ),
        (
            lambda: cm.Option(
                SMALL, cm.Evals(judge=api("tiny", window=100, **{"in": 1, "out": 1}))
            ),
            "evaluation judge: a request is",
        ),
    ],
)
def test_why_not_says_the_reason(option, reason):
    table = cm.compare(option(), WORK, terms=cm.Terms(start="2026-12-01"), draws=10)
    assert reason in table.why_not.item()


def test_a_label_is_a_text():
    with pytest.raises(ValueError, match=r"the label of an option is 10, it must be a text such"):
        cm.compare({10: cm.Option(SMALL)}, WORK)


def test_a_prompt_too_long_in_some_draws_is_left_out_of_those():
    """Four fifths of the draws fit; the percentiles are those of the draws that can run."""
    work = replace(WORK, input_tokens=cm.Range(500, 2_000, mid=900))
    table = cm.compare(
        cm.Option(api("narrow", window=2_400, **{"in": 1, "out": 1}, accepted=0.9)), work, draws=500
    )
    assert table.p90.item() < 36 * 1e6 * 2_400 / 1e6 * 1.01
    assert np.isfinite(table.p50.item())


# -- quality ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quality", "mid"),
    [(0.8, 0.8), (cm.Range(0.7, 0.9, mid=0.82), 0.82), (cm.Measured(68, 100), 0.679)],
)
def test_your_evaluation_overrides_every_effect(quality, mid):
    """Of its draws the mean is shown; the effect of the technique is not in it."""
    option = cm.Option(SMALL, Better(2.0), quality=quality)
    table = cm.compare(option, WORK, draws=2_000)
    drawn = np.mean(cm.uncertainty.sample(option, 2_000).quality)
    assert table.quality.item() == pytest.approx(drawn) == pytest.approx(mid, abs=0.01)


def test_effects_add_on_the_log_odds():
    table = cm.compare(cm.Option(SMALL, Better(0.4), Better(0.6)), WORK, draws=10)
    odds = 0.6 / 0.4 * np.e
    assert table.quality.item() == pytest.approx(odds / (1 + odds))


def test_unknown_quality_is_not_comparable():
    unknown = cm.Option(cm.finance.Today(1.0))
    table = cm.compare({"known": cm.Option(SMALL), "unknown": unknown}, WORK, draws=50)
    assert "not comparable" in table.loc["unknown", "why_not"]
    assert np.isnan(table.loc["unknown", "p_cheapest"]) and np.isnan(
        table.loc["unknown", "quality"]
    )
    assert table.loc["known", "p_cheapest"] == 1
    assert not table.loc["unknown", "eligible"] and table.loc["known", "eligible"]
    assert table.loc["unknown", "expected"] < table.loc["known", "expected"]


def test_a_mix_with_a_part_of_unknown_quality_is_not_comparable():
    mix = cm.Mix(
        cm.Part(cm.Option(SMALL), answers=0.5),
        cm.Part(cm.Option(cm.finance.Today(1.0)), answers=0.5),
    )
    assert "not comparable" in cm.compare(mix, WORK, draws=10).why_not.item()


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: cm.Option("gpt-4o"), "the first argument is 'gpt-4o', it must be a serving"),
        (lambda: cm.Option(cm.Api), "it must be a serving"),
        (lambda: cm.Option(SMALL, 5), "5 is not a technique"),
        (lambda: cm.Option(SMALL, cm.Rag), "is not a technique, such as Rag()"),
        (lambda: cm.Option(SMALL, LARGE), "is not a technique"),
        (lambda: cm.Option(SMALL, cm.Option(LARGE)), "is not a technique"),
        (lambda: cm.Option(SMALL, quality=1.2), "quality is 1.2, allowed is between 0 and 1"),
        (
            lambda: cm.Option(SMALL, quality="good"),
            "quality is 'good', it must be a number or a Range",
        ),
        (lambda: cm.Part("gpt-4o"), "'gpt-4o' is not an option"),
        (
            lambda: cm.Part(cm.Option(SMALL), sees=0.2, answers=0.8),
            "answers 0.8 of the requests but sees only 0.2",
        ),
        (lambda: cm.Mix(), "Mix needs Parts"),
        (lambda: cm.Mix(cm.Option(SMALL)), "Mix needs Parts"),
        (
            lambda: cm.Mix(
                cm.Part(cm.Option(SMALL), answers=0.5), cm.Part(cm.Option(LARGE), answers=0.4)
            ),
            "the parts answer 0.9",
        ),
        (
            lambda: cm.Mix(cm.Part(cm.Option(SMALL)), cm.Part(cm.Option(LARGE))),
            "only one part may leave",
        ),
        (lambda: cm.compare({"a": SMALL}, WORK), "option 'a' is .* it must be Option(...) or Mix"),
        (lambda: cm.compare({}, WORK), "options is empty; write at least one option"),
        (lambda: cm.compare(cm.Option(SMALL), WORK, draws=0), "draws is 0"),
    ],
)
def test_a_wrong_option_is_refused_in_one_sentence(make, says):
    with pytest.raises(ValueError, match=says.replace("(", r"\(").replace(")", r"\)")) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (
            {"requests_per_month": "1000"},
            "Workload.requests_per_month is '1000', it must be a number",
        ),
        ({"requests_per_month": -5}, "Workload.requests_per_month is -5, allowed is at least 0"),
        ({"requests_per_month": float("nan")}, "Workload.requests_per_month is nan"),
        (
            {"requests_per_month": float("inf")},
            "Workload.requests_per_month is inf, it must be a finite number, at least 0",
        ),
        ({"requests_per_month": 0}, "Workload.requests_per_month is 0, it must be above 0"),
        ({"requests_per_month": True}, "Workload.requests_per_month is True, it must be a number"),
        ({"requests_per_month": None}, "Workload.requests_per_month is None, it must be a number"),
        ({"output_tokens": "many"}, "Workload.output_tokens is 'many'"),
        ({"reasoning_tokens": -1}, "Workload.reasoning_tokens is -1"),
        (
            {"input_tokens": 0, "output_tokens": 0, "instruction_tokens": 0},
            "give the tokens of one request",
        ),
        (
            {"active_hours_per_month": 800},
            "Workload.active_hours_per_month is 800, allowed is between 1 and 744",
        ),
        ({"active_hours_per_month": 0}, "Workload.active_hours_per_month is 0"),
        ({"peak_to_average": 0.5}, "Workload.peak_to_average is 0.5, allowed is at least 1"),
        (
            {"growth_per_year": -1.5},
            "Workload.growth_per_year is -1.5, allowed is between -1 and 1000",
        ),
        ({"ramp_months": -3}, "Workload.ramp_months is -3"),
        ({"usd_per_failure": "dear"}, "Workload.usd_per_failure is 'dear'"),
        ({"corpus": 4_000_000}, "Workload.corpus is 4000000, it must be Corpus"),
        ({"question_mix": 0.3}, "Workload.question_mix is 0.3, it must be QuestionMix"),
        (
            {"question_mix": {"fact": 0.5, "whole": 0.4}},
            "question_mix adds up to 0.9, its shares must add up to 1",
        ),
        ({"question_mix": {"fact": 1.5, "whole": -0.5}}, "QuestionMix.fact is 1.5"),
        (
            {"question_mix": {"fakt": 1.0}},
            "no question type 'fakt' in question_mix; did you mean 'fact'",
        ),
    ],
)
def test_a_wrong_workload_is_refused_in_one_sentence(fields, says):
    with pytest.raises(ValueError, match=says) as error:
        replace(WORK, **fields)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"tokens": 0}, "Corpus.tokens is 0, allowed is at least 1"),
        ({"tokens": "4M"}, "Corpus.tokens is '4M', it must be a number"),
        ({"churn_per_month": 1.2}, "Corpus.churn_per_month is 1.2, allowed is between 0 and 1"),
        (
            {"churn_per_month": cm.Range(0.5, 1.5)},
            "Corpus.churn_per_month is .*allowed is between 0 and 1",
        ),
        ({"documents": -1}, "Corpus.documents is -1"),
    ],
)
def test_a_wrong_corpus_is_refused_in_one_sentence(fields, says):
    with pytest.raises(ValueError, match=says):
        cm.Corpus(**{"tokens": 1_000, **fields})


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"months": 0}, "months is 0, allowed is a whole number between 1 and 120"),
        ({"months": 12.5}, "months is 12.5, allowed is a whole number"),
        ({"months": "12"}, "months is '12', allowed is a whole number"),
        ({"months": 500}, "months is 500, allowed is a whole number between 1 and 120"),
        ({"start": "soon"}, "start is 'soon', it must be a date like"),
        ({"start": "2027-13-01"}, "start is '2027-13-01', it must be a date like"),
        ({"on": "01/11/2026"}, "on is '01/11/2026', it must be a date like"),
        ({"discount_rate": "10%"}, "discount_rate is '10%', it must be a number"),
        ({"discount_rate": -0.9}, "discount_rate is -0.9, allowed is between -0.5 and 1"),
        ({"currency": "EUR"}, "currency is 'EUR'; write the code"),
    ],
)
def test_wrong_terms_are_refused_in_one_sentence(fields, says):
    with pytest.raises(ValueError, match=says):
        cm.Terms(**fields)


@pytest.mark.parametrize("value", [-2, "down", None])
def test_a_wrong_trend_is_refused_in_one_sentence(value):
    with pytest.raises(ValueError, match=f"Trends.api is {value!r}"):
        cm.choices.Trends(api=value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: cm.FewShot(examples=-1), "FewShot.examples is -1"),
        (lambda: cm.FewShot(examples="eight"), "FewShot.examples is 'eight', it must be a number"),
        (lambda: cm.Rag(overlap=1.5), "Rag.overlap is 1.5, allowed is between 0 and"),
        (lambda: cm.Rag(overlap=1.0), "Rag.overlap is 1.0, allowed is between 0 and"),
        (lambda: cm.Rag(chunk_tokens=0), "Rag.chunk_tokens is 0"),
        (lambda: cm.Lora(mfu=0), "Lora.mfu is 0"),
        (lambda: cm.Lora(retrain_months=0), "Lora.retrain_months is 0"),
        (lambda: cm.Lora(runs=0.5), "Lora.runs is 0.5, allowed is at least 1"),
        (lambda: cm.Distill(teacher="gpt-4o"), "Distill.teacher is 'gpt-4o', it must be a serving"),
        (lambda: cm.Distill(teacher=LARGE, kept=0), "Distill.kept is 0"),
        (lambda: cm.PromptCache(ttl_s=60), "PromptCache.ttl_s is 60, allowed are 300"),
        (
            lambda: cm.GraphRag(variant="heavy"),
            "GraphRag.variant is 'heavy', allowed are full, light, lazy",
        ),
        (lambda: cm.GraphRag(refresh_months=0), "GraphRag.refresh_months is 0"),
        (lambda: cm.Upgrades(every_months=0), "Upgrades.every_months is 0"),
        (
            lambda: cm.Monitoring(judge_share=2),
            "Monitoring.judge_share is 2, allowed is between 0 and 1",
        ),
    ],
)
def test_a_wrong_technique_is_refused_in_one_sentence(make, says):
    with pytest.raises(ValueError, match=says):
        make()


# -- other ways to say how much arrives ------------------------------------------------------------


def test_pages_and_words_become_tokens_by_sourced_factors():
    """One page is about 700 tokens and one English word 4/3 of a token
    (data/facts/practice.csv)."""
    work = cm.Workload.from_pages(1_000, pages_in=3, words_out=300)
    assert cm.uncertainty.middle(work).input_tokens == pytest.approx(3 * 700)
    assert cm.uncertainty.middle(work).output_tokens == pytest.approx(400, rel=0.01)
    assert cm.uncertainty.middle(
        cm.Workload.from_words(1_000, 750, 300)
    ).input_tokens == pytest.approx(1_000, rel=0.01)
    assert cm.uncertainty.middle(cm.Corpus.from_pages(1_000)).tokens == pytest.approx(700_000)


def test_pages_and_words_stay_doubtful():
    work = cm.Workload.from_pages(1_000, pages_in=3, words_out=300)
    assert work.input_tokens.low < work.input_tokens.mid < work.input_tokens.high


def test_users_become_requests():
    assert (
        cm.Workload.from_users(500, 6, days_per_month=20, input_tokens=900).requests_per_month
        == 60_000
    )


@pytest.mark.parametrize("more", [{}, {"instruction_tokens": 500}, {"reasoning_tokens": 800}])
def test_a_workload_from_a_bill_costs_that_bill(more):
    work = cm.Workload.from_bill(7_750, "gpt-4o", 2_300, 200, on=ON, **more)
    assert total(cm.Option(cm.Api("gpt-4o", on=ON)), work, months=1) == pytest.approx(7_750)


def test_facts_are_for_vectors_and_questions_over_several_hops_for_a_graph():
    """The published order (GraphRAG-Bench, HippoRAG 2), at the middle of the fitted gains."""
    facts, hops = (
        replace(KNOWS, question_mix=mix) for mix in ({"fact": 1.0}, {"fact": 0.0, "multi_hop": 1.0})
    )
    options = {"rag": cm.Option(SMALL, cm.Rag()), "graph": cm.Option(SMALL, cm.GraphRag())}
    on_facts, on_hops = (cm.compare(options, work, draws=10).quality for work in (facts, hops))
    assert on_facts["rag"] > on_facts["graph"]
    assert on_hops["graph"] > on_hops["rag"] and on_hops["rag"] < on_facts["rag"]


# -- demand over time ------------------------------------------------------------------------------


def test_demand_grows_by_the_year_and_ramps_up_by_the_month():
    """(1 + growth)^((m - 1) / 12) x min(1, m / ramp), nothing in month 0."""
    demand = replace(WORK, growth_per_year=1.0, ramp_months=4).demand(13)
    assert demand[[0, 1, 2, 4, 13]] == pytest.approx(
        [0, 0.25, 0.5 * 2 ** (1 / 12), 2 ** (3 / 12), 2.0]
    )


def test_terms_start_in_the_month_after_the_prices():
    assert cm.Terms(on="2026-12-15").start == "2027-01-01"
    assert [str(cm.Terms(start="2026-12-01").date_of(m)) for m in (0, 1, 2)] == [
        "2026-11-01",
        "2026-12-01",
        "2027-01-01",
    ]


def test_monthly_and_demand_schedules_differ_in_a_ramp():
    work = replace(WORK, ramp_months=2)
    steady, following = (
        cm.Option(SMALL, Buy(100, schedule)) for schedule in (monthly(), with_demand())
    )
    assert total(steady, work, months=2) - total(following, work, months=2) == pytest.approx(
        100 * (2 - 1.5)
    )


def test_unknown_ids_name_the_nearest():
    with pytest.raises(CatalogError, match=r"did you mean 'llama-3.1-8b'"):
        cm.Hosted("llama-3.1-8B-instruct", gpu="H100-SXM")
    with pytest.raises(CatalogError, match=r"did you mean .*'H100-SXM'"):
        cm.Hosted("llama-3.1-8b", gpu="H100-SMX")
    with pytest.raises(CatalogError, match=r"did you mean .*'pinecone'"):
        cm.Rag(store="pinecon")


def test_what_repeats_is_decided_in_each_draw():
    """A document range that reaches past the corpus: those draws send it whole and cached, the
    others do not."""
    work = cm.Workload(
        300_000,
        instruction_tokens=600,
        input_tokens=900,
        output_tokens=250,
        corpus=cm.Corpus(35_000),
    )
    terra = cm.Api("gpt-6.1-terra", on="2026-11-20", accepted=0.5)
    option = cm.Option(
        terra,
        cm.LongContext(document_tokens=cm.Range(34_000, 60_000, mid=40_000)),
        cm.PromptCache(),
    )
    few, many = (cm.compare(option, work, draws=n, seed=1).iloc[0] for n in (200, 2_000))
    assert few.p50 == pytest.approx(many.p50, rel=0.1) and many.p10 <= many.base_case <= many.p90


def test_a_mix_answers_every_request_once():
    share = cm.Range(0.2, 0.8, mid=0.5)
    one = cm.Option(SMALL)
    with pytest.raises(ValueError, match="needs another with answers=None"):
        cm.Mix(cm.Part(one, answers=share), cm.Part(one, answers=replace(share, name="z")))
    with pytest.raises(ValueError, match=r"may answer up to 1\.6 of all requests"):
        cm.Mix(
            cm.Part(one, answers=share),
            cm.Part(one, answers=replace(share, name="z", mid=0.3)),
            cm.Part(one),
        )
    mix = cm.compare(cm.Mix(cm.Part(one, answers=share), cm.Part(one)), WORK, draws=100).iloc[0]
    alone = cm.compare(one, WORK, draws=100).iloc[0]
    columns = ["expected", "base_case", "p10", "p90", "to_pay", "wrong_answers"]
    assert mix[columns].to_list() == pytest.approx(alone[columns].to_list())


def test_a_technique_that_is_there_twice_is_refused():
    with pytest.raises(ValueError, match=r"Option: Evals\(...\) is there twice; leave one out"):
        cm.Option(cm.Api("gpt-6-sol", on="2026-11-01"), cm.Evals(), cm.Rag(), cm.Evals())
