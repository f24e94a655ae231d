"""Figures, one file a subject; `style` holds the colours and the form that they share."""
