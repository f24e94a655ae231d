"""The pitfall linter: every code fires on an input that has the pitfall, and is silent where it has
not; zeros must be accepted.
"""

from dataclasses import replace

import pytest
from click.testing import CliRunner
from toys import ON, Buy

import costmodel as cm
from costmodel.cli import main
from costmodel.facts import catalog

WORK = cm.Workload(
    cm.Range(5e4, 2e5),
    input_tokens=cm.Range(500, 1_500),
    output_tokens=cm.Range(100, 400),
    reasoning_tokens=300,
    growth_per_year=0.2,
    corpus=cm.Corpus(tokens=1e6, churn_per_month=0.02),
    usd_per_failure=0.2,
)
TERMS = cm.Terms(start="2026-12-01", on=ON)
API = cm.Api("gpt-6.1-terra", on=ON, accepted=0.7)
OWN = cm.Hosted("llama-3.1-8b", gpu="L40S", replicas_min=2, accepted=0.6)
CLEAN = {"api": cm.Option(API, cm.PromptCache(), cm.Evals()), "own": cm.Option(OWN, cm.Evals())}


def codes(options=CLEAN, work=WORK, terms=TERMS, floor=None):
    return set(cm.operations.lint(options, work, terms, quality_floor=floor)["code"])


def own(**changes):
    return {"own": cm.Option(replace(OWN, **changes), cm.Evals())}


def tuned(**changes):
    return {"tune": cm.Option(OWN, cm.Lora(**changes), cm.Evals())}


STEADY = replace(WORK, peak_to_average=1.0, active_hours_per_month=730)
FREE_LABELS = replace(catalog.label("human"), id="free", usd_per_item=0.0)
CASES = {
    "P1": ({"options": own(load_max=1.0)}, {}),
    "P2": ({"options": own(replicas_min=1)}, {}),
    "P3": ({"options": own(upkeep_fte=0)}, {}),
    "P4": ({"options": {"api": cm.Option(API), **own()}}, {}),
    "P6": ({"work": replace(WORK, reasoning_tokens=0)}, {}),
    "P8": ({"options": {"api": cm.Option(replace(API, discount=0.9), cm.Evals())}}, {}),
    "P9": (
        {"work": replace(WORK, usd_per_failure=0)},
        {"floor": 0.5, "work": replace(WORK, usd_per_failure=0)},
    ),
    "P10": ({"work": replace(WORK, usd_per_failure=0)}, {}),
    "P11": ({"options": tuned(runs=1)}, {"options": tuned()}),
    "P12": ({"options": tuned(labels=FREE_LABELS)}, {"options": tuned()}),
    "P13": ({"options": {"api": cm.Option(API)}}, {}),
    "P14": (
        {
            "options": {"rag": cm.Option(API, cm.Rag(), cm.Evals())},
            "work": replace(WORK, corpus=cm.Corpus(tokens=1e6)),
        },
        {"options": {"rag": cm.Option(API, cm.Rag())}},
    ),
    "P15": ({"terms": replace(TERMS, trends=cm.choices.Trends(api=0, gpu=0, labour=0))}, {}),
    "P16": ({"work": replace(WORK, growth_per_year=0)}, {}),
    "P17": (
        {
            "options": {
                "api": cm.Option(
                    cm.Api("gpt-6.1-terra", on=ON, mode="batch", discount=0.1), cm.PromptCache()
                )
            }
        },
        {},
    ),
    "P18": ({"work": replace(WORK, input_tokens=900, output_tokens=200)}, {}),
    "P20": ({}, {"options": {"api": cm.Option(cm.Api("gpt-6.1-terra", on=ON, residency="eu"))}}),
    "P21": (
        {
            "options": {
                "mix": cm.Mix(
                    cm.Part(CLEAN["api"], answers=0.5), cm.Part(CLEAN["own"], answers=0.5)
                )
            }
        },
        {"options": {"mix": cm.cascade(CLEAN["own"], CLEAN["api"], 0.3)}},
    ),
    "P22": (
        {
            "options": {
                "mix": cm.Mix(
                    *(cm.Part(tuned(examples=n)["tune"], answers=0.5) for n in (500, 900))
                )
            }
        },
        {"options": tuned(adapters=2)},
    ),
    "P23": ({"terms": replace(TERMS, on=None)}, None),
    "P24": ({"work": replace(WORK, requests_per_month=1e5)}, {}),
    "P25": (
        {"options": {"api": cm.Option(cm.Api("gpt-5-mini", on=ON), cm.Evals())}},
        {"options": {"api": cm.Option(cm.Api("gpt-5-mini", on=ON), cm.Upgrades())}},
    ),
    "P26": ({}, {"options": {"rag": cm.Option(API, cm.Rag(), cm.Evals())}}),  # the corpus
}


