"""The floors of the README's picture: imports go down, or left on the same floor; and `import costmodel` stays light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "costmodel"
FILE_READERS = {"catalog", "tokens", "scenario", "reading", "writing", "measured_serving", "portfolio"}  # data, encodings, and the user's own YAML
HEAVY = ["IPython", "ipywidgets", "jupyter", "jupyter_client", "jupyter_core", "matplotlib", "nbclient", "nbconvert", "nbformat",
         "papermill", "scipy.stats", "tiktoken", "typst"]  # fmt: skip


def picture(text):
    """{module: (floor, place from the left)} of the block in the README whose lines are "floor modules"."""
    block = re.search(r"```text\n((?:\d  .*\n)+)```", text)
    return {name: (int(line[0]), place) for line in block[1].splitlines() for place, name in enumerate(line[1:].split())}


def imports(source, package):
    """Modules of the package that a source imports anywhere, also inside functions; not those only for type checking."""
    tree = ast.parse(source)
    skipped = {id(n) for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) for n in ast.walk(node)}
    for node in (n for n in ast.walk(tree) if id(n) not in skipped):
        if isinstance(node, ast.ImportFrom) and node.level:
            home = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from (".".join((*home, name)) for name in names if not name.startswith("__"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "costmodel":
            yield from ([node.module] if "." in node.module else [f"costmodel.{alias.name}" for alias in node.names])
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "costmodel")


def upward(module, source, floors, package=("costmodel",)):
    """The imports of a module that go up or right, as "module -> other"."""
    for other in imports(source, package):
        name = other.split(".")[1] if "." in other else ""
        if name == module:
            continue  # modules of one sub-package may use each other
        if name not in floors:
            yield f"{module} -> {other}, which is not in the picture"
        elif floors[name][0] > floors[module][0] or (floors[name][0] == floors[module][0] and floors[name][1] > floors[module][1]):
            yield f"{module} -> {name}"


FLOORS = picture((ROOT / "README.md").read_text(encoding="utf-8"))
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def test_every_module_has_a_floor():
    names = {p.stem if p.parent == PACKAGE else p.parent.name for p in MODULES}
    assert names == set(FLOORS)
    assert {floor for floor, _ in FLOORS.values()} == set(range(8))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_import_goes_up_or_right(path):
    inside = path.relative_to(PACKAGE).parts
    module = inside[0].removesuffix(".py")
    assert list(upward(module, path.read_text(encoding="utf-8"), FLOORS, ("costmodel", *inside[:-1]))) == []


@pytest.mark.parametrize(("module", "source", "found"), [
    ("units", "from .ranges import Range", ["units -> ranges"]),
    ("units", "def f():\n    from . import cli, plots", ["units -> cli", "units -> plots"]),
    ("ranges", "import costmodel.ledger", ["ranges -> ledger"]),
    ("ranges", "from costmodel import ledger\nfrom costmodel.plots import x", ["ranges -> ledger", "ranges -> plots"]),
    ("ranges", "from .nowhere import x", ["ranges -> costmodel.nowhere, which is not in the picture"]),
    ("ranges", "if TYPE_CHECKING:\n    from .ledger import x\nfrom .units import KILO\nimport numpy", []),
])  # fmt: skip
def test_a_planted_import_is_found(module, source, found):
    assert list(upward(module, source, FLOORS)) == found


def test_a_planted_import_in_a_sub_package_is_found():
    source = "from ..servings import Api\nfrom .prompting import Prompt\nfrom ..ledger import x\nfrom .. import decision"
    assert list(upward("techniques", source, FLOORS, ("costmodel", "techniques"))) == ["techniques -> ledger", "techniques -> decision"]


def test_import_costmodel_is_light():
    code = f"import sys, costmodel; print([m for m in {HEAVY} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "[]"


def opens(source):
    """Calls that read or write a file."""
    calls = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call))
    names = {n.func.id if isinstance(n.func, ast.Name) else getattr(n.func, "attr", "") for n in calls}
    return names & {"open", "read_text", "write_text", "read_bytes", "write_bytes", "read_csv", "iterdir", "glob"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_below_the_reports_only_data_and_scenarios_open_files(path):
    module = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if FLOORS[module][0] <= 5 and module not in FILE_READERS:
        assert opens(path.read_text(encoding="utf-8")) == set()


def test_nothing_in_the_package_prints_or_logs():
    for path in MODULES:
        if path.stem == "cli":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert "print" not in called and "logging" not in imported, path.name
