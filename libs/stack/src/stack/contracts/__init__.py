"""The workshop of `contracts/`: renders its pages, checks its dialect, and refuses changes that would break a reader.

Maintainers come in by `python -m stack.contracts`, the tests of `tests/contracts` by import; services never do.
"""
