"""Remove one control, see a test go red: ``python -m tests.sabotage [R-29 ...]``.

A requirement counts as claimed only while the change registered for it in `registry` makes at least
one of the tests marked with it fail.
"""
