import Foundation
import Glibc
import Testing

/// `supervise hunt`: leaks of real programs, which are not changed for it.
@Suite(.takesLongTurn) struct HuntTests {
    struct Result: Decodable {
        struct Route: Decodable {
            var route: String
            var requests: Int
            var retained_bytes: Double?
            var course: String
            var leaks: Bool
            var share: Double?
        }

        struct Line: Decodable {
            var line: String
            var bytes: Double
        }

        var reason: String
        var requests: Int
        var method: String
        var runtime: String
        var routes: [Route]
        var lines: [Line]
        var notes: [String]

        var leaks: [String] { routes.filter(\.leaks).map(\.route) }
    }

    /// A service of one worker that gets these requests, and a hunt in it.
    private func hunt(
        _ command: [String], _ paths: [String], options: [String] = [], requests: Int = 80,
        master masterOptions: [String] = [], environment: [String: String] = [:]
    ) async throws -> Result {
        let port = try freePort()
        let words = command.map { $0.replacingOccurrences(of: "PORT", with: "\(port)") }
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)"] + masterOptions + ["--"] + words,
            environment: environment)
        try await master.waitForWorkers(1)
        let client = try Cage(
            ["python3", Place.client("requests"), "\(port)", "2"] + paths,
            environment: baseEnvironment, output: master.folder["load"],
            errors: master.folder["failures"])
        let result = try await run(
            [
                Place.supervise, "hunt", "--json", "--requests", "\(requests)", "--time", "4m",
            ] + options, environment: ["XDG_RUNTIME_DIR": master.folder.path],
            deadline: .seconds(280))
        #expect(result.errors == "", "\(master.tail)")
        let found = try JSONDecoder().decode(Result.self, from: Data(result.output.utf8))
        // No request fails because of the hunt, nor because of its end.
        try await expectNoFailure(of: client, in: master)
        let exit = try await master.waitForLog("the end of the hunted worker") {
            $0.event == Event.exit && $0["cause"] == "hunt-ended"
        }
        #expect(exit["slot"] == "1")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        return found
    }

    private func expectNoFailure(of client: Cage, in master: Supervise) async throws {
        let pid = try #require(client.pid)
        kill(pid, SIGTERM)
        let counts = try await eventually("the end of the load", within: .seconds(60)) {
            let words = readFile(master.folder["load"])?.split(separator: " ")
            return words?.count == 2 ? words : nil
        }
        let failures = counts[1].trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(failures == "0", "\(readFile(master.folder["failures"]) ?? "")")
    }

    private func expectLeak(
        of route: String, bytes: Double, in result: Result,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(result.routes.first?.route == route, "\(result)", sourceLocation: sourceLocation)
        #expect(result.leaks == [route], "\(result)", sourceLocation: sourceLocation)
        let found = result.routes.first?.retained_bytes ?? 0
        #expect(
            abs(found - bytes) < 0.2 * bytes, "\(result)", sourceLocation: sourceLocation)
    }

    // MARK: Programs that are always here

    private static let leaking = ["python3", Place.worker("leaking"), "PORT"]

    @Test func aPlainServer() async throws {
        let result = try await hunt(Self.leaking, ["/leak", "/temporary", "/cycle", "/"])
        #expect(result.method == "exact" && result.runtime == "python")
        expectLeak(of: "GET /leak", bytes: 20_041, in: result)
    }

    @Test func aServiceThatDoesNotLeak() async throws {
        let result = try await hunt(Self.leaking, ["/temporary", "/cycle", "/"])
        #expect(result.leaks == [] && result.requests >= 70, "\(result)")
    }

    @Test func theLineIsNamed() async throws {
        let result = try await hunt(
            Self.leaking, ["/leak", "/"], options: ["--trace"], requests: 120)
        expectLeak(of: "GET /leak", bytes: 20_041, in: result)
        #expect(result.lines.first?.line.hasSuffix("leaking.py:14") ?? false, "\(result)")
    }

    @Test func anInterpreterThatIgnoresTheHuntIsReported() async throws {
        let result = try await hunt(
            ["python3", "-E", Place.worker("leaking"), "PORT"], ["/leak", "/"])
        #expect(result.method == "regression" && result.notes.first?.contains("-E") ?? false)
    }

    // MARK: Leaks with real libraries

    @Test(.needs("node")) func aClosureOfNode() async throws {
        let result = try await hunt(
            ["node", "-e", Self.closure, "PORT"], ["/subscribe", "/big", "/"], requests: 600)
        #expect(result.runtime == "node")
        expectLeak(of: "GET /subscribe", bytes: 40_100, in: result)
    }

    private static let closure = """
        const http = require('http');
        const handlers = [];
        http.createServer((request, response) => {
          if (request.url === '/subscribe') {
            const data = new Array(5000).fill(request.url.length + 0.5);
            handlers.push(() => data.length);
          } else if (request.url === '/big') {
            Buffer.alloc(1000000).fill(1);
          }
          response.end('ok');
        }).listen(Number(process.argv[1]), '127.0.0.1');
        """

    private func gunicorn(_ program: String, _ paths: [String]) async throws -> Result {
        guard Server.hasModule("gunicorn") else { try Test.cancel("needs gunicorn") }
        let folder = try Folder()
        try folder.write("leaking_app.py", program)
        return try await hunt(
            [
                "\(Server.installed)/gunicorn", "--no-control-socket", "--chdir", folder.path,
                "--bind", "127.0.0.1:PORT", "--log-level", "error", "leaking_app:app",
            ], paths)
    }

    @Test func aGlobalCacheOfFlask() async throws {
        guard Server.hasModule("flask") else { try Test.cancel("needs flask") }
        let result = try await gunicorn(
            """
            from flask import Flask
            app = Flask(__name__)
            cache = {}
            @app.route('/search')
            def search():
                cache[len(cache)] = b'r' * 20000
                return 'ok'
            @app.route('/big')
            def big():
                return 'x' * 1000000
            @app.route('/')
            def index():
                return 'ok'
            """, ["/search", "/big", "/"])
        expectLeak(of: "GET /search", bytes: 20_100, in: result)
    }

    @Test func aListOfRequestsOfDjango() async throws {
        guard Server.hasModule("django") else { try Test.cancel("needs django") }
        let result = try await gunicorn(
            """
            from django.conf import settings
            settings.configure(SECRET_KEY='x', ALLOWED_HOSTS=['*'], ROOT_URLCONF=__name__)
            import django
            django.setup()
            from django.core.wsgi import get_wsgi_application
            from django.http import HttpResponse
            from django.urls import path
            seen = []
            def login(request):
                seen.append(request)
                return HttpResponse('ok')
            def big(request):
                return HttpResponse(b'x' * 1000000)
            urlpatterns = [path('login', login), path('big', big)]
            app = get_wsgi_application()
            """, ["/login", "/big"])
        #expect(result.leaks == ["GET /login"], "\(result)")
    }

    @Test func figuresOfMatplotlib() async throws {
        guard Server.hasModule("matplotlib") else { try Test.cancel("needs matplotlib") }
        let result = try await gunicorn(
            """
            import io, matplotlib
            matplotlib.use('Agg')
            matplotlib.rcParams['figure.max_open_warning'] = 0
            import matplotlib.pyplot as plt
            def app(environ, start):
                if environ['PATH_INFO'] != '/':
                    figure = plt.figure(figsize=(2, 2))
                    plt.plot(range(10))
                    figure.savefig(io.BytesIO(), format='png')
                    if environ['PATH_INFO'] == '/closed':
                        plt.close(figure)
                start('200 OK', [('Content-Length', '2')])
                return [b'ok']
            """, ["/plot", "/closed", "/"])
        #expect(result.leaks == ["GET /plot"], "\(result)")
    }

    @Test func thumbnailsOfPillow() async throws {
        guard Server.hasModule("PIL") else { try Test.cancel("needs pillow") }
        let result = try await gunicorn(
            """
            import io
            from PIL import Image
            source = io.BytesIO()
            Image.new('RGB', (800, 600), 'red').save(source, 'png')
            thumbnails = []
            def app(environ, start):
                if environ['PATH_INFO'] != '/':
                    image = Image.open(io.BytesIO(source.getvalue()))
                    if environ['PATH_INFO'] == '/thumbnail':
                        image.thumbnail((128, 128))
                        thumbnails.append(image)
                    else:
                        image.resize((400, 300))
                start('200 OK', [('Content-Length', '2')])
                return [b'ok']
            """, ["/thumbnail", "/resize", "/"])
        expectLeak(of: "GET /thumbnail", bytes: 128 * 96 * 4 + 1500, in: result)
    }
}

