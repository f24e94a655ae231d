"""Study: its parts, other studies made from it, and the shorthand that every analysis takes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toys import ON, STILL, api

import costmodel as cm
from costmodel.decisions.simulate import simulate

WORK = cm.Workload(1e6, input_tokens=1_000, output_tokens=100, peak_to_average=2.0)
SMALL = cm.Option(api("small", **{"in": 1.0, "out": 4.0}, accepted=0.6))
LARGE = cm.Option(api("large", **{"in": 10.0, "out": 40.0}, accepted=0.9))
ROUTER = cm.Mix(cm.Part(SMALL, answers=0.7), cm.Part(LARGE))
OPTIONS = {"small": SMALL, "large": LARGE, "router": ROUTER}
STUDY = cm.Study(OPTIONS, WORK, STILL, draws=50, title="Toys")


# -- its parts -----------------------------------------------------------------------------------


def test_one_option_is_labelled_and_alone():
    one = cm.Study(SMALL, WORK)
    assert one.options == {"option": SMALL} and one.alone and one.option() is SMALL
    assert not STUDY.alone and not cm.Study({"small": SMALL}, WORK).alone


def test_its_inputs_are_options_workload_and_terms():
    assert STUDY.inputs == ((SMALL, LARGE, ROUTER), WORK, STILL)


def test_an_option_is_found_by_its_label():
    assert STUDY.option("large") is LARGE and STUDY.label("large") == "large"
    assert STUDY.only("large").label() == "large"


def test_a_pair_is_named_or_the_only_two_options():
    assert STUDY.pair("router", "small") == ("router", "small")
    assert STUDY.only("large", "small").pair() == ("large", "small")


def test_a_plain_option_is_no_mix():
    assert STUDY.plain_option("small") is SMALL
    with pytest.raises(ValueError, match="no option without a mix 'router' in the study 'Toys'"):
        STUDY.plain_option("router")


# -- evaluations ---------------------------------------------------------------------------------

COSTLY = replace(WORK, usd_per_failure=1.0)


def judged(quality, usd=1.0):
    return cm.Option(api("judged", **{"in": usd, "out": 4.0}), quality=quality)


def p_cheaper(first, second):
    study = cm.Study({"first": first, "second": second}, COSTLY, STILL, draws=4_000)
    return cm.uncertainty.p_cheaper(study, by=[0.0])["probability"].item()


def test_equal_counts_of_two_options_are_two_evaluations():
    """The first is cheaper by a hair; what decides is which of two equal evaluations is lucky."""
    equal = cm.Measured(85, 100)
    for first, second in ((equal, equal), (equal, cm.Measured(85, 100))):
        assert p_cheaper(judged(first, 0.999), judged(second)) == pytest.approx(0.5, abs=0.03)


def test_one_name_is_one_evaluation():
    one = cm.Measured(85, 100, name="May")
    assert p_cheaper(judged(one, 0.999), judged(one)) == 1


def test_a_pair_by_item_is_better_as_often_as_in_its_joint_posterior():
    """80 both, 8 only the first, 3 only the second, 9 neither: better in 94 % (Dirichlet)."""
    first, second = cm.Measured.paired(80, 8, 3, 9)
    assert p_cheaper(judged(first), judged(second)) == pytest.approx(0.941, abs=0.02)


def test_equal_counts_of_two_models_are_two_evaluations():
    first, second = (
        cm.Option(api(name, **{"in": usd, "out": 4.0}, accepted=cm.Measured(85, 100)))
        for name, usd in (("one", 0.999), ("other", 1.0))
    )
    assert p_cheaper(first, second) == pytest.approx(0.5, abs=0.03)
    assert p_cheaper(first, replace(first, techniques=(cm.Prompt(build_weeks=1),))) == 1


def test_another_option_and_another_order_change_no_evaluation():
    options = {"a": judged(cm.Measured(85, 100)), "b": judged(cm.Measured(85, 100))}
    study = cm.Study(options, COSTLY, STILL, draws=500)
    new = replace(options["a"], quality=0.7)  # nobody judged it
    more = cm.Study({"new": new, "b": options["b"], "a": options["a"]}, COSTLY, STILL)
    table, other = cm.compare(study), cm.compare(more, draws=500)
    for label in options:
        now = table.loc[label, "p10":"p90"].to_list()  # the draws after evidence are not the same
        assert other.loc[label, "p10":"p90"].to_list() == pytest.approx(now, rel=0.03)
        alone = cm.compare(study.only(label)).loc[label, "p10":"p90"]
        assert alone.to_list() == pytest.approx(now, rel=0.03)


def test_a_part_of_a_mix_keeps_the_evaluation_of_its_option():
    """Else a cascade that hands nothing on would differ from its first part."""
    small, large = judged(cm.Measured(85, 100)), judged(cm.Measured(95, 100), 5.0)
    mix = cm.Mix(cm.Part(small), cm.Part(large, answers=0.0))
    study = cm.Study({"mix": mix, "small": small}, COSTLY, STILL, draws=200)
    usd = simulate(study).usd
    assert usd["mix"] == pytest.approx(usd["small"])
    whole = cm.choices.with_quality(mix, cm.Measured(85, 100))
    assert cm.Study({"m": whole}, WORK).options["m"].quality.name == "m 85/100.quality"


def test_an_option_beside_itself_has_one_evaluation():
    """As in a business case whose baseline is one of the options."""
    mix = cm.Mix(cm.Part(judged(cm.Measured(85, 100))), cm.Part(LARGE, answers=0.2))
    for option in (judged(cm.Measured(85, 100)), mix):
        study = cm.Study({"own": option}, COSTLY, draws=200)
        usd = simulate(study.beside("again", option)).usd
        assert np.array_equal(usd["own"], usd["again"])


# -- other studies -------------------------------------------------------------------------------


def test_only_keeps_the_order_that_is_asked_for():
    fewer = STUDY.only("router", "small")
    assert list(fewer.options) == ["router", "small"]
    assert fewer.options["small"] is SMALL and fewer.title == "Toys"


def test_changed_replaces_fields_and_leaves_what_is_none():
    other = STUDY.changed(draws=7, seed=None, quality_floor=0.5, work=replace(WORK, ramp_months=3))
    assert (other.draws, other.seed, other.quality_floor) == (7, 0, 0.5)
    assert other.work.ramp_months == 3 and other.options == OPTIONS
    assert STUDY.changed() is STUDY and STUDY.changed(draws=None) is STUDY


def test_months_and_on_change_the_terms():
    study = cm.Study(cm.Option(cm.Api("gpt-4o", on="2026-11-20")), WORK)
    assert study.changed(months=5).terms.months == 5
    moved = study.changed(on=ON)
    assert moved.terms.on == ON == moved.option().serving.on
    assert moved.terms.start == cm.Terms(on=ON).start  # the month after the prices
    chosen = study.changed(terms=cm.Terms(start="2028-01-01"), on=ON)
    assert chosen.terms.start == "2028-01-01"


def test_terms_of_a_date_move_every_price_in_an_option():
    late, early = "2026-11-20", "2026-10-01"
    judge = cm.Api("gpt-6-luna", on=late)
    option = cm.Option(cm.Api("gpt-4o", on=late), cm.Evals(judge=judge))
    mix = cm.Mix(cm.Part(option, answers=0.5), cm.Part(cm.Option(judge)))
    study = cm.Study({"option": option, "mix": mix}, WORK, cm.Terms(on=early))
    assert study.option("option").techniques[0].judge.on == early
    assert {part.serving.on for part, _, _ in study.option("mix").parts()} == {early}
    same = cm.Study({"option": option, "mix": mix}, WORK, cm.Terms(on=late))
    assert same.option("option") is option and same.option("mix") is mix


def test_prices_changed_by_hand_are_not_moved():
    with pytest.raises(ValueError, match="the prices of 'small' were changed by hand"):
        cm.Study(SMALL, WORK, cm.Terms(on="2026-11-20"))


# -- the shorthand -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda: cm.compare(OPTIONS, WORK, terms=STILL, draws=50),
        lambda: cm.compare(OPTIONS, WORK, STILL, draws=50),
        lambda: cm.compare(options=OPTIONS, work=WORK, terms=STILL, draws=50),
        lambda: cm.compare(STUDY.changed(draws=9), draws=50),
        lambda: cm.compare(STUDY.changed(work=replace(WORK, input_tokens=5)), work=WORK),
        lambda: cm.compare(cm.Study(OPTIONS, WORK), terms=STILL, draws=50),
    ],
    ids=["by name", "positional terms", "all by name", "draws", "work", "terms"],
)
def test_the_shorthand_gives_the_table_of_the_study(ask):
    assert ask().equals(cm.compare(STUDY))


def test_the_only_option_needs_no_label():
    own = cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"))
    month = replace(STILL, months=1)
    named = cm.serving.capacity(cm.Study({"own": own, "small": SMALL}, WORK, month), "own")
    assert cm.serving.capacity(own, WORK, month).equals(named)
    assert cm.serving.capacity({"own": own, "small": SMALL}, WORK, "own", month).equals(named)


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (
            lambda: cm.compare(OPTIONS),
            ValueError,
            "compare needs a workload: compare(options, work)",
        ),
        (lambda: cm.compare(), ValueError, "compare needs a workload"),
        (lambda: cm.compare({}, WORK), ValueError, "options is empty"),
        (lambda: cm.compare(OPTIONS, 5), ValueError, "the workload is 5, it must be Workload(...)"),
        (lambda: cm.Study("gpt", WORK), ValueError, "option 'option' is 'gpt', it must be Option"),
        (lambda: cm.Study(SMALL, WORK, 36), ValueError, "terms is 36, it must be Terms(...)"),
        (lambda: STUDY.changed(terms=36, months=3), ValueError, "terms is 36, it must be Terms"),
        (
            lambda: STUDY.option("smal"),
            ValueError,
            "no option 'smal' in the study 'Toys'; did you mean 'small'",
        ),
        (
            lambda: STUDY.option(),
            ValueError,
            "there are 3 options; name one of 'small', 'large', 'router'",
        ),
        (
            lambda: STUDY.pair(),
            ValueError,
            "there are 3 options; name two of 'small', 'large', 'router'",
        ),
        (
            lambda: STUDY.pair("small", "small"),
            ValueError,
            "both labels are 'small'; name two options",
        ),
        (lambda: cm.breakeven(STUDY), ValueError, "there are 3 options; name two of"),
        (lambda: cm.Study(OPTIONS, WORK, draws=0), ValueError, "draws is 0, allowed is"),
        (
            lambda: cm.Study(OPTIONS, WORK, quality_floor=2),
            ValueError,
            "quality_floor is 2, allowed is between 0 and 1",
        ),
        (
            lambda: cm.compare(STUDY, draw=5),
            TypeError,
            "no argument 'draw' in compare(...); did you mean 'draws'?",
        ),
        (
            lambda: cm.Study(OPTIONS, WORK, quality_flor=0.5),
            TypeError,
            "did you mean 'quality_floor'",
        ),
        (lambda: STUDY.changed(tilte="x"), TypeError, "did you mean 'title'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(ask, error, says):
    with pytest.raises(error) as raised:
        ask()
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_a_zero_for_people_must_be_meant():
    idle = {"own": cm.Option(cm.Hosted("llama-3.1-8b", upkeep_fte=0))}
    with pytest.raises(ValueError, match=r"Hosted\.upkeep_fte is 0: .* write accept_zero"):
        cm.Study(idle, WORK)
    assert cm.Study(idle, WORK, accept_zero=("upkeep_fte",)).option() is idle["own"]
    assert cm.Study(idle, WORK, accept_zero=None).option() is idle["own"]
    with pytest.raises(ValueError, match="accept_zero names 'items', which is not 0 here"):
        cm.Study(OPTIONS, WORK, accept_zero=("items",))


def test_a_part_takes_what_the_whole_has_found_if_it_says_the_same(monkeypatch):
    """The numbers are those of the part asked alone, and the engine is not asked again."""
    whole = cm.load("support_assistant").changed(draws=300)
    labels = ("RAG", "Cascade")
    alone = cm.load("support_assistant").changed(draws=300).only(*labels)
    apart = (
        cm.compare(alone),
        cm.ledger(alone),
        cm.explain(alone, "RAG"),
        cm.finance.cash_flow(alone),
    )
    cm.compare(whole), cm.ledger(whole)
    part = whole.only(*labels)
    with monkeypatch.context() as patched:
        patched.setattr("costmodel.ledgers.plans.Question.answer", None)  # who asks it, fails
        patched.setattr("costmodel.ledgers.engine.evaluate", None)
        bold = replace(part, quality_floor=None, title="another rule")
        shown = (
            cm.compare(part),
            cm.ledger(part),
            cm.explain(part, "RAG"),
            cm.finance.cash_flow(bold),
        )
        for mine, theirs in zip(shown, apart, strict=True):
            pd.testing.assert_frame_equal(mine, theirs)
        assert not cm.compare(bold)["expected"].isna().any()
        for change in ({"seed": 1}, {"draws": 200}, {"months": 12}):
            with pytest.raises(TypeError):
                cm.compare(part.changed(**change))
    dear = replace(part, work=replace(part.work, usd_per_failure=9.0))
    assert (cm.compare(dear)["expected"] > shown[0]["expected"]).all()
    measured = cm.choices.with_quality(part.options["RAG"], cm.Measured(90, 100))
    judged = replace(part, options={**part.options, "RAG": measured})
    assert cm.compare(judged)["quality"]["RAG"] > 0.8 > shown[0]["quality"]["RAG"]
