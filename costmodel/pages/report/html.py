"""An executed notebook as one offline HTML page.

The notebook becomes a `Document` (title, opening, body, appendix, colophon as clean HTML).
`html_page` puts it on a page and `pdf.typeset` typesets it. Nothing in the page loads from
anywhere: no script, figures and style inline, maths as MathML.

Tags of cells say where they go. `front`: to the opening, beside the answer and the cards.
`appendix`: behind the main part, folded; on a cell that begins a section it holds for the whole
section. Cells tagged as in HIDDEN are left out; widgets and warnings never appear.
"""

from __future__ import annotations

import base64
import html
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from os.path import isfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jinja2
from bs4 import BeautifulSoup
from click import unstyle

from costmodel.core.errors import ECHOED
from costmodel.pages.blocks import NARROW_MIME, RESULTS_MIME
from costmodel.pages.blocks import SVG_MIME as SVG
from costmodel.pages.report.markdown import markdown
from costmodel.pages.report.sanitiser import PICTURE, safe
from costmodel.pages.report.table_form import OWN, cells, frame, said, tidy_table

TEMPLATES = Path(__file__).parent / "templates"
HIDDEN = set("hide widgets parameters injected-parameters imports papermill-error-cell-tag".split())
FRONT, APPENDIX = "front", "appendix"  # tags of cells
OPENING = ("cm-answer", "cm-cards", "cm-front", "cm-points")  # what a report opens with, in order
TURNS_ON, THE_REST, MORE = "What it turns on", "In the appendix", "The options"
PHONE = 600  # pixels up to which that figure is shown, and tables become cards
ROW, ROWS = "row", "rows"  # heads of a column of row numbers, and of one that refers to them
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
LONG_VALUE = 10  # cards with a longer value are set in smaller type, characters
UNTOUCHED = "default you did not touch"
UNWANTED = "style[scoped], section.footnotes a.footnote"
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
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
    appendix: Any
    colophon: Any

    @property
    def contents(self) -> list[tuple[str, str]]:
        """(anchor, title) of each section of the main part and of the appendix."""
        heads = [*self.body("h2"), *self.appendix("h2")]
        return [(head["id"], said(head)) for head in heads if said(head) != THE_REST]


def html_page(made: Document, meta: Meta) -> str:
    """The report as one page that needs no network."""
    return page("report.html.j2", made=made, meta=meta)


