"""Quality from the task: what is shipped holds, and the fit finds what a table was made of."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import costmodel as cm
from costmodel.choices.quality import tasks

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
HELD_OUT = cm.validation.task_quality_fidelity()
ROWS = cm.validation.task_quality_fidelity(by=None)


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("quality_fit")


@pytest.mark.parametrize(
    ("check", "task"),
    [
        ("task and model", "all"),
        ("one measured", "all"),
        ("one measured", "all with ten or more models"),
    ],
)
def test_the_band_holds_on_benchmarks_never_seen(check, task):
    assert 0.75 <= HELD_OUT.loc[(check, task), "coverage"] <= 0.88


def test_one_model_measured_predicts_the_others_within_twelve_points():
    row = HELD_OUT.loc[("one measured", "all with ten or more models")]
    assert row["error"] <= 0.12 and row["benchmarks"] > 50


@pytest.mark.parametrize("check", ["task and model", "one measured"])
def test_the_band_holds_on_the_rows_that_are_shipped(check):
    """One row of each benchmark, counted again; it is a sample, so the bounds are wider."""
    rows = ROWS[ROWS["check"] == check]
    inside = rows["reported"].between(rows["low"], rows["high"])
    assert (inside == rows["inside"]).all() and rows["benchmark"].is_unique
    assert 0.70 <= inside.mean() <= 0.92
    if check == "one measured":
        assert (rows["mid"] - rows["reported"]).abs().mean() <= 0.15


def test_the_rows_that_are_shipped_are_what_the_law_says_today(script):
    """Whoever moves a band makes the rows again; without a benchmark a fit says much the same."""
    said = pd.DataFrame([script.by_the_law(row) for row in ROWS.to_dict("records")])
    law = ROWS[["law_low", "law_mid", "law_high"]].to_numpy()
    assert said.to_numpy() == pytest.approx(law, abs=2e-3)
    unseen = ROWS[["low", "mid", "high"]].to_numpy()
    assert np.abs(unseen - law).mean() < 0.03


def test_retrieval_within_four_points_and_cascades_within_one_and_a_half():
    assert (HELD_OUT.loc["retrieval from recall and reading", "error"] <= 0.04).all()
    assert (HELD_OUT.loc["cascade", "error"] <= 0.015).all()


def test_the_checks_that_need_no_table_are_made_again(script):
    several = script.several_hops()
    for made, check in (
        (script.retrieval(), "retrieval from recall and reading"),
        (script.cascades(), "cascade"),
        *((part, name) for name, part in several.groupby("check", sort=False)),
    ):
        assert made["error"].to_numpy() == pytest.approx(HELD_OUT.loc[check, "error"], rel=1e-2)


def test_several_places_are_met_as_well_as_one_place():
    """By the law alone, with recall as published: the error of several hops is that of facts."""
    one, several = (
        HELD_OUT.loc[f"RAG by the law alone: {places}"]
        for places in ("one place", "several places")
    )
    off = several["predicted"] - several["reported"]
    assert several["error"].mean() < 0.10 and abs(off.mean()) < 0.08
    assert several["error"].mean() < one["error"].mean() + 0.03


def test_a_successor_is_within_its_band_where_its_maker_was_left_out():
    check = HELD_OUT.loc["successor by its predecessor, makers left out"].iloc[0]
    assert check["rows"] > 80 and 0.75 <= check["coverage"] <= 0.88


def made_up(draws, benchmarks=40, models=12):
    """Scores of a known law: level 0.9, slope 0.6, spreads 1.0 and 0.4."""
    rows = []
    for b in range(benchmarks):
        level = 0.9 + draws.normal(0, 1.0)
        for m, index in enumerate(draws.uniform(4, 55, models)):
            x = cm.knowledge.capability(index) - cm.knowledge.capability(20)
            y = level + 0.6 * x + draws.normal(0, 0.4)
            rows.append(
                ("code" if b % 2 else "writing", f"b{b}", f"m{m}", index, 1 / (1 + np.exp(-y)))
            )
    table = pd.DataFrame(rows, columns=["task", "benchmark", "model", "capability_index", "score"])
    return table.assign(
        params_b=np.nan, release_date=None, technique="zero-shot", passage_given="na",
        train_examples=0,
    )  # fmt: skip


def test_the_fit_finds_the_law_that_made_a_table(script, tmp_path):
    made_up(np.random.default_rng(4)).to_csv(tmp_path / "table.csv", index=False)
    rows = script.read(tmp_path / "table.csv")
    made, model = script.calibration(rows)
    assert model.line("code").slope == pytest.approx(0.6, abs=0.12)
    assert model.line("code").level == pytest.approx(0.9, abs=0.5)
    assert model.spreads.level == pytest.approx(1.0, abs=0.3)
    assert model.spreads.model == pytest.approx(0.4, abs=0.1)
    assert {row[0] for row in made} >= {"code", "writing", "other", "tasks"}
    alone, beside = script.held_out(rows[rows["benchmark"].isin([f"b{b}" for b in range(14)])])
    assert set(alone["benchmark"]) == {f"b{b}" for b in range(14)}
    assert 0.6 < alone.groupby("benchmark")["inside"].mean().mean() < 0.95
    assert beside["error"].mean() < alone["error"].mean()


def test_the_fitted_rows_are_the_lines_that_the_package_uses():
    line = tasks.lines()["extraction"]
    level = tasks.constants()["extraction.quality_level"]
    assert line.level == level.mid and line.level_spread > 0
    assert tasks.spreads().level > tasks.spreads().model > tasks.spreads().tuned > 0
