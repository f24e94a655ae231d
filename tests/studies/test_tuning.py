"""What a tune must earn back: each row worked out by hand from lines of the test."""

from dataclasses import replace

import numpy as np
import pytest
from toys import STILL, Buy, api

import costmodel as cm
from costmodel.choices.purchases import Line
from costmodel.choices.schedule import monthly, once
from costmodel.pages.plots import tuning
from costmodel.studies.tuning import kind_of

WORK = cm.Workload(1_000, input_tokens=1_000)
DEAR, CHEAP = (
    api(**{"in": usd, "out": 0.0}) for usd in (30.0, 10.0)
)  # 3 cents and 1 cent a request
YEAR = replace(STILL, months=12)
BOUGHT = (
    Buy(10.0, phase="training", trend="gpu"),
    Buy(50.0, phase="data"),
    Buy(60.0, phase="build", trend="labour"),
    Buy(5.0, monthly(), phase="maintenance"),
)


def table(*bought, first=DEAR, second=CHEAP, **more):
    given = {"terms": YEAR, "draws": 50} | more
    return cm.training.paybacks(
        {"first": cm.Option(first), "second": cm.Option(second, *bought)}, WORK, **given
    ).set_index("counted")


def test_each_row_counts_more():
    """Two cents saved: 10, 60, 120 and 180 dollars are 500, 3,000, 6,000 and 9,000 requests."""
    rows = table(*BOUGHT)
    assert rows.usd_more.to_list() == pytest.approx([10, 60, 120, 180])
    assert rows.usd_saved_per_request.to_list() == pytest.approx([0.02] * 4)
    assert rows.requests.to_list() == pytest.approx([500, 3_000, 6_000, 9_000])
    assert (rows.p10.to_list(), rows.p_never.to_list()) == (
        pytest.approx(rows.requests.to_list()),
        [0] * 4,
    )


def test_months_are_those_in_which_the_cash_has_come_back():
    """20 dollars a month, with maintenance 15: 120 dollars take 6 months without it, 8 with it."""
    assert table(*BOUGHT).payback_months.to_list() == pytest.approx([0.5, 3, 6, 8])
    assert np.isnan(table(Buy(1_000.0)).payback_months["+ maintenance"])


def test_a_dearer_request_never_pays_and_a_cheaper_tune_pays_at_once():
    rows = table(*BOUGHT, first=CHEAP, second=DEAR)
    assert rows.requests.isna().all() and (rows.p_never == 1).all() and rows.p10.isna().all()
    assert table().verdict.to_list() == ["at once: the tune costs no more"] * 4


def test_what_cannot_run_says_why():
    rows = cm.training.paybacks(
        {"first": cm.Option(DEAR), "second": cm.Option(CHEAP, cm.Lora())}, WORK, terms=YEAR, draws=2
    )
    assert (
        rows.verdict.str.startswith("cannot run: Lora on 'toy' needs tuning=").all()
        and rows.requests.isna().all()
    )
    assert "cannot run" in [t.get_text() for t in tuning.plot_paybacks(rows).texts]


def test_the_band_holds_the_doubt_of_both():
    rows = table(Buy(cm.Range(60, 240, mid=120, name="upfront")), draws=2_000)
    low, high = rows.p10["+ people"], rows.p90["+ people"]
    assert 3_000 < low < 6_000 < high < 12_000


def test_wrong_answers_are_left_to_breakeven():
    costly = replace(WORK, usd_per_failure=1.0)
    first, second = (
        cm.Option(api(accepted=a, **{"in": usd, "out": 0.0}))
        for usd, a in ((30.0, 0.9), (10.0, 0.5))
    )
    assert cm.training.paybacks(
        {"first": first, "second": second}, costly, terms=YEAR, draws=2
    ).usd_saved_per_request.iloc[0] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("phase", "trend", "kind"),
    [
        ("training", "gpu", "training"),
        ("experiments", "api", "training"),
        ("experiments", "labour", "people"),
        ("data", "labour", "data"),
        ("data", "api", "data"),
        ("build", "labour", "people"),
        ("evaluation", "api", "people"),
        ("release", "api", "people"),
        ("maintenance", "labour", "maintenance"),
        ("migration", "gpu", "maintenance"),
        ("serving", "gpu", "running"),
        ("retrieval", "api", "running"),
    ],
)
def test_every_line_is_counted_as_one_kind(phase, trend, kind):
    assert kind_of(Line("x", phase, 1.0, "piece", 1.0, once(), trend)) == kind


