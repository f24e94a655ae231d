"""Parameters of a notebook: what its one cell tagged `parameters` declares, and what a caller may
put there.

Each line of the cell is a typed assignment; its comment is the help, an optional range or list of
choices ends it. A line too long is one with its value, and the comment beside that, in brackets:

    requests_per_month: float = 300_000  # requests a month at the start [1, 1e10]
    mode: str = "standard"               # how the API is called {standard, batch, flex}
    quality_floor: float | None = None   # least share of accepted answers [0, 1]

Everything is checked here, before a kernel starts. Where papermill alone runs a notebook, which
only warns about a name that it does not know, the same is checked when the notebook imports this
face.
"""

from __future__ import annotations

import ast
import io
import json
import math
import re
import sys
import tokenize
from collections.abc import Mapping
from itertools import pairwise
from os.path import isfile
from pathlib import Path
from typing import Any

from costmodel.core import LARGEST, CatalogError, check, frozen, in_words, public, unknown

TRUE, FALSE, NONE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}, {"none", "null", ""}
FORMAT = 4  # of notebooks
TYPES = ("float", "int", "str", "bool", "list", "dict")
SECRETS = set(
    "password passwd passphrase secret secrets credential credentials apikey key keys".split()
)
TOKEN_OWNERS = set("api access auth bearer hf openai private refresh secret session".split())
INJECTED = "# Parameters\n"  # how papermill begins the cell that it adds
_COMMENT = re.compile(  # help [low, high] or help {one, another}
    r"(.*?)\s*(?:\[\s*([^\s,\]]+)\s*,\s*([^\s,\]]+)\s*\]|\{([^}]*)\})?\s*$"
)


@frozen
class Parameter:
    """One parameter of a notebook: its type, default, help, and the limits or choices that its
    comment states.

    Parameters
    ----------
    name : str
        Name of the parameter.
    type : {"float", "int", "str", "bool", "list", "dict"}
        What a value becomes.
    default : object
        The value that the notebook holds.
    help : str
        What the parameter means.
    low, high : float
        The limits of a number, both allowed.
    choices : tuple of str
        The values that are allowed; empty means any.
    optional : bool
        Whether None is allowed.

    Examples
    --------
    >>> import costmodel as cm
    >>> months = cm.report.Parameter("months", "int", 36, help="horizon", low=1, high=120)
    >>> cm.report.validate({"months": months}, {"months": "24"})
    {'months': 24}
    """

    name: str
    type: str
    default: Any
    help: str = ""
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    optional: bool = False


@public
def schema(notebook: str | Path) -> dict[str, Parameter]:
    """The parameters that a notebook declares, in its own order.

    Parameters
    ----------
    notebook : path
        An .ipynb file.

    Returns
    -------
    dict of name to Parameter
        Empty when no cell is tagged `parameters`.

    Raises
    ------
    ValueError
        When the file is no notebook, or has two such cells.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import nbformat
    >>> import costmodel as cm
    >>> source = "months: int = 36  # horizon in months [1, 120]"
    >>> cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    >>> path = Path(tempfile.mkdtemp()) / "my_case.ipynb"
    >>> nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    >>> months = cm.report.schema(path)["months"]
    >>> months.type, months.default, months.low, months.high
    ('int', 36, 1.0, 120.0)
    """
    path = Path(notebook)
    check(isfile(path), f"no notebook {in_words(str(path))}; write the path of an .ipynb file")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version = found["nbformat"]
        cells = found["cells"] if version == FORMAT else []
        sources = ["".join(cell["source"]) for cell in cells]
        tagged = [
            source
            for cell, source in zip(cells, sources, strict=True)
            if "parameters" in cell["metadata"].get("tags", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path.name} is not a notebook; write the path of an .ipynb file"
        ) from error
    check(
        version == FORMAT,
        f"{path.name} is a notebook of format {in_words(version)}, {FORMAT} is read; open it in "
        "Jupyter and save it",
    )
    count = len(tagged)
    check(count <= 1, f"{path.name} has {count} cells tagged 'parameters', allowed is one")
    try:
        return read_cell(tagged[0], path.name) if tagged else {}
    except (SyntaxError, tokenize.TokenError) as error:
        raise ValueError(f"{path.name}: its cell of parameters is no Python") from error


def read_cell(source: str, where: str = "the parameters cell") -> dict[str, Parameter]:
    """The parameters declared by the text of a cell.

    >>> read_cell("months: int = 36  # horizon in months [1, 120]")["months"]
    Parameter(name='months', type='int', default=36, help='horizon in months', low=1.0, high=120.0,
    choices=(),
              optional=False)
    """
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = {}
    for node in ast.parse(source).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        name = ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
        try:
            default = ast.literal_eval(node.value)
        except ValueError as error:
            raise ValueError(
                f"{where}: the default of {name!r} must be a plain value, not a formula"
            ) from error
        declared = getattr(node, "annotation", None)
        words = ast.unparse(declared) if declared else type(default).__name__
        kinds = [kind.split("[")[0] for kind in words.split(" | ")]
        kind = next((kind for kind in kinds if kind not in ("None", "NoneType")), "str")
        known = ", ".join(TYPES)
        check(kind in TYPES, f"{where}: {name!r} has type {kind!r}, allowed are {known}")
        optional = default is None or "None" in kinds
        ends = (node.end_lineno, node.value.end_lineno)  # of the line, of a value in brackets
        comment = next((comments[end] for end in ends if end in comments), "")
        try:
            said = _comment(comment)
        except ValueError as error:
            raise ValueError(f"{where}: the limits of {name!r} must be two numbers") from error
        found[name] = Parameter(name, kind, default, *said, optional)
    return found


