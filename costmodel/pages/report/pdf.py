"""A report document as PDF, typeset by typst with vector figures and the same fonts everywhere.

The clean HTML of `render.document` is written as typst code (not markup): every text is a string
literal, so no character of a text can be mistaken for an instruction. The look is in
templates/report.typ.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from costmodel.pages.blocks import Table
from costmodel.pages.report.grids import (
    NAME,
    POINTS_PER_MM,
    TEXT_WIDTH,
    THIN,
    TURNED,
    breakable,
    grid,
    head_width,
    own_table,
    text,
)
from costmodel.pages.report.html import HEADINGS, OWN, TEMPLATES, Document, Meta, cells, document

NEW_PAGE = "pagebreak(weak: true)"  # a rule of a notebook
PPI = 110.0  # of a page as a picture
MATHS_SIZE = 10.5  # points
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


def to_pdf(nb: Any, meta: Meta) -> bytes:
    """A notebook as a PDF; the same notebook and meta give the same bytes."""
    return typeset(document(nb, meta), meta)


def typeset(made: Document, meta: Meta, form: str = "pdf") -> bytes:
    """A document as "pdf", or its first page as "png"; the same input gives the same bytes."""
    import matplotlib
    import typst

    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder), made.tables)
        said = {"title": made.title, "byline": meta.byline, "incomplete": meta.incomplete}
        head = ", ".join(f"{name}: {text(value)}" for name, value in said.items())
        parts = [*writer.blocks(made.opening), *writer.blocks(made.body)]
        colophon = "\n".join(map(upright, writer.blocks(made.colophon)))
        body = "\n".join([*_keep_together(parts), f"facts({{ {colophon} }})"])
        look = (TEMPLATES / "report.typ").read_text(encoding="utf-8")
        path = Path(folder, "report.typ")
        path.write_text(f"{look}\n#report({head}, {{\n{body}\n}})\n", encoding="utf-8")
        fonts = Path(matplotlib.get_data_path(), "fonts", "ttf")
        pages = typst.compile(
            str(path),
            root=folder,
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            format=form,
            ppi=PPI,
            timestamp=meta.timestamp,
        )
        return pages[0] if isinstance(pages, list) else pages


class Writer:
    """HTML to typst code; pictures are written as files into the folder of the document."""

    def __init__(self, folder: Path, tables: Mapping[str, Table]) -> None:
        self.folder, self.tables = folder, tables
        self.colours: dict[str, dict[str, str]] = {}  # cell id of a pandas Styler -> its style
        self.files = 0

    def save(self, data: bytes, suffix: str) -> str:
        self.files += 1
        name = f"{self.files}.{suffix}"
        (self.folder / name).write_bytes(data)
        return name

    # -- blocks

    def blocks(self, node: Any) -> list[str]:
        """Statements for the blocks inside a node; loose text becomes a paragraph."""
        made: list[str] = []
        loose: list[Any] = []

        def flush() -> None:
            if words := self.inlines(loose):
                made.append(f"par({words})")
            loose.clear()

        for child in node.children:
            if is_block(child):
                flush()
                made += self.block(child)
            else:
                loose.append(child)
        flush()
        return made

    def block(self, tag: Any) -> list[str]:
        names = tag.get("class", [])
        if tag.name == "style":
            self.colours.update(read_style(tag.get_text()))
            return []
        if "cm-cards" in names:
            return [self.cards(tag)]
        if "cm-answer" in names:
            return [f"answer({self.inlines(tag.children)})"]
        if tag.name in HEADINGS:
            return [f"heading(level: {max(int(tag.name[1]) - 1, 1)}, {self.inlines(tag.children)})"]
        if tag.name == "table":
            return [self.table(tag)]
        if tag.name in ("ul", "ol"):
            items = ", ".join(self.body(item) for item in tag.find_all("li", recursive=False))
            start = f"start: {int(tag.get('start', 1))}, " if tag.name == "ol" else ""
            return (
                ["parbreak()", f"{'list' if tag.name == 'ul' else 'enum'}({start}{items})"]
                if items
                else []
            )
        if tag.name == "pre":
            lang = f", lang: {text(tag['data-language'])}" if tag.has_attr("data-language") else ""
            return [f"code({json.dumps(tag.get_text().strip(chr(10)), ensure_ascii=False)}{lang})"]
        if tag.name == "blockquote":
            return [f"quoted({self.body(tag)})"]
        if tag.name == "hr":
            return [NEW_PAGE]
        if tag.name == "figure" or (
            tag.name == "p" and tag.find("img") and not tag.get_text(strip=True)
        ):
            return [self.picture(image) for image in tag("img")]
        if tag.name == "math":
            path, _, height = self.maths(tag)
            return [f'picture("{path}", height: {height:.3f}pt)'] if path else []
        return self.blocks(tag)

    def body(self, tag: Any) -> str:
        """The blocks of a node inside another; a page cannot be turned there."""
        return "{" + "; ".join(map(upright, self.blocks(tag))) + "}" if tag.contents else '""'

    def cards(self, tag: Any) -> str:
        parts = (
            [card.find(class_=f"cm-{name}") for name in ("label", "value", "note")]
            for card in tag(class_="cm-card")
        )
        texts = (
            [text(part.get_text(" ", strip=True) if part else "") for part in three]
            for three in parts
        )
        size = "13.5pt" if "cm-long" in tag["class"] else "17pt"
        return f"cards(size: {size}, " + ", ".join(f"({', '.join(three)})" for three in texts) + ")"

    def picture(self, tag: Any) -> str:
        kind, data = tag["src"].removeprefix("data:").split(";base64,", 1)
        suffix = {
            "image/svg+xml": "svg",
            "image/jpeg": "jpg",
            "image/gif": "gif",
            "image/webp": "webp",
        }.get(kind, "png")
        name = self.save(base64.b64decode(data), suffix)
        points = (
            float(str(tag.get("width", 0)).rstrip("px%") or 0) * 0.75
        )  # CSS pixels are 1/96 inch, points 1/72
        wide = f", width: {min(points, TEXT_WIDTH * POINTS_PER_MM):.1f}pt" if points else ""
        return f'picture("{name}"{wide})'

    # -- text

    def inlines(self, nodes: Any) -> str:
        """One expression for a run of inline nodes, or "" when there is nothing to show."""
        parts = [part for part in (self.inline(node) for node in nodes) if part]
        while parts and parts[0] == '" "':
            parts.pop(0)
        while parts and parts[-1] == '" "':
            parts.pop()
        return "{" + "; ".join(parts) + "}" if parts else ""

    def inline(self, node: Any) -> str:
        if node.name is None:
            words = (
                re.sub(r"[ \t\r\n]+", " ", str(node))
                if type(node).__name__ == "NavigableString"
                else ""
            )
            return text(words) if words else ""
        if node.name == "br":
            return "linebreak()"
        if node.name == "code":
            return f"raw({text(breakable(node.get_text()))})"
        if node.name == "math":
            path, depth, height = self.maths(node)
            return (
                f'box(baseline: {depth:.3f}pt, image("{path}", height: {height:.3f}pt))'
                if path
                else text(node["data-tex"])
            )
        if node.name == "img":
            return f"box({self.picture(node)})"
        inner = self.inlines(node.children)
        if not inner:
            return ""
        if node.name == "a" and re.match(r"(https?|mailto):", node.get("href", "")):
            return f"link({text(node['href'])}, {inner})"
        if "cm-unit" in node.get("class", []):
            return f"unit({inner})"
        return f"{_INLINE[node.name]}({inner})" if node.name in _INLINE else inner

    def maths(self, tag: Any) -> tuple[str, float, float]:
        """File, depth below the baseline and height in points of a formula drawn as vectors."""
        import ziamath

        try:
            svg = ziamath.Latex(
                tag["data-tex"], size=MATHS_SIZE, inline=tag.get("display") != "block"
            ).svg()
        except (
            Exception
        ):  # the drawer has no common error; the formula is then shown as it was written
            return "", 0, 0
        _, top, _, height = map(float, re.search(r'viewBox="([^"]+)"', svg)[1].split())  # type: ignore[index]
        return self.save(svg.encode(), "svg"), height + top, height

    # -- tables

    def table(self, tag: Any) -> str:
        """A table as typst code: ours from its cells, another from its HTML."""
        if OWN in tag.attrs:
            return own_table(self.tables[tag[OWN]])
        widths: dict[int, int] = {}
        right: set[int] = set()
        head: list[str] = []
        rows: list[str] = []
        last_row = None
        for section, cell, column in cells(tag):
            said = cell.get_text(" ", strip=True)
            if int(cell.get("colspan", 1)) == 1:
                needed = head_width(said) if section == "head" else len(said)
                widths[column] = max(widths.get(column, 1), needed)
            if "num" in cell.get("class", []):
                right.add(column)
            if section == "body":
                if last_row is not None and cell.parent is not last_row and not tall(last_row):
                    rows.append(THIN)
                last_row = cell.parent
            (head if section == "head" else rows).append(self.cell(cell, section))
        if not widths:
            return '""'
        all_widths = [widths.get(column, 1) for column in range(max(widths) + 1)]
        caption = tag.find("caption")
        words = self.inlines(caption.children) if caption else ""
        return grid(all_widths, right, words, head, rows, len(tag("tr")))

    def cell(self, tag: Any, section: str) -> str:
        style = self.colours.get(tag.get("id", ""), {}) | dict(_declarations(tag.get("style", "")))
        options = [
            f"{name}: {int(tag[name])}, "
            for name in ("colspan", "rowspan")
            if int(tag.get(name, 1)) > 1
        ]
        if fill := _colour(style.get("background-color", "")):
            options.append(f"fill: {fill}, ")
        if section == "head":
            options.append(
                "align: bottom + right, "
                if "num" in tag.get("class", [])
                else "align: bottom + left, "
            )
        tag = copy.copy(tag)
        for word in tag.find_all(string=True):
            word.replace_with(breakable(str(word), shortest=1 if section == "head" else NAME))
        inner = (
            self.body(tag)
            if any(map(is_block, tag.children))
            else self.inlines(tag.children) or '""'
        )
        colour = _colour(style.get("color", ""))
        bold = section == "head" or style.get("font-weight") in ("bold", "600", "700")
        if colour or bold:
            look = (f"fill: {colour}, " if colour else "") + (
                'weight: "semibold", ' if bold else ""
            )
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
    blocks = {
        "p",
        "div",
        "table",
        "ul",
        "ol",
        "pre",
        "blockquote",
        "hr",
        "figure",
        "section",
        "style",
        "header",
        "footer",
        "dl",
        "details",
    }
    return (
        node.name in blocks
        or node.name in HEADINGS
        or (node.name == "math" and node.get("display") == "block")
    )


def tall(row: Any) -> bool:
    """Whether a cell of this row reaches into the next."""
    return any(int(cell.get("rowspan", 1)) > 1 for cell in row(["th", "td"], recursive=False))


def read_style(css: str) -> dict[str, dict[str, str]]:
    """The style of each cell id in the CSS that a pandas Styler writes."""
    found: dict[str, dict[str, str]] = {}
    for names, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        for name in re.findall(r"#([\w-]+)\s*(?:,|$)", names.strip()):
            found.setdefault(name, {}).update(_declarations(body))
    return found


def _declarations(body: str) -> list[tuple[str, str]]:
    pairs = (part.split(":", 1) for part in body.split(";") if ":" in part)
    return [(name.strip().lower(), value.strip()) for name, value in pairs]


def _colour(value: str) -> str:
    """A typst colour for a CSS colour in hexadecimal, rgb() or by name; "" for what is not one."""
    from matplotlib.colors import is_color_like, to_hex

    if match := re.match(r"rgba?\(\s*(\d+)\D+(\d+)\D+(\d+)", value):
        value = "#" + "".join(f"{int(part):02x}" for part in match.groups())
    value = value.strip().lower()
    return (
        f'rgb("{to_hex(value)}")'
        if value and value not in ("none", "inherit") and is_color_like(value)
        else ""
    )