def test_tenants_share_the_fleet_and_bring_their_labels():
    serving = cm.Hosted("llama-3.1-8b", requests_per_s=1_000.0)
    own, prompt = cm.Option(serving, cm.Lora()), cm.Option(DEAR)
    found = (
        cm.training.tenants({"own": own, "prompt": prompt}, WORK, [1, 10, 100], terms=YEAR)
        .set_index(["option", "tenants"])
        .usd_per_tenant_month
    )
    assert found["prompt"].to_list() == pytest.approx([30.0] * 3)
    assert found["own"].is_monotonic_decreasing
    one = cm.ledger(own, WORK, terms=YEAR)
    floor = (
        one[one["item"].isin(["label the examples", "label again for retraining"])].usd.sum() / 12
    )
    assert found["own"][100] > floor


def test_figures_show_what_is_in_the_tables():
    rows = table(*BOUGHT).reset_index()
    ax = tuning.plot_paybacks(rows, now=12_000)
    assert [t.get_text() for t in ax.get_yticklabels()] == rows.counted.to_list()
    assert "9k" in [t.get_text() for t in ax.texts]
    never = tuning.plot_paybacks(table(*BOUGHT, first=CHEAP, second=DEAR).reset_index())
    assert [t.get_text() for t in never.texts].count("100 %") == 4
    shown = tuning.plot_tunes(
        cm.training.tenants({"prompt": cm.Option(DEAR)}, WORK, [1, 10, 100], terms=YEAR),
        "tenants",
        "usd_per_tenant_month",
    )
    assert "cost of one tenant" in shown.get_ylabel()


@pytest.mark.parametrize("counts", [[], [0], [-1, 2], ["a"]])
def test_tenants_are_counted_from_one(counts):
    work = cm.Workload(1_000, input_tokens=100, output_tokens=10)
    with pytest.raises(ValueError, match=r"tenants: counts is .*(at least 1|a list of numbers)"):
        cm.training.tenants(cm.Option(cm.Api("gpt-4.1", on="2026-11-01")), work, counts)


def test_an_estimate_must_be_named():
    work = cm.Workload(1_000, input_tokens=100, output_tokens=10)
    with pytest.raises(ValueError, match="no estimate is given"):
        cm.training.underestimates(cm.Option(cm.Api("gpt-4.1", on="2026-11-01")), work, {})


# -- methods, one question at a time ---------------------------------------------------------------

OWN = cm.Hosted("llama-3.1-8b", requests_per_s=1_000.0)


def ways(**more):
    study = cm.Study({"tune": cm.Option(OWN, cm.Lora(**more), cm.Evals())}, WORK, YEAR)
    return cm.training.methods(study)


def test_three_methods_share_all_but_the_method():
    made = ways(examples=3_000, runs=2).options
    tunes = [option.techniques[0] for option in made.values()]
    assert [tune.method for tune in tunes] == ["full", "lora", "qlora"]
    assert {(tune.examples, tune.runs) for tune in tunes} == {(3_000, 2)}
    assert all(option.techniques[1] == cm.Evals() for option in made.values())
    with pytest.raises(ValueError, match="'a' has no FineTune and no Lora"):
        cm.training.methods(cm.Study({"a": cm.Option(DEAR)}, WORK, YEAR))


def test_each_number_moves_what_it_is_counted_as():
    """Examples move data and training, attempts training and people, refreshes maintenance."""
    parts = ["usd_training", "usd_data", "usd_work", "usd_maintenance", "usd_running"]
    for over, values, moved in (
        ("examples", [500, 5_000], {"usd_training", "usd_data", "usd_maintenance"}),
        ("runs", [1, 20], {"usd_training", "usd_work"}),
        ("retrain_months", [3, 12], {"usd_maintenance"}),
        ("minutes_per_label", [1, 10], {"usd_data", "usd_maintenance"}),
    ):
        table = cm.training.tune_costs(ways().only("LoRA"), {over: values})
        assert table["usd"].to_list() == pytest.approx(table[parts].sum(axis=1).to_list())
        assert {part for part in parts if table[part].nunique() == 2} == moved


