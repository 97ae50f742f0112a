"""Floor 7: the identity plane: whose things these are, and the credentials the domain gives them."""
