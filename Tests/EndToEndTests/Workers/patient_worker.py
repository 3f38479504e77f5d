"""A threaded HTTP server on 127.0.0.1:ADDRESS or, if ADDRESS is a path, on a unix socket.

/stuck   never gets a response
/ws      becomes a WebSocket that echoes what it receives
/sse     is a stream with an event every 1.5 s
/begun   begins a response and ends it 2 s later
/big     is a response of 16 MiB
"""
import http.server, os, socket, socketserver, sys, time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/stuck"):
            time.sleep(3600)
        elif self.path == "/ws":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            while data := self.connection.recv(100):
                self.connection.sendall(data)
            self.close_connection = True
        elif self.path == "/sse":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for number in range(3):
                time.sleep(1.5)
                self.wfile.write(b"data: %d\n\n" % number)
            self.close_connection = True
        elif self.path == "/begun":
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            time.sleep(2)
            self.wfile.write(b"ok")
        else:
            self.respond(b"x" * (16 << 20) if self.path == "/big" else str(os.getpid()).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.respond(b"ok")

    def respond(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "client"

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 100


address = sys.argv[1]
if address.startswith("/"):
    Server.address_family = socket.AF_UNIX
    Server(address, Handler).serve_forever()
else:
    Server(("127.0.0.1", int(address)), Handler).serve_forever()
