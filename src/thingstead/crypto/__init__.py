"""Floor 2: algorithms by COSE number and keys behind handles. The only importer of `cryptography`."""
