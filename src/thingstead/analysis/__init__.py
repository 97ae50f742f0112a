"""Floor 6: pure answers over domain data."""
