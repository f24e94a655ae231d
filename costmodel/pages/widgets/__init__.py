"""The face `cm.widgets`: sliders in a notebook.

explore Explorer quick_answer QuickAnswer
"""

from costmodel.core import absent
from costmodel.pages.widgets.explorer import Explorer, explore
from costmodel.pages.widgets.quick import QuickAnswer, quick_answer

__all__ = "Explorer QuickAnswer explore quick_answer".split()
__getattr__ = absent(__name__, __all__)