def test_costs_of_a_tune_say_what_does_not_fit():
    table = cm.training.tune_costs(ways(), {"adapters": [1, 2]}).set_index(["option", "adapters"])
    assert "do not share GPUs" in table.why_not["Full fine-tune", 2]
    assert np.isnan(table.usd["Full fine-tune", 2]) and table.usd["LoRA", 2] > table.usd["LoRA", 1]
    size = cm.training.tune_costs(ways(), {"model": ["llama-3.1-8b", "llama-3.1-70b"]})
    runs = size.pivot(index="model", columns="option", values="usd_per_run")
    assert (runs.loc["llama-3.1-70b"] > runs.loc["llama-3.1-8b"]).all()
    assert (runs["Full fine-tune"] > runs["LoRA"]).all()
    with pytest.raises(ValueError, match="no field 'exampels'"):
        cm.training.tune_costs(ways(), {"exampels": [1]})


def test_a_picture_of_roles_has_a_line_for_each():
    table = cm.training.tune_costs(
        ways().only("LoRA"), {"label_role": ["expert", "nurse"], "minutes_per_label": [2, 10]}
    )
    ax = tuning.plot_tunes(table, "minutes_per_label", by="label_role")
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "minutes per label",
        "cost over the horizon [USD]",
    )
    assert {"expert", "nurse"} <= {text.get_text() for text in ax.texts}


# -- a student that is ready -----------------------------------------------------------------------

RULES = cm.choices.Readiness(
    wrong_max=0.35, calibration_max=0.05, gap_max=0.05, entropy_lost_max=0.3, accepted_before=0.8
)


@pytest.mark.parametrize(
    ("measured", "verdicts"),
    [
        ({}, ["not measured"] * 5),
        (
            {
                "right_where_differing": cm.Measured(210, 250),
                "validation": cm.Measured(1_700, 2_000),
                "holdout": cm.Measured(1_700, 2_000),
                "calibration_error": 0.03,
                "entropy_lost": 0.1,
            },
            ["ready"] * 5,
        ),
        (
            {
                "right_where_differing": cm.Measured(100, 250),
                "validation": cm.Measured(1_900, 2_000),
                "holdout": cm.Measured(1_500, 2_000),
                "calibration_error": 0.12,
                "entropy_lost": 0.6,
            },
            ["not ready"] * 5,
        ),
        (
            {
                "right_where_differing": cm.Measured(13, 20),
                "validation": cm.Measured(45, 50),
                "holdout": cm.Measured(43, 50),
                "calibration_error": 0.12,
                "entropy_lost": 0.1,
            },
            ["open", "open", "open", "ready", "open"],
        ),
    ],
    ids=["nothing measured", "good", "bad", "too few answers"],
)
def test_a_student_is_ready_when_the_whole_band_meets_each_rule(measured, verdicts):
    table = cm.training.readiness(**measured, rules=RULES)
    assert table["verdict"].to_list() == verdicts


def test_what_is_open_says_how_many_answers_decide():
    table = cm.training.readiness(
        cm.Measured(13, 20), cm.Measured(45, 50), cm.Measured(43, 50), 0.12, 0.1, RULES
    ).set_index("rule")
    assert (table.limit.iloc[0], table.seen.iloc[0]) == (0.35, 20)
    assert table.needed.iloc[0] == 247 and "247 answers decide" in table.why.iloc[0]
    assert "35 % is allowed" in table.why["wrong where both differ"]
    assert table.needed["gap to requests of users"] == 347  # 2 x 0.16 (1.645 / 0.05)^2
    assert table.why["all rules"].startswith("open: wrong where both differ, gap")


def test_chance_alone_shows_an_error_of_the_confidence():
    """A calibrated model of 80 % shows on 50 answers 14 points in ten bins, by simulation too."""
    rng = np.random.default_rng(1)
    right = rng.random((4_000, 10, 5)) < 0.8
    seen = np.abs(right.mean(axis=2) - 0.8).mean()
    law = cm.training.calibration_noise(0.8, 50)
    assert law == pytest.approx(0.143, abs=0.001) and seen == pytest.approx(law, rel=0.12)
