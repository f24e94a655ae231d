"""A scenario: one question with its numbers, in a YAML file or in Python, with the same answer.

Ranges are written {low, high, mid, level}, evaluations {accepted, trials, agreement}; options are
`presets`, or mappings of a serving and techniques; `overrides` set any input wherever it occurs. An
unknown name is an error with the nearest right one.
"""

from __future__ import annotations

import json
from os.path import isdir, isfile  # False for what no path can be
from pathlib import Path
from typing import Any

from costmodel.choices.study import Study
from costmodel.core import (
    check,
    in_words,
    is_named,
    not_none,
    of_kind,
    public,
    read_text,
    unknown,
    write,
)


def notebooks_folder() -> Path:
    """The folder of the notebooks: in an installed package, or beside the package in a checkout."""
    inside = Path(__file__).parents[1] / "notebooks"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "notebooks"


@public
def examples() -> dict[str, Path]:
    """The scenarios that come with the package.

    Returns
    -------
    dict of name to Path
        Their files; `load` takes the names.

    Examples
    --------
    >>> list(examples())[:4]
    ['bank_on_premises', 'code_assistant', 'coding_team', 'consumer_app']
    """
    return {path.stem: path for path in sorted((notebooks_folder() / "scenarios").glob("*.yaml"))}


@public
def load(scenario: str | Path, **changes: Any) -> Study:
    """The study of a scenario.

    Parameters
    ----------
    scenario : str or Path
        A YAML file, the name of an example, or YAML text; docs/scenario.md shows every field.
    **changes
        What replaces the file's values, by the name of a field of the workload, the terms or the
        scenario; `corpus_tokens` is the size of the corpus [token], 0 for none; `price_book` is
        the path of a CSV (`cm.scenarios.with_price_book`). None changes nothing.

    Returns
    -------
    Study
        What every analysis takes.

    Raises
    ------
    CatalogError
        A name that is not there; the message says the file, the place and the nearest right name.
    ValueError
        A value that its field does not allow; the message says the file and the place.

    Examples
    --------
    >>> text = "title: Mine\\nterms: {on: 2026-11-20}\\n"
    >>> text += "workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}\\n"
    >>> load(text, months=12).terms.months
    12
    >>> load(text + "quality_flor: 0.7")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no field 'quality_flor' in the scenario; did you mean ...
    """
    from costmodel.scenarios.reading import read  # YAML is read when a file is

    return read(*text_and_file(scenario), not_none(**changes))


@public
def save(scenario: Study, path: str | Path) -> Path:
    """Write a study as a YAML file that computes the same numbers when it is loaded.

    Parameters
    ----------
    scenario : Study
        What is written: what differs from the defaults, and every price date.
    path : str or Path
        The file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    CatalogError
        For what a file cannot say, such as a record of your own; nothing is written then.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     load(save(load("own_gpus"), Path(folder) / "mine.yaml")) == load("own_gpus")
    True
    """
    from costmodel.scenarios.writing import as_yaml  # YAML is read when a file is

    check(scenario.title, "a scenario without a title cannot be saved; give title= to its Study")
    return write(path, as_yaml(scenario))


@public
def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file.

    It is made of the classes: their fields, with unit and meaning. An editor that reads
    `# yaml-language-server: $schema=scenario.schema.json` in the first line of a file completes
    names and marks what is wrong. It knows names and kinds of values; ranges and ids are checked
    when a scenario is loaded.

    Returns
    -------
    dict
        Draft 7; it is shipped as notebooks/scenarios/scenario.schema.json.

    Examples
    --------
    >>> schema = scenario_schema()
    >>> schema["required"], "Workload" in schema["definitions"]
    (['title', 'workload'], True)
    """
    return json.loads(schema_text())


def schema_text() -> str:
    """The schema as it is shipped, which `make schema` makes of the classes."""
    return read_text(notebooks_folder() / "scenarios" / "scenario.schema.json")


def text_and_file(scenario: str | Path) -> tuple[str, str, Path]:
    """The text of a scenario, the name of its file for messages, and the folder of that file."""
    of_kind("scenario", scenario, str, Path)
    text, path = str(scenario), Path(scenario)
    if isinstance(scenario, str) and ("\n" in text or (": " in text and not isfile(text))):
        return text, "the scenario", Path()
    named = isinstance(scenario, str) and is_named(text)
    if named or not isfile(path):
        path = examples().get(text, path)
    check(named or not isdir(path), f"{in_words(text)} is a folder; write the path of a file in it")
    if not isfile(path) or (named and text not in examples()):
        near = [*map(str, path.parent.glob("[!.]*.y*ml"))] if isdir(path.parent) else []
        raise unknown("scenario", text, [*near, *examples()], "this folder or among the examples")
    return read_text(path), path.name, path.parent
