"""Floor 3: CoRIM, what a maker says its things should measure (draft-ietf-rats-corim-10)."""
