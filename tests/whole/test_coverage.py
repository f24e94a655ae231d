"""The table of systems in docs/coverage.md: every row names a part of the package, a notebook and a
test that exist.
"""

import ast
import re
from pathlib import Path

import pytest

import costmodel as cm

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
]
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


def test_no_system_is_missing():
    named = [row[0] for row in ROWS[1:]]
    assert len(named) == len(SYSTEMS) and all(
        any(system in name for name in named) for system in SYSTEMS
    )
    assert "docs/coverage.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", ROWS[1:], ids=lambda row: row[0])
def test_a_row_names_what_exists(row):
    _, parts, notebook, test = row
    names = re.findall(r"`(\w+)", parts)
    public = {
        name for face in (cm, *(getattr(cm, name) for name in cm.FACES)) for name in face.__all__
    }
    assert names and set(names) <= public
    source = (ROOT / "notebooks" / f"{notebook.strip('`')}.ipynb").read_text(encoding="utf-8")
    assert any(
        name in source for name in (*names, "cm.load(", "cm.knowledge.knowledge_options(")
    )  # by name, as a preset of a scenario, or as a way to answer from documents
    file, function = test.strip("`").split("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    assert function in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