def _comment(text: str) -> tuple[str, float, float, tuple[str, ...]]:
    """Help, low, high and choices from the comment behind a parameter."""
    meaning, low, high, choices = _COMMENT.findall(text)[0]
    names = [choice.strip(" \"'") for choice in choices.split(",")] if choices else []
    return meaning, float(low or -math.inf), float(high or math.inf), tuple(names)


@public
def validate(
    schema: Mapping[str, Parameter], parameters: Mapping[Any, Any], where: str = "the notebook"
) -> dict:
    """Check parameters against the types, limits and choices that a notebook declares.

    Parameters
    ----------
    schema : dict of name to Parameter
        What the notebook declares.
    parameters : dict of name to value
        Text from YAML or a command line becomes the declared type.
    where : str
        What the message calls the notebook.

    Returns
    -------
    dict of name to value
        Clean values of the declared types.

    Raises
    ------
    CatalogError
        For a name that is not declared, or that looks like a secret.
    ValueError
        For a value of another type or outside the limits.

    Examples
    --------
    >>> validate(read_cell("cache: bool = True"), {"cache": "No"})
    {'cache': False}
    >>> validate(read_cell("discount_rate: float = 0.1"), {"discont_rate": 0.2})
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no parameter 'discont_rate' in the notebook; ...
    """
    clean = {}
    for name, value in parameters.items():
        name = "on" if name is True else str(name)  # YAML 1.1 reads the key `on` as true
        if looks_secret(name):
            raise CatalogError(
                f"parameter {name!r} looks like a secret, and a report stores its parameters; "
                "leave it out"
            )
        if not schema:
            raise CatalogError(
                f"no parameter {name!r} in {where}: it has no cell tagged 'parameters'"
            )
        if name not in schema:
            raise unknown("parameter", name, schema, where)
        clean[name] = _typed(schema[name], value)
    return clean


def check_injected() -> dict[str, Any]:
    """What papermill put into the notebook that runs here; refused where its cell does not allow
    it.

    papermill alone only warns about a name that it does not know.
    """
    held: dict[str, Any] = {}
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    cells = shell.user_ns.get("In", []) if shell else []
    for declared, injected in pairwise(cells):
        if not injected.startswith(INJECTED):
            continue
        try:
            known, given = read_cell(declared), read_cell(injected)
        except (ValueError, SyntaxError):  # a cell that is none of ours
            continue
        held |= validate(known, {name: x.default for name, x in given.items()})
    return held


def looks_secret(name: str) -> bool:
    """Whether a name reads like a key, a password or an access token.

    Counts of tokens are no secrets.

    >>> names = ("api_key", "hf_token", "access_tokens", "input_tokens", "usd_per_token")
    >>> [looks_secret(name) for name in names]
    [True, True, True, False, False]
    """
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")
    of_access = {"token", "tokens"} & {*words} and TOKEN_OWNERS & {*words}
    return bool(SECRETS & {*words} or of_access or (words[-1] == "token" and "per" not in words))


def _typed(parameter: Parameter, value: Any) -> Any:
    """One value as the declared type; text is read strictly, nothing is guessed."""
    name, kind = parameter.name, parameter.type
    words = str(value).strip().lower()
    if value is None or (parameter.optional and kind != "str" and words in NONE):
        check(parameter.optional, f"{name} is empty; write a value of type {kind}")
        return None
    if kind == "bool":
        check(words in TRUE | FALSE, f"{name} is {in_words(value)}, allowed are true and false")
        return words in TRUE
    if kind in ("int", "float"):
        value = _number(parameter, value)
    elif kind == "str":
        text = not isinstance(value, (bool, list, tuple, dict))
        check(text, f"{name} is {in_words(value)}, it must be text; put it in quotes")
        value = str(value)
    else:
        if isinstance(value, str):
            from costmodel.scenarios.places import read_yaml

            value = read_yaml(value, name)
        value = list(value) if isinstance(value, tuple) else value
        check(type(value).__name__ == kind, f"{name} is {in_words(value)}, it must be a {kind}")
    if parameter.choices and str(value) not in parameter.choices:
        raise unknown(f"value of {name!r}", value, parameter.choices, "its choices")
    return value


def _number(parameter: Parameter, value: Any) -> int | float:
    """A number inside the limits; digits alone are read exactly."""
    whole, low, high = parameter.type == "int", parameter.low, parameter.high
    between = "" if (low, high) == (-math.inf, math.inf) else f" between {low:g} and {high:g}"
    given = f"{parameter.name} is {in_words(value)}"
    try:
        digits = re.fullmatch(r"\s*[+-]?[\d_]+\s*", str(value))
        number = math.nan if isinstance(value, bool) else float(value)
        number = int(value) if digits and abs(number) <= LARGEST else number
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    right = math.isfinite(number) and (not whole or number == int(number))
    check(right, f"{given}, it must be {'a whole number' if whole else 'a number'}{between}")
    check(low <= number <= high, f"{given}, allowed is{between}")
    return int(number) if whole else float(number)
