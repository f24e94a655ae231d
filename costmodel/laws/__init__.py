"""Floor 2: pure equations of numbers and arrays: training, serving, quality, retrieval, caching, queues, money.

They open no file of the user and know no option. It imports `facts` and `core`.
"""
