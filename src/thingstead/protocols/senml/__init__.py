"""Floor 3: SenML, measurements as packs of records (RFC 8428, RFC 8798)."""
