"""A report document as PDF, typeset by typst with vector figures and the same fonts everywhere.

The clean HTML of `html.document` is written as calls of the functions in templates/report.typ,
which says how each element looks; pictures and formulas lie beside it as files. The PDF is tagged,
its pictures have their alternative texts, and numbers of rows link to their row (PDF/UA-1).
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bs4 import NavigableString, Tag

from costmodel.core import temporary_folder
from costmodel.pages.report.html import HEADINGS, TEMPLATES, Document, Meta
from costmodel.pages.report.table_form import cells, said

Form = Literal["pdf", "png"]
PPI = 110.0  # of a page as a picture
MATHS_SIZE = 10.5  # points
POINTS_PER_PIXEL = 72 / 96  # of a CSS pixel
SUFFIXES = {"image/svg+xml": "svg", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")
SOFT = "\u200b"  # where a long name may break

TEXT_WIDTH, TEXT_HEIGHT = (210 - 40) * 72 / 25.4, (297 - 40) * 72 / 25.4  # points, of an A4 page
CHARACTER, GUTTER = 0.48, 0.72  # em: mean width of a character of a table, and insets of a cell
SIZES = (9.5, 9, 8.5, 8, 7.5, 7, 6.5, 6)  # of the text of a table, points
UPRIGHT = 6.5  # a table that would need smaller text gets a page on its side, points
LONG, WRAPPED = 26, 11  # a column of longer texts wraps, and keeps so many characters at least
LONG_NAME = 16  # a name this long may break inside, characters
SMALL_TABLE = 14  # rows that are kept on one page

BLOCKS = set(
    "p div table ul ol pre blockquote hr figure section style header footer dl details "
    "summary".split()
) | set(HEADINGS)
LOOKS = {"strong": "strong", "b": "strong", "em": "emph", "i": "emph", "sup": "super"} | {
    "sub": "sub", "del": "strike", "s": "strike",
}  # fmt: skip


class Part(NamedTuple):
    """A part of a report: its kind, and the typst code that makes it."""

    kind: str
    code: str


def typeset(made: Document, meta: Meta, form: Form = "pdf") -> bytes:
    """A document as "pdf", or its first page as "png"; the same input gives the same bytes."""
    import matplotlib
    import typst

    with temporary_folder() as folder:
        path = folder / "report.typ"
        look = (TEMPLATES / "report.typ").read_text(encoding="utf-8")
        path.write_text(f"{look}\n{_Writer(folder).report(made, meta)}", encoding="utf-8")
        pages = typst.compile(
            str(path),
            root=str(folder),
            font_paths=[f"{matplotlib.get_data_path()}/fonts/ttf"],
            ignore_system_fonts=True,
            format=form,
            ppi=PPI,
            timestamp=meta.timestamp,
            pdf_standards=["ua-1"] if form == "pdf" else [],
        )
        return pages[0] if isinstance(pages, list) else pages


class _Writer:
    """Writes HTML as typst code; pictures and formulas go to a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pictures = folder, 0
        self.styles: dict[str, dict[str, str]] = defaultdict(dict)  # of cells of a pandas Styler
        self.anchors: set[str] = set()

    def report(self, made: Document, meta: Meta) -> str:
        """The call that makes the whole report."""
        trees = (made.opening, made.body, made.appendix, made.colophon)
        for tree in trees:
            for style in tree("style"):
                for name, declared in _styles(style.get_text()):
                    self.styles[name] |= _declarations(declared)
            self.anchors |= {tag["id"] for tag in tree(["td", "th"], id=re.compile(r"^R\d+$"))}
        self.anchors |= {tag["id"] for tag in made.appendix("h2")}
        opening, body, appendix, facts = (self.parts(tree) for tree in trees)
        code = {
            "title": _text(made.title),
            "byline": _text(meta.byline),
            "incomplete": _text(meta.incomplete),
            "main": _keep_together([*opening, *body]),
            "appendix": _keep_together(appendix) if appendix else "none",
            "facts": _block(_upright(facts)) or "none",
        }
        arguments = ",\n".join(f"{name}: {value}" for name, value in code.items())
        return f"#report(\n{arguments},\n)"

    # -- inline ------------------------------------------------------------------------------------

    def inlines(self, nodes: Iterable[Any], change: Callable[[str], str] = str) -> str:
        """A run of inline nodes as one block of code, or "" when there is nothing to show."""
        parts = [code for node in nodes if (code := self.inline(node, change))]
        while parts and parts[0] == '" "':
            parts.pop(0)
        while parts and parts[-1] == '" "':
            parts.pop()
        return _block(parts)

    def inline(self, node: Any, change: Callable[[str], str]) -> str:
        if not isinstance(node, Tag):
            words = re.sub(r"[ \t\r\n]+", " ", str(node)) if _plain(node) else ""
            return _text(change(words)) if words else ""
        if node.name == "br":
            return "linebreak()"
        if node.name == "code":
            return f"raw({_text(_breakable(node.get_text()))})"
        if node.name == "img":
            return f"box({self.picture(node)})"
        if node.name == "math":
            return self.formula(node)
        inner = self.inlines(node.children, change)
        if not inner:
            return ""
        href = str(node.get("href", ""))
        if node.name == "a" and re.match(r"(https?|mailto):", href):
            return f"link({_text(href)}, {inner})"
        if node.name == "a" and href[1:] in self.anchors:
            call = "see" if "cm-see" in (node.get("class") or "") else "link"
            return f"{call}(label({_text(href[1:])}), {inner})"
        if "cm-unit" in (node.get("class") or ""):
            return f"unit({inner})"
        return f"{LOOKS[node.name]}({inner})" if node.name in LOOKS else inner

    # -- pictures ----------------------------------------------------------------------------------

    def picture(self, tag: Any) -> str:
        """The call that shows a picture, which is saved as a file."""
        kind, data = tag["src"].removeprefix("data:").split(";base64,", 1)
        file = self.save(base64.b64decode(data), SUFFIXES.get(kind, "png"))
        points = float(str(tag.get("width", 0)).rstrip("px%") or 0) * POINTS_PER_PIXEL
        width = f", width: {min(points, TEXT_WIDTH):.1f}pt" if points else ""
        return f"picture({_text(file)}, alt: {_text(tag.get('alt') or 'Figure')}{width})"

    def formula(self, tag: Any) -> str:
        """A formula drawn as vectors, standing on the line."""
        import ziamath

        display, tex = tag.get("display") == "block", str(tag.get("data-tex", ""))
        try:
            svg = ziamath.Latex(tex, size=MATHS_SIZE, inline=not display).svg()
        except Exception:  # the drawer has no common error; the formula is shown as it was written
            return "" if display else _text(tex)
        _, top, _, height = map(float, re.findall(r'viewBox="([^"]+)"', svg)[0].split())
        file, alt = _text(self.save(svg.encode(), "svg")), _text(tex)
        if display:
            return f"picture({file}, alt: {alt}, height: {height:.3f}pt)"
        depth = height + top
        return f"box(baseline: {depth:.3f}pt, image({file}, alt: {alt}, height: {height:.3f}pt))"

    def save(self, content: bytes, suffix: str) -> str:
        self.pictures += 1
        name = f"{self.pictures}.{suffix}"
        (self.folder / name).write_bytes(content)
        return name

    # -- blocks ------------------------------------------------------------------------------------

    def parts(self, node: Any) -> list[Part]:
        """The parts inside a node; loose text becomes a paragraph."""
        made: list[Part] = []
        for block, nodes in groupby(node.children, _is_block):
            for tag in nodes if block else ():
                made += self.part(tag)
            if not block and (words := self.inlines(nodes)):
                made.append(Part("paragraph", f"par({words})"))
        return made

    def inside(self, node: Any) -> str:
        return _block(_upright(self.parts(node)))

    def part(self, tag: Any) -> list[Part]:
        """The parts that a block makes."""
        name, classes = tag.name, tag.get("class", [])
        if "cm-cards" in classes:
            return [Part("cards", self.cards(tag))]
        if "cm-answer" in classes:
            return [Part("answer", f"answer({self.inlines(tag.children)})")]
        if name in HEADINGS:
            level = max(int(name[1]) - 1, 1)
            code = f"heading(level: {level}, {self.inlines(tag.children)})"
            return [Part("heading", self.anchored(code, tag))]
        if name == "table":
            return self.table(tag)
        if name in ("ul", "ol"):
            items = ", ".join(self.inside(item) or '""' for item in tag("li", recursive=False))
            start = f"start: {int(tag.get('start', 1))}, " if name == "ol" else ""
            kind = "list" if name == "ul" else "enum"
            return [Part("list", f"{{ parbreak(); {kind}({start}{items}) }}")] if items else []
        if name == "pre":
            language = _text(tag["data-language"]) if "data-language" in tag.attrs else "none"
            return [Part("code", f"code({_text(tag.get_text().strip(chr(10)))}, lang: {language})")]
        if name == "blockquote":
            return [Part("quote", f"quoted({self.inside(tag)})")]
        if name == "hr":
            return [Part("new page", "pagebreak(weak: true)")]
        if name == "math":
            return [Part("picture", self.formula(tag))]
        if name in ("figure", "p") and tag.find("img") and not said(tag):
            return [Part("picture", self.picture(image)) for image in tag("img")]
        return [] if name in ("style", "nav") else self.parts(tag)

    def anchored(self, code: str, tag: Any) -> str:
        """What a link can lead to."""
        name = tag.get("id", "")
        return f"[#{{{code}}} #label({_text(name)})]" if name in self.anchors else code

    def cards(self, tag: Any) -> str:
        names = ("cm-label", "cm-value", "cm-note")
        items = [
            "(" + ", ".join(_text(said(card.find(class_=name))) for name in names) + ")"
            for card in tag(class_="cm-card")
        ]
        size = "13.5pt" if "cm-long" in tag["class"] else "17pt"
        return f"cards(size: {size}, {', '.join(items)})"

    def table(self, tag: Any) -> list[Part]:
        """A table in the largest text that fits, on a page on its side where none does."""
        widths: dict[int, float] = {}
        whole: dict[int, float] = {}  # of cells and heads that do not break
        right: set[int] = set()
        head: list[str] = []
        rows: list[str] = []
        seen: Any = None
        for section, cell, column in cells(tag):
            is_head, words = section == "head", said(cell)
            wide, tall = int(cell.get("colspan", 1)), int(cell.get("rowspan", 1))
            if wide == 1:
                needed = _head_width(words) if is_head else len(words)
                widths[column] = max(widths.get(column, 1), needed)
                whole[column] = max(whole.get(column, 1), len(words))
            if "num" in cell.get("class", []):
                right.add(column)
            if not is_head and cell.parent is not seen:
                if seen is not None and not seen.find(rowspan=True):
                    rows.append("thin")
                seen = cell.parent
            (head if is_head else rows).append(
                self.cell(cell, is_head, column in right, wide, tall)
            )
        if not widths:
            return []
        needs = [widths.get(column, 1) for column in range(max(widths) + 1)]
        wraps = [x > LONG and column not in right for column, x in enumerate(needs)]
        shown = [WRAPPED + math.sqrt(x) if w else x for x, w in zip(needs, wraps, strict=True)]
        ems = sum(x * CHARACTER + GUTTER for x in shown)
        turned = ems * UPRIGHT > TEXT_WIDTH
        room = TEXT_HEIGHT if turned else TEXT_WIDTH
        size = next((size for size in SIZES if ems * size <= room), round(room / ems, 2))
        caption = tag.find("caption")
        taken = sum(shown[i] if w else whole.get(i, 1) for i, w in enumerate(wraps))
        tight = (taken * CHARACTER + GUTTER * len(needs)) * size > room  # heads break, names do not
        share = f"{CHARACTER * size:.3f}pt" if tight else "1fr"
        columns = (
            f"{x if tight else x - WRAPPED:.2f} * {share}" if w else "auto"
            for x, w in zip(shown, wraps, strict=True)
        )
        sides = ("std.right" if column in right else "left" for column in range(len(needs)))
        code = (
            f"grid-table(columns: {_array(columns)}, align: {_array(sides)}, size: {size}pt, "
            f"breakable: {str(len(tag('tr')) > SMALL_TABLE).lower()}, "
            f"caption: {self.inlines(caption.children) if caption else 'none'}, "
            f"head: {_array(head)}, rows: {_array(rows)})"
        )
        return [Part("turned" if turned else "table", code)]

    def cell(self, cell: Any, is_head: bool, right: bool, wide: int, tall: int) -> str:
        style = self.styles[cell.get("id", "")] | _declarations(cell.get("style", ""))
        options = [f"colspan: {wide}"] * (wide > 1) + [f"rowspan: {tall}"] * (tall > 1)
        if fill := _colour(style.get("background-color", "")):
            options.append(f'fill: rgb("{fill}")')
        if is_head:
            options.append(f"align: bottom + {'std.right' if right else 'left'}")
        shortest = 1 if is_head else LONG_NAME
        if any(_is_block(child) for child in cell.children):
            inner = self.inside(cell)
        else:
            inner = self.inlines(cell.children, lambda words: _breakable(words, shortest))
        look = []
        if colour := _colour(style.get("color", "")):
            look.append(f'fill: rgb("{colour}")')
        if is_head or style.get("font-weight") in ("bold", "600", "700"):
            look.append('weight: "semibold"')
        text = f"text({', '.join([*look, inner or '[]'])})" if look else inner or "[]"
        text = self.anchored(text, cell)
        return f"table.cell({', '.join([*options, text])})" if options else text


