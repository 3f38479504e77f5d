"""Clients of status-bind that send all their requests at once: pipeline.py HOST:PORT CLIENTS REQUESTS.

Prints the total number of responses."""
import socket
import sys
import threading

host, port = sys.argv[1].rsplit(":", 1)
clients, requests = int(sys.argv[2]), int(sys.argv[3])
answers = [0] * clients


def ask(index):
    with socket.create_connection((host, int(port))) as client:
        client.settimeout(60)
        request = f"GET /status HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        sender = threading.Thread(target=client.sendall, args=(request * requests,))
        sender.start()
        rest = b""
        while answers[index] < requests:
            data = client.recv(1 << 16)
            if not data:
                break
            data = rest + data
            answers[index] += data.count(b"HTTP/1.1 200 OK\r\n")
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
        sender.join()


threads = [threading.Thread(target=ask, args=(index,)) for index in range(clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(answers))
