"""One module for each area of vectors; found by name."""
