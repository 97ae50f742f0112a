"""Floor 3: one module per match type of an access control entry; a module that is put here is found by itself."""
