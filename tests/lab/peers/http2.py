"""HTTP/2 client that says what a test wants, byte for byte. Arguments: IP:PORT NAME ROOTS.

Runs every case of http2_cases.py, each on a connection of its own, and prints a line for each: "ok SECTION
NAME", "WRONG SECTION NAME: what was wanted and what was seen", or "known SECTION NAME: why" for one that is on
the list of what is known to be otherwise. One of that list that has become right is WRONG as well: it does not
belong there any more. Ends with 0 if nothing is WRONG.
"""
import concurrent.futures
import socket
import ssl
import struct
import sys
import time

import hpack
from hyperframe.frame import Frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITISED = 0x1, 0x1, 0x4, 0x8, 0x20

# How long something that must come may take: a limit for a hung server, no measure of speed.
PATIENCE = 8
# How long nothing may come where nothing should.
SILENCE = 0.3
# How many cases run at once, and sections whose cases run alone: they may use up what one address may have.
AT_ONCE = 8
ALONE = ("5.1.2", "10.5")


def frame(kind, flags, stream, payload=b"", length=None):
    """A frame (RFC 9113 section 4.1); `length` lies about its length."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


class Step:
    """Something to do between two writes."""

    def __init__(self, what, do):
        self.what, self.do = what, do


class Connection:
    """One TLS connection, and everything that came over it."""

    def __init__(self, address, name, roots):
        host, port = address.rsplit(":", 1)
        context = ssl.create_default_context(cafile=roots)
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection((host, int(port)), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = context.wrap_socket(plain, server_hostname=name)
        if self.tls.selected_alpn_protocol() != "h2":
            raise ConnectionError("the server does not speak h2")
        self.ahead = b""
        self.decoder = hpack.Decoder()
        self.block = b""
        self.first = None
        self.settings = {}
        self.acks = 0
        self.pongs = []
        self.status = {}
        self.data = {}
        self.ended = set()
        self.reset = {}
        self.goaway = None
        self.closed = False
        self.answers_settings = True

    def send(self, data):
        try:
            self.tls.settimeout(PATIENCE)
            self.tls.sendall(data)
        except (OSError, ssl.SSLError):
            # What it said before it closed is still to be read.
            pass

    def read(self, until):
        """Takes what comes until the time `until`, or until something came."""
        if self.closed:
            return False
        self.tls.settimeout(max(until - time.monotonic(), 0.01))
        try:
            more = self.tls.recv(65536)
        except TimeoutError:
            return False
        except (OSError, ssl.SSLError):
            more = b""
        if not more:
            self.closed = True
            return True
        self.ahead += more
        while len(self.ahead) >= 9:
            length = int.from_bytes(self.ahead[:3], "big")
            if len(self.ahead) < 9 + length:
                break
            one, self.ahead = self.ahead[: 9 + length], self.ahead[9 + length :]
            self.take(one)
        return True

    def wait(self, done, patience=PATIENCE):
        until = time.monotonic() + patience
        while not done(self) and time.monotonic() < until and not self.closed:
            self.read(until)
        return done(self)

    def take(self, data):
        kind, flags = data[3], data[4]
        if self.first is None:
            self.first = kind
        if kind > CONTINUATION:
            return
        parsed, _ = Frame.parse_frame_header(memoryview(data[:9]))
        parsed.parse_body(memoryview(data[9:]))
        stream = parsed.stream_id
        if kind in (HEADERS, CONTINUATION):
            self.block += parsed.data
            if flags & END_HEADERS:
                fields = self.decoder.decode(self.block)
                self.block = b""
                for name, value in fields:
                    if name == ":status":
                        self.status[stream] = int(value)
        elif kind == DATA:
            self.data[stream] = self.data.get(stream, b"") + parsed.data
        elif kind == RST_STREAM:
            self.reset[stream] = parsed.error_code
        elif kind == GOAWAY:
            self.goaway = max(parsed.error_code, self.goaway or 0)
        elif kind == PING and flags & ACK:
            self.pongs.append(parsed.opaque_data)
        elif kind == SETTINGS and flags & ACK:
            self.acks += 1
        elif kind == SETTINGS:
            self.settings.update(parsed.settings)
            if self.answers_settings:
                self.send(frame(SETTINGS, ACK, 0))
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.ended.add(stream)

    def __str__(self):
        seen = [f"stream {at}: {status}" for at, status in self.status.items()]
        seen += [f"stream {at}: {len(data)} bytes" for at, data in self.data.items()]
        seen += [f"stream {at}: reset {code}" for at, code in self.reset.items()]
        seen += [f"GOAWAY {self.goaway}"] if self.goaway is not None else []
        seen += ["closed"] if self.closed else []
        return ", ".join(seen) or "nothing"


# What must come back. Each is a pair: words, and a function that waits and says whether it came.


def answer(stream, status=200, body=None):
    """A whole response."""

    def came(connection):
        connection.wait(lambda seen: stream in seen.ended or stream in seen.reset)
        right = connection.status.get(stream) == status and stream in connection.ended
        return right and (body is None or connection.data.get(stream, b"") == body)

    return (f"{status} on stream {stream}", came)


def failed(*codes):
    """A connection error: GOAWAY with one of the codes, or none, and the connection is closed
    (RFC 9113 section 5.4.1). PROTOCOL_ERROR does where a more specific code is wanted (section 7)."""

    def came(connection):
        connection.wait(lambda seen: seen.closed)
        return connection.closed and connection.goaway in (None, 1, *codes)

    return (f"GOAWAY {codes} and the end", came)


def reset(stream, *codes):
    """A stream error, or the same as a connection error (RFC 9113 section 5.4)."""

    def came(connection):
        connection.wait(lambda seen: stream in seen.reset or seen.goaway or seen.closed)
        if stream in connection.reset:
            return connection.reset[stream] in codes
        return failed(*codes)[1](connection)

    return (f"RST_STREAM {codes} on stream {stream}", came)


def malformed(stream):
    """A stream error, or an answer that says whose fault it is (RFC 9113 section 8.1.1)."""

    def came(connection):
        connection.wait(lambda seen: stream in seen.ended or stream in seen.reset or seen.closed)
        if stream in connection.status:
            return 400 <= connection.status[stream] < 500 or connection.status[stream] == 501
        return reset(stream, 1)[1](connection)

    return (f"a refusal on stream {stream}", came)


def either(*wanted):
    """One of them."""

    def came(connection):
        return any(came(connection) for _, came in wanted)

    return (" or ".join(words for words, _ in wanted), came)


def pong(payload):
    return (f"a PING back with {payload}", lambda connection: connection.wait(lambda seen: payload in seen.pongs))


def acknowledged(count):
    return (f"{count} SETTINGS acknowledged", lambda connection: connection.wait(lambda seen: seen.acks >= count))


def announced(what, done):
    return (what, lambda connection: connection.wait(lambda seen: seen.first is not None) and done(connection))


# What is done between two writes.


def until_status(stream):
    """Waits for the head of a response."""
    return Step("a head", lambda connection: connection.wait(lambda seen: stream in seen.status))


def until_end(stream):
    """Waits for the end of a response."""
    return Step("an end", lambda connection: connection.wait(lambda seen: stream in seen.ended))


def until_settings():
    """Waits for the server's settings and its acknowledgement of ours."""
    return Step("settings", lambda connection: connection.wait(lambda seen: seen.acks > 0 and seen.first is not None))


