"""Writes the pages of `docs/reference` from the code itself: `python -m docs._reference [--check]`, or `make reference` (decision 142).

The pages are kept in the repository, so that they can be read without building anything and a review sees what a change
does to them; `tests/docs/test_reference.py` fails when they are no longer what the code says.
"""
