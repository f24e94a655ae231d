"""An executed notebook as one offline HTML page.

The notebook becomes a `Document` (title, opening, body, colophon as clean HTML). `html_page` puts
it on a page and `pdf.typeset` typesets it. Nothing in the page loads from anywhere: no script,
figures and style inline, maths as MathML. Cells tagged as in HIDDEN are left out; widgets and
warnings never appear.
"""

from __future__ import annotations

import base64
import html
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jinja2
from bs4 import BeautifulSoup
from click import unstyle

from costmodel.pages.blocks import RESULTS_MIME
from costmodel.pages.report.markdown import markdown

TEMPLATES = Path(__file__).parent / "templates"
OWN = "cm-table"  # the class of a table of ours, whose columns of numbers are marked
HIDDEN = set("hide widgets parameters injected-parameters imports papermill-error-cell-tag".split())
SVG = "image/svg+xml"
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
WIDE_COLUMNS = 7  # a table with more columns may use the margins of a wide screen
LONG_VALUE = 10  # cards with a longer value are set in smaller type, characters
UNTOUCHED = "default you did not touch"
UNWANTED = (  # what runs or loads, the style for notebooks, and the ways back from footnotes
    "script, link, iframe, object, embed, form, input, button, meta, base, video, audio, "
    "style[scoped], section.footnotes a.footnote"
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_NUMBER = re.compile(
    r"[(~≈<>≤≥]*\s*[-−–+]?\s*(US\$|[$€£])?\s*[-−+]?\d[\d,. ]*"
    r"(e[-+]?\d+|×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?\s*([%×x°]|[A-Za-z]{1,3})?\)?"
)
_MISSING = set("nan none nat <na>".split())
_EMPTY = {"", *"- – — never n/a".split(), *_MISSING}
_OUTSIDE = re.compile(r"@import|url\(|expression\(", re.IGNORECASE)
_BARE_REPR = re.compile(r"(\[?<.*>\]?|Text\(.*\)|(Figure|Axes)\(.*\))?\s*$", re.DOTALL)


@dataclass(frozen=True)
class Meta:
    """What a report says about itself: title, byline, and the facts that make it reproducible."""

    title: str = ""
    byline: str = ""
    incomplete: str = ""
    facts: dict[str, str] = field(default_factory=dict)
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


def html_page(made: Document, meta: Meta) -> str:
    """The report as one page that needs no network."""
    return page("report.html.j2", made=made, meta=meta)


def page(template: str, **values: Any) -> str:
    """A page made from one of our templates."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(css=css, **values)


def document(nb: Any, meta: Meta) -> Document:
    """The notebook as parts of a report; the answer, the cards and the points go to the opening."""
    parts = (part for cell in nb.cells for part in _cell(cell, meta.show_code))
    soup = _soup("\n".join(parts))
    _clean(soup, meta.folder)
    heading = soup.find("h1")
    title = meta.title or (_said(heading) if heading else "Report")
    if heading:
        heading.extract()
    for other in soup("h1"):
        other.name = "h2"
    opening = _soup("")
    for name in ("cm-answer", "cm-cards", "cm-points"):
        if found := soup.find(class_=name):
            opening.append(found.extract())
    if any(len(_said(value)) > LONG_VALUE for value in opening(class_="cm-value")):
        opening.find(class_="cm-cards")["class"].append("cm-long")
    for heading in reversed(soup(HEADINGS)):  # sections that are empty now
        follower = heading.find_next_sibling()
        if follower is None or (follower.name in HEADINGS and follower.name <= heading.name):
            heading.extract()
    colophon = _soup(page("colophon.html.j2", meta=meta, untouched=UNTOUCHED))
    for part in (soup, opening, colophon):
        for table in part("table"):
            if OWN not in table.get("class", []):
                _tidy_table(table, align=part is not colophon)
            _frame(table)
    answer = opening.find(class_="cm-answer")
    return Document(title, _said(answer) if answer else "", opening, soup, colophon)


def _soup(text: str) -> Any:
    return BeautifulSoup(text, "html.parser")


def _said(tag: Any) -> str:
    """The text of a tag in one line."""
    return tag.get_text(" ", strip=True)


# -- cells -----------------------------------------------------------------------------------------


def _cell(cell: Any, show_code: bool) -> Iterator[str]:
    """The parts of a cell as HTML."""
    if HIDDEN & set(cell.metadata.get("tags", ())):
        return
    if cell.cell_type == "markdown":
        yield _markdown_cell(cell)
    if cell.cell_type == "code":
        if show_code and cell.source.strip():
            code = html.escape(cell.source)
            yield f'<pre class="code" data-language="python"><code>{code}</code></pre>'
        yield from map(_output, cell.outputs)


def _markdown_cell(cell: Any) -> str:
    text = cell.source
    for name, bundle in cell.get("attachments", {}).items():
        mime, data = next(iter(bundle.items()))
        text = text.replace(f"attachment:{name}", f"data:{mime};base64,{''.join(data.split())}")
    return markdown(text)


def _output(output: Any) -> str:
    """One output of a cell as HTML; warnings, errors, widgets and bare reprs of objects are left
    out.
    """
    if output.output_type == "stream":
        return _preformatted(output.text) if output.name == "stdout" else ""
    data = output.get("data", {})
    if WIDGET_MIME in data or RESULTS_MIME in data:
        return ""
    if "text/html" in data:
        return data["text/html"]
    for mime in (SVG, "image/png", "image/jpeg"):
        if mime in data:
            return _figure(mime, data[mime], output.metadata.get(mime, {}).get("width"))
    if "text/markdown" in data or "text/latex" in data:
        return markdown(data.get("text/markdown") or data["text/latex"])
    text = data.get("text/plain", "")
    return "" if _BARE_REPR.match(text) else _preformatted(text)


def _preformatted(text: str) -> str:
    return f"<pre>{html.escape(unstyle(text))}</pre>"


def _figure(mime: str, data: str, width: int | None) -> str:
    """A picture inline; an SVG without prolog and date, so that two runs give the same bytes."""
    if mime == SVG:
        svg = re.sub(r"<metadata>.*?</metadata>", "", data[data.index("<svg") :], flags=re.DOTALL)
        data = base64.b64encode(svg.encode()).decode()
    size = f' width="{width}"' if width else ""
    source = f"data:{mime};base64,{''.join(data.split())}"
    return f'<figure><img src="{source}" alt="Figure"{size}></figure>'


# -- cleaning --------------------------------------------------------------------------------------


def _clean(soup: Any, folder: Path) -> None:
    """Remove what runs or loads, and embed pictures."""
    for bad in soup.select(UNWANTED):
        bad.decompose()
    for mark in soup.select("sup.footnote-ref a"):  # each cell counts its own notes from 1
        mark.unwrap()
    for style in soup("style"):
        if _OUTSIDE.search(style.get_text()):
            style.decompose()
    for tag in soup(True):
        for name, value in list(tag.attrs.items()):
            loads = name in ("srcset", "background") or (name == "style" and _OUTSIDE.search(value))
            if loads or name.startswith("on") or str(value).startswith("javascript:"):
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


def _tidy_table(table: Any, align: bool = True) -> None:
    """A table of somebody else: numbers to the right, one header row where pandas makes two."""
    for name in ("border", "width", "cellpadding", "cellspacing"):
        del table[name]
    rows = table.select("thead tr")
    if len(rows) == 2:
        top, names = (row(["th", "td"]) for row in rows)
        pairs = list(zip(top, names, strict=False))
        if len(top) == len(names) and not any(_said(cell) and _said(name) for cell, name in pairs):
            for cell, name in pairs:
                if _said(name):
                    cell.string = _said(name)
            rows[1].extract()
    narrow = [each for each in cells(table) if each[1].get("colspan", "1") == "1"]
    columns: dict[int, list[str]] = {}
    for section, cell, column in narrow:
        if section == "body":
            if _said(cell).lower() in _MISSING:
                cell.string = "–"
            columns.setdefault(column, []).append(_said(cell))
    numeric = {column for column, texts in columns.items() if align and _numbers(texts)}
    for _, cell, column in narrow:
        if column in numeric:
            cell["class"] = [*cell.get("class", []), "num"]


def _frame(table: Any) -> None:
    """A frame that scrolls on a small screen."""
    columns = 1 + max((column for _, _, column in cells(table)), default=0)
    wide = " wide" if columns > WIDE_COLUMNS else ""
    if table.parent is None or "table" not in table.parent.get("class", []):
        table.wrap(_soup(f'<div class="table{wide}"></div>').div)


def _numbers(texts: list[str]) -> bool:
    """Whether most of the texts of a column are numbers."""
    told = [t for t in texts if t.lower() not in _EMPTY]
    return bool(told) and sum(bool(_NUMBER.fullmatch(t)) for t in told) >= 0.7 * len(told)


def cells(table: Any) -> Iterator[tuple[str, Any, int]]:
    """Every cell of a table with its section ("head" or "body") and the column where it starts."""
    taken: set[tuple[int, int]] = set()
    for y, row in enumerate(table("tr")):
        x = 0
        section = "head" if row.parent.name == "thead" else "body"
        for cell in row(["th", "td"], recursive=False):
            while (y, x) in taken:
                x += 1
            wide, tall = int(cell.get("colspan", 1)), int(cell.get("rowspan", 1))
            taken |= {(y + j, x + i) for i in range(wide) for j in range(tall)}
            yield section, cell, x
            x += wide
