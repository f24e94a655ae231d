"""A scenario: one question with its numbers, in a YAML file or in Python, and the same answer from both.

Ranges are written {low, high, mid, level}, evaluations {accepted, trials}; options are `presets`, or mappings of a serving
and techniques; `overrides` set any input wherever it occurs. An unknown name is an error with the nearest right one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

from costmodel.choices.study import Study
from costmodel.core.errors import CatalogError, unknown
from costmodel.core.nested import key_of, walk
from costmodel.core.public import public


def notebooks_folder() -> Path:
    """The folder of the notebooks: inside an installed package, or beside the package in a checkout."""
    inside = Path(__file__).parents[1] / "notebooks"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "notebooks"


@public
def examples() -> dict[str, Path]:
    """The scenarios that come with the package, by name.

    >>> list(examples())
    ['code_assistant', 'document_extraction', 'own_gpus', 'support_assistant']
    """
    return {path.stem: path for path in sorted((notebooks_folder() / "scenarios").glob("*.yaml"))}


@public
def load(scenario: str | Path, **changes: Any) -> Study:
    """A scenario from a YAML file, from the name of an example, or from YAML text.

    `changes` replace what the file says, by the name of a field of the workload, the terms or the scenario
    (`corpus_tokens` for the size of the corpus, 0 for none); None leaves the file's value. Errors are one sentence with the file,
    the place inside it and the nearest right name.

    >>> text = "title: Mine\\nworkload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}\\nterms: {on: 2026-11-20}"
    >>> load(text, months=12).terms.months
    12
    >>> load(text + "\\nquality_flor: 0.7")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no field 'quality_flor' in the scenario; did you mean 'quality_floor' or 'quality'?
    """
    from costmodel.scenarios.reading import Reader, parse  # YAML is read when a file is

    text, file = _read(scenario)
    reader = Reader(file)
    fields = {
        name: hint
        for name, hint in get_type_hints(Study).items()
        if name not in ("work", "options", "terms")
    } | {"accept_zero": tuple[str, ...]}
    values = reader.question(
        parse(text, file), fields, {k: v for k, v in changes.items() if v is not None}
    )
    return reader.make("", Study, **values)


@public
def save(scenario: Study, path: str | Path) -> Path:
    """Write a scenario as a YAML file that computes the same numbers when it is loaded.

    Errors: `CatalogError` for what a file cannot say, such as a record of your own; nothing is written then.
    """
    from costmodel.scenarios.writing import as_yaml  # YAML is read when a file is

    text = as_yaml(scenario)
    for (key, value), (_, again) in zip(_numbers(scenario), _numbers(load(text)), strict=True):
        if value != again:
            raise CatalogError(
                f"{key} is {value} and a file would make it {again}; change it by a field of its option"
            )
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def _numbers(s: Study) -> list[tuple[str, Any]]:
    return [(key_of(*leaf), leaf[2]) for leaf in walk(s.inputs)]


def _read(scenario: str | Path) -> tuple[str, str]:
    """(text, name of the file for messages)."""
    text = str(scenario)
    if isinstance(scenario, str) and ("\n" in text or (": " in text and not Path(text).is_file())):
        return text, "the scenario"
    path = Path(text) if Path(text).is_file() else examples().get(text, Path(text))
    if not path.is_file():
        near = (
            [str(p) for p in sorted(path.parent.glob("[!.]*.y*ml"))] if path.parent.is_dir() else []
        )
        raise unknown("scenario", text, [*near, *examples()], "this folder or among the examples")
    try:
        return path.read_text(encoding="utf-8-sig"), path.name
    except UnicodeDecodeError as error:
        raise CatalogError(
            f"{path.name} is not a text file in UTF-8; write the path of a YAML file"
        ) from error
