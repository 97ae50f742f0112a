"""Floor 7: the access plane: tokens, scopes and the live associations they stand for."""
