"""What a tune is made of beside its technique: its life, the offers of providers, one run."""