# -- code ------------------------------------------------------------------------------------------


def _text(words: str) -> str:
    """A string of typst; a number stays with its sign."""
    return json.dumps(CONTROL.sub(" ", words).replace(" %", "\u00a0%"), ensure_ascii=False)


def _array(items: Iterable[str]) -> str:
    return f"({''.join(f'{item}, ' for item in items)})"


def _block(parts: list[str]) -> str:
    """Parts as one content; "" for none."""
    return "" if not parts else parts[0] if len(parts) == 1 else f"{{ {'; '.join(parts)} }}"


def _upright(parts: Iterable[Part]) -> list[str]:
    """Without the page on its side, or the new page, that a part asks for."""
    return [
        "line(length: 100%, stroke: 0.4pt + line-colour)" if p.kind == "new page" else p.code
        for p in parts
    ]


def _keep_together(parts: list[Part]) -> str:
    """A heading moves onto the page on its side that follows it; a first paragraph stays with its
    figure or table."""
    made: list[Part] = []
    for part in parts:
        opens = len(made) > 1 and made[-1].kind == "paragraph" and made[-2].kind == "heading"
        if part.kind == "turned":
            moved = [part.code]
            while made and made[-1].kind == "heading":
                moved.insert(0, made.pop().code)
            part = Part("turned", f"page(flipped: true, {_block(moved)})")
        elif opens and part.kind in ("picture", "table"):
            made[-1] = Part("paragraph", f"block(sticky: true, {made[-1].code})")
        made.append(part)
    return f"{{ {chr(10).join(part.code for part in made)} }}"


