"""What your own history says: your usage as a workload, against the bill, and under other options.

As a workload       profile workload load_curve
Against the bill    reconcile Reconciliation
Otherwise           reprice cache_breaks
"""

from costmodel.core import absent
from costmodel.studies.history.profile import load_curve, profile, workload
from costmodel.studies.history.reconcile import Reconciliation, reconcile
from costmodel.studies.history.reprice import cache_breaks, reprice

__all__ = [
    "Reconciliation",
    "cache_breaks",
    "load_curve",
    "profile",
    "reconcile",
    "reprice",
    "workload",
]
__getattr__ = absent(__name__, __all__)
