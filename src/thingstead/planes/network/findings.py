"""What the network plane shows for threats, challenges and requirements: its controls, and what they leave open."""

from __future__ import annotations

__all__ = ["CONTROLS", "LEARNED"]

LEARNED = "R-81"
"""Is shown by a file that was learned, and by no other."""

CONTROLS = {
    "T10": (
        "a thing reaches only what its maker's signed file names, decided by the kernel",
        "whatever the file allows can be misused; the file is only as good as its maker",
    ),
    "T11": (
        "a thing opens no flow that its file does not name, and sends no more than its bound, whatever allows it",
        "a flood below the bound, inside an allowed flow, and jamming, are not stopped here",
    ),
    "C5.6": (
        "MUD files fetched, verified, compiled and enforced; packets outside them raise an alarm (RFC 8520)",
        "inside the allowed flows only what detectors know is found, and little of it where content is encrypted",
    ),
    "C5.11": (
        "each packet of a thing is counted, and each that no rule allows is refused and told",
        "encrypted content is not seen, and an encrypted name look-up hides a name",
    ),
    "R-09": (
        "every packet of a retired thing's interface is dropped, established flows included",
        "a thing that moves to an interface that is not ours is not met",
    ),
    "R-34": (
        "an address is bound to one interface and one thing; another's packets, ARP and discovery from it are dropped",
        "who copies both address and interface number is told apart by the port alone, and that only with hold_ports",
    ),
    "R-70": (
        "a thing that verifies no release itself reaches its controller and its like, whatever its file says",
        "what is behind the controller's own proxy, and radio that passes no gateway, are not seen here",
    ),
    "R-85": (
        "what the rules of all things open together is searched for paths, and the weakest is named",
        "what a thing is known to suffer from is weighed; what nobody knows of, and radio between things, is not",
    ),
    "R-80": (
        "MUD to kernel filters, both directions, DNS names for their lifetime, alarm on deviation",
        "an unsigned file is believed where the owner's policy says so",
    ),
    LEARNED: (
        "a device without a file is told in sentences, whom it talks to and how much, and goes by one that was learned",
        "what an encrypted look-up hides has no name; what was taken over before it was watched is learned with it",
    ),
}
"""Question -> control and what remains."""
