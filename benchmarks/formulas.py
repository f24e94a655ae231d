"""Write docs/formulas.md: every equation of costmodel/laws, from the docstrings of its functions.

    python benchmarks/formulas.py            write it
    python benchmarks/formulas.py --check    say whether it is up to date

A docstring says what is computed, the equation with its reference, the units, what is not in it,
and an example that the tests execute. A test holds the page against `page()`.
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAWS = ROOT / "costmodel" / "laws"
PAGE = ROOT / "docs" / "formulas.md"
EQUATION = re.compile(r"[=^]| [x/+] |exp\(|log|sqrt")
HEAD = """# Formulas

Every equation of `costmodel/laws`, made from the docstrings by `make formulas`: what it says, its
reference, its units, what is not in it, and a check that the tests execute. Numbers of the fits
behind some of them are in `data/calibration`; notebook 09 holds predictions against measurements.
"""


def page() -> str:
    """The whole page."""
    files = sorted(p for p in LAWS.rglob("*.py") if p.name != "__init__.py")
    parts = [HEAD]
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = [said for f in tree.body if isinstance(f, ast.FunctionDef) and (said := entry(f))]
        if found:
            name = path.relative_to(LAWS).with_suffix("").as_posix()
            about = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
            parts += [f"## {name}\n\n{about}\n", *found]
    return "\n".join(parts)


def entry(function: ast.FunctionDef) -> str:
    """The section of one function; empty where it is private or states no equation."""
    doc = ast.get_docstring(function) or ""
    text, _, check = doc.partition(">>>")
    said, *sections = re.split(r"\n\n(?=[A-Z]\w+\n-+(?:\n|$))", text.strip())
    if function.name.startswith("_") or not EQUATION.search(said) or not check:
        return ""
    units = [block for title in ("Parameters", "Returns") for block in under(sections, title)]
    arguments = ", ".join(a.arg for a in (*function.args.args, *function.args.kwonlyargs))
    lines = [f"### {function.name}({arguments})\n", f"{said}\n"]
    if units:
        lines += ["```text", *units, "```\n"]
    return "\n".join([*lines, "```python", f">>>{check}".rstrip(), "```\n"])


def under(sections: list[str], title: str) -> list[str]:
    """The lines under a title of numpydoc, the results behind an arrow."""
    for section in sections:
        name, _, *lines = section.split("\n")
        if name == title:
            return [
                f"-> {line}" if title == "Returns" and line[:1].strip() else line for line in lines
            ]
    return []


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
