"""An H.323 phone outside: registers over TCP or TLS (H.460.17). Arguments: a JSON object, then what it does in order:

- `grq GATEKEEPER ALIAS…`, `rrq GATEKEEPER ALIAS…`, `setup CALLER CALLED`, `urq`, `facility`, `keep-alive`: sends that message;
  "-" is no gatekeeper. `+` between two of grq, rrq, urq: both in one frame. Behind "byte by byte ": in pieces of a byte;
- `information …`: as above, but in an INFORMATION; `body …`: as above, with the body of a FACILITY;
- `hex BYTES`: sends these;
- `answer`: waits for a frame; `close`: ends its side; `wait N`: does nothing for N tenths of a second.

The object has `to` (IP:PORT) and may have `from` (IP) and `tls`: {"root", "name"} and maybe {"certificate", "key"}; "name" may be null.
At the end it waits a moment whether the connection is closed, and says a JSON object: `sent`, `received` (hexadecimal), `answers` (kinds of
messages), `end`: "open", "closed", "reset", or why there is no connection.
"""
import json
import socket
import ssl
import sys
import time

import h225

PATIENCE = 40
# How long a connection has to stand after the last step to be called open.
MOMENT = 0.4


def ras(words):
    kind, *rest = words
    if kind == "urq":
        return h225.unregistration()
    gatekeeper, *aliases = rest
    make = {"grq": h225.discovery, "rrq": h225.registration}[kind]
    return make("" if gatekeeper == "-" else gatekeeper, aliases)


def message(step):
    kind, *rest = step.split(" ")
    if kind == "setup":
        return h225.setup(*rest)
    if kind == "facility":
        return h225.facility_of_a_call(0x1234)
    if kind == "keep-alive":
        return h225.KEEP_ALIVE
    if kind == "hex":
        return bytes.fromhex(rest[0])
    how = {}
    if kind == "information":
        step, how = " ".join(rest), {"kind": h225.INFORMATION}
    if kind == "body":
        fields = {"protocolIdentifier": h225.PROTOCOL, "reason": ("transportedInformation", 0)}
        step, how = " ".join(rest), {"body": ("facility", fields)}
    return h225.tunnelled([ras(one.split(" ")) for one in step.split(" + ")], **how)


def is_sent(step):
    return step.split(" ")[0] not in ("answer", "close", "wait")


class Phone:
    def __init__(self, told):
        host, port = told["to"].rsplit(":", 1)
        source = (told["from"], 0) if told.get("from") else None
        self.socket = socket.create_connection((host, int(port)), PATIENCE, source)
        # Pieces arrive as pieces.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls := told.get("tls"):
            context = ssl.create_default_context(cafile=tls["root"])
            context.check_hostname = bool(tls.get("name"))
            if tls.get("certificate"):
                context.load_cert_chain(tls["certificate"], tls["key"])
            self.socket = context.wrap_socket(self.socket, server_hostname=tls.get("name"))
        self.sent, self.received, self.ahead, self.answers = b"", b"", b"", []
        self.end = "open"

    def does(self, step, data):
        kind, _, rest = step.partition(" ")
        if kind == "answer":
            self.answer()
        elif kind == "close":
            self.socket.shutdown(socket.SHUT_WR)
        elif kind == "wait":
            time.sleep(int(rest) / 10)
        else:
            self.send(data, step.startswith("byte by byte "))

    def send(self, data, slow):
        self.sent += data
        pieces = [data[at:at + 1] for at in range(len(data))] if slow else [data]
        for piece in pieces:
            self.socket.sendall(piece)
            time.sleep(0.002 if slow else 0)

    def answer(self):
        self.socket.settimeout(PATIENCE)
        while self.end == "open":
            whole, self.ahead = h225.frames(self.ahead)
            if whole:
                self.answers += [kind for kind, _ in h225.understood(whole[0])[1]]
                self.ahead = b"".join(whole[1:]) + self.ahead
                return
            self.read()

    def read(self):
        piece = self.socket.recv(65536)
        self.received += piece
        self.ahead += piece
        if not piece:
            self.end = "closed"

    def rest(self):
        """Waits whether it is closed; a side that has ended waits for the other's end."""
        deadline = time.monotonic() + MOMENT
        while self.end == "open" and (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                self.read()
            except TimeoutError:
                return


def main():
    told, *steps = sys.argv[1:]
    # Made before there is a connection: the other side does not wait for ever.
    steps = [(step, message(step.removeprefix("byte by byte ")) if is_sent(step) else b"") for step in steps]
    try:
        phone = Phone(json.loads(told))
    except (OSError, ssl.SSLError) as error:
        print(json.dumps({"end": str(error), "sent": "", "received": "", "answers": []}))
        return
    try:
        for step, data in steps:
            phone.does(step, data)
        phone.rest()
    except (BrokenPipeError, ConnectionResetError):
        phone.end = "reset"
    except ssl.SSLError as error:
        phone.end = str(error)
    said = {"sent": phone.sent.hex(), "received": phone.received.hex(), "answers": phone.answers, "end": phone.end}
    print(json.dumps(said))


main()
