"""Floor 8: what people look at: plots, sliders and reports.

It imports everything below; only the plots of fidelity read tables of `validation`.
"""
