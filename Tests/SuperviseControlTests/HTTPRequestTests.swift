import Testing

@testable import SuperviseControl

@Suite struct HTTPRequestTests {
    private func parse(_ text: String) throws(HTTPFault) -> HTTPRequest? {
        var parser = HTTPRequestParser()
        parser.append(text.utf8)
        return try parser.next()
    }

    private func fault(_ text: String) -> HTTPFault? {
        do throws(HTTPFault) {
            _ = try parse(text)
            return nil
        } catch {
            return error
        }
    }

    @Test func aRequestOfCurl() throws {
        let request = try parse(
            "GET /status?a=1&b HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\r\n")
        #expect(
            request
                == HTTPRequest(
                    method: "GET", path: "/status",
                    parameters: [.init(name: "a", value: "1"), .init(name: "b", value: "")],
                    isModern: true, keepsAlive: true, host: "x", takesHTML: false))
    }

    @Test func parametersMayBeAFormAndEscaped() throws {
        let request = try parse(
            "POST /scale?pool=a%2Db HTTP/1.1\r\nContent-Length: 10\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\n\r\nby=%2B1&c+d")
        #expect(
            request?.parameters == [
                .init(name: "pool", value: "a-b"), .init(name: "by", value: "+1"),
                .init(name: "c ", value: ""),
            ])
        #expect(try parse("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na=1")?.parameters == [])
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: x, Close\r\n", false), ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
    ])
    func whetherTheConnectionStays(version: String, header: String, stays: Bool) throws {
        #expect(try parse("GET / \(version)\r\n\(header)\r\n")?.keepsAlive == stays)
    }

    @Test func linesMayEndWithoutCR() throws {
        #expect(try parse("\r\n\nGET / HTTP/1.0\nA: b\n\n")?.path == "/")
        #expect(try parse("GET http://host/x HTTP/1.1\n\n")?.path == "/x")
        #expect(try parse("GET http://host HTTP/1.1\n\n")?.path == "/")
    }

    @Test func howeverItIsCut() throws {
        let text =
            "POST /reload HTTP/1.1\r\nContent-Length: 2\r\n\r\nab\r\nGET /x?y=z HTTP/1.0\r\n\r\n"
        for size in 1...text.utf8.count {
            var parser = HTTPRequestParser()
            var found: [String] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                parser.append(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let request = try parser.next() { found.append(request.path) }
            }
            #expect(found == ["/reload", "/x"] && parser.isEmpty, "\(size)")
        }
    }

    @Test(arguments: [
        "GET /\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", " GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n", "G\u{7F}T / HTTP/1.1\r\n\r\n", "GET x HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\r\n", "GET / HTTP/1.1\r\nA: \u{1}\r\n\r\n",
        "GET /%zz HTTP/1.1\r\n\r\n", "GET /%4 HTTP/1.1\r\n\r\n", "GET /\u{E9} HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\n\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "GET / FTP/1\r\n\r\n",
    ])
    func whatMakesNoSense(text: String) {
        #expect(fault(text) == .malformed)
    }

    @Test func whatIsTooMuch() {
        let long = String(repeating: "a", count: 9000)
        #expect(fault("GET /\(long) HTTP/1.1\r\n\r\n") == .headTooLarge)
        #expect(fault(long) == .headTooLarge)
        let headers = String(repeating: "A: b\r\n", count: 65)
        #expect(fault("GET / HTTP/1.1\r\n\(headers)\r\n") == .headTooLarge)
        #expect(fault("POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n") == .bodyTooLarge)
        let huge = String(repeating: "9", count: 100)
        #expect(fault("POST / HTTP/1.1\r\nContent-Length: \(huge)\r\n\r\n") == .bodyTooLarge)
        #expect(
            fault("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == .lengthRequired)
        #expect(fault("GET / HTTP/2\r\n\r\n") == .versionNotSupported)
    }

    @Test func afterAFaultNothingComes() throws {
        var parser = HTTPRequestParser()
        parser.append("x\n\n".utf8)
        #expect(throws: HTTPFault.malformed) { try parser.next() }
        parser.append("GET / HTTP/1.1\r\n\r\n".utf8)
        #expect(throws: HTTPFault.malformed) { try parser.next() }
    }
}
