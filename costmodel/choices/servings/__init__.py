"""Who answers: an API, GPUs (rented or bought), reserved units of a provider, or people."""
