"""The shipped predictions are what the benchmarks make: no table drifts from its fit unnoticed."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import costmodel as cm
from costmodel.facts import catalog
from costmodel.validation.held_out import beside_measured, shipped, with_credits

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CLOSE = 1e-3  # a fit ends a few digits apart on another machine
CURVES = ("context length", "graph or vectors", "recall against k", "position")


@pytest.fixture
def script(monkeypatch):
    """A module of benchmarks/, by name."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


def same(made, table):
    """The rows that a benchmark has just made are those of the shipped table."""
    made = made.drop(columns="source").reset_index(drop=True)
    pd.testing.assert_frame_equal(made, table.reset_index(drop=True), rtol=CLOSE)


def test_the_table_of_training_is_what_the_fit_makes(script):
    """Every family left out, speed and memory: 20 fits."""
    table = shipped("training_held_out")
    same(script("fit_training").held_out("family"), table[table["without"] == "family"])


@pytest.mark.parametrize("curve", CURVES)
def test_the_table_of_quality_is_what_the_curves_make(script, curve):
    table = shipped("quality_held_out")
    assert set(table["curve"]) == set(CURVES)
    same(script("fit_quality").held_out(curve), table[table["curve"] == curve])


def test_the_fitted_curves_of_quality_are_the_files(script):
    """What benchmarks/fit_quality.py would write is what the data hold."""
    for id, field, value, low, high, _ in script("fit_quality").calibration():
        if id in catalog.readers():
            held = getattr(catalog.reader(id), field)
        elif id in catalog.graphs():
            held = getattr(catalog.graph(id), field)
        else:
            held = catalog.fact("quality", f"{id}.{field}").value
        ends = (held.low, held.mid, held.high) if isinstance(held, cm.Range) else (held,) * 3
        assert ends == pytest.approx((low, value, high), rel=2e-3, abs=1e-3), f"{id}.{field}"


def test_the_bands_of_serving_are_what_the_errors_of_the_others_make(script):
    """The fits take minutes; the bands of the rows left out by group follow from their errors."""
    fit_serving = script("fit_serving")
    fit = fit_serving.Fit()
    said = cm.validation.serving_held_out().set_index(["id", "metric"])
    rows = said.loc[list(zip(fit.rows["id"], fit.rows["metric"], strict=True))]
    error = np.log(rows["reported"] / rows["mid"]).to_numpy()
    errors = dict.fromkeys(("group", "architecture", "table"), error)
    made = fit_serving.held_out(fit_serving.Rows.of(fit.rows), errors, "group")
    table = shipped("serving_held_out").query("without == 'group'")
    # the others are wider by their source
    tuned = ~made["id"].str.startswith("practice").to_numpy()
    same(made[tuned], table[tuned])


def test_an_engine_that_scatters_more_than_its_kind_has_a_wider_band_and_none_a_narrower(script):
    bands = script("serving_bands")
    kind, close, wide = (np.array([-x, 0.0, x]) for x in (0.2, 0.1, 0.5))
    assert bands.of_an_engine(kind, close, 9) == pytest.approx(kind)
    assert bands.of_an_engine(kind, wide, 2) == pytest.approx(2 * kind)  # (2 x 0.5 + 0.2) / 3
    assert bands.of_an_engine(kind, wide, 9)[2] > bands.of_an_engine(kind, wide, 2)[2]
    moved = bands.of_an_engine(kind, wide + 0.1, 5)
    assert moved[1] == 0  # the middle stays that of the kind


def test_a_band_comes_from_the_other_families(script):
    fit_training = script("fit_training")
    table = pd.DataFrame({"family": list("aabbcd"), "job": "tune", "value": 1.0})
    error = np.array([0.1, 0.2, 0.5, 0.6, 0.3, 0.2])
    kinds = np.array(["dense", "rl", "dense", "dense", "dense", "dense"])
    found = fit_training.widths(error, kinds, table, table["family"])
    others = fit_training.bands(error[2:], kinds[2:], table[2:])
    assert found[0] == others["dense"] and found[2] < found[0]  # b errs more than the others
    assert np.isnan(found[1])  # no other family has it


def test_a_class_of_few_families_leans_on_the_others_and_is_wider(script):
    fit_training = script("fit_training")
    table = pd.DataFrame({"family": list("abcdefg"), "job": "tune", "value": 1.0})
    kinds = np.array(["dense"] * 5 + ["lora"] * 2)
    found = fit_training.bands(np.array([0.3, -0.3, 0.3, -0.3, 0.3, 0.1, -0.1]), kinds, table)
    assert found["lora"] > 0.2  # two families within 10 % promise less than they seem to


def test_every_prediction_has_its_measurement():
    measured = cm.training.measured_training()
    for without, table in shipped("training_held_out").groupby("without"):
        assert sorted(table["id"]) == sorted(measured["id"]), without
    assert set(shipped("quality_held_out")["id"]) <= set(cm.validation.measured_quality()["id"])


def test_predictions_are_joined_with_what_is_measured_today():
    said = pd.DataFrame({"id": ["b", "a"], "low": [1.0, np.nan], "mid": 2.0, "high": [3.0, np.nan]})
    today = pd.DataFrame({"id": ["a", "b"], "reported": [1.0, 4.0], "source": "assumption"})
    found = beside_measured(said, today, "id")
    assert found["id"].to_list() == ["b", "a"] and found["ratio"].to_list() == [0.5, 2.0]
    assert not found["inside"].any()  # no band holds nothing
    assert with_credits(found)["source"].nunique() == 1


def test_nothing_is_fitted_at_run_time():
    """The package asks no optimiser: it reads tables."""
    for path in (Path(cm.__file__).parent / "validation").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "least_squares" not in text and "lstsq" not in text, path.name
