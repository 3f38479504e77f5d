"""Requests routes at random until it is killed: routes.py PORT SEED. New connections reach all workers."""
import http.client, random, sys, time

port, draws = int(sys.argv[1]), random.Random(int(sys.argv[2]))
while True:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        for _ in range(20):
            path = draws.choices(["/items", "/users", "/report", "/export"], [6, 4, 2, 1])[0]
            client.request("GET", path)
            client.getresponse().read()
            time.sleep(draws.random() * 0.01)
    except OSError:
        # The worker is replaced.
        time.sleep(0.05)
    client.close()
