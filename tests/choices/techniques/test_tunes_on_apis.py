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
    techniques: [{lora: {tuning: fireworks.glm-5.3-flash}}]
  Student:
    serving: {api: gemini-3.5-flash, accepted: 0.6}
    techniques: [{distill: {teacher: {api: gemini-4-argon, accepted: 0.9}, tuning: vertex.gemini-3.5-flash}}]
overrides: {fireworks.glm-5.3-flash.usd_per_mtok_train: 2}
""")  # noqa: E501
    found = cm.compare(study, draws=50)
    assert found["why_not"].to_list() == ["", ""]
    assert study.options["Adapter"].techniques[0].tuning.usd_per_mtok_train == 2
    back = cm.load(cm.scenarios.save(study, tmp_path / "a.yaml"))
    assert cm.compare(back, draws=50).equals(found)


@pytest.mark.parametrize(("drifts", "months"), [(1, [12, 24, 36]), (2, list(range(6, 37, 6)))])
def test_drift_calls_for_a_retraining(drifts, months):
    own = cm.Hosted("llama-3.1-8b", gpu="L40S", accepted=0.5)
    lora = cm.Lora(retrain_on="drift", **TUNE)
    option = cm.Option(own, lora, cm.Monitoring(drifts_per_year=drifts))
    book = cm.ledger(option, WORK, terms=STILL, months=36)
    for item in ("retrain", "retrain: people", "label again for retraining"):
        assert book[book["item"] == item]["month"].to_list() == months
    assert f"at each of {drifts} drifts a year" in book[book["item"] == "retrain"].basis.iloc[0]
    assert "needs Monitoring() beside it" in why(own, lora)
    with pytest.raises(ValueError, match="no retrain_on 'drifts' in Lora; did you mean 'drift'"):
        cm.Lora(retrain_on="drifts")
