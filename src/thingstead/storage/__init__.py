"""Floor 9: what lasts: the store in memory and in SQLite, and files that are written whole."""
