"""WebSocket echo target for very many connections. Argument: IP:PORT.

Takes only the key of the example in RFC 6455 section 1.3, and only short unfragmented frames.
Says "ready", then nothing.
"""
import asyncio
import sys

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class Parrot(asyncio.Protocol):
    def __init__(self):
        self.ahead = b""
        self.open = False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.ahead += data
        if not self.open:
            head, end, rest = self.ahead.partition(b"\r\n\r\n")
            if not end:
                return
            if KEY not in head:
                self.transport.close()
                return
            self.open, self.ahead = True, rest
            self.transport.write(SWITCH)
        while self.frame():
            pass

    def frame(self):
        if len(self.ahead) < 2:
            return False
        kind, length = self.ahead[0], self.ahead[1] & 0x7F
        if kind == 0x88 or length > 125:
            self.transport.close()
            return False
        if len(self.ahead) < 6 + length:
            return False
        mask, words = self.ahead[2:6], self.ahead[6 : 6 + length]
        self.ahead = self.ahead[6 + length :]
        words = bytes(byte ^ mask[at % 4] for at, byte in enumerate(words))
        self.transport.write(bytes([kind, length]) + words)
        return True


async def main():
    host, port = sys.argv[1].rsplit(":", 1)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Parrot, host, int(port), backlog=4096)
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
