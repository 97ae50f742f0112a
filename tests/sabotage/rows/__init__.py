"""Sabotages by area: each module has ROWS, a tuple of `Sabotage`, one line each."""
