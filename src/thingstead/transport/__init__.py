"""Floor 9: adapters that carry bytes: UDP for things, HTTPS for files, Unix sockets for commands."""
