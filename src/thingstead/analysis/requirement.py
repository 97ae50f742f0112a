"""The requirements R-01 to R-90: what a secure Internet of Things must do, derived section by section from RFC 8576.

One line each: number, the challenges or threats it comes from, its title, and what is missing while nothing
answers it. RFC 8576 has no normative language; every requirement is this project's own.
"""

from __future__ import annotations

__all__ = ["REQUIREMENT_ROWS"]

_TABLE = """
01||one lifecycle state, transitions from a table|no table of transitions decides
02||transitions in an append-only signed log|no signed log of transitions
03||delegated commissioning rights|installers have no bounded rights of their own; the owner commissions
04||commissioning interrupted and resumed|an interrupted join is not told from a finished one
05||things of two makers in one domain|no things of two makers have joined
06||separate roles|owner and auditor are told apart; installer and maintainer are names
07||maintenance locally and from a backend alike|maintenance has one way in only
08||forced re-bootstrapping|a change of owner, key or software forces no new join
09||decommissioning withdraws everything|retirement leaves something in force
10||re-ownership|a thing cannot be handed over with proof
11||supply-chain custody|makers are known; re-badgers and sellers are not
12||forgotten things are flagged|silent, unmanaged and unsupported things are not flagged
13||messages wait for sleepers|what a sleeper missed is not kept for it
14||declared services of data flows|data flows do not declare their security services
15||replayed and stale messages are refused|replays are not refused on every command path
16||safe ranges of actuators|an authorised command may ask an actuator for any value
17|T1|no default credentials|things are not tried for default or dictionary credentials
18|T1|software bills of materials against vulnerabilities|no bill of materials is read, no vulnerability feed matched
19|T1|parsers survive fuzzing|nothing malformed was met here
20|T2|location and usage data by purpose|no role needs a recorded purpose to read data
21|T3|clones are detected|two live things under one identity are not noticed
22|T3|attestation before operational credentials|no evidence of the firmware is asked for before credentials are given
23|T4|installed things match the order|no order or bill of installation is compared
24|T5|no secret in clear in a capture|no capture was searched for secrets
25|T5|session keys limited and forward secret|session keys are not renewed by time or count
26|T5|nonce reuse is detected|observed traffic is not searched for a nonce used twice
27|T6|both sides are authenticated|one side is not authenticated
28|T6|human approval without maker's proof|no comparison out of band by a person
29|T7|wrong firmware is refused|things do not check what they install
30|T7|behaviour compared after updates|behaviour is not compared before and after an update
31|T8|keys in a key store, never shared or logged|keys lie in files; no hardware or kernel key store is used
32|T8|traffic-analysis leakage|sizes and times of messages are neither measured nor padded
33|T9|routing attacks in mesh networks|mesh routing is not observed
34|T9|address bound to identity|addresses are not bound to things
35|T10|authorization of each request|requests are not decided one by one
36|T11|bounded under flood|no flood was met here
37|T11|no amplification|no answer had to be cut short here
38|T11|outbound attacks are stopped|attack traffic of a thing is not stopped
39|T11|jamming told from sleep|loss of contact is not told from planned sleep
40||business impact analysis|no impact analysis is kept
41||risk assessment|no threat is rated by likelihood and impact per asset
42||privacy impact assessment|no inventory of personal data with legal basis
43||incident procedure|no incident procedure with clocks and reports
44||stale assessments are marked|assessments are not kept, so none can be marked stale
45|C5.1.1|sizing by device and link profile|bytes, fragments, airtime and energy are not predicted per profile
46|C5.1.1|cipher suites by class|cipher suites are not chosen by device class
47|C5.1.1|bounded reassembly|no flood of fragments was met here
48|C5.1.1|energy under attack|energy is not modelled
49|C5.1.2|no state before return routability|a bounded number of handshakes is begun before an address is proven
50|C5.1.2|bounded puzzles|no puzzles are used
51|C5.1.2|unintended overload is contained|a malfunctioning thing is not told to slow down
52|C5.1.3|object security over proxies|no proxy is there
53|C5.1.3|middlebox approach is declared|flows do not declare how they cross a middlebox
54|C5.1.3|re-wrapping at declared points only|nothing translates between COSE, JOSE and CMS
55|C5.1.3|outer fields are harmless|tampering with unprotected fields was not tried field by field
56|C5.1.4|lean joining on small links|the bytes of a join are not held to a budget
57|C5.1.4|things talk while the controller is offline|things hold no rights at each other while the controller is away
58|C5.2|four ways of bootstrapping|one way of joining is there: maker's voucher and identity
59|C5.2|authentication apart from authorization of joining|the two are not recorded apart
60|C5.2|joining in any order, over a join proxy|no join proxy; things reach the controller directly
61|C5.2|identifiers hidden while joining|a joining thing shows who it is
62|C5.2|the domain survives its controller|no standby; a restored domain has every thing join again
63|C5.3.1|joiners and leavers of groups|no groups are run here
64|C5.3.2|association survives a change of address|no change of address was seen here
65|C5.3.1|source authentication in groups|no groups are run here
66|C5.3.1|one group context an application|contexts of applications are not kept apart
67|C5.3.1|group coordination fails over|one group manager, no second one
68|C5.3.2|path check after a change of address|a new address is not checked before large replies
69|C5.4|updates without the user|updates tell no user before and after
70|C5.4|manifests verified on the thing|manifests are not verified by the thing itself
71|C5.4|encrypted images for sets of things|images travel and lie in clear under their signature
72|C5.4|scheduled updates|no quiet hours, dependencies or share of a zone
73|C5.4|interrupted updates|interruption at any byte was not shown to leave a working image
74|C5.4|expiry in the update path|expiry in the update path is not watched
75|C5.4|agility questions|a change of algorithm is not planned from figures
76|C5.4|algorithm register with sunset dates|removing an algorithm migrates nothing
77|C5.5|support end dates|the end of support restricts nothing
78|C5.5|handover at end of life|no new trust anchor for things whose maker is gone
79|C5.5|no cloud, no Internet|some function needs the Internet
80|C5.6 C5.11|manufacturer usage descriptions in force|no MUD rules are enforced
81|C5.6|learned profiles|things without MUD file get no learned profile
82|C5.9|privacy threats|the seven privacy threats are not checked per thing
83|C5.9|consent and erasure|consent of several users is not recorded
84|C5.7|security tests of each type|a new type or release is trusted untested
85|C5.7|dangerous combinations|combinations of things and rules are not analysed
86|C5.8|inventory against quantum computers|algorithms in use are not listed with their exposure
87|C5.8|post-quantum keys and signatures|keys and signatures end with the first quantum computer
88|C5.10|secrets in firmware|firmware is not searched for secrets
89|C5.11|exposed services|things are not scanned for exposed services from outside
90||security considerations as a document|there is no such document
"""

REQUIREMENT_ROWS: tuple[tuple[str, tuple[str, ...], str, str], ...] = tuple(
    (f"R-{number}", tuple(answers.split()), title, missing)
    for number, answers, title, missing in (line.split("|") for line in _TABLE.split("\n") if line)
)
"""(number, the threats and challenges it answers, title, what is missing while it is open)."""
