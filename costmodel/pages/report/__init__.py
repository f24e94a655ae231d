"""The face `cm.report`: a notebook becomes a page, a PDF and the numbers beside them.

To make one      run run_many schema validate Parameter Report ReportError
In a notebook    answer cards show assumptions sources results if_possible
For others       excel focus focus_table as_json interactive
The first words  first_answer rests_on brief made_of money label_of priced_on
"""

from costmodel.core import absent, label_of, money
from costmodel.pages.appendix import assumptions, sources
from costmodel.pages.blocks import answer, cards, if_possible, results
from costmodel.pages.first_words import brief, first_answer, made_of, priced_on, rests_on
from costmodel.pages.report.exports.excel import excel
from costmodel.pages.report.exports.focus import focus, focus_table
from costmodel.pages.report.exports.interactive import interactive
from costmodel.pages.report.exports.results import as_json
from costmodel.pages.report.parameters import Parameter, check_injected, schema, validate
from costmodel.pages.report.runner import Report, ReportError, run, run_many
from costmodel.pages.tables import show

__all__ = """
    Parameter Report ReportError answer as_json assumptions brief cards excel first_answer focus
    focus_table if_possible interactive label_of made_of
    money priced_on rests_on results run run_many schema show sources validate
""".split()
__getattr__ = absent(__name__, __all__)
check_injected()
