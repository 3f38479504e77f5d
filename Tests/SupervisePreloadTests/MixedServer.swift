import SuperviseLinux
import Testing

/// A server that responds to everything that mixed.py sends.
struct MixedServer: CustomTestStringConvertible, Sendable {
    let name: String
    /// Its command; PORT, HERE and FOLDER are replaced by the port, the folder of the programs, and a
    /// folder of the test.
    let command: [String]
    /// The kinds of requests that it does not understand; see mixed.py.
    var without: [String] = []
    var build: [String] = []
    /// How many requests may be counted with all others. The wait for the set of routes is brief, so
    /// that a request whose processes compete for it can come too late.
    var lateRoutes = 0
    /// A file in which PORT and FOLDER are replaced, and which is then in the folder of the test.
    var configuration: String?

    var testDescription: String { name }

    private static let bin = "\(Place.package)/.build/servers/bin"

    /// Replaces the placeholders.
    func filled(_ text: String, port: String, folder: Folder) -> String {
        var text = text
        let values = [
            ("PORT", port), ("HERE", "\(Place.programs)/mixed"), ("FOLDER", folder.path),
        ]
        for (name, value) in values {
            text = text.split(separator: name, omittingEmptySubsequences: false)
                .joined(separator: value)
        }
        return text
    }

    /// The program that is not installed; nil if all are.
    var missing: String? {
        let installed = command.filter { $0.hasPrefix(Self.bin) }
        return ([command[0], build.first ?? command[0]] + installed).first {
            !$0.contains("/") ? !isInstalled($0) : !$0.hasPrefix("FOLDER") && !isExecutable($0)
        }
    }

    static let all = [
        MixedServer(
            name: "http.server",
            command: ["python3", "HERE/plain.py", "PORT", "HTTP/1.1", "threads"],
            without: ["chunked", "pipelined"]),
        MixedServer(
            name: "http.server, HTTP/1.0",
            command: ["python3", "HERE/plain.py", "PORT", "HTTP/1.0", "one"],
            without: ["chunked", "pipelined"]),
        MixedServer(
            name: "http.server that forks",
            command: ["python3", "HERE/plain.py", "PORT", "HTTP/1.1", "forks"],
            without: ["chunked", "pipelined"], lateRoutes: 5),
        MixedServer(
            name: "gunicorn sync", command: gunicorn([]), without: ["pipelined"]),
        MixedServer(
            name: "gunicorn gthread", command: gunicorn(["--threads", "4"]),
            without: ["pipelined"]),
        MixedServer(
            name: "uvicorn with h11 and asyncio",
            command: uvicorn(["--http", "h11", "--loop", "asyncio"])),
        MixedServer(
            name: "uvicorn with httptools and uvloop",
            command: uvicorn(["--http", "httptools", "--loop", "uvloop"])),
        MixedServer(
            name: "hypercorn",
            command: ["\(bin)/hypercorn", "--bind", "127.0.0.1:PORT", "HERE/asgi:app"],
            without: ["pipelined"]),
        MixedServer(
            name: "waitress",
            command: [
                "env", "PYTHONPATH=HERE", "\(bin)/waitress-serve", "--listen", "127.0.0.1:PORT",
                "wsgi:app",
            ], without: ["pipelined"]),
        MixedServer(
            name: "flask run",
            command: ["\(bin)/flask", "--app", "HERE/flask_app", "run", "--port", "PORT"],
            without: ["pipelined"]),
        MixedServer(
            name: "Django's runserver", command: ["\(bin)/python", "HERE/django_app.py", "PORT"],
            without: ["chunked", "pipelined"]),
        MixedServer(name: "node", command: ["node", "HERE/server.js", "PORT"]),
        MixedServer(
            name: "ruby", command: ["ruby", "HERE/tcp.rb", "PORT"],
            without: ["chunked", "pipelined"]),
        MixedServer(
            name: "puma", command: ["puma", "-b", "tcp://127.0.0.1:PORT", "HERE/config.ru"]),
        MixedServer(
            name: "starman",
            command: [
                "starman", "--listen", "127.0.0.1:PORT", "--workers", "2", "HERE/app.psgi",
            ], without: ["pipelined"]),
        MixedServer(
            name: "java", command: ["java", "-cp", "FOLDER", "Mixed", "PORT"],
            without: ["pipelined"], build: ["javac", "-d", "FOLDER", "HERE/Mixed.java"]),
        MixedServer(
            name: "nginx", command: ["nginx", "-c", "FOLDER/nginx.conf"],
            without: ["body", "chunked", "pipelined"], configuration: "nginx.conf"),
    ]

    private static func gunicorn(_ options: [String]) -> [String] {
        [
            "\(bin)/gunicorn", "--no-control-socket", "--chdir", "HERE", "--bind",
            "127.0.0.1:PORT",
        ] + options + ["wsgi:app"]
    }

    private static func uvicorn(_ options: [String]) -> [String] {
        [
            "\(bin)/uvicorn", "--app-dir", "HERE", "asgi:app", "--log-level", "warning", "--port",
            "PORT",
        ] + options
    }
}
