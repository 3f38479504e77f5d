"""A Flask application that answers everything that mixed.py asks."""
import flask
from wsgi import answer

app = flask.Flask(__name__)


@app.route("/", defaults={"path": ""}, methods=["GET", "POST", "PUT"])
@app.route("/<path:path>", methods=["GET", "POST", "PUT"])
def respond(path):
    status, body = answer(flask.request.method, "/" + path, len(flask.request.get_data()))
    return flask.Response(iter([b"one", b"two"]) if body is None else body, status)
