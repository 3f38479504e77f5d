"""A server of which the route /report leaks 50 KB per request, fills a cache or does nothing.

leaking_routes.py PORT leak|cache|nothing

LEAKING_FRAMEWORK is django, flask or empty (the standard library).
"""
import os, sys

port, conduct = int(sys.argv[1]), sys.argv[2]
kept = []
cache = {}


def serve(path):
    """What a view does."""
    if path.startswith("/report"):
        if conduct == "leak":
            kept.append(bytearray(50_000))
        elif conduct == "cache" and len(cache) < 60:
            cache[len(cache)] = bytearray(50_000)
    elif path.startswith("/export"):
        # Needs more for a moment.
        sum(bytearray(100_000)[::4096])
    return b"ok"


def standard():
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = serve(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def run(application):
    import waitress

    waitress.serve(application, listen=f"127.0.0.1:{port}", threads=4)


def flask():
    from flask import Flask, request

    application = Flask(__name__)

    @application.route("/<path:rest>")
    def view(rest):
        return serve(request.path)

    run(application)


def django():
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import re_path

    settings.configure(
        SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[])
    global urlpatterns
    urlpatterns = [re_path("", lambda request: HttpResponse(serve(request.path)))]
    sys.modules[__name__] = sys.modules["__main__"]
    run(get_wsgi_application())


{"": standard, "django": django, "flask": flask}[os.environ.get("LEAKING_FRAMEWORK", "")]()
