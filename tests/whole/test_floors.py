"""The floors: a folder imports only what CONTRIBUTING.md allows it, nothing goes in a circle, and
`import costmodel` stays light.
"""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "costmodel"
HEAVY = [
    "IPython",
    "ipywidgets",
    "jupyter",
    "jupyter_client",
    "jupyter_core",
    "matplotlib",
    "nbclient",
    "nbconvert",
    "nbformat",
    "papermill",
    "scipy.stats",
    "tiktoken",
    "typst",
]
FILES_MAX, LINES_MAX = 16, 430
FILE_READERS = {
    "costmodel.core.files",
    "costmodel.core.glossary",
    "costmodel.facts.rows",
    "costmodel.ingest.documents",
    "costmodel.ingest.files",
    "costmodel.facts.tokens",
    "costmodel.laws.serving.calibration",
    "costmodel.scenarios.price_book",
    "costmodel.scenarios.scenario",
    "costmodel.scenarios.reading",
    "costmodel.scenarios.portfolio",
}  # data, encodings, and the user's own files


def floors(text):
    """{folder: folders that it may import} of the block in CONTRIBUTING.md whose lines are "folder:
    others".
    """
    block = re.search(r"```floors\n(.*?)```", text, re.S)
    return {
        name: set(allowed.split())
        for name, _, allowed in (line.partition(":") for line in block[1].splitlines())
    }


