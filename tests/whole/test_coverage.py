"""The tables of docs/coverage.md: every row names a part of the package, the section of a notebook
and a test that exist.
"""

import ast
import json
import re
from pathlib import Path

import pytest

import costmodel as cm

ROOT = Path(__file__).parents[2]
TABLES = [
    [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("| ")
    ][1:]
    for table in (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8").split("\n## ")[1:]
]
PARTS, RESULTS = TABLES
SYSTEMS = (
    "fine-tuning",
    "LoRA",
    "few-shot",
    "distillation",
    "long context",
    "vector RAG",
    "GraphRAG",
    "context budget",
    "upgrades and drift",
    "shadow, canary and A/B",
    "CI and evals",
    "feature flags",
    "privacy and residency",
    "schema design and agent steps",
    "agentic coding",
)


def test_nothing_is_missing():
    named = [row[0] for row in PARTS]
    assert len(named) == len(SYSTEMS) and all(
        any(system in name for name in named) for system in SYSTEMS
    )
    assert [row[0] for row in RESULTS] == [*(f"R{n}" for n in range(1, 16)), "CI", "flags"]
    assert "docs/coverage.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", PARTS, ids=lambda row: row[0])
def test_a_part_is_public_and_its_notebook_shows_it(row):
    names = re.findall(r"`(\w+)", row[1])
    public = {
        name for face in (cm, *(getattr(cm, name) for name in cm.FACES)) for name in face.__all__
    }
    assert names and set(names) <= public
    notebook = row[2].split(":")[0].strip("`")
    source = (ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8")
    assert any(
        name in source for name in (*names, "cm.load(", "cm.knowledge.knowledge_options(")
    )  # by name, as a preset of a scenario, or as a way to answer from documents


@pytest.mark.parametrize("row", PARTS + RESULTS, ids=lambda row: row[0])
def test_a_row_names_a_section_and_a_test_that_exist(row):
    notebook, section = row[2].split(": ", 1)
    path = ROOT / "notebooks" / f"{notebook.strip('`')}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    heads = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    assert f"## {section}" in heads
    file, function = row[3].strip("`").split("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    assert function in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
