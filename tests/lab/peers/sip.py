"""SIP phone that does as it is told, over one connection.

Arguments: IP:PORT, a file with a step per line, then for TLS the file of the root that is trusted, the name that is asked for,
and the file with certificate and key that is shown, empty for none. Steps are JSON: {"register": URI, "user": ..., "password": ...},
{"method": ..., "from": URI, "to": URI} (one request), {"bytes": text} (as it is), {"wait": seconds}. For each it says a line of JSON:
"status" (0 when nothing came), "answer", "closed".
"""
import hashlib
import json
import re
import socket
import ssl
import sys

PATIENCE = 8


class Phone:
    def __init__(self, to, root="", name="", shown=""):
        host, port = to.rsplit(":", 1)
        self.stream = socket.create_connection((host, int(port)), PATIENCE)
        self.transport = "tcp"
        if root:
            context = ssl.create_default_context(cafile=root)
            if shown:
                context.load_cert_chain(shown)
            self.stream = context.wrap_socket(self.stream, server_hostname=name)
            self.transport = "tls"
        self.own = "%s:%d" % self.stream.getsockname()[:2]
        self.number = 0
        self.buffer = b""
        self.closed = False

    def step(self, step):
        if "register" in step:
            return self.register(step["register"], step["user"], step["password"])
        if "method" in step:
            return self.ask(step["method"], step["from"], step["to"])
        if "bytes" in step:
            return self.exchange(step["bytes"])
        return self.exchange("", step["wait"])

    def register(self, uri, user, password):
        domain = uri.split("@")[1]
        answer = self.ask("REGISTER", uri, uri)
        if answer["status"] != 401:
            return answer
        of = dict(re.findall(r'(\w+)="([^"]*)"', answer["answer"].split("WWW-Authenticate:")[1].split("\r\n")[0]))
        digest = lambda *parts: hashlib.md5(":".join(parts).encode()).hexdigest()
        secret = digest(user, of["realm"], password)
        response = digest(secret, of["nonce"], digest("REGISTER", "sip:" + domain))
        proof = f'Authorization: Digest username="{user}", realm="{of["realm"]}", nonce="{of["nonce"]}", ' \
                f'uri="sip:{domain}", response="{response}"\r\n'
        return self.ask("REGISTER", uri, uri, proof)

    def ask(self, method, sender, to, more=""):
        self.number += 1
        target = "sip:" + sender.split("@")[1] if method == "REGISTER" else to
        user = sender.split(":")[1].split("@")[0]
        return self.exchange(
            f"{method} {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/{self.transport.upper()} {self.own};branch=z9hG4bK{self.own[-5:]}{self.number};rport\r\n"
            f"From: <{sender}>;tag=lab\r\nTo: <{to}>\r\nCall-ID: {self.own}\r\nCSeq: {self.number} {method}\r\n"
            f"Contact: <sip:{user}@{self.own};transport={self.transport}>\r\nMax-Forwards: 70\r\n"
            f"{more}Content-Length: 0\r\n\r\n"
        )

    def exchange(self, text, patience=PATIENCE):
        answer = b""
        self.stream.settimeout(patience)
        try:
            self.stream.sendall(text.encode())
            answer = self.message()
            while re.match(rb"SIP/2.0 1", answer):
                answer = self.message()
        except TimeoutError:
            pass
        except OSError:
            self.closed = True
        words = answer.decode("utf-8", "replace")
        status = int(words.split(" ")[1]) if words.startswith("SIP/2.0 ") else 0
        return {"status": status, "answer": words, "closed": self.closed}

    def message(self):
        """One message, with its body; a ping's answer is one, too."""
        while True:
            if self.buffer.startswith(b"\r\n"):
                self.buffer = self.buffer[2:]
                return b"\r\n"
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            length = re.search(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d+)", head)
            size = int(length[1]) if length else 0
            if end and len(rest) >= size:
                self.buffer = rest[size:]
                return head + end + rest[:size]
            more = self.stream.recv(65536)
            if not more:
                self.closed = True
                return b""
            self.buffer += more


phone = Phone(sys.argv[1], *sys.argv[3:])
for line in open(sys.argv[2], encoding="utf-8"):
    print(json.dumps(phone.step(json.loads(line))), flush=True)
