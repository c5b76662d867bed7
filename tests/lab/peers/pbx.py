"""A gatekeeper that takes everybody, in the place of a PBX: H.323 over TCP and TLS (H.460.17).

Arguments: a folder with target.pem and target.key, a file with roots of client certificates ("" for none), then `tcp:IP:PORT` and `tls:IP:PORT`
of any number. Says "ready", then a JSON line for what happens: {"connection", "at", "cn", "tls"} when one is opened, where
`cn` is of the certificate that the client showed; {"connection", "bytes", "messages", "answer"} for every piece that came;
{"connection", "end"} at its end.
"""
import asyncio
import json
import ssl
import sys

import h225


def say(**what):
    print(json.dumps(what), flush=True)


def common_name(certificate):
    fields = [pair for part in (certificate or {}).get("subject", ()) for pair in part]
    return dict(fields).get("commonName")


class Pbx:
    def __init__(self):
        self.count = 0

    async def serve(self, at, reader, writer):
        self.count += 1
        number = self.count
        tls = writer.get_extra_info("ssl_object")
        version, shown = (tls.version(), common_name(tls.getpeercert())) if tls else (None, None)
        say(connection=number, at=at, cn=shown, tls=version)
        buffer = b""
        end = "closed"
        try:
            while piece := await reader.read(65536):
                whole, buffer = h225.frames(buffer + piece)
                messages = [kind for frame in whole for kind, _ in h225.understood(frame)[1]]
                answer = b"".join(answer for frame in whole for answer in h225.answers(frame))
                say(connection=number, bytes=piece.hex(), messages=messages, answer=answer.hex())
                writer.write(answer)
        except OSError as error:
            end = type(error).__name__
        say(connection=number, end=end)
        writer.close()


async def main():
    folder, roots, *addresses = sys.argv[1:]
    pbx = Pbx()
    for address in addresses:
        kind, host, port = address.split(":")
        context = None
        if kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder + "/target.pem", folder + "/target.key")
            if roots:
                context.load_verify_locations(roots)
                context.verify_mode = ssl.CERT_OPTIONAL

        def serve(reader, writer, at=f"{host}:{port}"):
            return pbx.serve(at, reader, writer)

        await asyncio.start_server(serve, host, int(port), ssl=context)
    print("ready", flush=True)
    await asyncio.Future()


asyncio.run(main())
