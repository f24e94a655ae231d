"""A report document as PDF, typeset by typst with vector figures and the same fonts everywhere.

The clean HTML of `html.document` is written as typst code (not markup): every text is a string
literal, so no character of a text can be mistaken for an instruction. The look is in
templates/report.typ.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from bs4 import NavigableString

from costmodel.pages.blocks import CARD
from costmodel.pages.report.grids import (
    NAME,
    POINTS_PER_MM,
    TEXT_WIDTH,
    THIN,
    TURNED,
    breakable,
    grid,
    head_width,
    text,
)
from costmodel.pages.report.html import HEADINGS, TEMPLATES, Document, Meta, cells

Form = Literal["pdf", "png"]
NEW_PAGE = "pagebreak(weak: true)"  # a rule of a notebook
PPI = 110.0  # of a page as a picture
MATHS_SIZE = 10.5  # points
POINTS_PER_PIXEL = 72 / 96  # of a CSS pixel
SUFFIXES = {"image/svg+xml": "svg", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
BLOCKS = {
    *"p div table ul ol pre blockquote hr figure section style header footer dl details".split(),
    *HEADINGS,
}
_INLINE = {
    "strong": "strong",
    "b": "strong",
    "em": "emph",
    "i": "emph",
    "sup": "super",
    "sub": "sub",
    "del": "strike",
    "s": "strike",
}


def typeset(made: Document, meta: Meta, form: Form = "pdf") -> bytes:
    """A document as "pdf", or its first page as "png"; the same input gives the same bytes."""
    import matplotlib
    import typst

    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder))
        head = f"title: {text(made.title)}, byline: {text(meta.byline)}, "
        head += f"incomplete: {text(meta.incomplete)}"
        parts = [*writer.blocks(made.opening), *writer.blocks(made.body)]
        colophon = "\n".join(map(upright, writer.blocks(made.colophon)))
        body = "\n".join([*_keep_together(parts), f"facts({{ {colophon} }})"])
        look = (TEMPLATES / "report.typ").read_text(encoding="utf-8")
        path = Path(folder, "report.typ")
        path.write_text(f"{look}\n#report({head}, {{\n{body}\n}})\n", encoding="utf-8")
        pages = typst.compile(
            str(path),
            root=folder,
            font_paths=[f"{matplotlib.get_data_path()}/fonts/ttf"],
            ignore_system_fonts=True,
            format=form,
            ppi=PPI,
            timestamp=meta.timestamp,
        )
        return pages[0] if isinstance(pages, list) else pages


class Writer:
    """HTML to typst code; pictures are written as files into the folder of the document."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.styles: dict[str, dict[str, str]] = {}  # of each cell id of a pandas Styler
        self.files = 0

    def save(self, data: bytes, suffix: str) -> str:
        """The name of a new file with these data."""
        self.files += 1
        name = f"{self.files}.{suffix}"
        (self.folder / name).write_bytes(data)
        return name

    # -- blocks

    def blocks(self, node: Any) -> Iterator[str]:
        """Statements for the blocks inside a node; loose text becomes a paragraph."""
        for is_blocks, nodes in groupby(node.children, is_block):
            if is_blocks:
                for child in nodes:
                    yield from self.block(child)
            elif words := self.inlines(nodes):
                yield f"par({words})"

    def block(self, tag: Any) -> Iterator[str]:
        """Statements for one block."""
        match tag.name:
            case _ if "cm-cards" in tag.get("class", []):
                yield self.cards(tag)
            case _ if "cm-answer" in tag.get("class", []):
                yield f"answer({self.inlines(tag.children)})"
            case name if name in HEADINGS:
                level = max(int(name[1]) - 1, 1)
                yield f"heading(level: {level}, {self.inlines(tag.children)})"
            case "style":
                self.styles |= read_style(tag.get_text())
            case "table":
                yield self.table(tag)
            case "ul" | "ol":
                if items := ", ".join(map(self.body, tag("li", recursive=False))):
                    start = f"start: {int(tag.get('start', 1))}, "
                    yield "parbreak()"
                    yield f"list({items})" if tag.name == "ul" else f"enum({start}{items})"
            case "pre":
                code = json.dumps(tag.get_text().strip("\n"), ensure_ascii=False)
                language = tag.get("data-language")
                yield f"code({code}, lang: {text(language)})" if language else f"code({code})"
            case "blockquote":
                yield f"quoted({self.body(tag)})"
            case "hr":
                yield NEW_PAGE
            case "figure" | "p" if tag("img") and not tag.get_text(strip=True):
                yield from map(self.picture, tag("img"))
            case "math":
                path, _, height = self.maths(tag)
                if path:
                    yield f'picture("{path}", height: {height:.3f}pt)'
            case _:
                yield from self.blocks(tag)

    def body(self, tag: Any) -> str:
        """The blocks of a node inside another; a page cannot be turned there."""
        return "{" + "; ".join(map(upright, self.blocks(tag))) + "}" if tag.contents else '""'

    def cards(self, tag: Any) -> str:
        texts = (
            ", ".join(
                text(card.find(class_=f"cm-{name}").get_text(" ", strip=True)) for name in CARD
            )
            for card in tag(class_="cm-card")
        )
        size = "13.5pt" if "cm-long" in tag["class"] else "17pt"
        return f"cards(size: {size}, {', '.join(f'({three})' for three in texts)})"

    def picture(self, tag: Any) -> str:
        kind, data = tag["src"].removeprefix("data:").split(";base64,", 1)
        name = self.save(base64.b64decode(data), SUFFIXES.get(kind, "png"))
        points = float(str(tag.get("width", 0)).rstrip("px%") or 0) * POINTS_PER_PIXEL
        wide = f", width: {min(points, TEXT_WIDTH * POINTS_PER_MM):.1f}pt" if points else ""
        return f'picture("{name}"{wide})'

    # -- text

    def inlines(self, nodes: Any) -> str:
        """One expression for a run of inline nodes, or "" when there is nothing to show."""
        parts = [part for part in map(self.inline, nodes) if part]
        while parts[:1] == ['" "']:
            parts.pop(0)
        while parts[-1:] == ['" "']:
            parts.pop()
        return "{" + "; ".join(parts) + "}" if parts else ""

    def inline(self, node: Any) -> str:
        """The expression of one inline node, or ""."""
        match node.name:
            case None:
                shown = str(node) if type(node) is NavigableString else ""  # no comments
                words = re.sub(r"[ \t\r\n]+", " ", shown)
                return text(words) if words else ""
            case "br":
                return "linebreak()"
            case "code":
                return f"raw({text(breakable(node.get_text()))})"
            case "img":
                return f"box({self.picture(node)})"
            case "math":
                path, depth, height = self.maths(node)
                drawn = f'box(baseline: {depth:.3f}pt, image("{path}", height: {height:.3f}pt))'
                return drawn if path else text(node["data-tex"])
        inner = self.inlines(node.children)
        if not inner:
            return ""
        if node.name == "a" and re.match(r"(https?|mailto):", node.get("href", "")):
            return f"link({text(node['href'])}, {inner})"
        look = "unit" if "cm-unit" in node.get("class", []) else _INLINE.get(node.name)
        return f"{look}({inner})" if look else inner

    def maths(self, tag: Any) -> tuple[str, float, float]:
        """File, depth below the baseline and height in points of a formula drawn as vectors."""
        import ziamath

        inline = tag.get("display") != "block"
        try:
            svg = ziamath.Latex(tag["data-tex"], size=MATHS_SIZE, inline=inline).svg()
        except Exception:  # the drawer has no common error; the formula is shown as it was written
            return "", 0, 0
        _, top, _, height = map(float, re.findall(r'viewBox="([^"]+)"', svg)[0].split())
        return self.save(svg.encode(), "svg"), height + top, height

    # -- tables

    def table(self, tag: Any) -> str:
        """A table as typst code."""
        widths: dict[int, int] = defaultdict(lambda: 1)
        right: set[int] = set()
        head: list[str] = []
        rows: list[str] = []
        last_row = None
        for section, cell, column in cells(tag):
            said = cell.get_text(" ", strip=True)
            if int(cell.get("colspan", 1)) == 1:
                needed = head_width(said) if section == "head" else len(said)
                widths[column] = max(widths[column], needed)
            if "num" in cell.get("class", []):
                right.add(column)
            if section == "body":
                if last_row and cell.parent is not last_row and not last_row(rowspan=True):
                    rows.append(THIN)
                last_row = cell.parent
            (head if section == "head" else rows).append(self.cell(cell, section))
        if not widths:
            return '""'
        all_widths = [widths[column] for column in range(max(widths) + 1)]
        caption = self.inlines(tag.find("caption") or ())
        return grid(all_widths, right, caption, head, rows, len(tag("tr")))

    def cell(self, tag: Any, section: str) -> str:
        """A cell with its spans and its colours."""
        style = self.styles.get(tag.get("id", ""), {}) | _declarations(tag.get("style", ""))
        head = section == "head"
        spans = {name: int(tag.get(name, 1)) for name in ("colspan", "rowspan")}
        options = [f"{name}: {count}, " for name, count in spans.items() if count > 1]
        if fill := _colour(style.get("background-color", "")):
            options.append(f"fill: {fill}, ")
        if head:
            side = "right" if "num" in tag.get("class", []) else "left"
            options.append(f"align: bottom + {side}, ")
        tag = copy.copy(tag)
        for word in tag.find_all(string=True):
            word.replace_with(breakable(str(word), shortest=1 if head else NAME))
        if any(map(is_block, tag.children)):
            inner = self.body(tag)
        else:
            inner = self.inlines(tag.children) or '""'
        colour = _colour(style.get("color", ""))
        look = f"fill: {colour}, " if colour else ""
        if head or style.get("font-weight") in ("bold", "600", "700"):
            look += 'weight: "semibold", '
        if look:
            inner = f"std.text({look}{inner})"
        return f"table.cell({''.join(options)}{inner})"


