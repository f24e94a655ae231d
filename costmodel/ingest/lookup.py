"""What stands at the paths of documents."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter, itemgetter
from typing import Any

import pandas as pd

Path = tuple[str, ...]


class Lookup:
    """The values at the paths of documents, or in the columns of a table; each is found once."""

    def __init__(self, docs: list, columns: Any = None) -> None:
        self.values: dict[Path, Any] = {(): docs or None}
        self.values |= {
            (name,): _some(column) for name, column in ({} if columns is None else columns).items()
        }
        self.keys: dict[Path, set[str]] = {}

    @classmethod
    def of_rows(cls, rows: list, tree: dict, path: Path = ()) -> Lookup:
        """The values of rows that hold the keys of a tree as `at0`, `at1` and so on; what is under
        a key is a row of its own, or None.
        """
        found = cls([])
        for k, (key, inside) in enumerate(tree.items()):
            try:
                values = list(map(attrgetter(f"at{k}"), rows))
            except AttributeError:  # not in all of them
                values = [getattr(row, f"at{k}", None) for row in rows]
            found.values[(*path, key)] = kept = _some(values)
            if kept and inside:
                found.values |= cls.of_rows(kept, inside, (*path, key)).values
        found.values[()] = None
        return found

    def at(self, path: Path) -> Any:
        """What stands at a path of each document, or None where no document has it."""
        if path not in self.values:
            above = self.at(path[:-1])
            self.values[path] = None if above is None else self._below(path[:-1], path[-1])
        return self.values[path]

    def _below(self, parent: Path, key: str) -> list | None:
        """What stands under a key; as a rule every document has it, or none."""
        above = self.values[parent]
        try:
            return _some(list(map(itemgetter(key), above)))
        except (KeyError, TypeError):  # not in all of them
            pass
        if key.isdigit():
            return _some([dig(x, (key,)) for x in above])
        if parent not in self.keys:
            self.keys[parent] = set().union(*(x for x in above if type(x) is dict))
        return _some([dig(x, (key,)) for x in above]) if key in self.keys[parent] else None


def dig(doc: Any, path: Iterable[str], absent: Any = None) -> Any:
    """What stands at a path of a document, or `absent`; a number goes into a list."""
    for key in path:
        if type(doc) is dict and key in doc:
            doc = doc[key]
        elif type(doc) is list and key.isdigit() and int(key) < len(doc):
            doc = doc[int(key)]
        else:
            return absent
    return doc


def _some(values: Any) -> Any:
    """The values, or None where nothing is in them."""
    nothing = values.count(None) == len(values) if type(values) is list else pd.isna(values).all()
    return None if nothing else values
