"""The appendix that every report ends with: what is assumed, and who published the facts."""

from __future__ import annotations

from collections.abc import Iterable

from costmodel.choices.study import Study, analysis
from costmodel.core import percent
from costmodel.ledgers.register import bibliography, register
from costmodel.pages.blocks import Table
from costmodel.pages.tables import show


@analysis
def assumptions(study: Study, of: str = "") -> Table:
    """Every input of a study, each once: its range, unit and source, untouched defaults first.

    Parameters
    ----------
    study : Study, or options with a workload
        Its options, workload and terms are read.
    of : str
        Whose inputs these are, for the caption.

    Returns
    -------
    Table
        Columns input, low, mid, high, unit, source, default, and the name in scripts.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"))
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250)
    >>> table = cm.report.assumptions(option, work, of="plain API")
    >>> [column.words for column in table.columns]
    ['input', 'low', 'middle', 'high', 'unit', 'source', 'default', 'name in scripts']
    """
    table = register(study)
    defaults = table[table["default"]]
    guessed = percent(defaults["confidence"].eq("assumed").mean()) if len(defaults) else "none"
    caption = f"{len(table)} inputs, {len(defaults)} of them untouched defaults, {guessed} assumed"
    columns = ["input", "low", "mid", "high", "unit", "source", "default"]
    return show(table[columns], caption=f"{of}: {caption}" if of else caption)


@analysis
def sources(study: Study, more: Iterable[str] = ()) -> Table:
    """The published sources behind the lines of a study.

    Parameters
    ----------
    study : Study, or options with a workload
        Every option of it is read.
    more : iterable of str
        Ids of sources that a report cites besides.

    Returns
    -------
    Table
        Columns id, publisher, title, url, accessed.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"))
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250)
    >>> cm.report.sources(option, work).rows[0][:2]
    ('genai-prices', 'Pydantic')
    """
    return show(bibliography(study, more)[["id", "publisher", "title", "url", "accessed"]])
