import SuperviseCore
import Testing

@testable import SuperviseControl

@Suite struct RouteTests {
    private func route(
        _ method: String, _ target: String, _ access: ControlAccess = .full
    ) -> Result<ControlRequest, ControlRefusal> {
        var parser = HTTPRequestParser()
        parser.append("\(method) \(target) HTTP/1.1\r\n\r\n".utf8)
        let request = Result { () throws(HTTPFault) in try parser.next() }
        guard case .success(let http?) = request else {
            return .failure(ControlRefusal(.badRequest, "no request"))
        }
        return ControlRoute.request(for: http, access: access)
    }

    private static let requests: [(String, String, ControlRequest)] = [
        ("GET", "/", .page(asHTML: false)), ("HEAD", "/status", .status),
        ("GET", "/metrics", .metrics), ("GET", "/leaks", .leaks(pool: nil)),
        ("GET", "/leaks?pool=web", .leaks(pool: "web")),
        ("GET", "/healthz", .health), ("GET", "/readyz", .readiness),
        ("GET", "/events", .events(follow: false)),
        ("GET", "/events?follow", .events(follow: true)),
        ("GET", "/events?follow=no", .events(follow: false)),
        ("POST", "/reload", .reload(wait: false)), ("POST", "/reload?wait=1", .reload(wait: true)),
        ("POST", "/recycle?slot=all", .recycle(pool: nil, slot: nil)),
        ("POST", "/recycle?pool=web&slot=3", .recycle(pool: "web", slot: 3)),
        ("POST", "/scale?to=4", .scale(pool: nil, .to(4))),
        ("POST", "/scale?by=1&pool=a", .scale(pool: "a", .by(1))),
        ("POST", "/scale?by=%2B2", .scale(pool: nil, .by(2))),
        ("POST", "/scale?by=-1", .scale(pool: nil, .by(-1))),
        ("POST", "/stop", .stop(.graceful, wait: false)),
        ("POST", "/stop?quick&wait=yes", .stop(.quick, wait: true)),
        ("POST", "/reopen", .reopen), ("POST", "/upgrade", .upgrade(wait: false)),
    ]

    @Test func everyRequestHasAPlace() {
        for (method, target, request) in Self.requests {
            #expect(route(method, target) == .success(request), "\(target)")
        }
    }

    @Test func theOtherAddressIsReadOnly() {
        for (method, target, request) in Self.requests {
            let result = route(method, target, .readOnly)
            if method == "POST" {
                guard case .failure(let refusal) = result else {
                    Issue.record("\(target) changes something")
                    continue
                }
                #expect(refusal.status.code == 403)
            } else {
                #expect(result == .success(request))
            }
        }
    }

    @Test(arguments: [
        ("GET", "/nothing", 404, "/nothing does not exist; the resources are /, /status"),
        ("GET", "/reload", 405, "/reload allows POST"),
        ("POST", "/status", 405, "/status allows GET and HEAD"),
        ("DELETE", "/", 405, "/ allows GET and HEAD"),
        ("POST", "/recycle", 400, "missing parameter: pass slot=N"),
        ("POST", "/recycle?slots=1", 400, "missing parameter: pass slot=N"),
        ("POST", "/recycle?slot=all&slots=1", 400, "unknown parameter slots"),
        ("POST", "/recycle?slot=", 400, "slot must be a number"),
        ("POST", "/recycle?slot=-1", 400, "slot must be a number"),
        ("POST", "/recycle?slot=1&slot=2", 400, "slot is given more than once"),
        ("POST", "/recycle?slot=99999999999999999999", 400, "slot must be a number"),
        ("POST", "/scale", 400, "missing parameter: pass to=N"),
        ("POST", "/scale?to=1&by=1", 400, "missing parameter: pass to=N"),
        ("POST", "/scale?to=0", 400, "to must be a number"),
        ("POST", "/scale?by=0", 400, "by must be a"),
        ("POST", "/scale?by=--1", 400, "by must be a"),
        ("POST", "/stop?quick=maybe", 400, "quick must be"),
    ])
    func refusals(method: String, target: String, code: Int, message: String) {
        guard case .failure(let refusal) = route(method, target) else {
            Issue.record("\(target) is accepted")
            return
        }
        #expect(refusal.status.code == code)
        #expect(refusal.message.hasPrefix(message), "\(refusal.message)")
    }

    /// A web site can let its name resolve to a loopback address.
    @Test(
        arguments: [
            (nil, true), ("", true), ("localhost", true), ("app.localhost", true),
            ("127.0.0.1", true),
            ("::1", true), ("status.example", true), ("evil.example", false),
            ("127.0.0.1.evil", false),
            ("localhost.evil", false), ("1.2.3", false), ("1.2.3.999", false),
        ] as [(String?, Bool)])
    func aLoopbackAddressAnswersForItsOwnNames(host: String?, isAdmitted: Bool) {
        #expect(ControlHosts.admit(host, configured: "Status.example") == isAdmitted)
    }

    @Test(arguments: [
        ("a.example:80", "a.example"), ("A.Example", "a.example"), ("[::1]:80", "::1"),
        ("127.0.0.1:9", "127.0.0.1"),
    ])
    func theHostIsReadWithoutItsPort(header: String, host: String) throws {
        var parser = HTTPRequestParser()
        parser.append("GET / HTTP/1.1\r\nHost: \(header)\r\n\r\n".utf8)
        #expect(try parser.next()?.host == host)
        parser.append("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".utf8)
        #expect(throws: HTTPFault.malformed) { try parser.next() }
    }

    @Test func theAllowedMethodsAreReported() {
        guard case .failure(let refusal) = route("GET", "/stop") else { return }
        let head = refusal.response.head(length: 0, isModern: true, keepsAlive: true)
        #expect(String(decoding: head, as: UTF8.self).contains("\r\nAllow: POST\r\n"))
    }
}
