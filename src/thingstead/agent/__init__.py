"""Floor 10: the thing's side, for Linux-class things and for simulation; ships without the controller."""
