"""Floor 11: patterns of bad traffic, one module each; whatever stands here is found by itself."""
