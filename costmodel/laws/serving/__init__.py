"""How fast a model answers on a GPU: a calibrated roofline, and the cheapest plan that keeps a promise."""
