"""Make docs/formulas.md from the docstrings of the laws: every equation, its units and its check.

python -m benchmarks.formulas          from the root of a checkout
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from costmodel import laws

PAGE = Path(__file__).parents[1] / "docs" / "formulas.md"
SECTIONS = re.compile(r"^(Parameters|Returns|Raises|Examples|Columns)\n-{4,}$", re.M)
INTRO = """# Every equation

Made from the docstrings of `costmodel/laws` by `python -m benchmarks.formulas`; a test holds it
against them. Units stand in brackets and in `data/glossary.csv`; the check of an equation is run
with the tests.
"""


def equations(module: Any) -> Iterator[tuple[str, str]]:
    """(name, docstring) of the public functions that a module defines and explains."""
    for name, thing in vars(module).items():
        own = inspect.isfunction(thing) and inspect.unwrap(thing).__module__ == module.__name__
        if own and not name.startswith("_") and inspect.getdoc(thing):
            yield name, inspect.getdoc(thing) or ""


def section(text: str) -> str:
    """The words of a docstring, its parameters, and its examples as a check."""
    parts = SECTIONS.split(text)
    words = parts[0].split(">>>")[0].strip()
    named = dict(zip(parts[1::2], parts[2::2], strict=True))
    lines = [words]
    for name in ("Parameters", "Returns"):
        if name in named:
            lines.append(f"*{name}:* " + "; ".join(_rows(named[name])))
    checks = doctest.DocTestParser().get_examples(text)
    if checks:
        shown = "\n".join(f">>> {c.source.rstrip()}\n{c.want.rstrip()}".rstrip() for c in checks)
        lines.append(f"```\n{shown}\n```")
    return "\n\n".join(lines)


def _rows(text: str) -> Iterator[str]:
    """Each parameter of a section in one line."""
    for row in re.split(r"\n(?=\S)", text.strip()):
        yield " ".join(row.split())


def page() -> str:
    """The whole page."""
    parts = [INTRO]
    for found in sorted(pkgutil.walk_packages(laws.__path__, f"{laws.__name__}."), key=str):
        module = importlib.import_module(found.name)
        inside = list(equations(module))
        if inside:
            title = found.name.removeprefix(f"{laws.__name__}.")
            parts.append(f"\n## {title}\n\n{(module.__doc__ or '').splitlines()[0]}\n")
            parts += [f"\n### {name}\n\n{section(text)}\n" for name, text in inside]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {page().count(chr(10) + '### ')} equations")
