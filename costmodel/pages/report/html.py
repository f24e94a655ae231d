"""An executed notebook as one offline HTML page.

The notebook becomes a `Document` (title, opening, body, colophon as clean HTML); `to_html` puts it on a page and
`typeset.to_pdf` typesets it. Nothing in the page loads from anywhere: no script, figures and style inline,
maths as MathML. Cells tagged as in HIDDEN are left out, widgets and warnings never appear.

Maths and money: `$x$` is maths unless it reads like an amount. It is text when the opening `$` follows a letter or a
digit (US$), or is followed by a space or a slash ($/M); when the closing `$` follows a space or precedes a letter or
digit; and when the inside starts with a digit and holds no TeX (none of \\ ^ _ = + * < >). `\\$` is always a dollar,
`$$...$$` always maths.
"""

from __future__ import annotations

import base64
import html
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

TEMPLATES = Path(__file__).parent / "templates"
HIDDEN = {
    "hide",
    "widgets",
    "parameters",
    "injected-parameters",
    "imports",
    "papermill-error-cell-tag",
}
RESULTS_MIME = "application/vnd.costmodel.results+json"
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
WIDE_COLUMNS = 8  # a table with more columns may use the margins of a wide screen
LONG_VALUE = 10  # cards with a longer value are set in smaller type, characters
UNTOUCHED = "default you did not touch"
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_MATHS = (
    r"\$\$(?P<block_tex>(?:[^$\\]|\\[\s\S])+?)\$\$"
    r"|(?<![A-Za-z0-9\\])\$(?![\s/$])(?P<tex>(?:[^$\\\n]|\\.)+?)(?<!\s)\$(?![A-Za-z0-9])"
)
_MONEY = re.compile(r"[+-]?\d[^\\^_=+*<>]*$")
_NUMBER = re.compile(
    r"[(~≈<>≤≥]*\s*[-−–+]?\s*(US\$|[$€£])?\s*[-−+]?\d[\d,. ]*(e[-+]?\d+|×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?\s*([%×x°]|[A-Za-z]{1,3})?\)?"
)
_EMPTY = {"", "-", "–", "—", "nan", "none", "nat", "<na>", "never", "n/a"}
_OUTSIDE = re.compile(r"@import|url\(|expression\(", re.IGNORECASE)


@dataclass(frozen=True)
class Meta:
    """What a report says about itself: title, byline, and the facts that make it reproducible."""

    title: str = ""
    byline: str = ""
    incomplete: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str, str, str], ...] = ()  # name, value, what it is, who set it
    command: str = ""
    local: bool = False  # the command names a file as seen from the folder in which it was given
    show_code: bool = False
    version: str = ""
    folder: Path = Path(".")  # relative pictures are looked up here
    timestamp: int = 0  # creation date in the PDF, seconds since 1970


@dataclass(frozen=True)
class Document:
    """A report as parts of clean HTML (BeautifulSoup trees)."""

    title: str
    answer: str
    opening: Any
    body: Any
    colophon: Any


def to_html(nb: Any, meta: Meta) -> str:
    """The report as one page that needs no network."""
    return html_page(document(nb, meta), meta)


def html_page(made: Document, meta: Meta) -> str:
    return page(
        "report.html.j2",
        title=made.title,
        byline=meta.byline,
        incomplete=meta.incomplete,
        version=meta.version,
        opening=str(made.opening),
        body=str(made.body),
        colophon=str(made.colophon),
    )


