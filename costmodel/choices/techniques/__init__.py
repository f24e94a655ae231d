"""How a model is made to answer well: one frozen dataclass per technique, its fields are its assumptions."""
