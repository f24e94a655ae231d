"""Sliders in a notebook."""