def page(template: str, **values: Any) -> str:
    """A page made from one of our templates."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(css=css, **values)


def document(nb: Any, meta: Meta) -> Document:
    """The notebook as parts of a report."""
    soup, front, appendix = map(_soup, _places(nb, meta.show_code))
    for part in (soup, front, appendix):
        _clean(part, meta.folder)
    heading = soup.find("h1")
    title = meta.title or (said(heading) if heading else "Report")
    if heading:
        heading.extract()
    for other in (*soup("h1"), *appendix("h1")):
        other.name = "h2"
    opening = _opening(soup, front)
    for part in (soup, appendix):
        _without_empty_sections(part)
    _fold(appendix)
    colophon = _soup(page("colophon.html.j2", meta=meta, untouched=UNTOUCHED))
    parts = (opening, soup, appendix, colophon)
    for part in parts:
        for table in part("table"):
            if OWN not in table.get("class", []):
                tidy_table(table, align=part is not colophon)
            frame(table)
    _number(*parts)
    _name_the_rest(soup, appendix)
    answer = opening.find(class_="cm-answer")
    return Document(title, said(answer) if answer else "", *parts)


def _places(nb: Any, show_code: bool) -> tuple[str, str, str]:
    """The HTML of the main part, of the opening, and of the appendix, by the tags of the cells."""
    main: list[str] = []
    front: list[str] = []
    back: dict[str, list[str]] = {}  # by section: what the appendix has of it
    section, moved = MORE, 0  # the title of the present section; the level of a heading moved away
    for cell in nb.cells:
        tags, made = set(cell.metadata.get("tags", ())), [*map(safe, _cell(cell, show_code))]
        begun = re.match(r"(#+) +(.+)", cell.source) if cell.cell_type == "markdown" else None
        if begun and len(begun[1]) <= 2:
            section = MORE if HIDDEN & tags else begun[2].strip()
        if begun and not (moved and len(begun[1]) > moved):
            moved = len(begun[1]) if APPENDIX in tags else 0
        if FRONT in tags:
            front += made
        elif (moved or APPENDIX in tags) and made:
            if section not in back:
                head = f"<h2>{html.escape(section)}</h2>"
                back[section] = [] if begun and len(begun[1]) <= 2 else [head]
                if back[section]:
                    main.append(f'<p class="cm-more"><a>{html.escape(section)}</a></p>')
            back[section] += made
        else:
            main += made
    return "\n".join(main), "\n".join(front), "\n".join(chain(*back.values()))


def _opening(soup: Any, front: Any) -> Any:
    """The answer, the cards, what is tagged for the front, and what the answer turns on."""
    opening = _soup("")
    found = {name: part for name in OPENING if (part := soup.find(class_=name))}
    if front.find(True):
        found["cm-front"] = soup.new_tag("div", attrs={"class": "cm-front"})
        found["cm-front"].extend(list(front.children))
    for name in OPENING:
        if name == "cm-points" and name in found:
            heading = soup.new_tag("h2")
            heading.string = TURNS_ON
            opening.append(heading)
        if name in found:
            opening.append(found[name].extract())
    if any(len(said(value)) > LONG_VALUE for value in opening(class_="cm-value")):
        opening.find(class_="cm-cards")["class"].append("cm-long")
    return opening


def _without_empty_sections(soup: Any) -> None:
    for heading in reversed(soup(HEADINGS)):
        follower = heading.find_next_sibling()
        if follower is None or (follower.name in HEADINGS and follower.name <= heading.name):
            heading.extract()


def _fold(soup: Any) -> None:
    """Each section into a part that opens and closes, its heading as the handle."""
    for heading in soup("h2"):
        rest = []
        for follower in list(heading.next_siblings):
            if getattr(follower, "name", None) == "h2":
                break
            rest.append(follower.extract())
        details, summary = soup.new_tag("details"), soup.new_tag("summary")
        heading.wrap(summary)
        summary.wrap(details)
        details.extend(rest)


def _name_the_rest(body: Any, appendix: Any) -> None:
    """At the end of the main part, what the appendix has, and how many rows of it."""
    items = []
    for details in appendix("details"):
        head, rows = details.h2, len(details.select("tbody tr"))
        title = html.escape(said(head))
        count = f": {rows:,} row{'s' * (rows > 1)}" if rows else ""
        items.append(f'<li><a class="cm-see" href="#{head["id"]}">{title}</a>{count}</li>')
    if items:
        made = f'<h2 id="in-the-appendix">{THE_REST}</h2><ul class="cm-rest">{"".join(items)}</ul>'
        body.append(_soup(made))


def _number(opening: Any, body: Any, appendix: Any, colophon: Any) -> None:
    """Anchors for sections and for numbered rows, and the links that lead to them."""
    taken: set[str] = set()
    for part in (opening, body, appendix):
        for heading in part(["h2", "h3"]):
            slug = re.sub(r"\W+", "-", said(heading).lower()).strip("-") or "section"
            prefix = "appendix-" if part is appendix else ""
            name = prefix + slug
            while name in taken:
                name += "-"
            taken.add(name)
            heading["id"] = name
    for more in body.select(".cm-more a"):
        more["href"] = next(f"#{h['id']}" for h in appendix("h2") if said(h) == said(more))
        more.string = "More of this in the appendix"
    rows: dict[str, Any] = {}
    links = []
    for part in (body, appendix):
        for table in part("table"):
            heads = {column: said(cell) for place, cell, column in cells(table) if place == "head"}
            for place, cell, column in cells(table):
                if place == "body" and heads.get(column) == ROW:
                    rows.setdefault(said(cell), cell)
                elif place == "body" and heads.get(column) == ROWS:
                    links.append(cell)
    for name, cell in rows.items():
        cell["id"] = name
    for cell in links:
        marked = re.sub(
            r"\bR\d+\b",
            lambda row: f'<a href="#{row[0]}">{row[0]}</a>' if row[0] in rows else row[0],
            html.escape(said(cell)),
        )
        cell.clear()
        cell.append(_soup(marked))


def _soup(text: str) -> Any:
    return BeautifulSoup(text, "html.parser")


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
            width = output.metadata.get(mime, {}).get("width")
            return _figure(mime, data[mime], width, data.get(NARROW_MIME))
    if "text/markdown" in data or "text/latex" in data:
        return markdown(data.get("text/markdown") or data["text/latex"])
    text = data.get("text/plain", "")
    return "" if _BARE_REPR.match(text) else _preformatted(text)


def _preformatted(text: str) -> str:
    return f"<pre>{html.escape(unstyle(text))}</pre>"


def _figure(mime: str, data: str, width: int | None, narrow: str | None) -> str:
    """A picture inline, with the text that says what it shows, and the picture for a phone."""
    title = re.search(r"<title>(.*?)</title>", data, flags=re.DOTALL) if mime == SVG else None
    alt = f' alt="{title[1] if title else "Figure"}"'
    size = f' width="{width}"' if width else ""
    image = f'<img src="{_embedded(mime, data)}"{alt}{size}>'
    if narrow:
        source = f'<source media="(max-width: {PHONE}px)" srcset="{_embedded(SVG, narrow)}">'
        image = f"<picture>{source}{image}</picture>"
    return f"<figure>{image}</figure>"


def _embedded(mime: str, data: str) -> str:
    """A picture as an address; an SVG without prolog and date: two runs give the same bytes."""
    if mime == SVG:
        svg = re.sub(r"<metadata>.*?</metadata>", "", data[data.index("<svg") :], flags=re.DOTALL)
        data = base64.b64encode(svg.encode()).decode()
    return f"data:{mime};base64,{''.join(data.split())}"


# -- cleaning --------------------------------------------------------------------------------------


def _clean(soup: Any, folder: Path) -> None:
    """Remove the style for notebooks and the ways back from footnotes, and embed pictures."""
    for bad in soup.select(UNWANTED):
        bad.decompose()
    for mark in soup.select("sup.footnote-ref a"):  # each cell counts its own notes from 1
        mark.unwrap()
    home = folder.resolve()
    for image in soup("img"):
        source = image.get("src", "")
        if PICTURE.fullmatch(source):
            continue
        path = (home / unquote(source).replace("\0", "")).resolve()
        mime = mimetypes.guess_type(path.name)[0] or ""
        if path.is_relative_to(home) and mime.startswith("image/") and isfile(path):
            image["src"] = f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"
        else:
            link = soup.new_tag("a", href="" if source.startswith("data:") else source)
            link.string = image.get("alt") or source[:ECHOED]
            image.replace_with(link)
