"""Your own numbers, read from the files of other tools and told by their content.

Usage           read Usage
Bills           read_bill Bill

A reader is a table of fields: `ingest/readers/` has one file for each kind of tool. This floor
imports facts and core; what is made of the numbers lies in `cm.history`.
"""

from costmodel.core import absent
from costmodel.ingest.bills import Bill, read_bill
from costmodel.ingest.usage import Usage, read

__all__ = ["Bill", "Usage", "read", "read_bill"]
__getattr__ = absent(__name__, __all__)