def page(template: str, **values: Any) -> str:
    """A page of ours with its style; values named opening, body and colophon are HTML, the rest is text."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    ready = {k: Markup(v) if k in ("opening", "body", "colophon") else v for k, v in values.items()}
    css = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))
    return environment.get_template(template).render(css=css, **ready)


def document(nb: Any, meta: Meta) -> Document:
    """The notebook as parts of a report: the answer, the cards and the points go to the opening, wherever they were shown."""
    soup = _soup(_cells(nb, meta))
    _clean(soup, meta.folder)
    heading = soup.find("h1")
    title = meta.title or (heading.get_text(" ", strip=True) if heading else "Report")
    if heading:
        heading.extract()
    for other in soup("h1"):
        other.name = "h2"
    opening = _soup("")
    for name in ("cm-answer", "cm-cards", "cm-points"):
        if found := soup.find(class_=name):
            opening.append(found.extract())
    if any(len(value.get_text(strip=True)) > LONG_VALUE for value in opening(class_="cm-value")):
        opening.find(class_="cm-cards")["class"].append("cm-long")
    _drop_empty_sections(soup)
    colophon = _soup(_colophon(meta))
    for part in (soup, opening, colophon):
        for table in part("table"):
            _tidy_table(table, align=part is not colophon)
    answer = opening.find(class_="cm-answer")
    return Document(
        title, answer.get_text(" ", strip=True) if answer else "", opening, soup, colophon
    )


def _soup(text: str) -> Any:
    from bs4 import BeautifulSoup

    return BeautifulSoup(text, "html.parser")


# -- cells ---------------------------------------------------------------------------------------------


def _cells(nb: Any, meta: Meta) -> str:
    from nbconvert.exporters import TemplateExporter
    from traitlets.config import Config

    exporter = TemplateExporter(
        config=Config({"TagRemovePreprocessor": {"enabled": True, "remove_cell_tags": HIDDEN}}),
        template_name=TEMPLATES.name,
        template_file="body.html.j2",
        extra_template_basedirs=[str(TEMPLATES.parent)],
        filters={"markdown": _markdown_cell, "picture": _output, "code": _code},
    )
    return exporter.from_notebook_node(nb, {"show_code": meta.show_code})[0]


def _code(source: str) -> str:
    return html.escape(source)


def _markdown_cell(cell: Any) -> str:
    text = cell.source
    for name, bundle in cell.get("attachments", {}).items():
        mime, data = next(iter(bundle.items()))
        text = text.replace(f"attachment:{name}", f"data:{mime};base64,{''.join(data.split())}")
    return markdown(text)


def _output(output: Any) -> str:
    """One output of a cell as HTML; streams of warnings, errors, widgets and bare reprs of objects are left out."""
    if output.output_type == "stream":
        return f"<pre>{html.escape(_plain(output.text))}</pre>" if output.name == "stdout" else ""
    data = output.get("data", {})
    if WIDGET_MIME in data or RESULTS_MIME in data or output.output_type == "error":
        return ""
    if "text/html" in data:
        return data["text/html"]
    if "image/svg+xml" in data:
        return _figure(
            "image/svg+xml", base64.b64encode(_bare_svg(data["image/svg+xml"]).encode()).decode()
        )
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            return _figure(
                mime, "".join(data[mime].split()), output.metadata.get(mime, {}).get("width")
            )
    if "text/markdown" in data or "text/latex" in data:
        return markdown(data.get("text/markdown") or data["text/latex"])
    text = _plain(data.get("text/plain", ""))
    shown = text.strip() and not re.match(
        r"(\[?<.*>\]?|Text\(.*\)|(Figure|Axes)\(.*\))\s*$", text, re.DOTALL
    )
    return f"<pre>{html.escape(text)}</pre>" if shown else ""


def _plain(text: str) -> str:
    from nbconvert.filters import strip_ansi

    return strip_ansi(text)


def _bare_svg(text: str) -> str:
    """The picture alone: no prolog, no date of drawing, so that two runs give the same bytes."""
    return re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)


def _figure(mime: str, data: str, width: int | None = None) -> str:
    size = f' width="{width}"' if width else ""
    return f'<figure><img src="data:{mime};base64,{data}" alt="Figure"{size}></figure>'


# -- Markdown and maths --------------------------------------------------------------------------------


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


# -- cleaning ------------------------------------------------------------------------------------------


def _clean(soup: Any, folder: Path) -> None:
    """Remove what runs or loads, embed pictures, and drop the inline style of our own blocks."""
    for bad in soup(
        [
            "script",
            "link",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "button",
            "meta",
            "base",
            "video",
            "audio",
        ]
    ):
        bad.decompose()
    for back in soup.select("section.footnotes a.footnote"):
        back.decompose()
    for mark in soup.select(
        "sup.footnote-ref a"
    ):  # each cell counts its own notes, so a link could meet the wrong one
        mark.unwrap()
    for style in soup("style"):
        if style.has_attr("scoped") or _OUTSIDE.search(style.get_text()):
            style.decompose()
    for tag in soup(True):
        ours = any(name.startswith("cm-") for name in tag.get("class", [])) or tag.find_parent(
            class_="cm-table"
        )
        for name in list(tag.attrs):
            loads = name in ("srcset", "background") or (
                name == "style" and _OUTSIDE.search(tag[name])
            )
            if (
                name.startswith("on")
                or loads
                or (name == "style" and ours)
                or str(tag[name]).startswith("javascript:")
            ):
                del tag[name]
    for image in soup("img"):
        source = image.get("src", "")
        if source.startswith("data:"):
            continue
        path = folder / unquote(source)
        if re.match(r"(https?:)?//", source) or not path.is_file():
            link = soup.new_tag("a", href=source)
            link.string = image.get("alt") or source
            image.replace_with(link)
        else:
            mime = mimetypes.guess_type(path.name)[0] or "image/png"
            image["src"] = f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _drop_empty_sections(soup: Any) -> None:
    for heading in reversed(soup(HEADINGS)):
        follower = heading.find_next_sibling()
        if follower is None or (follower.name in HEADINGS and follower.name <= heading.name):
            heading.extract()


def _tidy_table(table: Any, align: bool = True) -> None:
    """Numbers to the right, one header row where pandas makes two, a frame that scrolls on a small screen."""
    for name in ("border", "width", "cellpadding", "cellspacing"):
        del table[name]
    rows = table.select("thead tr")
    if len(rows) == 2:
        top, names = (row(["th", "td"]) for row in rows)
        width = [cell for cell in names if cell.get_text(strip=True)]
        free = [*names[len(width) :], *top[: len(width)]]
        if width and len(top) == len(names) and not any(cell.get_text(strip=True) for cell in free):
            for cell, name in zip(top, width, strict=False):
                cell.string = name.get_text(" ", strip=True)
            rows[1].extract()
    columns: dict[int, list[str]] = {}
    for section, cell, column in cells(table):
        if section == "body" and cell.get("colspan", "1") == "1":
            text = cell.get_text(" ", strip=True)
            if text.lower() in ("nan", "none", "nat", "<na>"):
                cell.string = text = "–"
            columns.setdefault(column, []).append(text)
    numeric = {c for c, texts in columns.items() if align and _numbers(texts)}
    for _, cell, column in cells(table):
        if column in numeric and cell.get("colspan", "1") == "1":
            cell["class"] = [*cell.get("class", []), "num"]
    wide = " wide" if len(columns) > WIDE_COLUMNS else ""
    if table.parent is None or "table" not in table.parent.get("class", []):
        table.wrap(_soup(f'<div class="table{wide}"></div>').div)


def _numbers(texts: list[str]) -> bool:
    told = [t for t in texts if t.lower() not in _EMPTY]
    return bool(told) and sum(bool(_NUMBER.fullmatch(t)) for t in told) >= 0.7 * len(told)


def cells(table: Any) -> Iterator[tuple[str, Any, int]]:
    """Every cell of a table with its section ("head" or "body") and the column where it starts."""
    taken: dict[tuple[int, int], bool] = {}
    for y, row in enumerate(table("tr")):
        x = 0
        section = "head" if row.parent.name == "thead" else "body"
        for cell in row(["th", "td"], recursive=False):
            while taken.get((y, x)):
                x += 1
            wide, tall = int(cell.get("colspan", 1)), int(cell.get("rowspan", 1))
            taken.update({(y + j, x + i): True for i in range(wide) for j in range(tall)})
            yield section, cell, x
            x += wide


# -- colophon ------------------------------------------------------------------------------------------


def _colophon(meta: Meta) -> str:
    """The facts behind a report: versions, prices, every parameter, and the command that makes it again."""

    def row(*texts: str) -> str:
        return "<tr>" + "".join(f"<td>{text}</td>" for text in texts) + "</tr>"

    parts = []
    if meta.facts:
        parts.append(
            "<p>"
            + " · ".join(f"{html.escape(n)}: {html.escape(v)}" for n, v in meta.facts)
            + "</p>"
        )
    if meta.parameters:
        parts.append(
            "<table><thead><tr><th>Parameter</th><th>Value</th><th>Meaning</th><th>Set by</th></tr></thead><tbody>"
        )
        for name, value, meaning, origin in meta.parameters:
            shown, by = (
                html.escape(t) if origin == UNTOUCHED else f"<strong>{html.escape(t)}</strong>"
                for t in (value, origin)
            )
            parts.append(row(html.escape(name), shown, html.escape(meaning), by))
        parts.append("</tbody></table>")
    if meta.command:
        parts.append(
            f"<p>To make it again{', in the folder in which it was made' if meta.local else ''}:</p><pre>{html.escape(meta.command)}</pre>"
        )
    return "\n".join(parts)
