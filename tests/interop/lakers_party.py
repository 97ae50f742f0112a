"""One party of lakers (Rust), driven over standard input and output; runs in the peers' environment.

A request is one line of JSON, ``[function, arguments]``, byte strings in hex; the answer likewise.
"""

import json
import sys

import lakers

TRANSFER = {"value": lakers.CredentialTransfer.ByValue, "reference": lakers.CredentialTransfer.ByReference}


def plain(value):
    if isinstance(value, lakers.EADItem):
        return [value.label(), bytes(value.value()).hex()]
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


class Peer:
    """Names as in the protocol; the order of calls is the caller's."""

    def initiator(self, key, credential):
        self.key, self.credential = bytes.fromhex(key), lakers.Credential(bytes.fromhex(credential))
        self.party = lakers.EdhocInitiator()

    def responder(self, key, credential):
        self.party = lakers.EdhocResponder(bytes.fromhex(key), lakers.Credential(bytes.fromhex(credential)))

    def make_message_1(self, c_i):
        return self.party.prepare_message_1(c_i=bytes.fromhex(c_i))

    def read_message_1(self, message_1):
        return self.party.process_message_1(bytes.fromhex(message_1))

    def make_message_2(self, c_r, transfer):
        return self.party.prepare_message_2(TRANSFER[transfer], bytes.fromhex(c_r))

    def read_message_2(self, message_2, credential_r):
        c_r, id_cred_r, ead_2 = self.party.parse_message_2(bytes.fromhex(message_2))
        known = lakers.Credential(bytes.fromhex(credential_r))
        found = lakers.credential_check_or_fetch(id_cred_r, known)
        self.party.verify_message_2(self.key, self.credential, found)
        return [c_r, ead_2]

    def make_message_3(self, transfer, label, value):
        ead = [lakers.EADItem(label, False, bytes.fromhex(value))] if value else []
        return self.party.prepare_message_3(TRANSFER[transfer], ead)[0]

    def read_message_3(self, message_3, credential_i):
        id_cred_i, ead_3 = self.party.parse_message_3(bytes.fromhex(message_3))
        known = lakers.Credential(bytes.fromhex(credential_i))
        self.party.verify_message_3(lakers.credential_check_or_fetch(id_cred_i, known))
        return [id_cred_i, ead_3]

    def make_message_4(self):
        return self.party.prepare_message_4()

    def read_message_4(self, message_4):
        return self.party.process_message_4(bytes.fromhex(message_4))

    def export(self, label, context, size):
        return bytes(self.party.edhoc_exporter(label, bytes.fromhex(context), size))


peer = Peer()
for line in sys.stdin:
    name, arguments = json.loads(line)
    try:
        answer = ["ok", plain(getattr(peer, name)(*arguments))]
    except ValueError as error:
        answer = ["refused", str(error)]
    print(json.dumps(answer), flush=True)
