"""What a notebook's author writes as HTML, with nothing that runs or loads.

The work is that of `nh3`: tags and attributes by an allow-list. Beside it a style may not load,
hide behind an escape or stand still over the page; a picture is inline or in the notebook's folder.
"""

from __future__ import annotations

import re
from typing import Any

import nh3

_HTML = """a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em
figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p picture pre q s samp section small
source span strong style sub summary sup table tbody td tfoot th thead time tr u ul var"""
_MATHS = """annotation math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom
mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder
munderover semantics"""
_EVERY = "class id title lang dir role align width height"
_OF_MATHS = """accent accentunder columnalign columnlines columnspacing depth display displaystyle
encoding fence form linethickness lspace mathcolor mathsize mathvariant maxsize minsize
movablelimits notation rowlines rowspacing rspace scriptlevel separator stretchy symmetric
voffset"""
_MORE = {
    "a": "href",
    "col": "span",
    "colgroup": "span",
    "details": "open",
    "img": "alt src",
    "li": "value",
    "ol": "start type reversed",
    "source": "media srcset",
    "style": "scoped",
    "td": "colspan rowspan headers",
    "th": "colspan rowspan headers scope",
    "time": "datetime",
}
_TAGS = {*_HTML.split(), *_MATHS.split()}
_ATTRIBUTES = {
    "*": {*_EVERY.split(), "style"},
    **{tag: set(names.split()) for tag, names in _MORE.items()},
    **{tag: set(_OF_MATHS.split()) for tag in _MATHS.split()},
}
_LOADS = re.compile(
    r"[\\@<]|url|image|src|element|cross-fade|expression|behavior|binding|fixed", re.I
)
PICTURE = re.compile(r"data:image/(svg\+xml|png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")


def safe(text: str) -> str:
    """HTML in which nothing runs, and nothing loads but pictures of the notebook's folder.

    >>> safe('<p style="color:red" onclick="x()">a <a href="JavaScript:x()">b</a></p>')
    '<p style="color:red">a <a>b</a></p>'
    """
    made = nh3.clean(
        text,
        tags=_TAGS,
        clean_content_tags={"script", "noscript", "template", "title"},
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        generic_attribute_prefixes={"data-", "aria-"},
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
    )
    return re.sub(r"<style\b[^>]*>(.*?)</style>", _style, made, flags=re.S | re.I)


def _kept(_: str, name: str, value: str) -> str | None:
    """The value of an attribute, or None where it would load or run."""
    if name == "style":
        return None if _LOADS.search(value) else value
    if name in ("src", "srcset"):  # an image of the folder is embedded later, others are links
        return value if name == "src" or PICTURE.fullmatch(value) else None
    if name == "href" and value.strip().lower().startswith("data:"):
        return None
    return value


def _style(found: Any) -> str:
    return "" if _LOADS.search(found[1]) else found[0]
