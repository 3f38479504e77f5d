"""requests.py PORT CLIENTS PATH...: requests the paths at random, each on a new connection, until it is
terminated. Then it prints the number of responses and of failures."""
import http.client
import random
import signal
import sys
import threading
import time

port, clients, paths = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
ended = threading.Event()
counts = {"responses": 0, "failures": 0}
lock = threading.Lock()
signal.signal(signal.SIGTERM, lambda *_: ended.set())


def serve(number):
    draws = random.Random(number)
    while not ended.is_set():
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            client.request("GET", draws.choice(paths))
            response = client.getresponse()
            response.read()
            client.close()
            key = "responses" if response.status == 200 else "failures"
        except OSError as error:
            print(error, file=sys.stderr)
            key = "failures"
        with lock:
            counts[key] += 1


threads = [threading.Thread(target=serve, args=(number,)) for number in range(clients)]
for thread in threads:
    thread.start()
while not ended.is_set():
    time.sleep(0.05)
for thread in threads:
    thread.join()
print(counts["responses"], counts["failures"], flush=True)
