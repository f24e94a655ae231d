"""Tables as typst code: the widths of columns, the size of the text, and what may break."""

from __future__ import annotations

import json
import re

TEXT_WIDTH = 210 - 2 * 20  # mm of an A4 page between the margins of templates/report.typ
TEXT_HEIGHT = 297 - 2 * 20  # mm, the width of the text on a page on its side
POINTS_PER_MM = 72 / 25.4
CHARACTER = 0.48  # mean width of a character in table text, em, on the safe side
GUTTER = 0.72  # left and right inset of a table cell, em
SIZES = (9.5, 9, 8.5, 8, 7.5, 7, 6.5, 6)  # table text, points
SMALLEST_UPRIGHT = 6.5  # a table that would need smaller text gets a page on its side
TURNED = "page(flipped: true, "
THIN = "thin"  # the rule between two rows
LONG = 26  # a column with longer texts wraps, characters
WRAPPED = 11  # characters that a wrapped column is granted at least
NAME = 16  # a name this long may break inside, characters
SMALL_TABLE = 14  # rows that are kept on one page


def text(value: str) -> str:
    """A typst string literal.

    >>> text('50 $ "a" #b')
    '"50 $ \\\\"a\\\\" #b"'
    """
    return json.dumps(re.sub(r"[\x00-\x1f\x7f]+", " ", str(value)), ensure_ascii=False)


def head_width(said: str) -> int:
    """Characters that a head needs: it breaks at spaces, underscores and slashes."""
    words = re.split(r" |[_/.-](?=[A-Za-z])", said)
    return min(max((len(word) + 1 for word in words), default=0), LONG)


def grid(
    widths: list[int], right: set[int], caption: str, head: list[str], rows: list[str], count: int
) -> str:
    """A table of `count` rows, whose text is the largest that fits.

    Columns of long texts wrap, numbers stay to the right, and a table that is too wide gets a page
    on its side.
    """
    wraps = [width > LONG and column not in right for column, width in enumerate(widths)]
    ems = sum(
        (WRAPPED + width**0.5 if wrap else width) * CHARACTER + GUTTER
        for width, wrap in zip(widths, wraps, strict=True)
    )
    turned = ems * SMALLEST_UPRIGHT > TEXT_WIDTH * POINTS_PER_MM
    room = (TEXT_HEIGHT if turned else TEXT_WIDTH) * POINTS_PER_MM
    size = next((s for s in SIZES if ems * s <= room), round(room / ems, 2))
    columns = (f"{w**0.5:.2f}fr" if wrap else "auto" for w, wrap in zip(widths, wraps, strict=True))
    sides = ("right" if column in right else "left" for column in range(len(widths)))
    made = (
        f"grid-table(columns: ({', '.join(columns)},), align: ({', '.join(sides)},), "
        f"size: {size}pt, "
        f"breakable: {str(count > SMALL_TABLE).lower()}, caption: {caption or 'none'}, "
        f"head: ({''.join(f'{c}, ' for c in head)}), rows: ({''.join(f'{c}, ' for c in rows)}))"
    )
    return f"{TURNED}{made})" if turned else made


def breakable(words: str, shortest: int = NAME) -> str:
    """Names of at least `shortest` characters may break after `_`, `/`, `.` and `-`, endless words
    anywhere.
    """
    words = re.sub(rf"\w{{{LONG},}}", lambda m: "\u200b".join(m[0]), words)
    return re.sub(
        rf"\S{{{shortest},}}", lambda m: re.sub(r"([_/.+-])(?=[A-Za-z])", "\\1\u200b", m[0]), words
    )
