"""What your own history says: your usage as a workload, against the bill, and under other options.

As a workload       profile workload load_curve prompt_lengths
Against the bill    reconcile Reconciliation
Otherwise           reprice cache_breaks between_months
As a question       study beyond_the_bill narrower with_load_test load_test_error load_test_sentence
Documents           corpus index_prices
"""

from costmodel.core import absent
from costmodel.studies.history.bridge import Reconciliation, reconcile
from costmodel.studies.history.corpora import corpus, index_prices
from costmodel.studies.history.months import between_months
from costmodel.studies.history.otherwise import cache_breaks, reprice
from costmodel.studies.history.question import (
    beyond_the_bill,
    load_test_error,
    load_test_sentence,
    narrower,
    study,
    with_load_test,
)
from costmodel.studies.history.traffic import load_curve, profile, prompt_lengths, workload

__all__ = [
    "Reconciliation",
    "between_months",
    "beyond_the_bill",
    "cache_breaks",
    "corpus",
    "index_prices",
    "load_curve",
    "load_test_error",
    "load_test_sentence",
    "narrower",
    "profile",
    "prompt_lengths",
    "reconcile",
    "reprice",
    "study",
    "with_load_test",
    "workload",
]
__getattr__ = absent(__name__, __all__)
