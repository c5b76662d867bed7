"""What an HTTP/2 server has to do, as a table: section, name, what is sent, what must come back.

Sections without a name are of RFC 9113; those of others are named. A path that begins with /never is of a
request that must not reach a target. The server stands before a target that answers every path with 200,
those that begin with /ws only once it has the whole body, and serves 300 000 bytes at /files/large, and
slowly at /slow/large.
"""
from http2 import *  # noqa: F403 the words of the table

NAME = "apps.dvl-ckl2.net"
# Another host whose name the same certificate has, and a path of it.
OTHER, OTHER_PATH = "hq.dvl-ckl2.net", "/PBX0/APPS"
LARGE = 300_000
BIGGEST = 2**31 - 1
NO_ERROR, PROTOCOL, INTERNAL, FLOW, _, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
CALM = 11
TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, MAX_LIST, _, CONNECT_PROTOCOL = range(1, 9)


# Words of the table.


def integer(value, bits, first=0):
    """RFC 7541 section 5.1."""
    most = 2**bits - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])


def text(value):
    value = value.encode("latin-1")
    return integer(len(value), 7) + value


def field(name, value):
    """Literal, never indexed, no Huffman code: says what it says (RFC 7541 section 6.2.3)."""
    return b"\x10" + text(name) + text(value)


def block(*fields):
    return b"".join(field(*pair) for pair in fields)


def pseudo(path, method="GET"):
    return [(":method", method), (":scheme", "https"), (":authority", NAME), (":path", path)]


def without(name, path="/never"):
    return [pair for pair in pseudo(path) if pair[0] != name]


def replaced(name, value, path="/never"):
    return [(key, value if key == name else old) for key, old in pseudo(path)]


def get(stream, path="/", more=(), flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, flags, stream, block(*pseudo(path), *more))


def post(stream, path="/", more=(), flags=END_HEADERS):
    return frame(HEADERS, flags, stream, block(*pseudo(path, "POST"), *more))


def asks(*fields, stream=1):
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, block(*fields))