FLOORS = floors((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
INSIDE = {name: path for name, path in MODULES.items() if name.count(".") > 1}
IN_FLOORS = {name: path for name, path in INSIDE.items() if path.name != "__init__.py"}


def imported(source, modules, types=True):
    """Modules of the package that a source imports anywhere, also inside functions and by name.

    Without `types` those are left out that only the type checker sees.
    """
    tree = ast.parse(source)
    skipped = {
        id(n)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not types
        for n in ast.walk(node)
    }
    for node in (n for n in ast.walk(tree) if id(n) not in skipped):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "imports inside the package name the whole module"
            if (node.module or "").split(".")[0] == "costmodel":
                for alias in node.names:
                    inside = f"{node.module}.{alias.name}"
                    yield inside if inside in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (
                alias.name for alias in node.names if alias.name.split(".")[0] == "costmodel"
            )
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            named = [a.value for a in node.args if isinstance(a, ast.Constant)]
            yield from (name for name in named if str(name).startswith("costmodel."))


def folder(module):
    """The floor of a module: `laws` of costmodel.laws.training.speed, `cli` of costmodel.cli."""
    return (module.split(".") + [""])[1]


def wrong(module, source, floors=FLOORS, modules=MODULES):
    """The imports of a module that its floor may not make, as "module -> other"."""
    for other in imported(source, modules):
        if folder(other) not in {folder(module)} | floors[folder(module)]:
            yield f"{module} -> {other}"


def circle(arrows):
    """A circle in {module: modules that it imports} as a list of names, or [] without one."""
    done = set()

    def walk(module, way):
        if module in way:
            return [*way[way.index(module) :], module]
        if module not in done:
            done.add(module)
            for other in sorted(arrows.get(module, ())):
                if found := walk(other, [*way, module]):
                    return found
        return []

    return next((found for module in sorted(arrows) if (found := walk(module, []))), [])


def test_every_folder_is_a_floor_and_nothing_else_lies_in_the_package():
    assert {
        path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"
    } | {"cli"} == set(FLOORS)
    faces = {"training", "serving", "knowledge", "operations", "finance", "uncertainty"}
    assert {path.stem for path in PACKAGE.glob("*.py")} == faces | {"__init__", "__main__", "cli"}


def test_a_floor_may_import_only_floors_above_its_line():
    """The list is in order from the ground up, so that widening a line upwards fails too."""
    names = list(FLOORS)
    for k, name in enumerate(names):
        assert FLOORS[name] <= set(names[:k]), name


@pytest.mark.parametrize("module", INSIDE)
def test_a_module_imports_only_what_its_floor_may(module):
    assert list(wrong(module, INSIDE[module].read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("module", IN_FLOORS)
def test_nobody_inside_imports_a_face(module):
    """A folder is imported by its modules; `from costmodel.facts import gpu` would go through the
    face. Only the words of core, in which every file speaks, come in one line, and not inside core.
    """
    tree = ast.parse(IN_FLOORS[module].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module in MODULES
            and MODULES[node.module].name == "__init__.py"
            and (node.module != "costmodel.core" or folder(module) == "core")
        ):
            assert all(f"{node.module}.{alias.name}" in MODULES for alias in node.names), (
                ast.unparse(node)
            )


@pytest.mark.parametrize("name", FLOORS)
def test_no_floor_goes_in_a_circle(name):
    inside = {module: path for module, path in IN_FLOORS.items() if folder(module) == name}
    assert (
        circle(
            {
                module: set(imported(path.read_text(encoding="utf-8"), MODULES, types=False))
                & set(inside)
                for module, path in inside.items()
            }
        )
        == []
    )


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        (
            "costmodel.core.units",
            "from costmodel.facts.catalog import gpu",
            ["costmodel.core.units -> costmodel.facts.catalog"],
        ),
        (
            "costmodel.core.units",
            "def f():\n    from costmodel import cli",
            ["costmodel.core.units -> costmodel.cli"],
        ),
        (
            "costmodel.laws.money",
            "import costmodel.ledgers.engine",
            ["costmodel.laws.money -> costmodel.ledgers.engine"],
        ),
        (
            "costmodel.validation.cases",
            "from costmodel.pages.plots import costs",
            ["costmodel.validation.cases -> costmodel.pages.plots.costs"],
        ),
        (
            "costmodel.laws.money",
            "if TYPE_CHECKING:\n    from costmodel.ledgers.engine import Bill",
            ["costmodel.laws.money -> costmodel.ledgers.engine"],
        ),
        (
            "costmodel.choices",
            "from costmodel.decisions.compare import compare",
            ["costmodel.choices -> costmodel.decisions.compare"],
        ),
        (
            "costmodel.choices.terms",
            'find = import_module("costmodel.studies.memo")',
            ["costmodel.choices.terms -> costmodel.studies.memo"],
        ),
        ("costmodel.laws.money", "from costmodel.core.units import KILO\nimport numpy", []),
    ],
)
def test_a_planted_import_is_found(module, source, found):
    assert list(wrong(module, source)) == found


def test_a_planted_relative_import_is_refused():
    with pytest.raises(AssertionError, match="name the whole module"):
        list(imported("from .units import KILO", MODULES))


def test_a_planted_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_folder_and_no_file_is_too_long():
    for place in {path.parent for path in IN_FLOORS.values()}:
        assert len([p for p in place.glob("*.py") if p.name != "__init__.py"]) <= FILES_MAX, place
    for path in MODULES.values():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX, path


def test_each_folder_is_installed():
    """A folder that is not listed is missing where the package is installed from a wheel."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = set(listed["tool"]["setuptools"]["packages"])
    folders = {path.parent.relative_to(ROOT) for path in PACKAGE.rglob("*.py")}
    assert {".".join(folder.parts) for folder in folders} <= packages


def test_each_folder_says_what_lives_there():
    for path in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_import_costmodel_is_light():
    code = f"import sys, costmodel; print([m for m in {HEAVY} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]"


def opens(source):
    """Calls that read or write a file."""
    calls = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call))
    names = {
        n.func.id if isinstance(n.func, ast.Name) else getattr(n.func, "attr", "") for n in calls
    }
    return names & {
        "open",
        "read_text",
        "write_text",
        "read_bytes",
        "write_bytes",
        "read_csv",
        "iterdir",
        "glob",
    }


@pytest.mark.parametrize("module", IN_FLOORS)
def test_below_the_pages_only_data_and_scenarios_open_files(module):
    if folder(module) not in ("pages", "validation") and module not in FILE_READERS:
        assert opens(IN_FLOORS[module].read_text(encoding="utf-8")) == set()


def test_nothing_in_the_package_prints_or_logs():
    for module, path in MODULES.items():
        if module in ("costmodel.cli", "costmodel.__main__"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {
            n.func.id
            for n in ast.walk(tree)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        brought = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert "print" not in called and "logging" not in brought, path.name