/// The ends of hunts, and those that are refused.
@Suite(.takesTurn) struct HuntEndTests {
    private func start(_ options: [String] = []) async throws -> Supervise {
        let port = try freePort()
        let master = try Supervise(
            ["--bind", "127.0.0.1:\(port)"] + options
                + ["--", "python3", Place.worker("leaking"), "\(port)"])
        try await master.waitForWorkers(1)
        return master
    }

    private func begin(_ master: Supervise) throws -> Cage {
        try Cage(
            [Place.supervise, "hunt"],
            environment: baseEnvironment.merging(["XDG_RUNTIME_DIR": master.folder.path]) { $1 },
            output: master.folder["hunt"], errors: master.folder["hunt-errors"])
    }

    private func expectEnd(
        _ reason: String, _ message: String, of hunt: Cage, _ master: Supervise
    ) async throws {
        let line = try await master.waitForEvent("hunt-ended")
        #expect(line["reason"] == reason, "\(line)")
        let status = try await eventually("the end of the command") { hunt.status }
        #expect(status == .exited(1))
        #expect(readFile(master.folder["hunt"])?.contains(message) ?? false)
    }

    @Test func aReloadEndsIt() async throws {
        let master = try await start()
        let hunt = try begin(master)
        _ = try await master.waitForLog("the hunted worker") {
            $0.event == Event.ready && $0["slot"] == "1"
        }
        let second = try await master.command("hunt")
        #expect(second.errors.contains("one hunt at a time"), "\(second)")
        let status = try await master.command("status")
        #expect(status.output.contains("hunted"), "\(status)")
        #expect(try await master.command("reload", "--wait").status == .exited(0))
        try await expectEnd("reload", "a reload ended the hunt", of: hunt, master)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    @Test func aStopEndsIt() async throws {
        let master = try await start()
        let hunt = try begin(master)
        _ = try await master.waitForEvent("hunt-started")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
        try await expectEnd("stop", "the service stops", of: hunt, master)
    }

    @Test func anUpgradeEndsIt() async throws {
        let master = try await start()
        let hunt = try begin(master)
        _ = try await master.waitForLog("the hunted worker") {
            $0.event == Event.ready && $0["slot"] == "1"
        }
        #expect(try await master.command("upgrade").status == .exited(0))
        try await expectEnd("upgrade", "an upgrade of the master", of: hunt, master)
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    @Test func theEndOfTheCommandEndsIt() async throws {
        let master = try await start()
        let hunt = try begin(master)
        _ = try await master.waitForEvent("hunt-started")
        let pid = try #require(hunt.pid)
        kill(pid, SIGKILL)
        let line = try await master.waitForEvent("hunt-ended")
        #expect(line["reason"] == "client-gone", "\(line)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }

    @Test func poolsWithoutVisibleRequestsAreRefused() async throws {
        let master = try await start(["--request-info", "off"])
        let refused = try await master.command("hunt")
        #expect(
            refused.errors.contains("request-info = off; a hunt requires auto")
                && refused.status == .exited(1), "\(refused)")
        let unknown = try await master.command("hunt", "--pool", "x")
        #expect(unknown.errors.contains("unknown pool x; the pools are"), "\(unknown)")
        #expect(try await master.stop() == .exited(0), "\(master.tail)")
    }
}
