"""Composition root: CoAP for asyncio programs, a client and a server in a few lines each."""
