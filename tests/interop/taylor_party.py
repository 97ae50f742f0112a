"""taylor-suit, in its own environment: JSON manifests and a key on stdin, envelopes in hexadecimal on stdout."""

import json
import sys

import taylor

asked = json.load(sys.stdin)
made = [
    taylor.build_envelope(manifest, key_pem=asked["key"], manifest_digest=asked["digest"]).hex()
    for manifest in asked["manifests"]
]
json.dump(made, sys.stdout)
