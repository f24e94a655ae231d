"""The face `cm.widgets`: the cockpit of a notebook.

cockpit Cockpit
"""

from costmodel.core import absent
from costmodel.pages.widgets.screen import Cockpit, cockpit

__all__ = "Cockpit cockpit".split()
__getattr__ = absent(__name__, __all__)
