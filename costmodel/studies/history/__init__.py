"""What your own history says: your usage as a workload, against the bill, and under other options.

Against the bill    reconcile Reconciliation
"""

from costmodel.core import absent
from costmodel.studies.history.reconcile import Reconciliation, reconcile

__all__ = ["Reconciliation", "reconcile"]
__getattr__ = absent(__name__, __all__)
