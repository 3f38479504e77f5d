import SuperviseLinux
import Testing

/// Unmodified servers, started as their users start them: each binds by itself, and all share one
/// listener.
@Suite(.serialized) struct ServerTests {
    @Test func pythonsHTTPServer() async throws {
        try await serve { ["python3", "-m", "http.server", $0] }
    }

    @Test func pythonsAsyncio() async throws {
        let script = """
            import asyncio, sys
            async def answer(reader, writer):
                await reader.readline()
                writer.write(b'HTTP/1.0 200 OK\\r\\n\\r\\nhello')
                await writer.drain()
                writer.close()
            async def main():
                await (await asyncio.start_server(answer, '127.0.0.1', sys.argv[1])).serve_forever()
            asyncio.run(main())
            """
        try await serve { ["python3", "-c", script, $0] }
    }

    @Test(.enabled(if: isInstalled("node"), "node is not installed"))
    func nodesHTTP() async throws {
        let script = """
            require('http').createServer((request, response) => response.end('hello'))
                .listen(Number(process.argv[1]))
            """
        try await serve { ["node", "-e", script, $0] }
    }

    @Test(.enabled(if: isInstalled("php"), "php is not installed"))
    func phpsBuiltInServer() async throws {
        let folder = try Folder()
        try await serve { ["php", "-S", "0.0.0.0:\($0)", "-t", folder.path] }
    }

    @Test(.enabled(if: isInstalled("ruby"), "ruby is not installed"))
    func rubysTCPServer() async throws {
        let script = """
            require 'socket'
            server = TCPServer.new(ARGV[0].to_i)
            loop do
              client = server.accept
              client.readpartial(4096)
              client.write "HTTP/1.0 200 OK\\r\\n\\r\\nhello"
              client.close
            end
            """
        try await serve { ["ruby", "-e", script, $0] }
    }

    @Test(.enabled(if: isInstalled("perl"), "perl is not installed"))
    func perlsSockets() async throws {
        let script = """
            use IO::Socket::INET;
            my $server = IO::Socket::INET->new(
                LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die $@;
            while (my $client = $server->accept) {
                sysread $client, my $request, 4096;
                print $client "HTTP/1.0 200 OK\\r\\n\\r\\nhello";
                close $client;
            }
            """
        try await serve { ["perl", "-e", script, $0] }
    }

    @Test(
        .enabled(if: Compiled.isPossible, "cc is not installed"),
        arguments: [["plain"], ["epoll"], ["number"], ["fork", "3"], ["threads", "3"]])
    func programsInC(_ kind: [String]) async throws {
        let program = try await Compiled("server")
        try await serve { [program.path, $0] + kind }
    }

    /// Runs two workers until both have responded: every connection was counted, each worker sent
    /// one notification at its limit, and the length of the queue is unchanged.
    private func serve(_ command: (_ port: String) -> [String]) async throws {
        let stage = try Stage()
        let workers = try (0..<2).map { _ in
            try stage.worker(command(stage.port), limit: 3)
        }
        let made = try await stage.connect(untilEachHas: 5, workers)
        #expect(workers.map(\.connections).reduce(0, +) == made)
        #expect(stage.messages() == ["X_CONNECTIONS=3", "X_CONNECTIONS=3"])
        #expect(stage.backlog == 700)
    }
}
