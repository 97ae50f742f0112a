"""Floor 8: dialogues with a thing, as stories: made, joined, operated, maintained, retired."""