def upright(part: str) -> str:
    """A statement without the page on its side, or the new page, that it asks for."""
    if part == NEW_PAGE:
        return "line(length: 100%, stroke: 0.4pt + line-colour)"
    return part.removeprefix(TURNED)[:-1] if part.startswith(TURNED) else part


def _keep_together(parts: list[str]) -> list[str]:
    """A heading moves onto the page on its side that follows it; a first paragraph stays with its
    figure or table.
    """
    made: list[str] = []
    for part in parts:
        opens = len(made) > 1 and made[-1].startswith("par(") and made[-2].startswith("heading(")
        if part.startswith(TURNED):
            moved: list[str] = []
            while made and made[-1].startswith("heading("):
                moved.insert(0, made.pop())
            part = f"{TURNED}{{ {'; '.join([*moved, upright(part)])} }})"
        elif opens and part.startswith(("picture(", "grid-table(")):
            made[-1] = f"block(sticky: true, {made[-1]})"
        made.append(part)
    return made


def is_block(node: Any) -> bool:
    """Whether a node stands on its own line."""
    return node.name in BLOCKS or (node.name == "math" and node.get("display") == "block")


def read_style(css: str) -> dict[str, dict[str, str]]:
    """The style of each cell id in the CSS that a pandas Styler writes."""
    found: dict[str, dict[str, str]] = {}
    for names, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        for name in re.findall(r"#([\w-]+)\s*(?:,|$)", names.strip()):
            found.setdefault(name, {}).update(_declarations(body))
    return found


def _declarations(body: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in body.split(";") if ":" in part)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _colour(value: str) -> str:
    """A typst colour for a CSS colour in hexadecimal or by name; "" for anything else."""
    from matplotlib.colors import is_color_like, to_hex

    value = value.lower()
    return f'rgb("{to_hex(value)}")' if value != "none" and is_color_like(value) else ""
