"""What a file says under `overrides`: the numbers that its plain fields leave as they usually are.

A study is written, read again, and each number is held against the one at the same place: where the
two differ, the number is written under the key that the place has in the file. So whatever may be
changed by its key comes back, of records, of the task, of people or of terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from costmodel.choices.study import Study
from costmodel.core import (
    CatalogError,
    Measured,
    Range,
    Usual,
    called,
    field_names,
    in_words,
    is_nest,
    is_number,
    key_of,
    same,
    unmarked,
)

Place = tuple[Any, ...]  # the steps to a number: fields, labels and positions


def overrides(study: Study, read: Study) -> dict[str, Any]:
    """The numbers of a study, by key, in which what was read of its text differs from it.

    `CatalogError` names the first that no override can say.
    """
    ours, theirs = dict(_places(_things(study))), dict(_places(_things(read)))
    wanted: dict[str, Any] = {}
    changed: dict[str, None] = {}
    several: dict[str, None] = {}
    for place, (owner, name) in ours.items():
        if place not in theirs:
            raise CatalogError(_cannot_say(key_of(owner, name, unmarked(getattr(owner, name)))))
        there, field = theirs[place]
        held, usual = getattr(owner, name), getattr(there, field)
        key = key_of(there, field, unmarked(usual))
        number = _named(owner, name, key)
        if not _alike(held, number, usual, _named(there, field, key)):
            if isinstance(held, (Usual, Measured)) or isinstance(usual, Measured):
                raise CatalogError(_cannot_say(key))
            changed[key] = None
        if not same(wanted.setdefault(key, number), number):
            several[key] = None
    for key in changed:
        if key in several:
            raise CatalogError(
                f"{called(key)} has several values in this scenario, and a file can hold one; "
                "change it in all options"
            )
    return {key: wanted[key] for key in changed}


def refuse_difference(study: Study, read: Study) -> None:
    """Raise `CatalogError` where a number of what was read is not that of the study."""
    for key, value in overrides(study, read).items():
        raise CatalogError(
            f"{called(key)} is {in_words(value)} here, and a file cannot say so: it would be "
            "another number when it is read; change it by a field of its option"
        )


def _things(study: Study) -> dict[str, Any]:
    return {
        "options": study.options,
        "workload": study.work,
        "terms": study.terms,
        "evidence": study.evidence,
    }


def _places(x: Any, place: Place = ()) -> Iterator[tuple[Place, tuple[Any, str]]]:
    """The owner and the field of each number, by its place."""
    if is_nest(x):
        for name in field_names(x):
            value = unmarked(getattr(x, name))
            if is_number(value):
                yield (*place, name), (x, name)
            else:
                yield from _places(value, (*place, name))
    elif isinstance(x, dict):
        for name, value in x.items():
            yield from _places(value, (*place, name))
    elif isinstance(x, (tuple, list)):
        for i, value in enumerate(x):
            yield from _places(value, (*place, i))


def _named(owner: Any, name: str, key: str) -> Any:
    """The number of a field; a Range says by which key it is drawn, where that is another one."""
    value = unmarked(getattr(owner, name))
    if not isinstance(value, Range):
        return value
    own = key_of(owner, name, value)
    return replace(value, name=None if own == key else own)


def _alike(held: Any, number: Any, usual: Any, there: Any) -> bool:
    """Whether two fields hold the same number, which the tier scales in both or in neither."""
    marks = getattr(held, "by", None), getattr(usual, "by", None)
    return marks[0] == marks[1] and same(number, there)


def _cannot_say(key: str) -> str:
    return (
        f"{called(key)} is not what it usually is, and a file cannot say so; "
        "write it as a field of its option"
    )
