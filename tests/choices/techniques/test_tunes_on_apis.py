"""Students and adapters behind an API: trained by a provider, paid by the token, nothing idle."""

from dataclasses import replace

import pytest
from toys import STILL, api

import costmodel as cm

ON = "2026-11-20"
WORK = cm.Workload(1e5, input_tokens=900, output_tokens=250)
GLM = cm.Api("glm-5p3-flash", provider="fireworks", on=ON, accepted=0.6)
FLASH = cm.Api("gemini-3.5-flash", on=ON, accepted=0.6)
TUNE = {"examples": 1_000, "tokens_per_example": 800, "epochs": 3, "runs": 1}
OPEN_TEACHER = cm.Api("deepseek-v4-pro", on=ON, accepted=0.9)


def lines(serving, *techniques):
    option = cm.Option(serving, *techniques)
    return cm.explain(option, WORK, terms=STILL).set_index("item")


def why(serving, *techniques, terms=STILL):
    option = cm.Option(serving, *techniques)
    return cm.compare(option, WORK, terms=terms, draws=1).why_not.item()


@pytest.mark.parametrize(
    ("serving", "tune", "times"),
    [
        (GLM, cm.Lora(tuning="fireworks.glm-5.3-flash", **TUNE), 1.0),
        (FLASH, cm.Lora(tuning="vertex.gemini-3.5-flash", **TUNE), 1.5),
        (FLASH, cm.Distill(teacher=OPEN_TEACHER, tuning="vertex.gemini-3.5-flash", **TUNE), 1.5),
    ],
    ids=["serverless adapter", "managed adapter", "managed student"],
)
def test_what_a_provider_trained_is_paid_by_the_token(serving, tune, times):
    plain, tuned = lines(serving), lines(serving, tune)
    assert tuned.quantity["the run that passes"] == pytest.approx(2.4)  # million tokens
    for item in ("production: fresh input", "production: output"):
        assert tuned.usd[item] == pytest.approx(times * plain.usd[item])
    assert not tuned.index.str.contains("GPU|host|checkpoints").any()


def test_a_hosted_deployment_of_a_provider_is_paid_every_hour():
    azure = cm.Api("gpt-4.1", provider="azure", on=ON, accepted=0.6)
    found = lines(azure, cm.Lora(tuning="azure.gpt-4.1", adapters=2, **TUNE))
    assert found.quantity["host the tuned model"] == pytest.approx(2 * 730 * 36)


def test_a_student_of_a_provider_may_learn_from_its_larger_model():
    """Google distils Gemini into Gemini; nobody may distil it into another maker's model."""
    teacher = cm.Api("gemini-4-argon", on=ON, accepted=0.9)
    own = cm.Distill(teacher=teacher, tuning="vertex.gemini-3.5-flash", **TUNE)
    assert "teacher labels: output" in lines(FLASH, own).index
    other = cm.Distill(teacher=teacher, tuning="fireworks.glm-5.3-flash", **TUNE)
    assert "terms of closed models forbid" in why(GLM, other)


@pytest.mark.parametrize(
    ("serving", "tune", "words"),
    [
        (FLASH, cm.Lora(), "Lora on 'gemini-3.5-flash' needs tuning=, the provider's offer; known"),
        (FLASH, cm.Distill(teacher=OPEN_TEACHER), "Distill on 'gemini-3.5-flash' needs tuning="),
        (GLM, cm.Lora(tuning="vertex.gemini-3.5-flash"), "this serving answers with 'glm-5p3-fl"),
        (cm.finance.Staff(9), cm.Lora(), "Lora needs a Hosted serving, or an Api with tuning="),
    ],
)
def test_what_nobody_offers_is_refused(serving, tune, words):
    assert words in why(serving, tune)


def test_a_size_class_with_a_price_of_the_adapter_answers_behind_an_api():
    offer = replace(cm.facts.tuning("together.lora-16b"), premium=1.2)
    small = api("meta-llama/Llama-3.1-8B-Instruct", accepted=0.5, **{"in": 1.0, "out": 1.0})
    found = lines(small, cm.Lora(tuning=offer, **TUNE))
    assert found.usd_per_unit["production: output"] == pytest.approx(1.2)
    large = replace(small, model=replace(small.model, id="meta-llama/Llama-3.1-70B-Instruct"))
    assert "has 71 billion parameters" in why(large, cm.Lora(tuning=offer, **TUNE))
    unknown = replace(small, model=replace(small.model, id="toy"))
    assert "how large toy is, is not known" in why(unknown, cm.Lora(tuning=offer, **TUNE))


