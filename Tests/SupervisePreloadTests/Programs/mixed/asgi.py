"""An ASGI application that answers everything that mixed.py asks."""
from wsgi import answer


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    status, body = answer(scope["method"], scope["path"], length)
    headers = [] if body is None or status == 304 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for piece in [b"one", b"two"] if body is None else [body]:
        await send({"type": "http.response.body", "body": piece, "more_body": body is None})
    if body is None:
        await send({"type": "http.response.body", "body": b""})
