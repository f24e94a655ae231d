"""Scenarios: what a file says is what is computed, both ways, and every slip has one sentence with
the right name."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pytest

import costmodel as cm
from costmodel.core.nested import leaves
from costmodel.scenarios.scenario import examples, load, save

BASE = """
title: Test
workload:
  {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250,
   corpus: {tokens: 1_000_000, churn_per_month: 0.03}}
terms: {on: 2026-11-20, months: 24}
"""

MINE = """
options:
  presets: {model: gpt-6.1-terra, only: [RAG, LoRA]}
  My RAG:
    serving: {api: gpt-6-sol, discount: 0.1}
    techniques: [{rag: {top_k: 8}}, evals, monitoring]
    quality: {accepted: 164, trials: 200}
  Router: {mix: [{option: Hosted one, answers: 0.8}, {option: LoRA, answers: 0.2}]}
  Hosted one:
    serving: {hosted: llama-3.1-8b, gpu: L40S, accepted: 0.6}
    techniques: [{lora: {examples: 3_000, quantised: yes}}]
  Student:
    serving: {hosted: llama-3.1-8b, gpu: L40S}
    techniques: [{distill: {teacher: {api: gpt-6-sol, mode: batch}}}]
    quality: 0.7
overrides:
  {engineer.usd_per_hour: 140, Rag.top_k: {low: 4, mid: 6, high: 12}, gpt-6-sol.usd_per_mtok_in: 4}
