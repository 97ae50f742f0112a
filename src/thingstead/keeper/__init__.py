"""Composition root: one process for each private key of a domain, one for the kernel's rules, and who starts them."""
