"""Web server that sends every body back, as it came. Argument: IP:PORT. Says "ready", then nothing."""
import http.server
import sys


class Mirror(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        chunked = self.headers.get("transfer-encoding", "") == "chunked"
        body = self.chunks() if chunked else self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-framing", "chunked" if chunked else "length")
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() != b"\r\n":
            pass
        return body

    def log_message(self, *_):
        pass


host, port = sys.argv[1].rsplit(":", 1)
server = http.server.ThreadingHTTPServer((host, int(port)), Mirror)
print("ready", flush=True)
server.serve_forever()
