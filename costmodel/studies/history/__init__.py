"""What your own history says: `cm.history`."""

from costmodel.core import absent

__all__: list[str] = []
__getattr__ = absent(__name__, __all__)
