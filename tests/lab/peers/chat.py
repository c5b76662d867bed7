"""WebSocket client. Arguments: URL IP:PORT ROOTS ("" for none), then fields of its handshake, "Name: value" each.

Says "talk is open", then sends a numbered message ten times a second and demands each back,
until its standard input ends; then says "echoed N" and ends with 0. Anything else ends it with 1.
"""
import asyncio
import ssl
import sys
import urllib.parse

import websockets


async def talk(socket, ended):
    count = 0
    while not ended.is_set():
        message = f"message {count} " + "x" * 1000
        await socket.send(message)
        answer = await asyncio.wait_for(socket.recv(), 30)
        if answer != message:
            sys.exit(f"sent {message!r}, received {answer!r}")
        count += 1
        await asyncio.sleep(0.1)
    return count


async def main():
    url, to, roots = sys.argv[1:4]
    host, port = to.rsplit(":", 1)
    fields = [field.split(": ", 1) for field in sys.argv[4:]]
    options = {"host": host, "port": int(port), "extra_headers": fields}
    if url.startswith("wss:"):
        options["ssl"] = ssl.create_default_context(cafile=roots)
        options["server_hostname"] = urllib.parse.urlsplit(url).hostname
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, ended.set)
    async with websockets.connect(url, **options) as socket:
        print("talk is open", flush=True)
        count = await talk(socket, ended)
    print(f"echoed {count}", flush=True)


asyncio.run(main())
