"""Floor 10: the maker's server (MASA, W): vouches for domains towards things that it has sold to them."""
