"""Floor 10: the controller, composed: what runs, in which order, and who may ask it what."""
