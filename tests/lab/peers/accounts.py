r"""An LDAP server that knows its users as Windows and a PBX do: `domain\user` and `user@domain`.

Arguments: a folder with target.pem and target.key, then for each account `NAME=PASSWORD`, then `--`, then `tcp:IP:PORT` and
`tls:IP:PORT` of any number. Says "ready", then a line for what happens: `AT opened`, `AT bind NAME RESULT`, `AT search RESULT`,
`AT unbind`, `AT closed`. A search by somebody who is known finds one entry, whose description is AT.
"""
import socketserver
import ssl
import sys
import threading

BIND, UNBIND, SEARCH = 0x60, 0x42, 0x63
SUCCESS, STRONGER, INVALID, DN_SYNTAX = 0, 8, 49, 34


def element(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def take(data):
    """The tag and content of the first element, and what is behind it."""
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    return data[0], data[start:start + size], data[start + size:]


def whole(data):
    """How many bytes the first message takes; 0 while that can not be known."""
    if len(data) < 2 or len(data) < 2 + (data[1] & 0x7F if data[1] & 0x80 else 0):
        return 0
    start = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    return start + (int.from_bytes(data[2:start], "big") if data[1] & 0x80 else data[1])


def result(number, tag, code, text=""):
    inner = element(0x0A, bytes([code])) + element(4, b"") + element(4, text.encode())
    return element(0x30, element(2, number) + element(tag, inner))


def entry(number, name, description):
    attribute = element(4, b"description") + element(0x31, element(4, description.encode()))
    inner = element(4, name.encode()) + element(0x30, element(0x30, attribute))
    return element(0x30, element(2, number) + element(0x64, inner))


class Talk(socketserver.BaseRequestHandler):
    def setup(self):
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.user = None

    def say(self, text):
        print(self.server.at, text, flush=True)

    def handle(self):
        self.say("opened")
        data = b""
        try:
            while piece := self.request.recv(65536):
                data += piece
                while (size := whole(data)) and len(data) >= size:
                    if not self.message(data[:size]):
                        return
                    data = data[size:]
        except OSError:
            pass

    def finish(self):
        self.say("closed")

    def message(self, data):
        _, inner, _ = take(data)
        _, number, rest = take(inner)
        tag, operation, _ = take(rest)
        if tag == UNBIND:
            self.say("unbind")
            return False
        if tag == BIND:
            answers = [result(number, 0x61, self.bind(operation))]
        elif tag == SEARCH:
            code = SUCCESS if self.user else STRONGER
            self.say(f"search {code}")
            found = [entry(number, "cn=where", self.server.at)] if self.user else []
            answers = found + [result(number, 0x65, code)]
        else:
            return False
        for answer in answers:
            self.request.sendall(answer)
        return True

    def bind(self, operation):
        _, _, rest = take(operation)
        _, name, rest = take(rest)
        _, password, _ = take(rest)
        name = name.decode()
        known = self.server.accounts.get(name) == password.decode()
        code = SUCCESS if known else DN_SYNTAX if "=" in name else INVALID
        self.user = name if known else None
        self.say(f"bind {name} {code}")
        return code


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    folder, *rest = sys.argv[1:]
    split = rest.index("--")
    accounts = dict(one.split("=", 1) for one in rest[:split])
    for address in rest[split + 1:]:
        kind, host, port = address.split(":")
        server = Server((host, int(port)), Talk)
        server.at, server.accounts, server.tls = f"{host}:{port}", accounts, None
        if kind == "tls":
            server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.tls.load_cert_chain(folder + "/target.pem", folder + "/target.key")
        threading.Thread(target=server.serve_forever).start()
    print("ready", flush=True)


main()
