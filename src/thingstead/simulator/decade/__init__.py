"""Floor 11: ten years of a domain in minutes: the product's own things and planes, on a clock that jumps."""
