"""One module for an area; each has TARGETS."""
