"""Errors that say what is wrong, where, and what to write instead."""

from collections.abc import Iterable
from difflib import get_close_matches


class CatalogError(ValueError):
    """A name, unit, class or key that the data does not know, or a row of the data that is wrong."""


class Infeasible(ValueError):
    """An option that cannot run as asked; the message is the reason, and `compare` keeps it as `why_not`."""


class Unpriced(CatalogError, Infeasible):
    """A token class that an option needs and the price list does not have: the option cannot run, the others can."""


def unknown(kind: str, name: object, names: Iterable[str], where: str = "the catalogue") -> CatalogError:
    """The error for a name that is not there, with the nearest names that are.

    >>> str(unknown("GPU", "H100-SMX", ["H100-SXM", "T4"]))
    "no GPU 'H100-SMX' in the catalogue; did you mean 'H100-SXM'?"
    """
    names = sorted({str(n) for n in names})
    folded = {n.lower(): n for n in names}
    wanted = str(name).lower()
    stem = sorted((n for n in folded if len(n) > 2 and wanted.startswith(n)), key=len)[-1:]
    close = [get_close_matches(wanted, folded, n=3, cutoff=cutoff) for cutoff in (0.85, 0.5)]
    near = [folded[n] for n in dict.fromkeys([*close[0], *stem, *close[1]])][:3]
    near += [n for n in names if str(name).lower() in n.lower() and n not in near][: 3 - len(near)]
    if near:
        hint = "did you mean " + " or ".join(f"'{n}'" for n in near) + "?"
    else:
        hint = "known: " + ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return CatalogError(f"no {kind} {str(name)!r} in {where}; {hint}")


def check(ok: object, message: str) -> None:
    """Raise `ValueError(message)` unless ok; messages name the field, the value and the allowed range."""
    if not ok:
        raise ValueError(message)