@pytest.mark.parametrize("code", CASES)
def test_a_pitfall_is_seen_and_its_absence_too(code):
    there, absent = CASES[code]
    assert code in codes(**there)
    if absent is not None:
        assert code not in codes(**absent)


def test_what_no_input_can_show_is_always_said():
    """Retries, the language of a text, and calls of an agent that are alike."""
    assert {"P5", "P19"} <= codes()


def test_calls_that_repeat_a_prompt_are_asked_about():
    class Again:
        def shape(self, request, work):
            return request.each(per_request=4.0)

    assert "P7" in codes({"agent": cm.Option(API, Again(), cm.Evals())}) and "P7" not in codes()


def test_steady_traffic_and_no_peak():
    assert {"P1", "P2"} <= codes(work=STEADY)


def test_all_codes_are_listed_on_request():
    table = cm.operations.lint(CLEAN, WORK, TERMS, everything=True)
    assert (
        list(dict.fromkeys(table["code"]))
        == [*(f"P{i}" for i in range(1, 27)), "risk"]
        == [*cm.operations.PITFALLS, "risk"]
    )
    assert (
        list(table.columns) == ["code", "pitfall", "options", "note"]
        and (table["note"] != "").all()
    )


def test_the_note_names_the_options():
    table = cm.operations.lint(
        {**own(replicas_min=1), "more": cm.Option(replace(OWN, replicas_min=1))}, WORK, TERMS
    )
    assert table.set_index("code").loc["P2", "options"] == "own, more"


# -- risks -----------------------------------------------------------------------------------------

OPERATIONS = (cm.Evals(), cm.Release(), cm.Monitoring(), cm.Upgrades(), cm.Compliance())


@pytest.mark.parametrize("left_out", OPERATIONS, ids=lambda t: type(t).__name__)
def test_each_operation_that_is_left_out_is_noted_with_its_risk_in_dollars(left_out):
    option = cm.Option(API, *(t for t in OPERATIONS if t is not left_out))
    table = cm.operations.lint({"whole": cm.Option(API, *OPERATIONS), "part": option}, WORK, TERMS)
    (row,) = cm.operations.unpriced(option, WORK, TERMS).itertuples()
    (note,) = table[table["code"] == "risk"].itertuples()
    assert note.options == "part" and note.pitfall == row.risk
    assert (
        note.note
        == f"no {row.operation}: about USD {row.usd_per_year:,.0f} a year that no line prices; "
        f"{row.why}"
    )


def test_options_that_leave_out_the_same_share_a_note_from_the_least_to_the_most():
    """Without monitoring a bad release is out for longer."""
    blind, watched = (
        cm.Option(API, *OPERATIONS[:1], *OPERATIONS[3:]),
        cm.Option(API, *OPERATIONS[:1], *OPERATIONS[2:]),
    )
    table = cm.operations.lint({"blind": blind, "watched": watched}, WORK, TERMS)
    notes = table[table["code"] == "risk"].set_index("pitfall")
    least, most = (
        cm.operations.unpriced(option, WORK, TERMS).set_index("operation").usd_per_year["Release"]
        for option in (watched, blind)
    )
    assert (
        least < most
        and f"USD {least:,.0f} to {most:,.0f} a year"
        in notes.note["bad releases that reach everybody at once"]
    )
    assert (
        notes.options["bad releases that reach everybody at once"] == "blind, watched"
        and notes.options["drift that only users notice"] == "blind"
    )


# -- zeros -----------------------------------------------------------------------------------------


ZERO = """
title: Free
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250, corpus: {tokens: 1e6}}
terms: {on: 2026-11-20}
options:
  RAG: {serving: {api: gpt-6.1-terra}, techniques: [{rag: {upkeep_fte: 0}}, {evals: {items: 0}}]}
  Graph: {serving: {api: gpt-6.1-terra}, techniques: [{graph_rag: {refresh_share: 0}}]}
"""


