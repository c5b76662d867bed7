"""WebSocket echo server. Arguments: IP:PORT [FOLDER with target.pem and target.key].

Says "ready", then one JSON line per handshake: path and headers.
"""
import asyncio
import json
import ssl
import sys

import websockets


async def echo(socket, path=None):
    request = getattr(socket, "request", None)
    headers = request.headers if request else socket.request_headers
    path = path or (request.path if request else socket.path)
    seen = {name.lower(): value for name, value in headers.raw_items()}
    print(json.dumps({"path": path, "headers": seen}), flush=True)
    async for message in socket:
        await socket.send(message)


async def main():
    host, port = sys.argv[1].rsplit(":", 1)
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2] + "/target.pem", sys.argv[2] + "/target.key")
    async with websockets.serve(echo, host, int(port), ssl=context):
        print("ready", flush=True)
        await asyncio.Future()


asyncio.run(main())
