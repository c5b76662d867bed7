"""Carries SIP from UDP to TCP, for scanners that speak only UDP. Arguments: own UDP address, own address for TCP, where TCP goes,
a User-Agent to put in place of the scanner's (empty: its own). A connection that is closed is opened anew with the next packet."""
import re
import socket
import sys
import threading


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


listen, source, target, agent = sys.argv[1:5]
scanner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
scanner.bind(address(listen))
print("ready", flush=True)
stream = None


def back(stream, to):
    buffer = b""
    try:
        while more := stream.recv(65536):
            buffer += more
            while b"\r\n\r\n" in buffer:
                message, _, buffer = buffer.partition(b"\r\n\r\n")
                scanner.sendto(message + b"\r\n\r\n", to)
    except OSError:
        pass
    stream.close()


while True:
    packet, asker = scanner.recvfrom(65536)
    if agent:
        packet = re.sub(rb"(?m)^User-Agent:.*\r$", b"User-Agent: " + agent.encode() + b"\r", packet)
    try:
        if stream is None or stream.fileno() < 0:
            stream = socket.create_connection(address(target), 2, (source, 0))
            threading.Thread(target=back, args=(stream, asker), daemon=True).start()
        stream.sendall(packet)
        print("sent", packet.split(b" ", 1)[0].decode(), flush=True)
    except OSError as error:
        print("lost", error, flush=True)
        stream = None
