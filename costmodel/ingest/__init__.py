"""Your own numbers, read from the files of other tools and told by their content.

Usage           read Usage
Bills           read_bill Bill
Evaluations     read_evaluations Evaluations
Load tests      read_load_test LoadTest
Documents       read_documents Documents
Any of them     given Given by_kind example

A reader is a table of fields: `ingest/readers/` has one file for each kind of tool. This floor
imports facts and core; what is made of the numbers lies in `cm.history`.
"""

from costmodel.core import absent
from costmodel.ingest.bills import Bill, read_bill
from costmodel.ingest.collect import by_kind, example
from costmodel.ingest.documents import Documents, read_documents
from costmodel.ingest.evaluations import Evaluations, read_evaluations
from costmodel.ingest.given import Given, given
from costmodel.ingest.loadtests import LoadTest, read_load_test
from costmodel.ingest.usage import Usage, read

__all__ = [
    "Bill",
    "Documents",
    "Evaluations",
    "Given",
    "LoadTest",
    "Usage",
    "by_kind",
    "example",
    "given",
    "read",
    "read_bill",
    "read_documents",
    "read_evaluations",
    "read_load_test",
]
__getattr__ = absent(__name__, __all__)
