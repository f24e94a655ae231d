"""A report document as PDF, typeset by typst with vector figures and the same fonts everywhere.

The clean HTML of `html.document` is handed over as XML, its pictures and formulas as files beside
it. templates/report.typ reads it and says how each element looks.
"""

from __future__ import annotations

import base64
import copy
import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

from bs4 import BeautifulSoup, NavigableString

from costmodel.pages.report.html import TEMPLATES, Document, Meta, cells

Form = Literal["pdf", "png"]
PPI = 110.0  # of a page as a picture
MATHS_SIZE = 10.5  # points
POINTS_PER_PIXEL = 72 / 96  # of a CSS pixel
SUFFIXES = {"image/svg+xml": "svg", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
KEPT = set(  # attributes that the template reads
    "class href file width height depth display start colspan rowspan column section data-language "
    "fill colour bold".split()
)


def typeset(made: Document, meta: Meta, form: Form = "pdf") -> bytes:
    """A document as "pdf", or its first page as "png"; the same input gives the same bytes."""
    import matplotlib
    import typst

    soup = BeautifulSoup("", "html.parser")
    said = {"title": made.title, "byline": meta.byline, "incomplete": meta.incomplete}
    report = soup.new_tag("report", attrs=said)
    for name in ("opening", "body", "colophon"):
        part = soup.new_tag(name)
        part.append(copy.copy(getattr(made, name)))
        report.append(part)
    with tempfile.TemporaryDirectory() as folder:
        _prepare(report, Path(folder))
        xml = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]+", " ", report.decode())
        Path(folder, "report.xml").write_text(xml, encoding="utf-8")
        path = Path(folder, "report.typ")
        path.write_bytes((TEMPLATES / "report.typ").read_bytes())
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


def _prepare(report: Any, folder: Path) -> None:
    """What the template cannot find out: files of pictures and formulas, columns and colours."""
    styles: dict[str, dict[str, str]] = defaultdict(dict)  # of each cell id of a pandas Styler
    for style in report("style"):
        for name, body in _styles(style.extract().get_text()):
            styles[name] |= _declarations(body)
    for number, tag in enumerate(report(["img", "math"])):
        save = _save_picture if tag.name == "img" else _draw_formula
        save(tag, folder, number)
    for table in report("table"):
        for section, cell, column in cells(table):
            style = styles[cell.get("id", "")] | _declarations(cell.get("style", ""))
            bold = section == "head" or style.get("font-weight") in ("bold", "600", "700")
            cell.attrs |= {
                "section": section,
                "column": str(column),
                "bold": "bold" if bold else "",
            }
            cell["fill"] = _colour(style.get("background-color", ""))
            cell["colour"] = _colour(style.get("color", ""))
    for tag in report(True):
        tag.name = re.sub(r"[^\w.-]", "-", tag.name)
        tag.attrs = {name: value for name, value in tag.attrs.items() if name in KEPT}
    for other in report(string=lambda text: type(text) is not NavigableString):
        other.extract()


def _save_picture(tag: Any, folder: Path, number: int) -> None:
    """The picture of a tag as a file, its width in points."""
    kind, data = tag["src"].removeprefix("data:").split(";base64,", 1)
    tag["file"] = f"{number}.{SUFFIXES.get(kind, 'png')}"
    (folder / tag["file"]).write_bytes(base64.b64decode(data))
    pixels = str(tag.get("width", 0)).rstrip("px%")
    tag["width"] = f"{float(pixels or 0) * POINTS_PER_PIXEL:.1f}"


def _draw_formula(tag: Any, folder: Path, number: int) -> None:
    """A formula drawn as vectors, its height and its depth below the baseline in points."""
    import ziamath

    inline = tag.get("display") != "block"
    try:
        svg = ziamath.Latex(tag["data-tex"], size=MATHS_SIZE, inline=inline).svg()
    except Exception:  # the drawer has no common error; the formula is shown as it was written
        tag.replace_with(tag["data-tex"] if inline else "")
        return
    _, top, _, height = map(float, re.findall(r'viewBox="([^"]+)"', svg)[0].split())
    tag.attrs |= {
        "file": f"{number}.svg",
        "height": f"{height:.3f}",
        "depth": f"{height + top:.3f}",
    }
    tag.clear()
    (folder / tag["file"]).write_text(svg, encoding="utf-8")


def _styles(css: str) -> list[tuple[str, str]]:
    """(cell id, declarations) of the CSS that a pandas Styler writes."""
    return [
        (name, body)
        for names, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css)
        for name in re.findall(r"#([\w-]+)\s*(?:,|$)", names.strip())
    ]


def _declarations(body: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in body.split(";") if ":" in part)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _colour(value: str) -> str:
    """A CSS colour, in hexadecimal or by name, in hexadecimal; "" for anything else."""
    from matplotlib.colors import is_color_like, to_hex

    value = value.lower()
    return to_hex(value) if value != "none" and is_color_like(value) else ""
