"""An ASGI application that says which process answered."""
import os


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b"pid %d\n" % os.getpid()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
