"""An executed notebook as one offline HTML page.

The notebook becomes a `Document` (title, opening, body, colophon as clean HTML); `to_html` puts it
on a page and `pdf.to_pdf` typesets it. Nothing in the page loads from anywhere: no script, figures
and style inline, maths as MathML. Cells tagged as in HIDDEN are left out, widgets and warnings
never appear.
"""

from __future__ import annotations

import base64
import html
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from costmodel.pages.blocks import BLOCK_MIME, RESULTS_MIME, Table
from costmodel.pages.report.markdown import markdown

TEMPLATES = Path(__file__).parent / "templates"
OWN = "data-table"  # marks a table of ours in the HTML
HIDDEN = set("hide widgets parameters injected-parameters imports papermill-error-cell-tag".split())
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
WIDE_COLUMNS = 8  # a table with more columns may use the margins of a wide screen
LONG_VALUE = 10  # cards with a longer value are set in smaller type, characters
MARKUP = ("opening", "body", "colophon", "css")
UNTOUCHED = "default you did not touch"
UNSAFE = "script link iframe object embed form input button meta base video audio".split()
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_NUMBER = re.compile(
    r"[(~≈<>≤≥]*\s*[-−–+]?\s*(US\$|[$€£])?\s*[-−+]?\d[\d,. ]*"
    r"(e[-+]?\d+|×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?\s*([%×x°]|[A-Za-z]{1,3})?\)?"
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
    """A report as parts of clean HTML (BeautifulSoup trees).

    `tables` holds our own tables by the number that marks their place in the HTML.
    """

    title: str
    answer: str
    opening: Any
    body: Any
    colophon: Any
    tables: dict[str, Table]


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
    """A page of ours; opening, body, colophon and css are HTML, the other values are text."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    values["css"] = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    markup = {name: Markup(values[name]) for name in MARKUP if name in values}
    return environment.get_template(template).render(**values | markup)


def document(nb: Any, meta: Meta) -> Document:
    """The notebook as parts of a report; the answer, the cards and the points go to the opening."""
    tables: dict[str, Table] = {}
    soup = _soup(_cells(nb, meta, tables))
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
    colophon = _soup(page("colophon.html.j2", meta=meta, untouched=UNTOUCHED))
    for part in (soup, opening, colophon):
        for table in part("table"):
            if not table.has_attr(OWN):
                _tidy_table(table, align=part is not colophon)
            _frame(table)
    answer = opening.find(class_="cm-answer")
    said = answer.get_text(" ", strip=True) if answer else ""
    return Document(title, said, opening, soup, colophon, tables)


def _soup(text: str) -> Any:
    from bs4 import BeautifulSoup

    return BeautifulSoup(text, "html.parser")


# -- cells -----------------------------------------------------------------------------------------


def _cells(nb: Any, meta: Meta, tables: dict[str, Table]) -> str:
    """The cells as HTML; our own tables are collected in `tables`."""
    from nbconvert.exporters import TemplateExporter
    from traitlets.config import Config

    def output(output: Any) -> str:
        if BLOCK_MIME not in (data := output.get("data", {})):
            return _output(output)
        number = str(len(tables))
        tables[number] = Table.of(data[BLOCK_MIME])
        return tables[number].html.replace("<table", f'<table {OWN}="{number}"', 1)

    exporter = TemplateExporter(
        config=Config({"TagRemovePreprocessor": {"enabled": True, "remove_cell_tags": HIDDEN}}),
        template_name=TEMPLATES.name,
        template_file="body.html.j2",
        extra_template_basedirs=[str(TEMPLATES.parent)],
        filters={"markdown": _markdown_cell, "picture": output, "code": _code},
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
    """One output of a cell as HTML; warnings, errors, widgets and bare reprs of objects are left
    out.
    """
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


# -- cleaning --------------------------------------------------------------------------------------


def _clean(soup: Any, folder: Path) -> None:
    """Remove what runs or loads, and embed pictures."""
    for bad in soup(UNSAFE):
        bad.decompose()
    for back in soup.select("section.footnotes a.footnote"):
        back.decompose()
    for mark in soup.select("sup.footnote-ref a"):  # each cell counts its own notes from 1
        mark.unwrap()
    for style in soup("style"):
        if style.has_attr("scoped") or _OUTSIDE.search(style.get_text()):
            style.decompose()
    for tag in soup(True):
        for name in list(tag.attrs):
            loads = name in ("srcset", "background") or (
                name == "style" and _OUTSIDE.search(tag[name])
            )
            if name.startswith("on") or loads or str(tag[name]).startswith("javascript:"):
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
    """A table of somebody else: numbers to the right, one header row where pandas makes two."""
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


def _frame(table: Any) -> None:
    """A frame that scrolls on a small screen."""
    columns = 1 + max((column for _, _, column in cells(table)), default=0)
    wide = " wide" if columns > WIDE_COLUMNS else ""
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
