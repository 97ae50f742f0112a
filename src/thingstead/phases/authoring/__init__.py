"""Floor 8: a maker's release as text, from a TOML file to an envelope that waits for signatures."""
