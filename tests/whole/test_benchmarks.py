"""The scripts of benchmarks/ are run by hand: what they import from the package must be there."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


def imported(script):
    """(module, name) of every import from the package, and of every module of it."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("costmodel"):
            yield from ((node.module, alias.name) for alias in node.names)
        if isinstance(node, ast.Import):
            yield from ((a.name, None) for a in node.names if a.name.startswith("costmodel"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_is_there(script):
    for module, name in imported(script):
        found = importlib.import_module(module)
        if name is not None and not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")


def test_the_table_of_features_runs_as_a_script(tmp_path):
    """From any folder; rows on prices, units of clouds, goals and units, in some seconds."""
    script, rows = SCRIPTS[0].parent / "features.py", ["2", "39", "71", "75"]
    there = {**os.environ, "PYTHONPATH": str(script.parents[1])}
    told = subprocess.run(
        [sys.executable, script, *rows], cwd=tmp_path, env=there, capture_output=True, text=True
    )
    assert "4 of 4 rows are yes" in told.stdout, told.stdout + told.stderr
