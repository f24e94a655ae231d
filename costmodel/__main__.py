"""`python -m costmodel` is the command line."""

from .cli import main

main()
