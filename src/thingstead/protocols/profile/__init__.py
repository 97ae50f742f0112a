"""Floor 3: Thingstead's application profile: what things and controller agree on where no standard says it."""
