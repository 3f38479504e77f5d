import Glibc
import Testing

/// Reloads into programs that respond with errors.
@Suite(.takesTurn) struct CanaryCheckTests {
    /// A server that responds with 500 to one of `ERRORS` requests, as a file says at its start.
    static let server = """
        import http.server, os, sys
        errors = int(open(sys.argv[2]).read())
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def do_GET(self):
                global served
                served += 1
                self.send_response(500 if errors and served % errors == 0 else 200)
                self.send_header('Content-Length', '2')
                self.end_headers()
                self.wfile.write(b'ok')
            def log_message(self, *arguments):
                pass
        served = 0
        http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
        """

    private func start(
        errors: Int, _ options: [String] = [], isLoaded: Bool = true,
        command: ((Int) throws -> [String])? = nil
    ) async throws -> (master: Supervise, client: LoadClient?) {
        let port = try freePort()
        let folder = try Folder()
        let file = try folder.write("errors", "\(errors)")
        let words = try command?(port) ?? ["python3", "-c", Self.server, "\(port)", file]
        let master = try Supervise(
            ["--name", "web", "--bind", "127.0.0.1:\(port)", "--workers", "2"] + options + ["--"]
                + words,
            environment: ["ERRORS_FILE": file], folder: folder)
        try await master.waitForWorkers(2)
        let client = isLoaded ? try LoadClient("127.0.0.1:\(port)", rate: 60) : nil
        try await client?.begun()
        return (master, client)
    }

    @Test func aProgramThatFailsEveryRequestIsNotRolledOut() async throws {
        let (master, client) = try await start(errors: 0)
        let before = try await master.waitForWorkers(2)
        try master.folder.write("errors", "1")
        let reload = try await master.command("reload", "--wait")
        #expect(reload.status == .exited(1), "\(reload.output)")
        #expect(reload.errors.contains("responded with 5xx to "), "\(reload.errors)")
        #expect(reload.errors.contains("(100 %), the old workers to 0 of "), "\(reload.errors)")
        let failure = try await master.waitForEvent(Event.canaryFailed)
        #expect(failure["cause"] == "canary-check", "\(failure)")
        #expect(failure["error_share"] == "100%")
        #expect(failure["old_error_share"] == "0%")
        let status = try await master.command("status").output
        #expect(status.contains("(100 %), the old workers to 0 of "), "\(status)")
        // The canary stops, and the next reload is tried.
        let pid = try await master.pid()
        try await master.wait("the canary's end") { master.workers(of: pid) == before }
        try master.folder.write("errors", "0")
        let second = try await master.command("reload", "--wait")
        #expect(second.status == .exited(0), "\(second.errors)")
        _ = try await client?.end()
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    @Test func aServiceWithAsManyErrorsAsBeforeIsRolledOut() async throws {
        let (master, client) = try await start(errors: 2)
        try master.folder.write("errors", "1")
        let reload = try await master.command("reload", "--wait")
        #expect(reload.status == .exited(0), "\(reload.errors)")
        let passed = try await master.waitForEvent(Event.canaryPassed)
        #expect(passed["old_error_share"] != nil, "\(passed)")
        _ = try await client?.end()
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    @Test func withOffAnythingIsRolledOut() async throws {
        let (master, client) = try await start(errors: 0, ["--canary-check", "off"])
        try master.folder.write("errors", "1")
        let reload = try await master.command("reload", "--wait")
        #expect(reload.status == .exited(0), "\(reload.errors)")
        _ = try await client?.end()
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    /// A canary that gets no request passes.
    @Test func anIdleServiceIsRolledOut() async throws {
        let (master, _) = try await start(errors: 0, isLoaded: false)
        try master.folder.write("errors", "1")
        let reload = try await master.command("reload", "--wait")
        #expect(reload.status == .exited(0), "\(reload.errors)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    @Test(arguments: ["gunicorn", "uvicorn"])
    func pythonServersAreCompared(_ server: String) async throws {
        let bin = Server.installed
        guard access("\(bin)/\(server)", X_OK) == 0 else {
            try Test.cancel("\(server) is not installed")
        }
        let application = """
            import os
            errors = int(open(os.environ['ERRORS_FILE']).read())
            def wsgi(environ, start):
                start('500 Error' if errors else '200 OK', [('Content-Length', '2')])
                return [b'ok']
            async def asgi(scope, receive, send):
                if scope['type'] != 'http':
                    return
                await send({'type': 'http.response.start', 'status': 500 if errors else 200,
                            'headers': [(b'content-length', b'2')]})
                await send({'type': 'http.response.body', 'body': b'ok'})
            """
        let folder = try Folder()
        try folder.write("app.py", application)
        let (master, client) = try await start(
            errors: 0, ["--chdir", folder.path],
            command: { port in
                server == "gunicorn"
                    ? [
                        "\(bin)/gunicorn", "--no-control-socket", "-b", "127.0.0.1:\(port)",
                        "app:wsgi",
                    ]
                    : ["\(bin)/uvicorn", "--port", "\(port)", "app:asgi"]
            })
        try master.folder.write("errors", "1")
        let reload = try await master.command("reload", "--wait")
        #expect(reload.status == .exited(1), "\(reload.output)")
        #expect(reload.errors.contains("responded with 5xx to "), "\(reload.errors)")
        _ = try await client?.end()
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        withExtendedLifetime(folder) {}
    }
}
