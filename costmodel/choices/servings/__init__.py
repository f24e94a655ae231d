"""Who answers: an API, GPUs of your own or rented ones, provisioned throughput, or people as a baseline."""
