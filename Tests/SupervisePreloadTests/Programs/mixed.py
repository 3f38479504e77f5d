"""Sends mixed requests to ADDRESS until COUNT have been answered, over several threads, and writes what was
answered, by route and by status class, to FILE.

    mixed.py ADDRESS COUNT FILE [WITHOUT...]

WITHOUT names kinds of requests that a server does not understand: body, chunked, pipelined, keep, aborted.
"""
import collections, os, random, socket, struct, sys, threading

address, total, file, without = sys.argv[1], int(sys.argv[2]), sys.argv[3], set(sys.argv[4:])
routes, errors, classes = collections.Counter(), collections.Counter(), collections.Counter()
lock = threading.Lock()
left = total


def connect():
    if address.startswith("unix:"):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(60)
        client.connect(address[5:])
        return client
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 60)


class Connection:
    def __init__(self):
        self.socket = connect()
        self.bytes = b""
        self.is_open = True

    def receive(self):
        data = self.socket.recv(65536)
        self.bytes += data
        return bool(data)

    def until(self, mark):
        while mark not in self.bytes:
            if not self.receive():
                raise EOFError(self.bytes)
        head, self.bytes = self.bytes.split(mark, 1)
        return head

    def exactly(self, count):
        while len(self.bytes) < count:
            if not self.receive():
                raise EOFError(count)
        self.bytes = self.bytes[count:]

    def response(self, method):
        """The status of the next final response, whose body is read."""
        while True:
            lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            status = int(lines[0].split()[1])
            if status >= 200:
                break
        headers = {name.lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines[1:])}
        version = lines[0].split()[0]
        kept = "keep-alive" if version == "HTTP/1.0" else "close"
        is_kept = (headers.get("connection", "").lower() == kept) == (version == "HTTP/1.0")
        if method == "HEAD" or status in (204, 304):
            pass
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            while (size := int(self.until(b"\r\n").split(b";")[0], 16)) > 0:
                self.exactly(size + 2)
            while self.until(b"\r\n"):
                pass
        elif "content-length" in headers:
            self.exactly(int(headers["content-length"]))
        else:
            while self.receive():
                pass
            is_kept = False
        self.is_open = is_kept
        return status


def count(route, status):
    with lock:
        classes[status // 100] += 1
        if route and status not in (404, 405):
            routes[route] += 1
            errors[route] += status >= 500


def request(method, path, headers=(), body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "User-Agent: mixed/1.0", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def draw(pick):
    """A method, its bytes, and its route."""
    number = pick.randrange(1000)
    plain = [
        ("GET", f"/items/{number}?q=1", "GET /items/*"), ("HEAD", f"/items/{number}", "HEAD /items/*"),
        ("GET", "/stream", "GET /stream"), ("GET", "/cached", "GET /cached"),
        ("GET", f"/missing/{number}", "GET /missing/*"), ("GET", "/broken", "GET /broken"),
        ("GET", "/", "GET /"),
    ]
    kind = pick.randrange(10)
    if kind == 8 and "body" not in without:
        size = 1 << 20 if number < 250 else number
        expect = ["Expect: 100-continue"] if number % 7 == 0 else []
        return "POST", request(
            "POST", "/upload", [f"Content-Length: {size}", *expect], b"x" * size), "POST /upload"
    if kind == 9 and "chunked" not in without:
        body = b"".join(b"%x\r\n%s\r\n" % (size, b"y" * size) for size in (1, number + 1, 70000))
        return "PUT", request(
            "PUT", "/upload", ["Transfer-Encoding: chunked"], body + b"0\r\n\r\n"), "PUT /upload"
    method, path, route = plain[kind % len(plain)]
    return method, request(method, path), route


def abort(pick):
    """Half a head, and then a reset, or an end, to which some servers respond."""
    client = connect()
    client.sendall(b"GET /abor" if pick.random() < 0.5 else b"GET /aborted HTTP/1.1\r\nHost: x\r\nA")
    if pick.random() < 0.5:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        client.shutdown(socket.SHUT_WR)
        response = b""
        while data := client.recv(65536):
            response += data
        if response.startswith(b"HTTP/1."):
            count(None, int(response.split()[1]))
    client.close()


def send(connection, data, pick):
    place = pick.choice([0, 1, 10, 40, len(data) // 2])
    for piece in (data[:place], data[place:]):
        if piece:
            connection.socket.sendall(piece)


def exchange(connection, pick):
    global left
    most = 1 if "pipelined" in without else pick.choice([1, 1, 1, 5])
    drawn = [draw(pick) for _ in range(most)]
    if most > 1:
        drawn = [one for one in drawn if one[0] in ("GET", "HEAD")]
    if not drawn:
        return
    send(connection, b"".join(data for _, data, _ in drawn), pick)
    for method, _, route in drawn:
        if not connection.is_open:
            raise EOFError("closed between pipelined requests")
        status = connection.response(method)
        count(route, status)
        with lock:
            left -= 1


def work(seed):
    pick = random.Random(seed)
    while left > 0:
        if "aborted" not in without and pick.random() < 0.05:
            abort(pick)
        connection = Connection()
        for _ in range(1 if "keep" in without else pick.randrange(1, 20)):
            if connection.is_open and left > 0:
                exchange(connection, pick)
        connection.socket.close()


def run(seed):
    try:
        work(seed)
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(1)


threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open(file, "w") as out:
    for route, number in sorted(routes.items()):
        print(f"{route}: {number}, errors: {errors[route]}", file=out)
    for number in range(1, 6):
        print(f"{number}xx: {classes[number]}", file=out)
