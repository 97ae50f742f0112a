"""Floor 3: EAR, what a verifier made of evidence (draft-ietf-rats-ear-04, draft-ietf-rats-ar4si-10)."""
