"""Training: how long a run takes and what memory it needs, by laws fitted to published runs."""
