"""Floor 6: what packets of others tell: conversations, names, verdicts of rules, kinds of devices."""
