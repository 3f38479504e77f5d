"""A Flask application that says which process answered."""
import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return f"pid {os.getpid()}\n"
