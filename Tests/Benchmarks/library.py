#!/usr/bin/env python3
"""Measures the cost of the preload library for a program that accepts connections, and for one that
also answers a request on each.

    Tests/Benchmarks/run --figures counting --quick  # builds the library too
    Tests/Benchmarks/library.py [RUNS] [CONNECTIONS]

The same server runs with and without the library in turns, because the speed of the machine changes
over time. Ratios are of adjacent runs, and of the best run of each kind, which other load disturbed
least; 1 is no difference. The processor time is that of the server alone, so it does not include
the clients' share of a connection.
"""

import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness.preload import Held  # noqa: E402

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
HERE = PACKAGE / "Tests/Benchmarks/programs"
SOURCES = PACKAGE / "Sources/CSupervisePreload"
LIBRARY = PACKAGE / ".build-static/release/libsupervise-preload.so"


def compile(folder, name, *sources):
    target = f"{folder}/{name}"
    subprocess.run(
        ["cc", "-O2", "-pthread", f"-I{SOURCES}", "-o", target, HERE / f"{name}.c", *sources],
        check=True)
    return target


def run(server, clients, kind, connections, with_library):
    """Returns connections per second, and the server's nanoseconds per connection."""
    held = Held()
    environment = dict(held.environment)
    if with_library:
        environment["LD_PRELOAD"] = str(LIBRARY)
        descriptors = held.descriptors
    else:
        held.listener.close()
        descriptors = ()
    process = subprocess.Popen(
        [server, str(held.port), kind], env=environment, pass_fds=descriptors, stdout=subprocess.PIPE)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", held.port)) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                # The kernel queues connections on our listener before a server runs.
                client.settimeout(30)
                while client.recv(4096):
                    continue
            break
        except ConnectionResetError:
            break
        except ConnectionRefusedError:
            pass
    took = subprocess.run(
        [clients, str(held.port), str(connections), "4", kind], check=True, stdout=subprocess.PIPE)
    process.send_signal(signal.SIGTERM)
    used = int(process.communicate()[0])
    if held.counted() != (connections + 1 if with_library else 0):
        sys.exit(f"{held.counted()} connections counted of {connections + 1}")
    held.close()
    return connections / (int(took.stdout) / 1e9), used / connections


def report(name, unit, best, without, with_library):
    ratios = sorted(b / a for a, b in zip(without, with_library))
    quarter = len(ratios) // 4
    print(
        f"  {name}: {statistics.median(without):.0f} {unit} without, "
        f"{statistics.median(with_library):.0f} with; ratio {statistics.median(ratios):.3f} "
        f"(middle half {ratios[quarter]:.3f}–{ratios[-1 - quarter]:.3f}, "
        f"all {ratios[0]:.3f}–{ratios[-1]:.3f}); of the best runs "
        f"{best(with_library) / best(without):.3f}")


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    if not LIBRARY.exists():
        sys.exit(f"no {LIBRARY}: Tests/Benchmarks/run builds it")
    with tempfile.TemporaryDirectory() as folder:
        server, clients = compile(folder, "server"), compile(folder, "clients")
        counter = compile(folder, "counter", *(
            SOURCES / f"{name}.c" for name in ("page", "listeners", "known", "environment", "digits")))
        held = Held()
        costs = subprocess.run(
            [counter, str(held.listener.fileno())], env=held.environment,
            pass_fds=held.descriptors, check=True, stdout=subprocess.PIPE, text=True)
        addition, question = costs.stdout.split()
        print(
            f"for each connection: {addition} ns to count; {question} ns more in a program that "
            "also listens on other sockets")
        for kind in ("answer", "accept"):
            results = {False: [], True: []}
            for number in range(runs):
                # The order alternates, so that neither is always second.
                for with_library in ((False, True), (True, False))[number % 2]:
                    results[with_library].append(
                        run(server, clients, kind, connections, with_library))
            (rates, times), (new_rates, new_times) = zip(*results[False]), zip(*results[True])
            print(f"{kind}:")
            report("connections", "/s", max, rates, new_rates)
            report("processor", "ns each", min, times, new_times)


main()
