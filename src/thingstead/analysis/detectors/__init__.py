"""Floor 6: what in the traffic of a site speaks of an attack or a fault: one module, one way to tell."""
