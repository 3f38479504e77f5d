"""A WSGI application that says which process answered."""
import os


def app(environ, start_response):
    body = b"pid %d\n" % os.getpid()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
