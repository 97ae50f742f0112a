"""Floor 3: constrained vouchers: the maker tells a thing which domain owns it."""
