"""A notebook becomes a report: checked parameters, a quiet run, an offline page, a PDF and the numbers beside them."""
