"""The golden run: what the examples and the notebooks answered when this fixture was made.

A change of code changes none of it. A change of facts or of a law changes it on purpose: `python
tests/whole/test_golden.py` writes `golden/` anew, and the commit says why.
"""

import json
import math
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest

import costmodel as cm
from costmodel.pages.report import runner as report

GOLDEN = Path(__file__).parent / "golden"
SCENARIOS = tuple(sorted(cm.scenarios.examples()))
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
DRAWS = 400


def answer_of(name):
    """Ledger by option, phase and item, the table of `compare`, and the words of `recommend`, of
    one example.
    """
    case = cm.load(name)
    ledger = cm.ledger(case)
    table = cm.compare(case, draws=DRAWS)
    verdict = cm.recommend(case, draws=DRAWS)
    lines = ledger.groupby(["option", "phase", "item"], sort=True)["usd"].sum()
    return {
        "ledger": {" / ".join(line): usd for line, usd in lines.items()},
        "rows": len(ledger),
        "compare": json.loads(table.to_json(orient="index", double_precision=15)),
        "sentence": verdict.sentence,
        "cards": [list(card) for card in verdict.cards],
    }


def report_of(notebook):
    """Answer, numbers and table that a notebook hands over, at few draws."""
    with tempfile.TemporaryDirectory() as folder:
        known = report.schema(notebook)
        made = report.run(
            notebook, folder, formats=("html",), **({"draws": DRAWS} if "draws" in known else {})
        )
        table = pd.read_csv(made.results_csv, keep_default_na=False)
    return {"answer": made.answer, "numbers": made.numbers, "table": table.to_dict(orient="list")}


def same(was, now, where=""):
    """The places at which two answers differ, as sentences."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *(k for k in now if k not in was)]:
            yield from same(was.get(key), now.get(key), f"{where} > {key}")
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for i, (a, b) in enumerate(zip(was, now, strict=True)):
            yield from same(a, b, f"{where} > {i}")
    elif isinstance(was, float) and isinstance(now, (int, float)):
        if not math.isclose(was, now, rel_tol=1e-9, abs_tol=1e-9):
            yield f"{where} was {was!r} and is {now!r}"
    elif was != now:
        yield f"{where} was {was!r} and is {now!r}"


def plain(answer):
    """An answer as JSON holds it."""
    return json.loads(json.dumps(answer, default=float))


def golden(name):
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_example_answers_as_before(name):
    assert list(same(golden(name), plain(answer_of(name)))) == []


@pytest.mark.notebook
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_answers_as_before(notebook, one_kernel):
    assert list(same(golden(notebook.stem), plain(report_of(notebook)))) == []


def test_a_difference_is_found():
    was = {"usd": 1.0, "rows": [1, "RAG"]}
    assert list(same(was, {"usd": 1.0 + 1e-7, "rows": [1, "RAG"]})) == [
        " > usd was 1.0 and is 1.0000001"
    ]
    assert list(same(was, {"usd": 1.0, "rows": [1, "LoRA"]})) == [
        " > rows > 1 was 'RAG' and is 'LoRA'"
    ]
    assert list(same(was, {"usd": 1.0})) == [" > rows was [1, 'RAG'] and is None"]


if __name__ == "__main__":
    wanted = sys.argv[1:]
    answers = {name: lambda name=name: answer_of(name) for name in SCENARIOS}
    answers |= {path.stem: lambda path=path: report_of(path) for path in NOTEBOOKS}
    GOLDEN.mkdir(exist_ok=True)
    for name, ask in answers.items():
        if not wanted or name in wanted:
            text = json.dumps(plain(ask()), indent=1, ensure_ascii=False)
            (GOLDEN / f"{name}.json").write_text(text + "\n", encoding="utf-8")