def rst(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def window(stream, count):
    return frame(WINDOW_UPDATE, 0, stream, count.to_bytes(4, "big"))


def ping(payload=b"12345678"):
    return frame(PING, 0, 0, payload)


def pieces(stream, data, count):
    """A header block in so many frames."""
    size = -(-len(data) // count)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    out = frame(HEADERS, END_STREAM, stream, parts[0])
    for part in parts[1:-1]:
        out += frame(CONTINUATION, 0, stream, part)
    return out + frame(CONTINUATION, END_HEADERS, stream, parts[-1])


OPEN = PREFACE + settings()
# A request whose header block is not at its end.
HALF = frame(HEADERS, END_STREAM, 1, block(*pseudo("/never")))
DONE = [OPEN, get(1), until_end(1)]
GONE = [OPEN + post(1, "/ws-gone"), rst(1)]


def bad(*fields, more=()):
    """A malformed request, after which the connection is good for another."""
    return [OPEN + asks(*fields, *more)]


def extra(*fields):
    return [OPEN + get(1, "/never", fields)]


def many(make, count, then=b""):
    return OPEN + b"".join(make(number) for number in range(count)) + then


MASK = b"\x37\xfa\x21\x3d"


def socket(stream, path="/ws"):
    """The handshake of a WebSocket (RFC 8441 section 5)."""
    fields = [*replaced(":method", "CONNECT", path), (":protocol", "websocket"), ("sec-websocket-version", "13"),
              ("origin", "https://" + NAME)]
    return frame(HEADERS, END_HEADERS, stream, block(*fields))


def words(data):
    """A masked text frame (RFC 6455 section 5.2)."""
    masked = bytes(byte ^ MASK[at % 4] for at, byte in enumerate(data))
    return bytes([0x81, 0x80 | len(data)]) + MASK + masked


def echoed(stream, data):
    """The answer 200, and the frame back, unmasked."""
    back = bytes([0x81, len(data)]) + data

    def came(seen):
        return seen.wait(lambda all: all.data.get(stream) == back) and seen.status[stream] == 200

    return (f"{data} back on stream {stream}", came)


def both(one, other):
    return (f"{one[0]} and {other[0]}", lambda seen: one[1](seen) and other[1](seen))


def too_many(connection):
    """One stream more than may be open."""
    count = connection.settings.get(MAX_STREAMS, 100)
    return b"".join(post(1 + 2 * number, "/ws-open") for number in range(count + 1))


# Names of cases that are known to go otherwise, with the reason.
KNOWN = {
    # The h2 crate checks that a preface was sent, but not that SETTINGS come before all other frames.
    "HEADERS before SETTINGS": "the h2 crate takes them",
    "PING before SETTINGS": "the h2 crate answers it",
    # It cuts a fragment off the path before anybody can see it; neither rules nor targets do.
    ":path with a fragment": "the h2 crate cuts it off",
}

CASES = [
    # --- starting ---
    ("3.4", "the server begins with SETTINGS", [OPEN],
     announced("SETTINGS first", lambda seen: seen.first == SETTINGS)),
    ("3.4", "the preface and a request may come at once", [OPEN + get(1, "/a")], answer(1)),
    ("3.4", "the preface may come byte by byte",
     [bytes([byte]) for byte in PREFACE] + [settings() + get(1)], answer(1)),
    ("3.4", "a wrong preface", [b"INVALID CONNECTION PREFACE\r\n\r\n"], failed(PROTOCOL)),
    ("3.4", "HTTP/1.1 instead of a preface", [b"GET /never HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\n\r\n"],
     failed(PROTOCOL)),
    ("3.4", "half a preface, then something else", [PREFACE[:18] + b"XX\r\n\r\n"], failed(PROTOCOL)),
    ("3.4", "HEADERS before SETTINGS", [PREFACE + get(1, "/early")], failed(PROTOCOL)),
    ("3.4", "PING before SETTINGS", [PREFACE + ping()], failed(PROTOCOL)),
    # --- frames ---
    ("4.1", "an unknown frame type is ignored", [OPEN + frame(0x16, 0, 0, b"what") + ping()], pong(b"12345678")),
    ("4.1", "an unknown frame type on a stream is ignored",
     [OPEN + post(1) + frame(0xF0, 0xFF, 1, b"x" * 100) + frame(DATA, END_STREAM, 1, b"a")], answer(1)),
    ("4.1", "unknown flags of PING are ignored", [OPEN + frame(PING, 0xFE, 0, b"abcdefgh")], pong(b"abcdefgh")),
    ("4.1", "unknown flags of HEADERS are ignored", [OPEN + get(1, flags=END_STREAM | END_HEADERS | 0xD2 & ~0x28)],
     answer(1)),
    ("4.1", "the reserved bit of a stream's number is ignored",
     [OPEN + frame(HEADERS, 5, 0x8000_0001, block(*pseudo("/")))], answer(1)),
    ("4.1", "the reserved bit of a PING's stream is ignored", [OPEN + frame(PING, 0, 0x8000_0000, b"12345678")],
     pong(b"12345678")),
    ("4.2", "DATA of the largest size", [OPEN + post(1) + frame(DATA, END_STREAM, 1, b"x" * 16384)], answer(1)),
    ("4.2", "DATA above the largest size", [OPEN + post(1, "/ws-cut") + frame(DATA, END_STREAM, 1, b"x" * 16385)],
     reset(1, FRAME_SIZE)),
    ("4.2", "HEADERS above the largest size",
     [OPEN + get(1, "/never", [("x", "x" * 16384)])], failed(FRAME_SIZE)),
    ("4.2", "SETTINGS above the largest size", [OPEN + frame(SETTINGS, 0, 0, bytes(16386))], failed(FRAME_SIZE)),
    ("4.2", "an unknown frame type above the largest size",
     [OPEN + frame(0x16, 0, 0, b"x" * 16385)], failed(FRAME_SIZE)),
    ("4.3", "HEADERS without an end, then PRIORITY", [OPEN + HALF + frame(PRIORITY, 0, 1, bytes(4) + b"\x10")],
     failed(PROTOCOL)),
    ("4.3", "HEADERS without an end, then DATA", [OPEN + HALF + frame(DATA, 1, 1, b"a")], failed(PROTOCOL)),
    ("4.3", "HEADERS without an end, then PING", [OPEN + HALF + ping()], failed(PROTOCOL)),
    ("4.3", "HEADERS without an end, then SETTINGS", [OPEN + HALF + settings()], failed(PROTOCOL)),
    ("4.3", "HEADERS without an end, then WINDOW_UPDATE", [OPEN + HALF + window(0, 1)], failed(PROTOCOL)),
    ("4.3", "HEADERS without an end, then RST_STREAM", [OPEN + HALF + rst(1)], failed(PROTOCOL)),
    ("4.3", "HEADERS without an end, then HEADERS of another stream", [OPEN + HALF + get(3, "/never")],
     failed(PROTOCOL)),
    ("4.3", "HEADERS without an end, then CONTINUATION of another stream",
     [OPEN + HALF + frame(CONTINUATION, END_HEADERS, 3, field("x", "y"))], failed(PROTOCOL)),
    ("4.3", "HEADERS without an end, then an unknown frame type", [OPEN + HALF + frame(0x16, 0, 1)],
     failed(PROTOCOL)),
    ("4.3", "a header block in two frames", [OPEN + pieces(1, block(*pseudo("/")), 2)], answer(1)),
    ("4.3", "a header block in five frames", [OPEN + pieces(1, block(*pseudo("/")), 5)], answer(1)),
    ("4.3", "a header block that goes on with an empty CONTINUATION",
     [OPEN + frame(HEADERS, END_STREAM, 1, block(*pseudo("/"))) + frame(CONTINUATION, END_HEADERS, 1)], answer(1)),
    # --- states of a stream ---
    ("5.1", "idle: DATA", [OPEN + frame(DATA, END_STREAM, 1, b"a")], failed(PROTOCOL, STREAM_CLOSED)),
    ("5.1", "idle: RST_STREAM", [OPEN + rst(1)], failed(PROTOCOL)),
    ("5.1", "idle: WINDOW_UPDATE", [OPEN + window(1, 100)], failed(PROTOCOL)),
    ("5.1", "idle: CONTINUATION", [OPEN + frame(CONTINUATION, END_HEADERS, 1, block(*pseudo("/never")))],
     failed(PROTOCOL)),
    ("5.1", "idle: PRIORITY is allowed", [OPEN + frame(PRIORITY, 0, 5, bytes(4) + b"\x10") + get(7)], answer(7)),
    ("5.1", "half closed: DATA", [OPEN + get(1, "/slow/large"), until_status(1), frame(DATA, END_STREAM, 1, b"a")],
     reset(1, STREAM_CLOSED)),
    ("5.1", "half closed: HEADERS", [OPEN + get(1, "/slow/large"), until_status(1), get(1, "/never")],
     reset(1, STREAM_CLOSED, PROTOCOL)),
    ("5.1", "half closed: CONTINUATION",
     [OPEN + get(1, "/slow/large"), until_status(1), frame(CONTINUATION, END_HEADERS, 1, field("x", "y"))],
     failed(PROTOCOL, STREAM_CLOSED)),
    ("5.1", "half closed: WINDOW_UPDATE and PRIORITY are allowed",
     [OPEN + get(1) + window(1, 5) + frame(PRIORITY, 0, 1, bytes(4) + b"\x10")], answer(1)),
    ("5.1", "half closed: RST_STREAM is allowed",
     [OPEN + get(1, "/slow/large"), until_status(1), rst(1) + get(3)], answer(3)),
    ("5.1", "closed by RST_STREAM: DATA", [*GONE, frame(DATA, END_STREAM, 1, b"a")], reset(1, STREAM_CLOSED)),
    ("5.1", "closed by RST_STREAM: HEADERS", [*GONE, get(1, "/never")], reset(1, STREAM_CLOSED, PROTOCOL)),
    ("5.1", "closed by RST_STREAM: CONTINUATION",
     [*GONE, frame(CONTINUATION, END_HEADERS, 1, field("x", "y"))], failed(PROTOCOL, STREAM_CLOSED)),
    ("5.1", "closed: DATA", [*DONE, frame(DATA, END_STREAM, 1, b"a")], reset(1, STREAM_CLOSED)),
    ("5.1", "closed: HEADERS", [*DONE, get(1, "/never")], reset(1, STREAM_CLOSED, PROTOCOL)),
    ("5.1", "closed: CONTINUATION", [*DONE, frame(CONTINUATION, END_HEADERS, 1, field("x", "y"))],
     failed(PROTOCOL, STREAM_CLOSED)),
    ("5.1", "closed: WINDOW_UPDATE, RST_STREAM and PRIORITY are allowed",
     [*DONE, window(1, 5) + rst(1) + frame(PRIORITY, 0, 1, bytes(4) + b"\x10") + get(3)], answer(3)),
    ("5.1.1", "a stream with an even number", [OPEN + get(2, "/never")], failed(PROTOCOL)),
    ("5.1.1", "a stream with a lower number than one before", [OPEN + get(5), until_end(5), get(3, "/never")],
     failed(PROTOCOL, STREAM_CLOSED)),
    ("5.1.1", "numbers may be left out", [OPEN + get(1) + get(7) + get(101)], answer(101)),
    ("5.1.2", "one stream more than may be open", [OPEN, until_settings(), computed(too_many)],
     either(failed(PROTOCOL, REFUSED, CALM),
            ("a stream refused", lambda seen: seen.wait(lambda all: set(all.reset.values()) & {PROTOCOL, REFUSED})))),
    ("5.3.1", "HEADERS that depend on their own stream",
     [OPEN + frame(HEADERS, 0x25, 1, b"\0\0\0\1\x10" + block(*pseudo("/")))],
     either(answer(1), reset(1, PROTOCOL))),
    ("5.3.1", "PRIORITY that depends on its own stream",
     [OPEN + frame(PRIORITY, 0, 1, b"\0\0\0\1\x10") + ping()], either(pong(b"12345678"), failed(PROTOCOL))),
    ("5.4.1", "a connection error ends the connection, whatever follows",
     [OPEN + frame(PING, 0, 0, b"short") + get(1, "/never-after")], failed(FRAME_SIZE)),
    ("5.4.2", "a stream error leaves the others alone",
     [OPEN + get(1, "/slow/large"), until_status(1), window(1, BIGGEST) + get(3)],
     both(reset(1, FLOW), answer(3))),
    ("5.5", "an extension's frames between others are ignored",
     [OPEN + frame(0xB, 0, 0, b"x" * 8) + get(1) + frame(0x10, 0, 0, b"\0\0\0\1u=1")], answer(1)),
    # --- DATA ---
    ("6.1", "DATA on stream 0", [OPEN + post(1, "/ws-cut") + frame(DATA, 0, 0, b"a")], failed(PROTOCOL)),
    ("6.1", "padding is taken off", [OPEN + post(1, more=[("content-length", "3")])
                                     + frame(DATA, END_STREAM | PADDED, 1, b"\5abc" + bytes(5))], answer(1)),
    ("6.1", "padding of no length", [OPEN + post(1) + frame(DATA, END_STREAM | PADDED, 1, b"\0abc")], answer(1)),
    ("6.1", "nothing but padding", [OPEN + post(1) + frame(DATA, END_STREAM | PADDED, 1, b"\5" + bytes(5))],
     answer(1)),
    ("6.1", "padding as long as the frame", [OPEN + post(1, "/ws-cut") + frame(DATA, END_STREAM | PADDED, 1, b"\4abc")],
     failed(PROTOCOL)),
    ("6.1", "padding longer than the frame",
     [OPEN + post(1, "/ws-cut") + frame(DATA, END_STREAM | PADDED, 1, b"\xffabc")], failed(PROTOCOL)),
    ("6.1", "padding without its length", [OPEN + post(1, "/ws-cut") + frame(DATA, END_STREAM | PADDED, 1)],
     failed(PROTOCOL, FRAME_SIZE)),
    ("6.1", "an empty DATA may end a request", [OPEN + post(1) + frame(DATA, END_STREAM, 1)], answer(1)),
    # --- HEADERS ---
    ("6.2", "HEADERS on stream 0", [OPEN + get(0, "/never")], failed(PROTOCOL)),
    ("6.2", "padding and priority are taken off",
     [OPEN + frame(HEADERS, 0x2D, 1, b"\3\0\0\0\0\xff" + block(*pseudo("/")) + bytes(3))], answer(1)),
    ("6.2", "padding longer than the frame",
     [OPEN + frame(HEADERS, 0xD, 1, b"\xff" + block(*pseudo("/never")))], failed(PROTOCOL)),
    ("6.2", "padding that leaves no room for the priority",
     [OPEN + frame(HEADERS, 0x2D, 1, b"\4\0\0\0\0\x10" + bytes(3))], failed(PROTOCOL, FRAME_SIZE)),
    ("6.2", "padding without its length", [OPEN + frame(HEADERS, 0xD, 1)], failed(PROTOCOL, FRAME_SIZE)),
    ("6.2", "priority of four bytes", [OPEN + frame(HEADERS, 0x25, 1, bytes(4))], failed(FRAME_SIZE, PROTOCOL)),
    # --- PRIORITY ---
    ("6.3", "PRIORITY on stream 0", [OPEN + frame(PRIORITY, 0, 0, bytes(4) + b"\x10")], failed(PROTOCOL)),
    ("6.3", "PRIORITY of four bytes",
     [OPEN + post(1, "/ws-cut") + frame(PRIORITY, 0, 1, bytes(4))], reset(1, FRAME_SIZE)),
    ("6.3", "PRIORITY of six bytes",
     [OPEN + post(1, "/ws-cut") + frame(PRIORITY, 0, 1, bytes(6))], reset(1, FRAME_SIZE)),
    # --- RST_STREAM ---
    ("6.4", "RST_STREAM on stream 0", [OPEN + rst(0)], failed(PROTOCOL)),
    ("6.4", "RST_STREAM of three bytes", [OPEN + post(1, "/ws-cut") + frame(RST_STREAM, 0, 1, bytes(3))],
     failed(FRAME_SIZE)),
    ("6.4", "RST_STREAM of five bytes", [OPEN + post(1, "/ws-cut") + frame(RST_STREAM, 0, 1, bytes(5))],
     failed(FRAME_SIZE)),
    ("6.4", "RST_STREAM with an unknown code", [OPEN + post(1, "/ws-cut") + rst(1, 0xDEAD) + get(3)], answer(3)),
    # --- SETTINGS ---
    ("6.5", "SETTINGS are acknowledged, each", [OPEN + settings((TABLE_SIZE, 0)) + settings()], acknowledged(3)),
    ("6.5", "an acknowledgement with content", [OPEN + frame(SETTINGS, ACK, 0, bytes(6))], failed(FRAME_SIZE)),
    ("6.5", "an acknowledgement with a byte", [OPEN + frame(SETTINGS, ACK, 0, b"\0")], failed(FRAME_SIZE)),
    ("6.5", "SETTINGS on a stream", [OPEN + frame(SETTINGS, 0, 1)], failed(PROTOCOL)),
    ("6.5", "SETTINGS of three bytes", [OPEN + frame(SETTINGS, 0, 0, bytes(3))], failed(FRAME_SIZE)),
    ("6.5", "SETTINGS of seven bytes", [OPEN + frame(SETTINGS, 0, 0, bytes(7))], failed(FRAME_SIZE)),
    ("6.5.2", "ENABLE_PUSH of 2", [PREFACE + settings((ENABLE_PUSH, 2))], failed(PROTOCOL)),
    ("6.5.2", "ENABLE_PUSH of 0 and of 1", [PREFACE + settings((ENABLE_PUSH, 0)) + settings((ENABLE_PUSH, 1)) + get(1)],
     answer(1)),
    ("6.5.2", "INITIAL_WINDOW_SIZE above the largest", [PREFACE + settings((INITIAL_WINDOW, 2**31))], failed(FLOW)),
    ("6.5.2", "INITIAL_WINDOW_SIZE of the largest", [PREFACE + settings((INITIAL_WINDOW, BIGGEST)) + get(1)], answer(1)),
    ("6.5.2", "MAX_FRAME_SIZE below the least", [PREFACE + settings((MAX_FRAME, 16383))], failed(PROTOCOL)),
    ("6.5.2", "MAX_FRAME_SIZE above the largest", [PREFACE + settings((MAX_FRAME, 2**24))], failed(PROTOCOL)),
    ("6.5.2", "MAX_FRAME_SIZE of the largest", [PREFACE + settings((MAX_FRAME, 2**24 - 1)) + get(1)], answer(1)),
    ("6.5.2", "MAX_CONCURRENT_STREAMS of 0 concerns only the server", [PREFACE + settings((MAX_STREAMS, 0)) + get(1)],
     answer(1)),
    ("6.5.2", "an unknown setting is ignored", [PREFACE + settings((0xFFFF, 7)) + get(1)], answer(1)),
    ("6.5.3", "settings hold in their order",
     [PREFACE + settings((INITIAL_WINDOW, 100), (INITIAL_WINDOW, 1)) + get(1, "/files/large"), exactly(1, 1)],
     announced("a head", lambda seen: seen.status.get(1) == 200)),
    ("RFC 8441 3", "ENABLE_CONNECT_PROTOCOL of 2", [PREFACE + settings((CONNECT_PROTOCOL, 2))], failed(PROTOCOL)),
    ("RFC 8441 3", "the server offers extended CONNECT", [OPEN, until_settings()],
     announced("ENABLE_CONNECT_PROTOCOL", lambda seen: seen.settings.get(CONNECT_PROTOCOL) == 1)),
    # --- PUSH_PROMISE, PING, GOAWAY ---
    ("6.6", "PUSH_PROMISE of a client",
     [OPEN + post(1, "/ws-cut") + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + block(*pseudo("/never")))],
     failed(PROTOCOL)),
    ("6.7", "PING is answered", [OPEN + ping(b"\0\1\2\3\4\5\6\7")], pong(b"\0\1\2\3\4\5\6\7")),
    ("6.7", "an acknowledgement that nobody asked for is ignored",
     [OPEN + frame(PING, ACK, 0, b"unasked!") + ping()],
     announced("one PING back", lambda seen: seen.wait(lambda all: all.pongs) and seen.pongs == [b"12345678"])),
    ("6.7", "PING on a stream", [OPEN + frame(PING, 0, 1, bytes(8))], failed(PROTOCOL)),
    ("6.7", "PING of six bytes", [OPEN + frame(PING, 0, 0, bytes(6))], failed(FRAME_SIZE)),
    ("6.7", "PING of nine bytes", [OPEN + frame(PING, 0, 0, bytes(9))], failed(FRAME_SIZE)),
    ("6.8", "GOAWAY on a stream", [OPEN + frame(GOAWAY, 0, 1, bytes(8))], failed(PROTOCOL)),
    ("6.8", "GOAWAY of seven bytes", [OPEN + frame(GOAWAY, 0, 0, bytes(7))], failed(FRAME_SIZE)),
    ("6.8", "what was asked before GOAWAY is answered", [OPEN + get(1) + frame(GOAWAY, 0, 0, bytes(8) + b"bye")],
     answer(1)),
    # --- WINDOW_UPDATE and flow control ---
    ("6.9", "WINDOW_UPDATE of 0 on the connection", [OPEN + window(0, 0)], failed(PROTOCOL)),
    ("6.9", "WINDOW_UPDATE of 0 on a stream", [OPEN + get(1, "/slow/large"), until_status(1), window(1, 0)],
     reset(1, PROTOCOL)),
    ("6.9", "WINDOW_UPDATE of three bytes", [OPEN + frame(WINDOW_UPDATE, 0, 0, bytes(3))], failed(FRAME_SIZE)),
    ("6.9", "WINDOW_UPDATE of five bytes", [OPEN + frame(WINDOW_UPDATE, 0, 0, bytes(5))], failed(FRAME_SIZE)),
    ("6.9", "the reserved bit of an increment is ignored",
     [OPEN + frame(WINDOW_UPDATE, 0, 0, b"\x80\0\0\1") + get(1)], answer(1)),
    ("6.9.1", "the connection's window overflows", [OPEN + window(0, BIGGEST)], failed(FLOW)),
    ("6.9.1", "the connection's window overflows by many", [OPEN + window(0, 2**30) + window(0, 2**30)], failed(FLOW)),
    ("6.9.1", "a stream's window overflows",
     [OPEN + get(1, "/slow/large"), until_status(1), window(1, BIGGEST)], reset(1, FLOW)),
    ("6.9.1", "a stream's window of one byte",
     [PREFACE + settings((INITIAL_WINDOW, 1)) + get(1, "/files/large"), exactly(1, 1), window(1, 1), exactly(1, 2)],
     announced("a head", lambda seen: seen.status.get(1) == 200)),
    ("6.9.1", "no window: a head and nothing more",
     [PREFACE + settings((INITIAL_WINDOW, 0)) + get(1, "/files/large"), until_status(1), exactly(1, 0)],
     announced("no end", lambda seen: 1 not in seen.ended)),
    ("6.9.1", "an empty body needs no window",
     [PREFACE + settings((INITIAL_WINDOW, 0)) + asks(*replaced(":method", "HEAD", "/"))], answer(1)),
    ("6.9.1", "the connection's window holds for all streams",
     [PREFACE + settings((INITIAL_WINDOW, BIGGEST)) + get(1, "/files/large"), exactly(1, 65535), window(0, 1000),
      exactly(1, 66535)],
     announced("no end", lambda seen: 1 not in seen.ended)),
    ("6.9.1", "a window that is opened lets everything come",
     [PREFACE + settings((INITIAL_WINDOW, 0)) + window(0, BIGGEST - 65535) + get(1, "/files/large"), until_status(1),
      window(1, LARGE)],
     announced("all of it", lambda seen: seen.wait(lambda all: 1 in all.ended) and len(seen.data[1]) == LARGE)),
    ("6.9.1", "a reader that has stopped holds up nobody else",
     [PREFACE + settings((INITIAL_WINDOW, 1000)) + get(1, "/files/large"), exactly(1, 1000), get(3)], answer(3)),
    ("6.9.2", "a window that grows by SETTINGS",
     [PREFACE + settings((INITIAL_WINDOW, 0)) + get(1, "/files/large"), until_status(1),
      settings((INITIAL_WINDOW, 5)), exactly(1, 5)],
     announced("no end", lambda seen: 1 not in seen.ended)),
    ("6.9.2", "a window that becomes negative by SETTINGS",
     [PREFACE + settings((INITIAL_WINDOW, 3)) + get(1, "/files/large"), exactly(1, 3), settings((INITIAL_WINDOW, 1)),
      window(1, 2), exactly(1, 3), window(1, 1), exactly(1, 4)],
     announced("no end", lambda seen: 1 not in seen.ended)),
    ("6.9.2", "a window that overflows by SETTINGS",
     [OPEN + get(1, "/slow/large"), until_status(1), window(1, BIGGEST - 65535) + settings((INITIAL_WINDOW, BIGGEST))],
     failed(FLOW)),
    # --- CONTINUATION ---
    ("6.10", "CONTINUATION on stream 0", [OPEN + HALF + frame(CONTINUATION, END_HEADERS, 0)], failed(PROTOCOL)),
    ("6.10", "CONTINUATION after the end of a header block",
     [OPEN + get(1, "/slow/large") + frame(CONTINUATION, END_HEADERS, 1, field("x", "y"))],
     failed(PROTOCOL, STREAM_CLOSED)),
    ("6.10", "CONTINUATION after a CONTINUATION that was the last",
     [OPEN + HALF.replace(b"/never", b"/maybe") + frame(CONTINUATION, END_HEADERS, 1)
      + frame(CONTINUATION, END_HEADERS, 1, field("x", "y"))], failed(PROTOCOL, STREAM_CLOSED)),
    ("6.10", "CONTINUATION after DATA",
     [OPEN + post(1, "/ws-cut") + frame(DATA, 0, 1, b"a") + frame(CONTINUATION, END_HEADERS, 1, field("x", "y"))],
     failed(PROTOCOL)),
    # --- requests ---
    ("8.1", "trailers", [OPEN + post(1) + frame(DATA, 0, 1, b"a") + asks(("x-sum", "1"))], answer(1)),
    ("8.1", "trailers that do not end the stream",
     [OPEN + post(1, "/ws-cut") + frame(DATA, 0, 1, b"a") + frame(HEADERS, END_HEADERS, 1, field("x-sum", "1"))],
     reset(1, PROTOCOL)),
    ("8.1", "HEADERS twice", [OPEN + post(1, "/ws-cut") + post(1, "/never")], reset(1, PROTOCOL)),
    ("8.1", "pseudo fields in trailers",
     [OPEN + post(1, "/ws-cut") + frame(DATA, 0, 1, b"a") + asks((":method", "GET"))], malformed(1)),
    ("8.1.1", "content-length above the body", [OPEN + post(1, "/ws-cut", [("content-length", "4")])
                                                + frame(DATA, END_STREAM, 1, b"abc")], malformed(1)),
    ("8.1.1", "content-length below the body", [OPEN + post(1, "/ws-cut", [("content-length", "2")])
                                                + frame(DATA, END_STREAM, 1, b"abc")], malformed(1)),
    ("8.1.1", "content-length below several DATA",
     [OPEN + post(1, "/ws-cut", [("content-length", "5")]) + frame(DATA, 0, 1, b"abc")
      + frame(DATA, END_STREAM, 1, b"def")], malformed(1)),
    ("8.1.1", "content-length and no body at all",
     [OPEN + post(1, "/ws-cut", [("content-length", "4")], END_STREAM | END_HEADERS)], malformed(1)),
    ("8.1.1", "content-length that trailers cut short",
     [OPEN + post(1, "/ws-cut", [("content-length", "4")]) + frame(DATA, 0, 1, b"abc") + asks(("x-sum", "1"))],
     malformed(1)),
    ("8.1.1", "content-length of the body", [OPEN + post(1, more=[("content-length", "3")])
                                             + frame(DATA, END_STREAM, 1, b"abc")], answer(1)),
    ("8.1.1", "content-length with a sign", extra(("content-length", "+0")), malformed(1)),
    ("8.1.1", "content-length twice", extra(("content-length", "0"), ("content-length", "1")), malformed(1)),
    ("8.1.1", "a malformed request leaves the connection to others",
     [OPEN + get(1, "/never", [("connection", "close")]) + get(3)], answer(3)),
    ("8.2.1", "a name in upper case", extra(("X-Test", "1")), malformed(1)),
    ("8.2.1", "a name with one letter in upper case", extra(("x-tesT", "1")), malformed(1)),
    ("8.2.1", "a name with a space", extra(("x test", "1")), malformed(1)),
    ("8.2.1", "a name with a colon", extra(("x:test", "1")), malformed(1)),
    ("8.2.1", "a name with a line feed", extra(("x\ntest", "1")), malformed(1)),
    ("8.2.1", "a name with a letter that is none", extra(("x\xe9", "1")), malformed(1)),
    ("8.2.1", "a name with DEL", extra(("x\x7f", "1")), malformed(1)),
    ("8.2.1", "no name", extra(("", "1")), either(malformed(1), failed(COMPRESSION))),
    ("8.2.1", "a value with NUL", extra(("x", "a\0b")), malformed(1)),
    ("8.2.1", "a value with a line feed", extra(("x", "a\nb")), malformed(1)),
    ("8.2.1", "a value with a carriage return", extra(("x", "a\rb")), malformed(1)),
    ("8.2.1", "a value that hides a field", extra(("x", "a\r\nhost: other")), malformed(1)),
    ("8.2.1", "a value with a space before it", extra(("x", " a")), malformed(1)),
    ("8.2.1", "a value with a tab behind it", extra(("x", "a\t")), malformed(1)),
    ("8.2.2", "connection", extra(("connection", "keep-alive")), malformed(1)),
    ("8.2.2", "proxy-connection", extra(("proxy-connection", "keep-alive")), malformed(1)),
    ("8.2.2", "keep-alive", extra(("keep-alive", "timeout=5")), malformed(1)),
    ("8.2.2", "transfer-encoding", extra(("transfer-encoding", "chunked")), malformed(1)),
    ("8.2.2", "upgrade", extra(("upgrade", "websocket")), malformed(1)),
    ("8.2.2", "te that is not trailers", extra(("te", "trailers, deflate")), malformed(1)),
    ("8.2.2", "te that is trailers", [OPEN + get(1, more=[("te", "trailers")])], answer(1)),
    ("8.2.3", "cookies in pieces", [OPEN + get(1, "/cookies", [("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")])],
     answer(1)),
    ("8.3", "an unknown pseudo field", bad(*pseudo("/never"), (":test", "1")), malformed(1)),
    ("8.3", "a pseudo field of responses", bad(*pseudo("/never"), (":status", "200")), malformed(1)),
    ("8.3", "a pseudo field after a regular one", bad(("x", "y"), *pseudo("/never")), malformed(1)),
    ("8.3", "a pseudo field between regular ones", bad(*without(":path"), ("x", "y"), (":path", "/never")),
     malformed(1)),
    ("8.3.1", "no :method", bad(*without(":method")), malformed(1)),
    ("8.3.1", "no :scheme", bad(*without(":scheme")), malformed(1)),
    ("8.3.1", "no :path", bad(*without(":path")), malformed(1)),
    ("8.3.1", "nothing at all", [OPEN + frame(HEADERS, 5, 1)], malformed(1)),
    ("8.3.1", "an empty :path", bad(*replaced(":path", "")), malformed(1)),
    ("8.3.1", "two :method", bad((":method", "GET"), *pseudo("/never")), malformed(1)),
    ("8.3.1", "two :scheme", bad((":scheme", "https"), *pseudo("/never")), malformed(1)),
    ("8.3.1", "two :path", bad((":path", "/never"), *pseudo("/never")), malformed(1)),
    ("8.3.1", "two :authority", bad((":authority", NAME), *pseudo("/never")), malformed(1)),
    ("8.3.1", ":path without a slash", bad(*replaced(":path", "never")), malformed(1)),
    ("8.3.1", ":path that is a URL", bad(*replaced(":path", "https://other.example/never")), malformed(1)),
    ("8.3.1", ":path with a space", bad(*replaced(":path", "/never x HTTP/1.1")), malformed(1)),
    ("8.3.1", ":path with a line end", bad(*replaced(":path", "/never\r\nx: y")), malformed(1)),
    ("8.3.1", ":path with a fragment", bad(*replaced(":path", "/fragment#x")), malformed(1)),
    ("8.3.1", ":path with dots", bad(*replaced(":path", "/a/../never")), malformed(1)),
    ("8.3.1", "* with GET", bad(*replaced(":path", "*")), malformed(1)),
    ("8.3.1", ":method that is no token", bad(*replaced(":method", "GE T")), malformed(1)),
    ("8.3.1", "an empty :method", bad(*replaced(":method", "")), malformed(1)),
    ("8.3.1", ":scheme that is none", bad(*replaced(":scheme", "ht tp")), malformed(1)),
    ("8.3.1", ":authority with user info", bad(*replaced(":authority", "x@" + NAME)), malformed(1)),
    ("8.3.1", ":authority that is no name", bad(*replaced(":authority", NAME + "/x")), malformed(1)),
    ("8.3.1", ":authority that the host field contradicts", extra(("host", "elsewhere.example")), malformed(1)),
    ("8.3.1", ":authority and the same host field", [OPEN + get(1, more=[("host", NAME)])], answer(1)),
    ("8.3.1", "host instead of :authority", [OPEN + asks(*without(":authority", "/"), ("host", NAME))], answer(1)),
    ("8.3.1", "neither :authority nor host", bad(*without(":authority")), malformed(1)),
    ("8.3.1", "two host fields", bad(*without(":authority"), ("host", NAME), ("host", NAME)), malformed(1)),
    ("8.5", "CONNECT", bad((":method", "CONNECT"), (":authority", NAME + ":443")), malformed(1)),
    ("8.5", "CONNECT with :path", bad(*replaced(":method", "CONNECT")), malformed(1)),
    ("9.3.7 of RFC 9110", "TRACE", bad(*replaced(":method", "TRACE")), malformed(1)),
    ("RFC 8441 4", ":protocol without CONNECT", bad(*pseudo("/never"), (":protocol", "websocket")), malformed(1)),
    ("RFC 8441 4", "an unknown :protocol", bad(*replaced(":method", "CONNECT"), (":protocol", "gopher")), malformed(1)),
    ("RFC 8441 4", "extended CONNECT without :path",
     bad((":method", "CONNECT"), (":scheme", "https"), (":authority", NAME), (":protocol", "websocket")), malformed(1)),
    ("RFC 8441 4", "a WebSocket that nobody behind the server speaks",
     [OPEN + frame(HEADERS, END_HEADERS, 1, block(*replaced(":method", "CONNECT", "/plain"), (":protocol", "websocket"),
                                                  ("sec-websocket-version", "13")))],
     ("a refusal", lambda seen: seen.wait(lambda all: all.status.get(1, 0) >= 400 or 1 in all.reset))),
    ("RFC 8441 5", "a WebSocket",
     [OPEN + socket(1), until_status(1), frame(DATA, 0, 1, words(b"hello"))], echoed(1, b"hello")),
    ("RFC 8441 5", "a frame in pieces of one byte",
     [OPEN + socket(1), until_status(1)] + [frame(DATA, 0, 1, bytes([byte])) for byte in words(b"slowly")],
     echoed(1, b"slowly")),
    ("RFC 8441 5", "two WebSockets and a page on one connection",
     [OPEN + socket(1) + socket(3) + get(5), until_status(1), until_status(3), until_end(5),
      frame(DATA, 0, 3, words(b"three")) + frame(DATA, 0, 1, words(b"one"))],
     both(echoed(1, b"one"), echoed(3, b"three"))),
    ("RFC 8441 5", "the end of a WebSocket ends its stream",
     [OPEN + socket(1), until_status(1), frame(DATA, 0, 1, b"\x88\x80" + MASK)],
     announced("its end", lambda seen: seen.wait(lambda all: 1 in all.ended or 1 in all.reset))),
    ("RFC 8441 5", "a WebSocket that is given up leaves the connection to others",
     [OPEN + socket(1), until_status(1), rst(1) + get(3)], answer(3)),
    ("9.1.1", "another host, which has a certificate of its own",
     [OPEN + asks(*[(name, {":authority": OTHER, ":path": OTHER_PATH}.get(name, value)) for name, value in pseudo("/")])],
     answer(1, 421)),
    ("9.1.1", "a host that nobody has", bad(*replaced(":authority", "elsewhere.example")), malformed(1)),
    # --- limits ---
    ("10.5", "more fields than anybody needs", extra(*[("x", "y")] * 2000),
     either(malformed(1), failed(CALM, COMPRESSION))),
    ("10.5", "a header block without end",
     [OPEN + HALF + frame(CONTINUATION, 0, 1, field("x", "y" * 16000)) * 200], failed(CALM, PROTOCOL, COMPRESSION)),
    ("10.5", "empty CONTINUATIONs without end", [OPEN + HALF + frame(CONTINUATION, 0, 1) * 20_000],
     failed(CALM, PROTOCOL)),
    ("10.5", "SETTINGS without end", [OPEN + settings((TABLE_SIZE, 1)) * 20_000 + get(1)],
     either(failed(CALM), answer(1))),
    ("10.5", "PINGs without end", [OPEN + ping() * 20_000 + get(1)], either(failed(CALM), answer(1))),
    ("10.5", "empty DATA without end", [OPEN + post(1) + frame(DATA, 0, 1) * 20_000 + frame(DATA, END_STREAM, 1)],
     either(failed(CALM), reset(1, CALM), answer(1))),
    ("10.5", "streams given up at once, without end",
     [many(lambda number: get(1 + 2 * number, "/given-up") + rst(1 + 2 * number), 5000)], failed(CALM)),
    # --- HPACK ---
    ("RFC 7541 2.3.3", "index 0", [OPEN + frame(HEADERS, 5, 1, b"\x80")], failed(COMPRESSION)),
    ("RFC 7541 2.3.3", "an index above both tables", [OPEN + frame(HEADERS, 5, 1, integer(70, 7, 0x80))],
     failed(COMPRESSION)),
    ("RFC 7541 2.3.3", "a name by an index above both tables",
     [OPEN + frame(HEADERS, 5, 1, integer(70, 6, 0x40) + text("x"))], failed(COMPRESSION)),
    ("RFC 7541 2.3.2", "a field once given is known by its index",
     [OPEN + frame(HEADERS, 5, 1, block(*pseudo("/")) + b"\x40" + text("x-test") + text("1"))
      + frame(HEADERS, 5, 3, block(*pseudo("/indexed")) + b"\xbe")], answer(3)),
    ("RFC 7541 4.2", "the table made larger than may be",
     [OPEN + frame(HEADERS, 5, 1, integer(2**20, 5, 0x20) + block(*pseudo("/never")))], failed(COMPRESSION)),
    ("RFC 7541 4.2", "the table's size at the end of a block",
     [OPEN + frame(HEADERS, 5, 1, block(*pseudo("/never")) + b"\x20")], failed(COMPRESSION)),
    ("RFC 7541 4.2", "the table's size at the beginning of a block",
     [OPEN + frame(HEADERS, 5, 1, b"\x20\x3f\x00" + block(*pseudo("/")))], answer(1)),
    ("RFC 7541 4.4", "what the table has dropped is not known any more",
     [OPEN + frame(HEADERS, 5, 1, block(*pseudo("/")) + b"\x40" + text("x-test") + text("1"))
      + frame(HEADERS, 5, 3, b"\x20" + block(*pseudo("/never")) + b"\xbe")], failed(COMPRESSION)),
    ("RFC 7541 5.1", "an integer without end", [OPEN + frame(HEADERS, 5, 1, b"\x7f" + b"\xff" * 20 + b"\x01")],
     failed(COMPRESSION)),
    ("RFC 7541 5.2", "a string longer than its block",
     [OPEN + frame(HEADERS, 5, 1, block(*pseudo("/never")) + b"\x10\x7ex")], failed(COMPRESSION)),
    ("RFC 7541 5.2", "a field that ends half-way", [OPEN + frame(HEADERS, 5, 1, block(*pseudo("/never")) + b"\x10")],
     failed(COMPRESSION)),
    ("RFC 7541 5.2", "Huffman code", [OPEN + frame(HEADERS, 5, 1, hpack.Encoder().encode(pseudo("/huffman")))], answer(1)),
    ("RFC 7541 5.2", "Huffman code with a padding of more than seven bits",
     [OPEN + frame(HEADERS, 5, 1, block(*pseudo("/never")) + b"\x10" + text("x") + b"\x82\x1f\xff")],
     failed(COMPRESSION)),
    ("RFC 7541 5.2", "Huffman code with a padding of zeros",
     [OPEN + frame(HEADERS, 5, 1, block(*pseudo("/never")) + b"\x10" + text("x") + b"\x81\x18")],
     failed(COMPRESSION)),
    ("RFC 7541 5.2", "Huffman code with its end within",
     [OPEN + frame(HEADERS, 5, 1, block(*pseudo("/never")) + b"\x10" + text("x") + b"\x84\xff\xff\xff\xff")],
     failed(COMPRESSION)),
]
