"""Decoders by area: each module has DECODERS, a tuple of `Decoder`."""