quality: {RAG: {accepted: 164, trials: 200}}
quality_floor: 0.7
confidence: 0.9
risk: 0.5
seed: 7
draws: 300
"""


def table(s):
    return cm.compare(s.options, s.work, terms=s.terms, draws=300, seed=s.seed)


def again(s, tmp_path):
    return load(save(s, tmp_path / "saved.yaml"))


# -- in --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", examples())
def test_examples_compare_and_come_back_from_a_file(name, tmp_path):
    s = load(name)
    found = table(s)
    assert found["expected"].notna().all() and found["quality"].notna().all()
    reach = cm.compare(s, draws=300)["p_reaches"]  # without a floor all do
    assert (reach >= 0.1).sum() >= 3
    pd.testing.assert_frame_equal(found, table(again(s, tmp_path)), rtol=1e-12)


def test_a_file_and_python_give_the_same_numbers():
    s = load(
        BASE + "options: {A: {serving: {api: gpt-6-sol, accepted: {low: 0.5, high: 0.8}}, "
        "techniques: [few_shot, {Rag: {top_k: 8}}, evals]}}"
    )
    work = cm.Workload(
        100_000,
        input_tokens=900,
        output_tokens=250,
        corpus=cm.Corpus(1_000_000, churn_per_month=0.03),
    )
    option = cm.Option(
        cm.Api("gpt-6-sol", on="2026-11-20", accepted=cm.Range(0.5, 0.8)),
        cm.FewShot(),
        cm.Rag(top_k=8),
        cm.Evals(),
    )
    wanted = cm.compare({"A": option}, work, draws=300, terms=cm.Terms(on="2026-11-20", months=24))
    pd.testing.assert_frame_equal(table(s), wanted, check_exact=True)


def test_presets_are_the_default_and_quality_is_yours():
    s = load(BASE + "quality: {RAG: {accepted: 164, trials: 200}, Cascade: 0.8}")
    wanted = cm.presets(
        s.work, on="2026-11-20", quality={"RAG": cm.Measured(164, 200), "Cascade": 0.8}
    )
    assert s.options == cm.Study(wanted, s.work).options


def test_evaluations_come_back_from_a_file_with_their_draws(tmp_path):
    """By their label, by a name, and paired; a label goes unsaid, because the file has it."""
    s = load(BASE + MINE)
    first, second = cm.Measured.paired(80, 8, 3, 9, name="May")
    plain = replace(s.options["My RAG"], quality=cm.Measured(85, 100))
    options = {
        "A": plain,
        "B": replace(plain, quality=cm.Measured(85, 100, name="April")),
        "C": replace(plain, quality=first),
        "D": replace(plain, quality=second),
        "Mix": cm.cascade(plain, s.options["Hosted one"], 0.2),
    }
    study = replace(s, options=options, accept_zero=None)
    text = save(study, tmp_path / "a.yaml").read_text()
    assert "85/100" not in text and "name: April" in text and "driver: May" in text
    assert again(study, tmp_path).options == study.options
    pd.testing.assert_frame_equal(table(again(study, tmp_path)), table(study), check_exact=True)


def test_overrides_reach_every_place_and_stay_paired():
    s = load(BASE + MINE)
    values = leaves((s.options, s.terms))
    assert values["engineer.usd_per_hour"] == 140 and values["gpt-6-sol.usd_per_mtok_in"] == 4
    counts = [
        t.top_k
        for label in ("RAG", "My RAG")
        for t in s.options[label].techniques
        if isinstance(t, cm.Rag)
    ]
    assert [k.mid for k in counts] == [6, 6]
    assert len({k.name for k in counts}) == 1


def test_a_mix_names_options_in_any_order():
    s = load(BASE + MINE)
    router = s.options["Router"]
    assert [p.answers for p in router.mix] == [0.8, 0.2]
    assert router.mix[0].option == s.options["Hosted one"]


@pytest.mark.parametrize(
    "text, requests",
    [
        (
            "{from_users: {users: 400, requests_per_user_per_day: 25}, "
            "input_tokens: 9, output_tokens: 9}",
            220_000,
        ),
        (
            "{from_users: {users: 400, requests_per_user_per_day: 25, days_per_month: 10, "
            "input_tokens: 9, output_tokens: 9}}",
            100_000,
        ),
        ("{from_pages: {requests_per_month: 5, pages_in: 2, words_out: 100}}", 5),
        ("{from_words: {requests_per_month: 5, words_in: 90, words_out: 100}}", 5),
        (
            "{from_bill: {usd_per_month: 7_750, model: gpt-4o, input_tokens: 2_300, "
            "output_tokens: 200}}",
            1e6,
        ),
    ],
)
def test_other_ways_to_state_a_workload(text, requests):
    s = load(
        f"title: T\nworkload: {text}\nterms: {{on: 2026-11-01}}\n"
        "options: {A: {serving: gpt-6-sol}}"
    )
    assert s.work.requests_per_month == pytest.approx(requests)


def test_a_corpus_in_pages():
    s = load(BASE.replace("{tokens: 1_000_000,", "{from_pages: {pages: 1_000},"))
    assert s.work.corpus == cm.Corpus.from_pages(1_000, churn_per_month=0.03)


@pytest.mark.parametrize(
    ("line", "home"),
    [
        ("currency: USD", "terms"),
        ("requests_per_month: 5", "workload"),
        ("presets: {only: [RAG]}", "options"),
    ],
)
def test_a_field_in_the_wrong_place_is_told_its_home(tmp_path, line, home):
    path = tmp_path / "mine.yaml"
    path.write_text(f"title: T\n{line}\nworkload: {{requests_per_month: 1, input_tokens: 1}}\n")
    name = line.partition(":")[0]
    with pytest.raises(ValueError, match=f"{name} of .* belongs in {home}; write {home}: {{{name}"):
        cm.load(path)


def test_changes_replace_what_the_file_says():
    s = load(
        BASE, months=12, input_tokens=700, corpus_tokens=5e6, seed=3, title="Other", draws=None
    )
    assert (
        s.terms.months,
        s.work.input_tokens,
        s.work.corpus.tokens,
        s.seed,
        s.title,
        s.draws,
    ) == (12, 700, 5e6, 3, "Other", 10_000)
    assert s.work.corpus.churn_per_month == 0.03
    assert load(BASE, corpus_tokens=0).work.corpus is None
    with pytest.raises(cm.facts.CatalogError, match="did you mean 'input_tokens'"):
        load(BASE, input_token=3)


# -- YAML's traps ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, value",
    [("1e6", 1e6), ("1_000_000", 1e6), ("1.5E+3", 1500), ("007", 7), ("'12'", 12), ("+3.", 3)],
)
def test_numbers(text, value):
    assert load(BASE.replace("1e5", text)).work.requests_per_month == value


@pytest.mark.parametrize(
    "text, value",
    [
        ("yes", True),
        ("No", False),
        ("ON", True),
        ("off", False),
        ("true", True),
        ("FALSE", False),
        ('"false"', False),
    ],
)
def test_flags_in_any_case(text, value):
    s = load(
        BASE
        + "options: {A: {serving: {hosted: llama-3.1-8b}, "
        + f"techniques: [{{lora: {{quantised: {text}}}}}]}}}}"
    )
    assert s.options["A"].techniques[0].quantised is value


def test_dates_text_and_the_key_on():
    s = load(
        BASE.replace("months: 24", "start: 2027-03-01")
        + "prepared_for: no\nnote: 2026-11-20\nquality_floor: null"
    )
    assert (s.terms.on, s.terms.start, s.prepared_for, s.note, s.quality_floor) == (
        "2026-11-20",
        "2027-03-01",
        "no",
        "2026-11-20",
        None,
    )


def test_nothing_is_executed():
    with pytest.raises(ValueError):
        load(BASE + "draws: !!python/object/apply:os.getpid []")


# -- slips -----------------------------------------------------------------------------------------

OPTION = "options: {A: %s}"
SLIPS = [
    (
        "quallity_floor: 0.7",
        "no field 'quallity_floor' in the scenario; did you mean 'quality_floor'",
    ),
    ("title: Again", "line 7 is not valid YAML: 'title' is there twice"),
    ("note: [1", "not valid YAML"),
    ("quality_floor: 70", "quality_floor is 70, allowed is between 0 and 1"),
    ("confidence: 80", "confidence is 80, it must be one number, between 0 and 1"),
    ("risk: -1", "risk is -1, it must be one number, between 0 and 1"),
    ("part_of: [RAG]", "no field 'part_of' in the scenario"),
    ("quality_floor: true", "quality_floor is 'true', it must be a number"),
    ("draws: 1.5", "draws is '1.5', it must be a whole number"),
    ("quality: {RAGG: 0.7}", "no option 'RAGG' in the scenario: quality; did you mean 'RAG'"),
    (
        "quality: {RAG: {accepted: 5, trails: 6}}",
        "no field 'trails' in the scenario: quality.RAG; did you mean 'trials'",
    ),
    ("options: preset", "did you mean 'presets'"),
    (
        "options: {presets: {modle: gpt-6-sol}}",
        "no field 'modle' in the scenario: options.presets; did you mean 'model'",
    ),
    (
        "options: {presets: {only: [Rag]}}",
        "no preset 'Rag' in the scenario: options.presets.only; did you mean 'RAG'",
    ),
    (
        "overrides: {Rag.topk: 3}",
        "overrides.Rag.topk: no input 'Rag.topk' .* did you mean 'rag.top_k'",
    ),
    ("overrides: {Rag.top_k: -3}", "overrides.Rag.top_k: Rag.top_k is -3, allowed is at least 1"),
    ("overrides: {capability: 30}", "'capability' could be .* write one of them"),
    ("options: {presets: {only: al}}", "options.presets.only is 'al', it must be a list"),
    ("evidence: {Pilot: {serving: gpt-6-sol}}", "the quality of evidence 'Pilot' is None"),
]
SLIPS_OF_AN_OPTION = [
    ("{servin: gpt-6-sol}", "no field 'servin' in the scenario: options.A; did you mean 'serving'"),
    (
        "{serving: gpt-6-soll}",
        "options.A.serving: no API model 'gpt-6-soll' .* did you mean 'gpt-6-sol'",
    ),
    (
        "{serving: {api: gpt-6-sol, mod: batch}}",
        "no field 'mod' in the scenario: options.A.serving; did you mean 'mode'",
    ),
    (
        "{serving: {hosted: llama-3.1-8b, gpu: L40}}",
        "options.A.serving: no GPU 'L40' .* did you mean 'L40S'",
    ),
    (
        "{serving: gpt-6-sol, techniques: [few_shots]}",
        r"no technique 'few_shots' .* options.A.techniques\[0\]; did you mean 'FewShot'",
    ),
    (
        "{serving: gpt-6-sol, techniques: [{rag: {topk: 3}}]}",
        r"no field 'topk' .*techniques\[0\].rag; did you mean 'top_k'",
    ),
    (
        "{serving: gpt-6-sol, techniques: [{rag: {top_k: many}}]}",
        r"techniques\[0\].rag.top_k is 'many', it must be a number or a range",
    ),
    (
        "{serving: gpt-6-sol, techniques: [{rag: {top_k: yes}}]}",
        r"techniques\[0\].rag.top_k is 'yes', it must be a number",
    ),
    (
        "{serving: gpt-6-sol, techniques: [{rag: {top_k: -1}}]}",
        "Rag.top_k is -1, allowed is at least 1",
    ),
    (
        "{serving: gpt-6-sol, techniques: [{rag: {top_k: {low: 3, hi: 5}}}]}",
        "no field 'hi' .*rag.top_k; did you mean 'high'",
    ),
    ("{serving: gpt-6-sol, techniques: [distill]}", "distill has no teacher; write teacher"),
    ("{mix: [{option: A, answers: 1}]}", "'A' contains itself"),
    (
        "{mix: [{option: B, answers: 1}]}",
        r"no option 'B' in the scenario: options.A.mix\[0\].option",
    ),
]
SLIPS += [(OPTION % option, says) for option, says in SLIPS_OF_AN_OPTION]


@pytest.mark.parametrize(("text", "says"), SLIPS)
def test_a_slip_is_one_sentence_with_the_place_and_the_right_name(text, says):
    with pytest.raises(ValueError, match=says) as caught:
        load(BASE + text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("workload", "workloads", "no field 'workloads' in the scenario; did you mean 'workload'"),
        (
            "input_tokens",
            "input_token",
            "no field 'input_token' in the scenario: workload; did you mean 'input_tokens'",
        ),
        (
            "churn_per_month",
            "chrun_per_month",
            "in the scenario: workload.corpus; did you mean 'churn_per_month'",
        ),
        (
            "months: 24",
            "month: 24",
            "no field 'month' in the scenario: terms; did you mean 'months'",
        ),
        ("900", "many", "workload.input_tokens is 'many', it must be a number or a range"),
        ("900", "{low: 5, high: 3}", "workload.input_tokens: .* low must not exceed high"),
        (
            "1e5",
            "1e5, from_users: {users: 4, requests_per_user_per_day: 2}",
            "workload.from_users: .*requests_per_month.* leave that field out",
        ),
        ("2026-11-20", "20 Nov", "terms: on is '20 Nov'"),
    ],
)
def test_slips_in_workload_and_terms(old, new, message):
    with pytest.raises(ValueError, match=message):
        load(BASE.replace(old, new))


def test_an_option_that_cannot_be_built_is_named():
    with pytest.raises(
        cm.facts.CatalogError, match=r"options\.A\.serving: the \w+ of 'kimi-k3' are not published"
    ):
        load(BASE + OPTION % "{serving: {hosted: kimi-k3}}")


def test_a_missing_file_and_the_name_of_the_file(tmp_path):
    with pytest.raises(cm.facts.CatalogError, match="did you mean 'support_assistant'"):
        load("support_asistant")
    path = tmp_path / "mine.yaml"
    path.write_text(BASE + "sead: 1")
    with pytest.raises(
        cm.facts.CatalogError, match=r"no field 'sead' in mine.yaml; did you mean 'seed'"
    ):
        load(path)


# -- out -------------------------------------------------------------------------------------------


def test_round_trip_with_mixes_overrides_and_evaluations(tmp_path):
    s = load(BASE + MINE)
    back = again(s, tmp_path)
    pd.testing.assert_frame_equal(table(s), table(back), check_exact=True)
    kept = ("title", "quality_floor", "confidence", "risk", "seed", "terms")
    assert [getattr(back, name) for name in kept] == [getattr(s, name) for name in kept]
    assert (s.confidence, s.risk) == (0.9, 0.5)
    assert cm.recommend(back).sentence == cm.recommend(s).sentence
    assert list(back.options) == list(s.options)


WORDS_FOR_TASKS = [
    {},
    {"difficulty": "harder"},
    {"difficulty": 0.0},
    {"corpus": cm.Corpus(1e6), "difficulty": cm.Range(-0.5, 0.5)},
    {"task": "extract", "other_languages": 0.2},
    {"task": "extract", "difficulty": 0.4},
    {"task": "fields of ours (like extract)", "difficulty": "easier"},
]


@pytest.mark.parametrize("said", WORDS_FOR_TASKS, ids=str)
def test_a_task_and_how_hard_it_is_come_back_from_a_file(said, tmp_path):
    """What was not said is not said in the file, and stays so when something else changes."""
    work = cm.Workload(1e5, input_tokens=900, output_tokens=250, **said)
    study = cm.Study(cm.Option(cm.Api("gpt-6-sol")), work, cm.Terms(on="2026-11-20"), title="t")
    path = save(study, tmp_path / "a.yaml")
    assert load(path).work == work and load(path) == study
    assert ("task:" in path.read_text()) == ("task" in said)
    assert ("difficulty:" in path.read_text()) == ("difficulty" in said)
    assert load(path, requests_per_month=5e5).work == replace(work, requests_per_month=5e5)
    assert replace(work, requests_per_month=5e5).task == work.task


def test_what_was_judged_beside_the_choices_comes_back_from_a_file(tmp_path):
    """A pilot of what is no choice moves the others, before and after it was saved."""
    text = BASE + "options: {A: {serving: gpt-6-sol}}\n"
    told = text + "evidence: {Pilot: {serving: gpt-6-luna, quality: {accepted: 190, trials: 200}}}"
    s = load(told)
    assert s.evidence["Pilot"].quality.accepted == 190 and list(s.options) == ["A"]
    assert again(s, tmp_path).evidence == s.evidence
    pd.testing.assert_frame_equal(cm.compare(s), cm.compare(again(s, tmp_path)), check_exact=True)
    assert cm.compare(s)["quality"].item() > cm.compare(load(text))["quality"].item() + 0.05


def test_presets_of_a_file_are_all_or_some_or_those_that_make_sense(tmp_path):
    every = load(BASE + "options: {presets: {only: all}}")
    assert list(every.options) == list(cm.presets(every.work, only="all"))
    some = load(BASE)
    assert list(some.options) == list(cm.presets(some.work))
    assert {*every.options} - {*some.options} == {*cm.choices.not_offered(some.work)}
    assert list(again(every, tmp_path).options) == list(every.options)


def test_the_signal_of_a_cascade_comes_back_from_a_file(tmp_path):
    """By its numbers, which differ from those of no signal: it sends on what would have failed."""
    text = (
        BASE
        + "options:\n  Small: {serving: {api: gpt-6-luna, accepted: 0.6}}\n"
        + "  Large: {serving: {api: gpt-6-sol, accepted: 0.8}}\n"
        + "  Both: {signal: typed_judge, mix: [{option: Small, sees: 1.0}, "
        + "{option: Large, sees: 0.3, answers: 0.3}]}\n"
    )
    s = load(text)
    assert s.options["Both"].signal == cm.choices.Signal.of("typed_judge")
    assert again(s, tmp_path).options == s.options
    blind = load(text.replace("signal: typed_judge, ", ""))
    told, mean = (cm.compare(x)["quality"]["Both"] for x in (s, blind))
    assert mean == pytest.approx(0.7 * 0.6 + 0.3 * 0.8, abs=2e-3) and told > mean + 0.02


def test_presets_are_written_in_one_line_and_in_full_when_their_date_is_open(tmp_path):
    s = load(BASE)
    assert "presets:" in save(s, tmp_path / "a.yaml").read_text()
    open_date = replace(s, terms=cm.Terms(months=24), options=cm.presets(s.work, on="2026-11-20"))
    text = save(open_date, tmp_path / "b.yaml").read_text()
    assert "presets" not in text and "2026-11-20" in text
    pd.testing.assert_frame_equal(  # what presets share is added in another order
        table(open_date), table(load(tmp_path / "b.yaml")), rtol=1e-13, atol=0
    )


@pytest.mark.parametrize("name", ["own_gpus", "support_assistant"])
def test_a_saved_scenario_overrides_nothing_that_nobody_changed(name, tmp_path):
    assert "overrides" not in save(load(name), tmp_path / "again.yaml").read_text()


def test_a_range_under_a_key_comes_back_with_its_draws(tmp_path):
    """Of a record, of the task and of an option; saved again it is the same text."""
    s = load(BASE + MINE)
    things: tuple = (s.options, s.work)
    for key, value in (
        ("task.slope", cm.Range(0.5, 0.9, name="task.slope")),
        ("strong.context_decay", 0.2),
        ("rag.maintenance_fte", cm.Range(0.4, 0.8)),
    ):
        things = cm.uncertainty.pin(things, key, value)
    changed = replace(s, options=things[0], work=things[1])
    path = save(changed, tmp_path / "a.yaml")
    assert "task.slope: {low: 0.5, high: 0.9" in path.read_text()
    pd.testing.assert_frame_equal(table(changed), table(load(path)), rtol=1e-12)
    assert save(load(path), tmp_path / "b.yaml").read_text() == path.read_text()


def test_a_usual_number_that_was_moved_and_is_still_scaled_cannot_be_said(tmp_path):
    s = load(BASE)
    driven = cm.uncertainty.drive(s.options, "hiring", {"rag.maintenance_fte": 0.5})
    with pytest.raises(
        cm.facts.CatalogError, match=r"rag.maintenance_fte\) is not what it usually"
    ):
        save(replace(s, options=driven), tmp_path / "no.yaml")


def test_what_a_file_cannot_say_is_an_error_and_nothing_is_written(tmp_path):
    s = load(BASE)
    own = replace(cm.facts.gpu("L40S"), id="my-gpu")
    options = {
        "A": cm.Option(
            cm.Hosted(
                "llama-3.1-8b",
                gpu=own,
                rent=replace(cm.facts.rent("L40S"), id="mine", gpu="my-gpu"),
            ),
            quality=0.7,
        )
    }
    with pytest.raises(cm.facts.CatalogError, match=r"my-gpu.* is not in the catalogue"):
        save(replace(s, options=options), tmp_path / "no.yaml")
    dear = cm.uncertainty.pin(s.options["RAG"], "gpt-6.1-terra.usd_per_mtok_in", 9.0)
    with pytest.raises(
        cm.facts.CatalogError, match=r"gpt-6.1-terra.usd_per_mtok_in\) has several values"
    ):
        save(replace(s, options={**s.options, "RAG": dear}), tmp_path / "no.yaml")
    assert not (tmp_path / "no.yaml").exists()


@pytest.mark.parametrize(
    "field, value",
    [
        *(("draws", 0), ("draws", True), ("seed", -1), ("quality_floor", 1.2), ("options", {})),
        *(("confidence", -0.1), ("confidence", cm.Range(0.7, 0.9)), ("risk", 1.1)),
    ],
)
def test_a_scenario_checks_itself(field, value):
    with pytest.raises(ValueError, match=field):
        replace(load(BASE), **{field: value})


def test_a_corpus_by_its_pages_alone():
    text = (
        "title: t\nworkload: {requests_per_month: 1e5, input_tokens: 900, "
        "corpus: {pages: 50_000, churn_per_month: 0.02}}\n"
    )
    corpus = cm.load(text).work.corpus
    assert corpus == cm.Corpus.from_pages(50_000, churn_per_month=0.02)


def test_a_percentage_is_told_how_to_be_written():
    with pytest.raises(
        ValueError, match=r"churn_per_month is '2%'.* written as a share, such as 0.02"
    ):
        cm.load(
            "title: t\nworkload: {requests_per_month: 1e5, input_tokens: 900, "
            "corpus: {tokens: 1e6, churn_per_month: 2%}}\n"
        )


def test_an_evaluation_reaches_an_option_inside_a_mix():
    text = """
