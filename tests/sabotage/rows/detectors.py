"""What is promised of packets that are seen."""

from tests.sabotage.replacement import Sabotage, returns

_D = "thingstead.analysis.detectors."

ROWS = (
    Sabotage("R-12", _D + "silence:_Silence.tick", returns(()), "things that fell silent are found by their packets"),
    Sabotage("R-21", _D + "clone_traffic:_CloneTraffic.see", returns(()), "two under one address are found"),
    Sabotage("R-26", _D + "oscore_nonce_reuse:_OscoreNonceReuse.see", returns(()), "numbers of OSCORE are compared"),
    Sabotage("R-26", _D + "tls_nonce_reuse:_TlsNonceReuse.see", returns(()), "nonces of TLS records are compared"),
    Sabotage(
        "R-30", _D + "new_destination:_NewDestination.see", returns(()), "new destinations after an update are found"
    ),
    Sabotage("R-34", _D + "address_spoofing:_AddressSpoofing.see", returns(()), "forged senders are found"),
    Sabotage("R-34", _D + "arp_spoof:_ArpSpoof.see", returns(()), "claims of another's address are found"),
    Sabotage("R-34", _D + "nd_spoof:_NdSpoof.see", returns(()), "and those of IPv6"),
    Sabotage("R-39", _D + "lost_contact:_LostContact.tick", returns(()), "many that fall silent at once are found"),
    Sabotage("R-39", _D + "silence:_Silence.tick", returns(()), "silence is told from planned sleep"),
    Sabotage(
        "R-39",
        _D + "panel:Panel.tick",
        returns(()),
        "what is missing is looked for though nothing comes",
    ),
    Sabotage("R-51", _D + "overload:_Overload.see", returns(()), "a thing that asks too much is found"),
)
