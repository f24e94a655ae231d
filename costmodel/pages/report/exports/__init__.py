"""A study as files for others: a workbook, a FOCUS table, JSON, an interactive page, showback.

Each is made from the study alone and has its total, to the cent.
"""
