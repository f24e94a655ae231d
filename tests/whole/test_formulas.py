"""docs/formulas.md is what the docstrings of the laws say today."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_equations_is_todays():
    spec = importlib.util.spec_from_file_location("formulas", ROOT / "benchmarks/formulas.py")
    formulas = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(formulas)
    assert formulas.PAGE.read_text(encoding="utf-8") == formulas.page(), (
        "docs/formulas.md is not of today; run make formulas"
    )
    assert "### prefix_hit_rate" in formulas.page() and formulas.page().count("\n### ") > 100