def _plain(node: Any) -> bool:
    """Whether a node is text, and no comment or the like."""
    return type(node) is NavigableString


def _is_block(node: Any) -> bool:
    if not isinstance(node, Tag):
        return False
    return node.name in BLOCKS or (node.name == "math" and node.get("display") == "block")


def _breakable(words: str, shortest: int = LONG_NAME) -> str:
    """Names so long may break after `_`, `/`, `.`, `+` and `-`, endless ones anywhere."""
    words = re.sub(rf"\w{{{LONG},}}", lambda name: SOFT.join(name[0]), words)
    return re.sub(
        rf"\S{{{shortest},}}",
        lambda name: re.sub(r"([_/.+-])([A-Za-z])", rf"\1{SOFT}\2", name[0]),
        words,
    )


def _head_width(words: str) -> int:
    """Characters that a head needs: it breaks at spaces, underscores and slashes."""
    parts = re.sub(r"[_/.-]([A-Za-z])", r" \1", words).split(" ")
    return min(max(len(part) + 1 for part in parts), LONG)


def _styles(css: str) -> Iterator[tuple[str, str]]:
    """(cell id, declarations) of the CSS that a pandas Styler writes."""
    for names, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        for name in re.findall(r"#([\w-]+)\s*(?:,|$)", names.strip()):
            yield name, body


def _declarations(body: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in body.split(";") if ":" in part)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _colour(value: str) -> str:
    """A CSS colour, in hexadecimal or by name, in hexadecimal; "" for anything else."""
    from matplotlib.colors import is_color_like, to_hex

    value = value.lower()
    return to_hex(value) if value not in ("", "none") and is_color_like(value) else ""
