"""A wrong type to any public class or function is one sentence, and never a traceback of ours."""

import os

import pytest
from surface import calls, things

import costmodel as cm

WRONG = {
    "nothing": None,
    "a list of mappings": [{"a": 1}],
    "400 digits": 10**400,
    "a long text": "x" * 5_000,
}
MORE = {
    "below zero": -1,
    "a text": "x",
    "an empty list": [],
    "a mapping": {"a": 1},
    "an object": object(),
    "no number": float("nan"),
    "a function": len,
}
WORK = cm.Workload(1_000, input_tokens=1)
TWO = {name: cm.Option(cm.finance.Today(9.0)) for name in "ab"}
CASES = WRONG | (MORE if os.environ.get("COSTMODEL_HOSTILE") else {})


@pytest.mark.parametrize("value", CASES.values(), ids=CASES)
def test_a_wrong_value_is_refused_in_one_sentence(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused, wrong = 0, []
    for name, thing in things():
        for given in calls(thing, value):
            try:
                thing(**given)
            except (ValueError, TypeError) as error:
                refused += 1
                said, short = str(error), name.rpartition(".")[2]
                ours = isinstance(error, ValueError) or said.startswith(
                    (f"{short}:", "no argument")
                )
                if not (ours and 10 < len(said) <= 300 and "\n" not in said):
                    wrong.append(f"{name}({[*given]}): {type(error).__name__}: {said[:90]}")
            except Exception as error:
                wrong.append(f"{name}({[*given]}): {type(error).__name__}: {str(error)[:90]}")
    assert wrong == [] and refused > 500
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cm.Api(None), "Api: model is None"),
        (lambda: cm.ledgers.every("../x"), "every: months is '../x', it must be number, month"),
        (lambda: cm.finance.npv(0.1, "é"), "npv: amounts is 'é', it must be list or array"),
        (
            lambda: cm.plots.plot_breakeven_map(cm.compare(TWO, WORK, draws=9)),
            "plot_breakeven_map: its arguments do not go together (could not convert string to "
            "float: 'USD'); help(plot_breakeven_map) says what each must be",
        ),
        (lambda: cm.compare(None, None), "option 'option' is None"),
        (lambda: cm.load(3), "scenario is 3, it must be str(...) or Path(...)"),
        (lambda: cm.operations.expected_loss("x", 0.5, 1, 1, 1), "chance is 'x', it must be share"),
        (lambda: cm.plots.plot_bands(3), "plot_bands: table is 3, it must be DataFrame"),
        (lambda: cm.presets(5), "presets: work is 5, it must be Workload"),
        (lambda: cm.Range("a", 2), "Range('a', 2): both ends must be finite numbers"),
        (lambda: cm.Range(1, 2, mid="x"), "Range(1, 2): mid is 'x', it must lie between"),
        (lambda: cm.Range(1, 2, name=5), "Range(1, 2): name is 5, it must be text"),
        (lambda: cm.Measured([1], 2), "Measured([1], 2): accepted must lie"),
        (lambda: cm.Study({"a": "x"}, 5), "option 'a' is 'x', it must be Option(...) or Mix"),
        (lambda: cm.Workload(10**400), "Workload.requests_per_month is 1000"),
    ],
)
def test_it_is_said_what_is_wrong_and_what_is_allowed(call, says):
    with pytest.raises(ValueError) as error:
        call()
    assert says in str(error.value)
