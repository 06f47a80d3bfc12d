"""`python -m stack` is `santun`."""

from stack.cli import main

main()
