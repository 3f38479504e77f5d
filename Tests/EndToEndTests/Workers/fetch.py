"""A job that requests a URL without a timeout, as many do."""

import sys
import urllib.request

print("requesting", flush=True)
urllib.request.urlopen(sys.argv[1]).read()