def test_a_tune_and_its_base_end_once():
    """The base of own weights ends after 20 months; nobody retires it after 12 as well."""
    own = cm.Hosted("llama-3.1-8b", gpu="L40S", accepted=0.5)
    lora, moves = cm.Lora(base_life_months=20, **TUNE), cm.Upgrades(every_months=12)
    book = cm.ledger(cm.Option(own, lora, moves), WORK, terms=STILL, months=36)
    months = book[book["phase"] == "migration"].groupby("item")["month"].unique()
    assert {tuple(m) for m in months} == {(20,)}
    assert "forced model upgrade" not in months and "move to a new base: people" in months
    alone = cm.ledger(cm.Option(own, moves), WORK, terms=STILL, months=36)
    assert alone[alone["item"] == "forced model upgrade"]["month"].to_list() == [12, 24, 36]


def test_a_file_says_the_same(tmp_path):
    study = cm.load("""
title: Test
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
terms: {on: 2026-11-20}
options:
  Adapter:
    serving: {api: glm-5p3-flash, provider: fireworks, accepted: 0.6}
    techniques: [{lora: {tuning: fireworks.glm-5.3-flash, minutes_per_label: 5, label_role: nurse}}]
  Student:
    serving: {api: gemini-3.5-flash, accepted: 0.6}
    techniques: [{distill: {teacher: {api: gemini-4-argon, accepted: 0.9}, tuning: vertex.gemini-3.5-flash, readiness: {ready_chance: 0.5, role: lawyer}}}]
  Untested student:
    serving: {api: gemini-3.5-flash, accepted: 0.6}
    techniques: [{distill: {teacher: {api: gemini-4-argon, accepted: 0.9}, tuning: vertex.gemini-3.5-flash, readiness: null}}]
overrides: {fireworks.glm-5.3-flash.usd_per_mtok_train: 2}
""")  # noqa: E501
    found = cm.compare(study, draws=50)
    assert found["why_not"].to_list() == ["", "", ""]
    assert found["expected"]["Student"] > found["expected"]["Untested student"]
    assert study.options["Adapter"].techniques[0].tuning.usd_per_mtok_train == 2
    back = cm.load(cm.scenarios.save(study, tmp_path / "a.yaml"))
    assert cm.compare(back, draws=50).equals(found)


OWN = cm.Hosted("llama-3.1-8b", gpu="L40S", accepted=0.5)


@pytest.mark.parametrize(
    ("tune", "beside", "months", "words"),
    [
        ({}, (cm.Monitoring(drifts_per_year=1),), [12, 24, 36], "at each of 1 drifts a year"),
        ({}, (cm.Monitoring(drifts_per_year=2),), list(range(6, 37, 6)), "each of 2 drifts a year"),
        ({"retrain_months": 9}, (cm.Monitoring(),), [9, 18, 27, 36], "every 9 months"),
        ({}, (), [4.5 * n for n in range(1, 9)], "every 4.5"),
    ],
    ids=["one drift", "two drifts", "by the calendar that was given", "nobody watches"],
)
def test_drift_calls_for_a_retraining_unless_months_are_given(tune, beside, months, words):
    option = cm.Option(OWN, cm.Lora(**TUNE, **tune), *beside)
    book = cm.ledger(cm.uncertainty.middle(option), WORK, terms=STILL, months=36)
    for item in ("retrain", "retrain: people", "label again for retraining"):
        found = book[book["item"] == item]["month"]
        assert len(found) == len(months) and (found.to_numpy() - months < 1).all()
    assert words in book[book["item"] == "retrain"].basis.iloc[0]


@pytest.mark.parametrize(
    ("serving", "tune"),
    [
        (OWN, cm.Lora(**TUNE)),
        (OWN, cm.FineTune(**TUNE)),
        (OWN, cm.Lora(tuning="together.lora-16b", **TUNE)),
        (OWN, cm.Distill(teacher=OPEN_TEACHER, **TUNE)),
        (GLM, cm.Lora(tuning="fireworks.glm-5.3-flash", **TUNE)),
        (FLASH, cm.FineTune(tuning="vertex.gemini-3.5-flash", **TUNE)),
        (FLASH, cm.Distill(teacher=OPEN_TEACHER, tuning="vertex.gemini-3.5-flash", **TUNE)),
        (
            cm.Api("gpt-4.1", provider="azure", on=ON, accepted=0.6),
            cm.FineTune(tuning="azure.gpt-4.1", **TUNE),
        ),
    ],
)
def test_one_base_ends_once_wherever_it_is_tuned(serving, tune):
    """The base of a tune, its price and its people move in the same months, and people once."""
    alone = cm.ledger(cm.Option(serving, tune), WORK, terms=STILL, months=36)
    with_upgrades = cm.Option(serving, tune, cm.Upgrades(every_months=7, named_successor=False))
    book = cm.ledger(with_upgrades, WORK, terms=STILL, months=36)

    def moves(rows):
        return set(rows[rows["phase"] == "migration"]["month"])

    assert moves(alone) == moves(book) != set()
    people = book[book["phase"].eq("migration") & book["item"].str.contains("people|upgrade")]
    assert set(people["item"]) == {"move to a new base: people"}


