"""What kind of device something is, guessed from what it says and does, with how sure that is and why.

Each row of the table is a hint with a weight, and hints add up as chances do: two of a half make three quarters. The
weights are ours and no measured chances; what they come to on real devices is a figure of the tests.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from thingstead.analysis.traffic.clue import Clue, Source

__all__ = ["Guess", "guess"]

_MOST_REASONS = 4
_TCP, _UDP = 6, 17


@dataclass(frozen=True, slots=True)
class Guess:
    """A kind of device.

    Attributes:
        kind: one word or two; empty where nothing speaks for any.
        confidence: 0 to 1.
        because: what spoke for it, the weightiest first.
    """

    kind: str
    confidence: float
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Hint:
    """A word in what is said.

    Attributes:
        kind: for which it speaks.
        weight: 0 to 1.
        sources: any of them.
        pattern: somewhere in the text.
    """

    kind: str
    weight: float
    sources: frozenset[Source]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Spoke:
    weight: float
    reason: str


def guess(clues: Iterable[Clue], services: Iterable[tuple[int, int]]) -> Guess:
    """The likeliest kind.

    Args:
        clues: what the device said.
        services: protocol and port at which it answered.
    """
    found: defaultdict[str, dict[object, _Spoke]] = defaultdict(dict)
    for clue in sorted(clues, key=lambda one: (one.source, one.text)):
        for hint in _spoken(clue):
            # Many names of one cloud are one hint: a row counts once.
            found[hint.kind].setdefault(hint.pattern, _Spoke(hint.weight, f"{clue.source.value}: {clue.text}"))
    for service in sorted(set(services) & _PORTS.keys()):
        kind, weight = _PORTS[service]
        name = "TCP" if service[0] == _TCP else "UDP"
        found[kind][service] = _Spoke(weight, f"answers at {name} port {service[1]}")
    if not found:
        return Guess("", 0.0, ())
    chances = {kind: 1.0 - prod(1.0 - one.weight for one in rows.values()) for kind, rows in found.items()}
    best = max(sorted(chances), key=chances.__getitem__)
    # What speaks for another kind speaks against this one, half as loud.
    doubt = prod(1.0 - chance / 2 for kind, chance in chances.items() if kind != best)
    rows = sorted(found[best].values(), key=lambda one: -one.weight)
    return Guess(best, round(chances[best] * doubt, 2), tuple([one.reason for one in rows[:_MOST_REASONS]]))


def _spoken(clue: Clue) -> Iterator[_Hint]:
    for hint in _HINTS:
        if clue.source in hint.sources and hint.pattern.search(clue.text):
            yield hint


_SELF = frozenset(
    {
        Source.DHCP_NAME,
        Source.LOCAL_NAME,
        Source.UPNP_TYPE,
        Source.UPNP_NAME,
        Source.UPNP_PATH,
        Source.UPNP_SERVER,
    }
)
_SERVICE = frozenset({Source.SERVICE})
_CLOUD = frozenset({Source.ASKED_NAME, Source.TLS_NAME})
_MAKER = frozenset({Source.INTERFACE})
_AGENT = frozenset({Source.HTTP_AGENT, Source.DHCP_CLASS})


def _hint(kind: str, weight: float, sources: frozenset[Source], pattern: str) -> _Hint:
    return _Hint(kind, weight, sources, re.compile(pattern, re.IGNORECASE))


_HINTS = (
    _hint("camera", 0.8, _SELF, r"camera|ipcam|\bcam[-_ ]|netcam|\bdcs-?\d|smartcam|doorbell"),
    _hint("camera", 0.8, _SERVICE, r"_rtsp\.|_onvif|_axis-video|_psia"),
    _hint("camera", 0.5, _CLOUD, r"ipcam|camera|mydlink|hik-?connect|dropcam|arlo|wyze|ezviz|reolink"),
    _hint("smart plug", 0.8, _SELF, r"\bhs1\d\d\b|\bhs1\d\d\(|smart-?plug|\bplug[-_ 0-9]|insight|socket|belkin:device"),
    _hint("smart plug", 0.5, _CLOUD, r"tplinkcloud|tplinkra|xbcs\.net|myedimax|meross"),
    _hint("light", 0.8, _SELF, r"\blight|lifx|bulb|\blamp|hue[-_ ]|lightify|\bled[-_ ]|nanoleaf"),
    _hint("light", 0.8, _SERVICE, r"_hue\.|_elg\.|_lifx|_nanoleaf"),
    _hint("light", 0.5, _CLOUD, r"meethue|lifx|lightify|arrayent"),
    _hint("hub", 0.6, _SELF, r"gateway|\bhub\b|bridge|\bkeq\d|smartthings|homematic|\blightify-"),
    _hint("hub", 0.6, _CLOUD, r"homematic|smartthings|max-?portal|deconz"),
    _hint("scale", 0.7, _CLOUD, r"fitbit|withings|garmin|blipcare"),
    _hint("scale", 0.5, _SELF, r"gainspan|\baria\b|scale"),
    _hint("kitchen appliance", 0.8, _SELF, r"kettle|coffee|smarter|oven|fridge|dishwasher"),
    _hint(
        "single board or microcontroller", 0.5, _SELF, r"\Aesp[-_]?[0-9a-f]{6}|arduino|tasmota|shelly|raspberry|\besp32"
    ),
    _hint("thermostat", 0.8, _SELF, r"thermostat|ecobee|tado|netatmo|nest[-_ ]"),
    _hint("thermostat", 0.5, _CLOUD, r"ecobee|tado|netatmo|\bnest\.com"),
    _hint("voice assistant", 0.7, _CLOUD, r"avs-alexa|device-metrics-us\.amazon|bob-dispatch|\balexa\."),
    _hint("media player", 0.8, _SERVICE, r"_googlecast|_airplay|_raop|_spotify|_sonos|_roku"),
    _hint("media player", 0.7, _SELF, r"chromecast|roku|sonos|mediarenderer|\btv\b|appletv|fire-?tv"),
    _hint("printer", 0.9, _SERVICE, r"_ipps?\.|_printer\.|_pdl-datastream|_scanner\."),
    _hint("printer", 0.8, _SELF, r"printer|\bhp[0-9a-f]{6}|\bbrw?[0-9a-f]{12}|epson|officejet|laserjet"),
    _hint("phone or computer", 0.7, _CLOUD, r"android\.clients|mtalk|gstatic|push\.apple|windowsupdate|captive\.apple"),
    _hint("phone or computer", 0.7, _SELF, r"iphone|ipad|android-|galaxy|macbook|desktop-|laptop|-pc\b|pixel"),
    _hint("phone or computer", 0.6, _AGENT, r"mozilla/|dalvik|msft 5|android-dhcp|cfnetwork"),
    _hint("router", 0.8, _SELF, r"internetgatewaydevice|wandevice|openwrt|fritz!?box|\brouter"),
    _hint("network storage", 0.8, _SERVICE, r"_smb\.|_afpovertcp|_nfs\.|_adisk"),
    # Who makes one kind of device makes its interface too; of who makes many kinds, or radios, nothing follows.
    _hint("camera", 0.4, _MAKER, r"\baxis communications|hikvision|dahua|reolink|arlo tech|\bring llc|mobotix|amcrest"),
    _hint("light", 0.4, _MAKER, r"\blifx|signify|philips lighting|\bosram|ledvance|nanoleaf"),
    _hint("hub", 0.4, _MAKER, r"\beq-3|smartthings|ubisys|dresden elektronik|athom"),
    _hint("thermostat", 0.4, _MAKER, r"\becobee|\btado|\bnetatmo|\bnest labs"),
    _hint("scale", 0.4, _MAKER, r"\bwithings|\bfitbit"),
    _hint("media player", 0.4, _MAKER, r"\bsonos|\broku\b|\bbose\b|denon|bang ?& ?olufsen"),
    _hint("printer", 0.4, _MAKER, r"\bbrother ind|lexmark|\bkyocera|seiko epson|\bxerox|\bricoh"),
    _hint("network storage", 0.4, _MAKER, r"synology|\bqnap"),
    _hint("industrial controller", 0.4, _MAKER, r"beckhoff|\bwago\b|phoenix contact|rockwell auto|schneider electric"),
    _hint("single board or microcontroller", 0.2, _MAKER, r"espressif|raspberry|arduino"),
    _hint("smart home accessory", 0.6, _SERVICE, r"_hap\.|_matter\.|_matterc\.|_coap\.|_ewelink"),
)
_PORTS: dict[tuple[int, int], tuple[str, float]] = {
    (_TCP, 554): ("camera", 0.7),
    (_TCP, 8554): ("camera", 0.6),
    (_TCP, 631): ("printer", 0.6),
    (_TCP, 9100): ("printer", 0.7),
    (_TCP, 9999): ("smart plug", 0.5),
    (_TCP, 49153): ("smart plug", 0.3),
    (_TCP, 62910): ("hub", 0.6),
    (_TCP, 8009): ("media player", 0.6),
    (_TCP, 445): ("network storage", 0.4),
    (_TCP, 502): ("industrial controller", 0.8),
    (_TCP, 102): ("industrial controller", 0.7),
    (_TCP, 20000): ("industrial controller", 0.7),
    (_UDP, 47808): ("industrial controller", 0.7),
    (_UDP, 5683): ("smart home accessory", 0.5),
    (_UDP, 56700): ("light", 0.8),
    (_UDP, 9999): ("smart plug", 0.5),
}
