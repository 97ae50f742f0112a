"""Floor 7: the software plane, releases from the maker's image to the thing's report."""
