"""How long a training run takes, what memory it needs and what it is worth: laws fitted to published runs."""
