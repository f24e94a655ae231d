"""The look of a cockpit: its style sheet, and the verdict over four cards."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

RED = "#B3261E"
STATIC = (
    "<p><i>The cockpit needs a running kernel: run this cell. "
    "The figures below show the parameters above.</i></p>"
)

STYLE = """<style>
.cm-cockpit {display: flex; flex-wrap: wrap; gap: 0 20px; align-items: flex-start;
  overflow: visible; font-size: 13px; line-height: 1.35}
:is(.jp-OutputArea, .jp-OutputArea-child, .jp-OutputArea-output, .jupyter-widgets):has(
  .cm-cockpit) {overflow: visible !important; min-width: 0 !important}
.cm-left {flex: 0 0 340px; width: 340px; max-width: 100%; position: sticky; top: 0;
  max-height: calc(100vh - 130px); overflow-x: hidden; overflow-y: auto; padding-right: 6px}
.cm-left > * {flex-shrink: 0}
.cm-right {flex: 1 1 460px; min-width: 0; max-width: 900px; overflow: visible}
.cm-left .widget-dropdown, .cm-left .widget-text {width: auto}
.cm-row {margin: 0 0 2px; overflow: hidden; flex-shrink: 0}
.cm-row .widget-html-content {line-height: 18px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; font-size: 12px}
.cm-row .widget-html-content i {opacity: .65; font-style: normal}
.cm-row .widget-html-content span {font-size: 13px}
.cm-row > div:last-child .widget-html-content span {font-size: 11.5px}
.cm-row input {font-size: 12px !important; padding: 3px 5px !important}
.cm-mark {color: #C25A00; float: right; padding: 0 6px}
.cm-off {visibility: hidden}
.cm-name {font-weight: 600; margin: 4px 0 0; line-height: 18px}
.cm-verdict {height: 84px; overflow: hidden; cursor: pointer}
.cm-verdict[open] {height: auto; min-height: 84px}
.cm-verdict summary {list-style: none}
.cm-verdict summary::-webkit-details-marker {display: none}
.cm-verdict div {display: -webkit-box; -webkit-box-orient: vertical; overflow: hidden}
.cm-verdict[open] div {display: block}
.cm-verdict .cm-first {font-size: 16px; font-weight: 650; line-height: 21px; -webkit-line-clamp: 2}
.cm-verdict .cm-second {opacity: .85; line-height: 19px; -webkit-line-clamp: 2}
.cm-four {display: grid; grid-template-columns: repeat(4, 1fr); gap: 0 16px; height: 134px;
  overflow: hidden}
.cm-one {border-top: 2px solid #0b5567; padding: 4px 0; min-width: 0}
.cm-one b {display: block; font-size: 19px; line-height: 25px; white-space: nowrap}
.cm-one span {display: block; opacity: .75; font-size: 12px; line-height: 15px}
.cm-one span.cm-note {height: 45px; overflow: hidden}
.cm-one em {display: block; font-style: normal; font-size: 12px; line-height: 15px; color: #C25A00;
  height: 30px; overflow: hidden}
.cm-tabs .widget-toggle-button, .cm-tabs button {width: auto; padding: 0 10px}
.cm-picture {overflow-x: auto; overflow-y: hidden}
.cm-picture img {width: 100%; max-width: 860px; object-fit: contain}
.cm-picture > *, .cm-phone > * {width: 100%}
.cm-phone {display: none !important}
.cm-bill {overflow: auto}
.cm-line summary {display: flex; gap: 12px; cursor: pointer; padding: 2px 0;
  border-top: 1px solid rgba(128, 128, 128, .3)}
.cm-line summary span {flex: 1 1 auto}
.cm-line summary i {width: 44px; text-align: right; font-style: normal; opacity: .7}
.cm-line dl {margin: 2px 0 6px 14px; font-size: 12px}
.cm-line dt {float: left; clear: left; width: 64px; opacity: .7}
.cm-line dd {margin: 0 0 0 70px}
.cm-small {font-size: 12px; opacity: .8; margin: 2px 0}
.cm-foot {flex-wrap: wrap; overflow: visible}
.cm-foot button {width: auto; padding: 0 12px}
.cm-said {min-height: 20px}
.cm-whole summary {cursor: pointer; font-size: 12px}
.cm-asked {flex-direction: column; align-items: stretch; height: auto}
.cm-asked label {width: auto !important; max-width: none; text-align: left !important;
  align-self: flex-start}
.cm-asked select {flex: 0 0 28px !important; height: 28px}
.cm-load, .cm-choose {font-size: 0 !important}
.cm-load::after {content: "Load YAML"; font-size: 13px}
.cm-choose {width: 70px}
.cm-choose::after {content: "Choose"; font-size: 13px}
.cm-waiting {opacity: .55}
.cm-failed {opacity: .35; filter: grayscale(1)}
.cm-list {max-height: 420px; overflow-y: auto; overflow-x: hidden; flex-wrap: nowrap}
@media (max-width: 640px) {
  .cm-left {position: static; max-height: none; flex-basis: 100%; width: 100%; order: 1}
  .cm-row > .widget-html:first-child {height: auto !important; min-height: 20px}
  .cm-row > .widget-html:first-child .widget-html-content {white-space: normal}
  .cm-right {display: contents}
  .cm-right > * {order: 2; flex: 0 0 calc(100% - 4px); max-width: calc(100% - 4px); min-width: 0}
  .cm-right > .cm-top {order: 0; position: sticky; top: 0; z-index: 9;
    background: var(--jp-layout-color0, white)}
  .cm-picture {display: none !important}
  .cm-phone {display: block !important; overflow: hidden}
  .cm-phone img {width: 100%; height: auto}
  .cm-phone.cm-hidden {display: none !important}
  .cm-four {grid-template-columns: repeat(2, 1fr); height: auto; gap: 4px 10px}
  .cm-one {min-height: 52px}
  .cm-one span, .cm-one em {font-size: 11px; line-height: 14px}
  .cm-one span.cm-note {height: 42px}
  .cm-one em {height: auto}
  .cm-verdict {height: 138px}
  .cm-one b {font-size: 16px; line-height: 21px}
  .cm-verdict .cm-first {font-size: 14px; line-height: 18px; -webkit-line-clamp: 5}
  .cm-verdict .cm-second {font-size: 12px; line-height: 16px; -webkit-line-clamp: 3}
}
</style>"""


def picture_of(png: bytes, says: str, height: str = "auto") -> str:
    """A picture with words for who cannot see it; decoded at once, so that nothing flickers."""
    data = base64.b64encode(png).decode()
    source = f'src="data:image/png;base64,{data}" style="height: {height}"'
    return f'<img alt="{html.escape(says, quote=True)}" decoding="sync" {source}>'


def top_of(
    first: str, second: str, cards: Iterable[tuple[str, ...]], number: int = 0, failed: bool = False
) -> str:
    """The verdict in two lines over four cards; what is longer unfolds at a touch."""
    one = '<div class="cm-one"><span>{}</span><b>{}</b><span class="cm-note" title="{}">{}</span>'
    one += "<em>{}</em></div>"
    made = ""
    for title, value, remark, step in cards:
        told = map(html.escape, (title, value, remark, remark, step))
        made += one.format(*told)
    colour = f' style="color:{RED}"' if failed else ""
    full = html.escape(second, quote=True)
    return (
        f'<details class="cm-verdict" data-run="{number}"{colour} title="{full}"><summary>'
        f'<div class="cm-first">{html.escape(first)}</div><div class="cm-second">{full}</div>'
        "</summary></details>"
        f'<div class="cm-four{" cm-failed" * failed}">{made}</div>'
    )
