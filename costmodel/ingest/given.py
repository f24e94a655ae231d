"""What somebody gives of their own numbers; the example stands only where nothing is given."""

from __future__ import annotations

from typing import Any

from costmodel.core import CatalogError, frozen, public
from costmodel.ingest.bills import Bill, read_bill
from costmodel.ingest.collect import example
from costmodel.ingest.evaluations import Evaluations, read_evaluations
from costmodel.ingest.usage import Usage, read


@frozen
class Given:
    """Your own numbers; `given` makes it.

    Parameters
    ----------
    usage : Usage
    bill : Bill or None
    evaluations : Evaluations or None
    left_out : tuple of str
        What is not said without the rest, one sentence each.

    Examples
    --------
    >>> import costmodel as cm
    >>> example = cm.ingest.given()
    >>> len(example.usage.table) > 0, example.bill.usd > 0
    (True, True)
    """

    usage: Usage
    bill: Bill | None
    evaluations: Evaluations | None
    left_out: tuple[str, ...]


@public
def given(
    usage: Any = None, invoice: Any = None, evaluation: Any = None,
    calls_per_day: float | None = None,
) -> Given:  # fmt: skip
    """Read what is given of your own numbers; with nothing at all it is the invented example.

    Parameters
    ----------
    usage, invoice, evaluation : path or list of paths, optional
        Files in any known format.
    calls_per_day : float, optional
        Of an export that does not count its calls.

    Returns
    -------
    Given

    Raises
    ------
    CatalogError
        Where an invoice or an evaluation is given without usage.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.ingest.given(cm.ingest.example()).left_out[0]
    'No bill is given, so the usage is not held against one.'
    >>> cm.ingest.given().left_out
    ()
    """
    if not (usage or invoice or evaluation):
        usage, invoice, evaluation = map(example, ("usage", "invoice", "evaluation"))
    if not usage:
        raise CatalogError("an invoice or an evaluation is given without usage; give usage as well")
    ours = read(usage)
    left_out = {
        "No bill is given, so the usage is not held against one.": invoice,
        "No evaluation is given, so qualities are those of published tests.": evaluation,
    }
    return Given(
        ours.with_calls(calls_per_day) if calls_per_day else ours,
        read_bill(invoice) if invoice else None,
        read_evaluations(evaluation) if evaluation else None,
        tuple(sentence for sentence, path in left_out.items() if not path),
    )
