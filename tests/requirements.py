"""The requirements that tests can be evidence for: number -> short title."""

from __future__ import annotations

__all__ = ["REQUIREMENTS"]

_TITLES = """
01 one lifecycle state, transitions from a table
02 transitions in an append-only signed log
03 delegated commissioning rights
04 commissioning interrupted and resumed
05 things of two makers in one domain
06 separate roles
07 maintenance locally and from a backend alike
08 forced re-bootstrapping
09 decommissioning withdraws everything
10 re-ownership
11 supply-chain custody
12 forgotten things are flagged
13 messages wait for sleepers
14 declared services of data flows
15 replayed and stale messages are refused
16 safe ranges of actuators
17 no default credentials
18 software bills of materials against vulnerabilities
19 parsers survive fuzzing
20 location and usage data by purpose
21 clones are detected
22 attestation before operational credentials
23 installed things match the order
24 no secret in clear in a capture
25 session keys limited and forward secret
26 nonce reuse is detected
27 both sides are authenticated
28 human approval without maker's proof
29 wrong firmware is refused
30 behaviour compared after updates
31 keys in a key store, never shared or logged
32 traffic-analysis leakage
33 routing attacks in mesh networks
34 address bound to identity
35 authorization of each request
36 bounded under flood
37 no amplification
38 outbound attacks are stopped
39 jamming told from sleep
40 business impact analysis
41 risk assessment
42 privacy impact assessment
43 incident procedure
44 stale assessments are marked
45 sizing by device and link profile
46 cipher suites by class
47 bounded reassembly
48 energy under attack
49 no state before return routability
50 bounded puzzles
51 unintended overload is contained
52 object security over proxies
53 middlebox approach is declared
54 re-wrapping at declared points only
55 outer fields are harmless
56 lean joining on small links
57 things talk while the controller is offline
58 four ways of bootstrapping
59 authentication apart from authorization of joining
60 joining in any order, over a join proxy
61 identifiers hidden while joining
62 the domain survives its controller
63 joiners and leavers of groups
64 association survives a change of address
65 source authentication in groups
66 one group context an application
67 group coordination fails over
68 path check after a change of address
69 updates without the user
70 manifests verified on the thing
71 encrypted images for sets of things
72 scheduled updates
73 interrupted updates
74 expiry in the update path
75 agility questions
76 algorithm register with sunset dates
77 support end dates
78 handover at end of life
79 no cloud, no Internet
80 manufacturer usage descriptions in force
81 learned profiles
82 privacy threats
83 consent and erasure
84 security tests of each type
85 dangerous combinations
86 inventory against quantum computers
87 post-quantum keys and signatures
88 secrets in firmware
89 exposed services
90 security considerations as a document
"""

REQUIREMENTS: dict[str, str] = {f"R-{line[:2]}": line[3:] for line in _TITLES.split("\n") if line}
