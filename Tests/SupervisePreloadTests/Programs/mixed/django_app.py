"""A Django project in one file, for its runserver: answers everything that mixed.py asks."""
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse, StreamingHttpResponse
from wsgi import answer


def respond(request, path):
    status, body = answer(request.method, "/" + path, len(request.body))
    if body is None:
        return StreamingHttpResponse([b"one", b"two"])
    return HttpResponse(body, status=status)


settings.configure(
    DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF="urls", SECRET_KEY="mixed", LOGGING_CONFIG=None,
    DATA_UPLOAD_MAX_MEMORY_SIZE=None)
urls = type(sys)("urls")
sys.modules["urls"] = urls
from django.urls import re_path

urls.urlpatterns = [re_path(r"^(.*)$", respond)]
execute_from_command_line(["django", "runserver", "--noreload", f"127.0.0.1:{sys.argv[1]}"])
