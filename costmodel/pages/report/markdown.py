r"""Markdown as HTML, with maths as MathML.

Maths and money: `$x$` is maths unless it reads like an amount. It is text when the opening `$`
follows a letter or a digit (US$), or is followed by a space or a slash ($/M); when the closing `$`
follows a space or precedes a letter or digit; and when the inside starts with a digit and holds no
TeX (none of \\ ^ _ = + * < >). `\\$` is always a dollar, `$$...$$` always maths.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Any

_MATHS = (
    r"\$\$(?P<block_tex>(?:[^$\\]|\\[\s\S])+?)\$\$"
    r"|(?<![A-Za-z0-9\\])\$(?![\s/$])(?P<tex>(?:[^$\\\n]|\\.)+?)(?<!\s)\$(?![A-Za-z0-9])"
)
_MONEY = re.compile(r"[+-]?\d[^\\^_=+*<>]*$")


def markdown(text: str) -> str:
    """Markdown as HTML, with tables, footnotes and maths.

    >>> markdown("Input $3/M, output $15/M.")
    '<p>Input $3/M, output $15/M.</p>\\n'
    >>> "<msub>" in markdown("With $n_q$ questions.")
    True
    """
    return str(_parser()(text))


@lru_cache(maxsize=1)
def _parser() -> Any:
    import mistune

    plugins: list[Any] = ["table", "strikethrough", "footnotes", _maths]
    return mistune.create_markdown(escape=False, plugins=plugins)


def _maths(parser: Any, *_: Any) -> None:
    """A mistune plug-in: maths by the money rule at the top of this module."""

    def inline(_: Any, match: re.Match, state: Any) -> int | None:
        tex, display = match["tex"], match["block_tex"]
        if display is None and _MONEY.match(tex):
            return None
        state.append_token(
            {"type": "maths", "raw": display or tex, "attrs": {"display": display is not None}}
        )
        return match.end()

    def block(_: Any, match: re.Match, state: Any) -> int:
        state.append_token({"type": "maths_block", "raw": match["lines_tex"]})
        return match.end()

    parser.inline.register("maths", _MATHS, inline, before="codespan")
    lines = r"^ {0,3}\$\$(?P<lines_tex>[\s\S]+?)\$\$[ \t]*(?:\n|$)"
    parser.block.register("maths_block", lines, block, before="list")
    parser.renderer.register("maths", lambda _, tex, display: mathml(tex, display))
    parser.renderer.register("maths_block", lambda _, tex: f"<p>{mathml(tex, True)}</p>\n")


def mathml(tex: str, display: bool = False) -> str:
    """TeX as MathML that keeps its TeX in `data-tex`; what cannot be read is shown as code."""
    from latex2mathml.converter import convert

    tex = tex.strip()
    try:
        made = convert(tex, display="block" if display else "inline")
    except Exception:  # the converter has no common error; a report shows what was written
        return f"<code>{html.escape(tex)}</code>"
    return made.replace(
        ' xmlns="http://www.w3.org/1998/Math/MathML"', f' data-tex="{html.escape(tex)}"', 1
    )
