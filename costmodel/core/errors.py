"""Errors: each is one sentence that says what is wrong, where, and what to write instead."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from reprlib import Repr
from typing import Any

ECHOED = 80  # characters of a wrong value that a message repeats
SENTENCE = 300  # characters of a message
_LONG = re.compile(rf"'[^'\n]{{{ECHOED},}}'|\"[^\"\n]{{{ECHOED},}}\"|\S{{{ECHOED},}}")


class CatalogError(ValueError):
    """A name, unit, class or key that the data does not know, or a wrong row of the data.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.facts.gpu("H100-SMX")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no GPU 'H100-SMX' in gpus.csv; did you mean 'H100-SXM' ...
    """


class Infeasible(ValueError):
    """An option that cannot run as asked; `compare` shows the message as `why_not`.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-20"))
    >>> work = cm.Workload(1_000, input_tokens=900_000)
    >>> cm.compare(option, work, draws=1).why_not.item()
    'a request is 772,000 tokens over the 128,000-token window of gpt-4o'
    >>> cm.ledger(option, work)
    Traceback (most recent call last):
    costmodel.core.errors.Infeasible: a request is 772,000 tokens over the 128,000-token window ...
    """


class Unpriced(CatalogError, Infeasible):
    """A token class without a price: the option that needs it cannot run, others can."""


def check(ok: object, message: str) -> None:
    """Raise `ValueError(message)` unless `ok`."""
    if not ok:
        raise ValueError(message)


def check_known(
    kind: str, name: object, names: Collection[str], where: str = "the catalogue"
) -> None:
    """Raise the error `unknown` where a name is not among these."""
    if not isinstance(name, (str, bool, type(None))) or name not in names:
        raise unknown(kind, name, names, where)


def unknown(
    kind: str, name: object, names: Iterable[str], where: str = "the catalogue"
) -> CatalogError:
    """The error for a name that is not there, with the nearest names that are.

    >>> str(unknown("GPU", "H100-SMX", ["H100-SXM", "T4"]))
    "no GPU 'H100-SMX' in the catalogue; did you mean 'H100-SXM'?"
    """
    known = sorted({str(n) for n in names})
    near = _nearest(str(name)[:ECHOED].lower(), known)
    if near:
        hint = "did you mean " + " or ".join(in_words(n) for n in near) + "?"
    else:
        shown = [n[:ECHOED] for n in known[:8]]
        hint = "known: " + ", ".join(shown) + (", ..." if len(known) > 8 else "")
    return CatalogError(f"no {kind} {in_words(str(name))} in {where}; {hint}")


def _nearest(wanted: str, known: list[str]) -> list[str]:
    """Up to three names: alike, the longest that `wanted` begins with, less alike, longer."""
    lower = {n.lower(): n for n in known}
    alike, less_alike = (get_close_matches(wanted, lower, n=3, cutoff=c) for c in (0.85, 0.5))
    stem = max((n for n in lower if len(n) > 2 and wanted.startswith(n)), key=len, default=wanted)
    containing = [n for n in lower if wanted in n]
    ordered = dict.fromkeys([*alike, stem, *less_alike, *containing])
    return [lower[n] for n in ordered if n in lower][:3]


def brief(message: str) -> str:
    """A message of at most 300 characters: what it repeats is cut first, then its middle."""
    if len(message) > SENTENCE:
        message = _LONG.sub(lambda found: f"{found[0][:40]}...{found[0][-1]}", message)
    if len(message) > SENTENCE:
        message = f"{message[: SENTENCE - 110]} ... {message[-100:]}"
    return message


_echo = Repr()
_echo.maxstring = _echo.maxother = _echo.maxlong = ECHOED
_echo.maxlevel = 2


def in_words(value: Any) -> str:
    """A wrong value in at most 80 characters: a record or a long collection by its class alone.

    >>> in_words(0.5), in_words([1] * 99), len(in_words("x" * 99))
    ('0.5', 'a list', 80)
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    kind = f"a {type(value).__name__}"
    if hasattr(value, "__dataclass_fields__"):
        return kind
    try:
        text = _echo.repr(value)
    except ValueError:  # a whole number of thousands of digits
        return kind
    if isinstance(value, (dict, list, tuple, set)) and ("..." in text or len(text) > ECHOED):
        return kind
    return text if len(text) <= ECHOED else f"{text[: ECHOED - 3]}..."
