"""Floor 6, and the face `cm.scenarios`: a study as a YAML file, and many of them at once.

It imports `decisions` and everything below.

Files       examples first_scenario save scenario_schema (and `cm.load`)
Many        compare_portfolio
Contracts   with_price_book
"""

from costmodel.core import absent
from costmodel.scenarios.first import first_scenario
from costmodel.scenarios.portfolio import compare_portfolio
from costmodel.scenarios.price_book import with_price_book
from costmodel.scenarios.scenario import examples, save, scenario_schema

__all__ = """
    compare_portfolio examples first_scenario save scenario_schema with_price_book
""".split()
__getattr__ = absent(__name__, __all__)
