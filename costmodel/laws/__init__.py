"""Floor 2: pure equations of training, serving, quality, retrieval, caching, queues and money.

They open no file of the user and know no option. It imports `facts` and `core`.
"""