title: t
workload: {requests_per_month: 1e5, input_tokens: 900, usd_per_failure: 2}
options:
  Small: {serving: {api: gpt-6-luna}}
  Large: {serving: {api: gpt-6-sol}}
  Both: {mix: [{option: Small, sees: 1.0}, {option: Large, sees: 0.3, answers: 0.3}]}
quality: {Small: {accepted: 120, trials: 200}, Large: {accepted: 180, trials: 200}}
"""
    case = cm.load(text)
    assert (
        case.options["Both"].mix[0].option == case.options["Small"]
        and case.options["Both"].mix[1].option == case.options["Large"]
    )
    assert cm.compare(case).loc["Both", "quality"] == pytest.approx(0.7 * 0.6 + 0.3 * 0.9, abs=1e-2)


def test_the_reference_of_scenarios_is_a_scenario(tmp_path):
    """The example of docs/scenario.md loads, and names every field that a file may have."""
    text = (Path(__file__).parents[2] / "docs" / "scenario.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.S)[1]
    contract = tmp_path / "contract.csv"
    contract.write_text("model,discount\ngpt-6-sol,0.1\n")
    case = cm.load(example, price_book=contract)
    assert list(case.options) == ["RAG", "Few-shot", "Ours", "Both"]
    named = {f.name for f in fields(case)} - {
        "work",
        "note",
        "part_of",
        "points",
        "before",
        "whole",
    } | {"workload", "quality", "overrides", "price_book"}
    assert all(re.search(rf"^{name}:", example, re.M) for name in named)
