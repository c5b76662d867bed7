"""Passes TCP connections on to a Unix socket: forward.py ADDRESS:PORT SOCKET"""

import asyncio
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def accept(reader, writer):
    ours, theirs = await asyncio.open_unix_connection(sys.argv[2])
    await asyncio.gather(pump(reader, theirs), pump(ours, writer))


async def main():
    address, port = sys.argv[1].rsplit(":", 1)
    server = await asyncio.start_server(accept, address, int(port))
    async with server:
        await server.serve_forever()


asyncio.run(main())