def test_zeros_for_people_evaluation_and_refresh_are_found():
    assert cm.decisions.zeros(
        cm.Rag(upkeep_fte=0), cm.Evals(items=0), cm.GraphRag(refresh_share=0), cm.Rag()
    ) == ["Rag.upkeep_fte", "Evals.items", "GraphRag.refresh_share"]


def test_a_zero_must_be_accepted_by_name():
    with pytest.raises(
        ValueError, match=r"Rag.upkeep_fte is 0.*write accept_zero: \[Rag.upkeep_fte\]"
    ):
        cm.load(ZERO)
    with pytest.raises(ValueError, match=r"Evals.items is 0"):
        cm.load(ZERO + "accept_zero: [Rag.upkeep_fte]")
    case = cm.load(ZERO + "accept_zero: [upkeep_fte, Evals.items, GraphRag.refresh_share]")
    assert case.accept_zero == ("upkeep_fte", "Evals.items", "GraphRag.refresh_share")


def test_an_override_to_zero_counts_as_well():
    text = (
        "title: x\nworkload: {requests_per_month: 1e5, input_tokens: 9}\n"
        "terms: {on: 2026-11-20}\noverrides: {engineer.usd_per_hour: 0}"
    )
    with pytest.raises(ValueError, match=r"engineer.usd_per_hour is 0"):
        cm.load(text)


def test_what_is_not_zero_cannot_be_accepted():
    text = (
        "title: x\nworkload: {requests_per_month: 1e5, input_tokens: 9}\n"
        "terms: {on: 2026-11-20}\naccept_zero: [Rag.upkeep_fte]"
    )
    with pytest.raises(
        ValueError, match=r"accept_zero names 'Rag.upkeep_fte', which is not 0 here"
    ):
        cm.load(text)


def test_an_accepted_zero_is_printed(tmp_path):
    path = tmp_path / "free.yaml"
    path.write_text(ZERO + "accept_zero: [Rag.upkeep_fte, Evals.items, GraphRag.refresh_share]")
    said = CliRunner().invoke(main, ["compare", str(path), "--draws", "100"])
    assert (
        said.exit_code == 0
        and "Rag.upkeep_fte) is 0" in said.output
        and "costmodel lint" in said.output
    )
    notes = CliRunner().invoke(main, ["lint", str(path)])
    assert "Rag.upkeep_fte) is 0, and that is accepted" in " ".join(notes.output.split())
    case = cm.load(path)
    again = cm.load(cm.scenarios.save(case, tmp_path / "again.yaml"))
    assert again.accept_zero == case.accept_zero


def test_the_command_lists_all_pitfalls():
    said = CliRunner().invoke(main, ["lint", "support_assistant", "--all"])
    assert said.exit_code == 0 and all(
        f"({code})" in said.output for code in cm.operations.PITFALLS
    )


def test_a_toy_without_people_is_no_zero():
    assert cm.decisions.zeros(cm.Option(API, Buy(0))) == []


def test_the_linter_never_calls_something_zero_that_is_not():
    with pytest.raises(
        ValueError, match=r"accept_zero names 'Rag.upkeep_fte', which is not 0 here"
    ):
        cm.operations.lint(CLEAN, WORK, TERMS, accept_zero=["Rag.upkeep_fte"])
    for wrong, says in (
        ({"accept_zero": "Rag.upkeep_fte"}, "must be a list of names"),
        ({"quality_floor": 3}, "quality_floor is 3"),
        ({"options": {}}, "at least one option"),
    ):
        with pytest.raises(ValueError, match=says):
            cm.operations.lint(**{"options": CLEAN, "work": WORK, "terms": TERMS, **wrong})


def test_what_nothing_uses_is_named():
    work = replace(WORK, corpus=cm.Corpus(1e6, access_groups=40), active_hours_per_month=200)
    notes = cm.operations.lint(cm.Option(API, cm.Rag()), work, TERMS).query("code == 'P26'")
    assert notes["note"].to_list() == [
        "nothing uses reader groups with own access rights (documents; Corpus.access_groups) and "
        "hours with traffic a month (Workload.active_hours_per_month): no total moves with it"
    ]