def exactly(stream, count):
    """Waits for so many bytes of body, and that no more come for a while."""

    def came(connection):
        def had(seen):
            return len(seen.data.get(stream, b""))

        connection.wait(lambda seen: had(seen) >= count)
        until = time.monotonic() + SILENCE
        while time.monotonic() < until:
            connection.read(until)
        return had(connection) == count

    return Step(f"exactly {count} bytes on stream {stream}", came)


def computed(make):
    """Writes what `make` makes of the connection as it is."""

    def do(connection):
        connection.send(make(connection))
        return True

    return Step("a write", do)


def run(case, target):
    """None where the case goes as it must, or else what went wrong."""
    _, _, steps, (wanted, came) = case
    try:
        connection = Connection(*target)
    except OSError as error:
        return f"no connection: {error}"
    try:
        for step in steps:
            if isinstance(step, bytes):
                connection.send(step)
            elif not step.do(connection):
                return f"wanted {step.what}, saw {connection}"
        if not came(connection):
            return f"wanted {wanted}, saw {connection}"
        return None
    except Exception as error:  # whatever a server sends that is no HTTP/2
        return f"wanted {wanted}, saw {connection}, then {error!r}"
    finally:
        connection.tls.close()


def said(case, outcome, known):
    """The line of a case."""
    section, name = case[:2]
    if outcome is None:
        return f"WRONG {section} {name}: it is right, but on the list" if name in known else f"ok {section} {name}"
    return f"known {section} {name}: {known[name]}" if name in known else f"WRONG {section} {name}: {outcome}"


def main():
    from http2_cases import CASES, KNOWN

    target = sys.argv[1:4]
    together = [case for case in CASES if case[0] not in ALONE]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(zip(together, pool.map(lambda case: run(case, target), together)))
    outcomes += [(case, run(case, target)) for case in CASES if case[0] in ALONE]
    lines = [said(case, outcome, KNOWN) for case, outcome in outcomes]
    print("\n".join(lines))
    sys.exit(any(line.startswith("WRONG") for line in lines))


if __name__ == "__main__":
    main()
