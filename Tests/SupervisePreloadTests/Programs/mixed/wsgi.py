"""A WSGI application that answers everything that mixed.py asks."""


def answer(method, path, length):
    """The status, and the body, or None for a stream."""
    if path.startswith("/items/") or path == "/":
        return 200, b"an item"
    if path == "/upload":
        return 201, b"%d" % length
    if path == "/stream":
        return 200, None
    return (304, b"") if path == "/cached" else (500, b"no") if path == "/broken" else (404, b"no")


def app(environ, start_response):
    length = 0
    if environ["REQUEST_METHOD"] in ("POST", "PUT"):
        body = environ["wsgi.input"]
        while data := body.read(65536):
            length += len(data)
    status, body = answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], length)
    headers = [] if body is None or status == 304 else [("Content-Length", str(len(body)))]
    start_response(f"{status} Status", headers)
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    return iter([b"one", b"two"]) if body is None else [body]
