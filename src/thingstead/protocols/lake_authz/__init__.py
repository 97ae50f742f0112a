"""Floor 3: lightweight authorization over EDHOC (ELA): a thing asks its maker, through the domain, about the domain."""
