"""Floor 3: packets as others see them: link, network and transport headers, and captures in files."""
