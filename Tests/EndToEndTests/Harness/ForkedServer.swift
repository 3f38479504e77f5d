import Glibc
import Testing

/// A server in Python for workers that are forked from a mold. It binds its own socket, and imports
/// `shop`, which a test may replace. A function `start` in it runs in each worker.
struct ForkedServer {
    private static let program = """
        import os, socket, shop
        if hasattr(shop, "start"):
            shop.start()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(os.environ["PORT"])))
        listener.listen(64)
        while True:
            connection, _ = listener.accept()
            with connection:
                data = b""
                while b"\\r\\n\\r\\n" not in data and (chunk := connection.recv(65536)):
                    data += chunk
                if not data:
                    continue
                body = f"hello from pid {os.getpid()}\\n{shop.answer(data.decode())}\\n"
                head = f"HTTP/1.1 200 OK\\r\\nContent-Length: {len(body)}\\r\\n"
                head += "Connection: close\\r\\n\\r\\n"
                connection.sendall((head + body).encode())
                connection.shutdown(socket.SHUT_WR)

        """

    /// A module whose answer is the time at which it was loaded.
    static let plain = "import time\nloaded = time.monotonic()\ndef answer(data): return loaded\n"

    let folder: Folder
    let port: Int

    init() throws {
        folder = try Folder()
        port = try freePort()
        try folder.write("app.py", ForkedServer.program)
        try folder.write("shop.py", ForkedServer.plain)
    }

    var address: String { "127.0.0.1:\(port)" }
    /// The command of its workers.
    var command: [String] { ["python3", folder["app.py"]] }

    /// Starts it with two workers. `shop` is the text of the module.
    func start(
        _ options: [String] = [], shop: String? = nil, command: [String]? = nil,
        mold: String = "auto", wrapper: [String] = []
    ) throws -> Supervise {
        if let shop { try folder.write("shop.py", shop) }
        return try Supervise(
            [
                "--bind", address, "--workers", "2", "--graceful-timeout", "5s",
                "--stable-after", "1s", "--mold", mold,
            ] + options + ["--"] + (command ?? self.command),
            environment: ["PORT": "\(port)"], wrapper: wrapper, folder: folder)
    }
}

extension Supervise {
    /// The process of the newest mold.
    var mold: pid_t {
        get throws { try #require(lines("mold-ready").last?.pid) }
    }
}