def test_a_tune_ends_with_the_announced_end_of_its_base():
    """Azure ends gpt-4.1 on 2027-04-14, and names no day for its tunes."""
    azure = cm.Api("gpt-4.1", provider="azure", on=ON, accepted=0.6)
    option = cm.Option(azure, cm.FineTune(tuning="azure.gpt-4.1", **TUNE))
    book = cm.ledger(option, WORK, terms=replace(STILL, start="2027-01-01", months=7))
    assert set(book[book["phase"] == "migration"]["month"]) == {4}
    late = replace(STILL, start="2027-05-01")
    words = why(azure, cm.FineTune(tuning="azure.gpt-4.1"), terms=late)
    assert "gpt-4.1 is retired since 2027-04-14" in words


def test_labels_are_minutes_of_a_role_or_a_price_each():
    """1,000 labels of six minutes of a nurse are a hundred hours of one."""
    lora = cm.Lora(minutes_per_label=6, label_role="nurse", **TUNE)
    found = lines(OWN, lora)
    assert found.quantity["label the examples"] == pytest.approx(100)
    assert found.usd_per_unit["label the examples"] == pytest.approx(
        cm.uncertainty.middle(cm.facts.person("nurse")).usd_per_hour, rel=0.2
    )
    assert "6 min × USD 68.5" in found.basis["label the examples"]


def test_a_full_tune_on_own_gpus_takes_more_runs_and_more_work_than_an_adapter():
    """A provider brings its recipe; on own GPUs, twice the work and half the chance of a run."""
    own = {"effort_ratio": 2, "runs_ratio": 2, "luck": 0.5, "pass_chance": 0.5}
    tune = {n: v for n, v in TUNE.items() if n != "runs"} | {"build_weeks": 5}
    full = lines(OWN, cm.FineTune(**tune, **own))
    lora = lines(OWN, cm.Lora(**tune, luck=0.5, pass_chance=0.5))
    build = "build the data set and the training"
    assert full.quantity[build] == pytest.approx(2 * lora.quantity[build]) == 400
    assert full.quantity["keep the tune working"] == pytest.approx(
        lora.quantity["keep the tune working"]
    )
    assert "find out why runs fail" not in lora.index or lora.usd["find out why runs fail"] == 0
    assert full.usd["find out why runs fail"] > 0  # a chance of 1/4: three runs at the median
    managed = lines(FLASH, cm.FineTune(tuning="vertex.gemini-3.5-flash", **tune, **own))
    assert managed.quantity[build] == pytest.approx(200)


def test_a_student_is_shown_until_it_is_ready():
    """Ready in one of two comparisons: 100 answers are read twice, and the teacher answers 15 days
    of traffic in the meantime.
    """
    rules = cm.choices.Readiness(
        wrong_max=0.5,
        known_within=0.0822427,  # 1.6449 x sqrt(0.25 / 100)
        gap_max=0.1,
        calibration_max=1,
        accepted_before=0.5,
        minutes_per_disagreement=6,
        role="lawyer",
        ready_chance=0.5,
        days_per_round=15,
    )
    student = cm.Distill(
        teacher=OPEN_TEACHER,
        tuning="vertex.gemini-3.5-flash",
        readiness=rules,
        shadow_days=730 / 24,
        shadow_share=0.1,
        **TUNE,
    )
    found = lines(FLASH, student)
    assert found.quantity["read where student and teacher differ"] == pytest.approx(2 * 100 * 0.1)
    assert "100 answers that show" in found.basis["read where student and teacher differ"]
    assert found.quantity["label requests to test the student"] == 136  # 2 x 0.25 (1.645 / 0.1)^2
    assert found.quantity["student answers the test: output"] == pytest.approx(2 * 136 * 250 / 1e6)
    assert found.quantity["train again until the student is ready"] == pytest.approx(2.4)
    assert found.quantity["shadow comparison: output"] == pytest.approx(2 * 1e4 * 250 / 1e6)
    wait = "teacher answers until the student is ready: output"
    assert found.quantity[wait] == pytest.approx(1e5 * 15 * 24 / 730 * 250 / 1e6)
    none = lines(FLASH, replace(student, readiness=None))
    assert set(found.index) - set(none.index) == {
        "read where student and teacher differ",
        "label requests to test the student",
        "student answers the test: output",
        "student answers the test: fresh input",
        "train again until the student is ready",
        wait,
        wait.replace("output", "fresh input"),
    }
    few = lines(FLASH, replace(student, shadow_share=1e-4))  # 10 answers, of which 1.5 differ
    assert few.quantity["read where student and teacher differ"] < 1
