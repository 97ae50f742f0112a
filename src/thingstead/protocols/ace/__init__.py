"""Floor 3: authorization for constrained environments (RFC 9200): scopes, access tokens and their parameters."""
