"""Short exchanges in a protocol, at a fixed rate: http, ssh, mqtt, fastcgi (the ping of php-fpm). Prints how many came to
their end, and what became of the others."""
import asyncio, collections, itertools, json, struct, sys, time

protocol, port, count, rate = sys.argv[1], *map(int, sys.argv[2:5])
identifiers = itertools.count(1)


def record(kind, content):
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def fastcgi_request():
    values = {"SCRIPT_FILENAME": "/ping", "SCRIPT_NAME": "/ping", "REQUEST_METHOD": "GET",
              "SERVER_PROTOCOL": "HTTP/1.1"}
    pairs = b"".join(bytes([len(key), len(value)]) + key.encode() + value.encode()
                     for key, value in values.items())
    return (record(1, struct.pack(">HB5x", 1, 0)) + record(4, pairs) + record(4, b"")
            + record(5, b""))


async def exchange(reader, writer):
    if protocol == "http":
        writer.write(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        return b"pid" in await reader.read()
    if protocol == "ssh":
        writer.write(b"SSH-2.0-exchange\r\n")
        return (await reader.readline()).startswith(b"SSH-2.0") and await reader.read(1)
    if protocol == "mqtt":
        name = b"%06d" % next(identifiers)
        writer.write(b"\x10\x12\0\4MQTT\4\2\0\x3c\0\6" + name)
        is_accepted = await reader.readexactly(4) == b"\x20\2\0\0"
        writer.write(b"\xc0\0")
        is_alive = await reader.readexactly(2) == b"\xd0\0"
        writer.write(b"\xe0\0")
        return is_accepted and is_alive
    writer.write(fastcgi_request())
    return b"pid" in await reader.read()


async def attempt(results):
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            results["ok" if await exchange(reader, writer) else "wrong"] += 1
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError) as error:
        results[type(error).__name__] += 1


async def main():
    results, start, tasks = collections.Counter(), time.monotonic(), []
    for number in range(count):
        await asyncio.sleep(max(0, start + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(asyncio.wait_for(attempt(results), 30)))
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if outcome is not None:
            results[type(outcome).__name__] += 1
    print(json.dumps(results))


asyncio.run(main())
