"""What changed between two studies: one change moves one bar, bars sum exactly, limits say why."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STAFFED, api

import costmodel as cm
from costmodel.studies.changes import STEPS
from costmodel.studies.follow_up.difference import broken_limits, changed_inputs, diff

WORK = cm.Workload(1e5, input_tokens=cm.Range(700, 1_200), output_tokens=250, usd_per_failure=0.1)
BARS = ["draws", *STEPS]


def study(price=3.0, accepted=0.8, techniques=(), work=WORK, terms=STAFFED, **more):
    serving = api(accepted=accepted, **{"in": price, "out": 4 * price})
    option = cm.Option(serving, cm.Prompt(), cm.Evals(), *techniques)
    return cm.Study({"plain": option, "as today": cm.Option(cm.finance.Today(900.0))}, work,
                    terms, draws=200, accept_zero=None, **more)  # fmt: skip


PAID_MORE = replace(STAFFED.people, engineer=replace(STAFFED.people.engineer, usd_per_hour=130.0))
CHANGES = {
    "price": study(price=4.0),
    "volume": study(work=replace(WORK, requests_per_month=2e5)),
    "quality": study(accepted=0.7),
    "people": study(terms=replace(STAFFED, people=PAID_MORE)),
    "mix": study(techniques=[cm.Monitoring()]),
    "terms": study(terms=replace(STAFFED, months=24)),
    "draws": study().changed(seed=5),
}


@pytest.mark.parametrize("step", CHANGES)
def test_one_change_moves_one_bar(step):
    row = diff(study(), CHANGES[step]).set_index("option").loc["plain"]
    before, after = (cm.compare(x).loc["plain", "expected"] for x in (study(), CHANGES[step]))
    assert (row["before"], row["after"]) == (before, after)
    assert row[step] == pytest.approx(after - before) and abs(row[step]) > 1
    assert [bar for bar in BARS if abs(row[bar]) > 1e-6] == [step]


def test_bars_of_many_changes_sum_to_the_change():
    after = study(5.0, 0.7, [cm.Monitoring()], replace(WORK, requests_per_month=3e5),
                  replace(STAFFED, people=PAID_MORE, months=30))  # fmt: skip
    table = diff(study(), after)
    assert np.allclose(table[BARS].sum(axis=1), table["change"], rtol=0, atol=1e-6)
    assert (table.set_index("option").loc["plain", list(STEPS)].abs() > 1).all()


def test_a_study_beside_itself_differs_in_nothing():
    assert diff(study(), study()).empty and changed_inputs(study(), study()).empty


def test_what_only_one_side_has_and_what_cannot_run_says_so():
    long = replace(WORK, input_tokens=2e6)
    table = diff(study(), study(work=long).only("plain")).set_index("option")
    assert "2,000,250" not in table.loc["plain", "why_not"]
    assert "window" in table.loc["plain", "why_not"]
    assert table.loc["as today", "why_not"] == "it is not in the scenario after"
    assert table["change"].isna().all()


def test_inputs_that_changed_are_named():
    after = study(work=replace(WORK, requests_per_month=2e5, images=1, image_tokens=9))
    table = changed_inputs(study(), after).set_index("input")
    assert tuple(table.loc["Workload.requests_per_month"]) == ("100,000", "200,000")
    assert tuple(table.loc["Workload.images"]) == ("", "1")


def test_the_rule_of_the_decision_is_among_what_changed():
    here = study(quality_floor=0.3)
    for name, value in {"quality_floor": 0.02, "confidence": 0.99, "risk": 0.5, "seed": 4}.items():
        was, now = (f"{x:g}" for x in (getattr(here, name), value))
        assert changed_inputs(here, here.changed(**{name: value})).to_numpy().tolist() == [
            [name, was, now]
        ]


@pytest.mark.parametrize(
    ("was", "now"), [(None, (80, 200)), ((80, 200), (100, 200)), ((80, 200), None)]
)
def test_what_was_judged_is_quality(was, now):
    def judged(counts):
        made = study(accepted=None)
        if counts is None:
            return made
        option = cm.choices.with_quality(made.options["plain"], cm.Measured(*counts))
        return made.changed(options={**made.options, "plain": option})

    row = diff(judged(was), judged(now)).set_index("option").loc["plain"]
    assert row["change"] != 0 and row["quality"] == pytest.approx(row["change"])
    assert [row[bar] for bar in BARS if bar != "quality"] == pytest.approx([0] * 6, abs=1e-6)


@pytest.fixture(scope="module")
def assistant():
    """The example by the counts of an evaluation of RAG, after it."""
    plain = cm.load("support_assistant", draws=100)

    def judged(*counts):
        rag = cm.choices.with_quality(plain.options["RAG"], cm.Measured(*counts))
        return plain.changed(options={**plain.options, "RAG": rag}).after_evidence()

    return {None: plain, 164: judged(164, 200), 180: judged(180, 200)}


@pytest.mark.parametrize(("was", "now"), [(None, 180), (164, 180), (180, None)])
def test_what_an_evaluation_moves_of_all_options_is_quality(assistant, was, now):
    table = diff(assistant[was], assistant[now]).set_index("option")
    assert len(table) == 15 and table.loc["GraphRAG", "change"] * (-1 if now else 1) > 1e6
    assert np.allclose(table["quality"], table["change"], rtol=0, atol=0.01)
    assert (table[[bar for bar in BARS if bar != "quality"]].abs() < 0.01).all(axis=None)


def test_an_evaluation_beside_other_changes_leaves_each_its_bar(assistant):
    plain, judged = assistant[None].only("Prompt", "RAG"), assistant[180].before
    rag = judged.options["RAG"]
    more = replace(rag, techniques=(*rag.techniques, cm.Monitoring()))
    after = judged.changed(options={"Prompt": judged.options["Prompt"], "RAG": more})
    alone = diff(plain, judged.only("Prompt", "RAG")).set_index("option")
    table = diff(plain, after).set_index("option")
    assert np.allclose(table[BARS].sum(axis=1), table["change"], rtol=0, atol=1e-6)
    assert table["quality"].to_list() == pytest.approx(alone["quality"].to_list())
    added = diff(judged.only("Prompt", "RAG"), after).set_index("option").loc["RAG", "change"]
    assert added > 1 and table["mix"].to_dict() == pytest.approx({"Prompt": 0, "RAG": added})


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        (
            {"currency": "EUR 0.92 2026-11-20"},
            ["Terms.currency", "USD", "1 USD = 0.92 EUR on 2026-11-20"],
        ),
        ({"start": "2027-06-01"}, ["Terms.start", STAFFED.start, "2027-06-01"]),
        ({"on": "2026-11-19"}, ["Terms.on", "that of each option", "2026-11-19"]),
    ],
)
def test_the_days_and_the_currency_are_among_what_changed(changes, row):
    here = cm.Study({"as today": cm.Option(cm.finance.Today(900.0))}, WORK, STAFFED, draws=100)
    table = changed_inputs(here, here.changed(terms=replace(STAFFED, **changes)))
    assert table.to_numpy().tolist() == [row]


def test_a_discount_is_that_of_its_model_and_a_price():
    on = "2026-11-20"
    large, small = (cm.Api(x, on=on, accepted=0.8) for x in ("gpt-6-sol", "gpt-6-luna"))

    def ours(less):
        judge = replace(large, discount=less)
        options = {"small": cm.Option(small, cm.Evals(judge=judge)), "large": cm.Option(judge)}
        return cm.Study(options, WORK, STAFFED, draws=100, accept_zero=None)

    table = diff(ours(0.1), ours(0.3)).set_index("option")
    assert (table["change"] < 0).all() and table["price"].equals(table["change"])
    assert changed_inputs(ours(0.1), ours(0.3)).to_numpy().tolist() == [
        ["Api.discount of gpt-6-sol (openai)", "0.1", "0.3"]
    ]


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"max_usd_per_month": np.nan}, "max_usd_per_month is nan, it must be one number"),
        ({"max_growth": np.nan}, "max_growth is nan"),
        ({"max_growth": 11.0}, "max_growth is 11"),
        ({"min_quality": 70}, "min_quality is 70, it must be one number, between 0 and 1"),
        ({"max_usd_per_month": 1.0, "against": CHANGES["price"]}, "write max_growth"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(limits, says):
    with pytest.raises(ValueError, match=says):
        broken_limits(study(), "plain", **limits)


def test_limits():
    here = study()
    cost = cm.compare(here).loc["plain", "per_month"]
    assert broken_limits(here, "plain", max_usd_per_month=cost + 1, min_quality=0.8) == []
    (dear,) = broken_limits(here, "plain", max_usd_per_month=cost - 1)
    assert dear.startswith(f"plain is expected to cost USD {cost:,.2f} a month")
    (poor,) = broken_limits(here, "plain", min_quality=0.9)
    assert "80 %, the least is 90 %" in poor
    (unknown,) = broken_limits(here, "as today", min_quality=0.5)
    assert "is not known" in unknown


def test_growth_over_an_earlier_study_and_over_the_years():
    here = study(work=replace(WORK, growth_per_year=0.5), terms=replace(STAFFED, months=24))
    flow = cm.finance.cash_flow(here.only("plain"))["usd"].to_numpy()
    grown = flow[13:25].sum() / flow[1:13].sum() - 1
    assert broken_limits(here, "plain", max_growth=grown + 1e-6) == []
    (said,) = broken_limits(here, "plain", max_growth=grown - 0.01)
    assert f"grows by {100 * grown:.1f} % from year 1 to year 2" in said
    costs = [cm.compare(x).loc["plain", "per_month"] for x in (study(), study(price=6.0))]
    (said,) = broken_limits(study(price=6.0), "plain", max_growth=0.01, against=study())
    assert f"grows by {100 * (costs[1] / costs[0] - 1):.1f} % since the earlier scenario" in said
    with pytest.raises(ValueError, match="two whole years"):
        broken_limits(study(terms=replace(STAFFED, months=20)), "plain", max_growth=0.1)
    with pytest.raises(ValueError, match="no limit"):
        broken_limits(here)


def test_a_verdict_without_an_eligible_option_breaks_a_limit():
    (said,) = broken_limits(study(quality_floor=0.99), max_usd_per_month=1e9)
    assert said.startswith("no option is eligible")
