import Foundation
import SuperviseCore
import Testing

@testable import SuperviseControl

@Suite struct PageTests {
    private func request(_ accept: String) throws -> ControlRequest {
        var parser = HTTPRequestParser()
        parser.append("GET / HTTP/1.1\r\n\(accept)\r\n".utf8)
        let http = try #require(try parser.next())
        return try ControlRoute.request(for: http, access: .readOnly).get()
    }

    @Test func browsersGetThePageAndOthersALine() throws {
        let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
        #expect(try request(browser) == .page(asHTML: true))
        #expect(try request("accept: */*\r\nACCEPT: Text/HTML\r\n") == .page(asHTML: true))
        #expect(try request("Accept: */*\r\n") == .page(asHTML: false))
        #expect(try request("") == .page(asHTML: false))
        // A parameter is a mistake for either.
        var parser = HTTPRequestParser()
        parser.append("GET /?x=1 HTTP/1.1\r\nAccept: text/html\r\n\r\n".utf8)
        let http = try #require(try parser.next())
        #expect(throws: ControlRefusal.self) {
            try ControlRoute.request(for: http, access: .readOnly).get()
        }
    }

    @Test func theHeadOfThePage() throws {
        let page = StatusReport.page
        let head = String(
            decoding: page.head(length: page.body.count, isModern: true, keepsAlive: true),
            as: UTF8.self)
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"))
        #expect(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"))
        #expect(head.contains("\r\nVary: Accept\r\n"))
        let policy = try #require(
            head.components(separatedBy: "\r\n").first {
                $0.hasPrefix("Content-Security-Policy: ")
            })
        #expect(policy.contains("default-src 'none'; ") && policy.contains("connect-src 'self'"))
        #expect(!policy.contains("unsafe"))
        let index = StatusReport.index.head(length: 1, isModern: true, keepsAlive: true)
        #expect(!String(decoding: index, as: UTF8.self).contains("Content-Security-Policy"))
    }

    /// Browsers run what has this hash and nothing else.
    @Test func thePolicyFitsTheScriptAndTheStyle() throws {
        #expect(try sha256(Page.script) == Page.scriptHash)
        #expect(try sha256(Page.style) == Page.styleHash)
        // The hash is of all between the tags, so these must be the only ones.
        #expect(Page.html.components(separatedBy: "<script").count == 2)
        #expect(Page.html.components(separatedBy: "<style").count == 2)
        #expect(Page.html.components(separatedBy: "</script>").count == 2)
    }

    @Test func thePageNeedsNothingElse() {
        for word in ["http:", "https:", "//cdn", "src=", "url(", "@import", "<link rel=\"style"] {
            #expect(!Page.html.contains(word), "\(word)")
        }
    }

    /// What workers and configurations name comes as text: nothing that would read it as markup.
    @Test func textsStayTexts() {
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            #expect(!Page.script.contains(word), "\(word)")
        }
    }

    private func sha256(_ text: String) throws -> String {
        let program =
            "import base64, hashlib, sys; print(base64.b64encode(hashlib.sha256("
            + "sys.stdin.buffer.read()).digest()).decode(), end='')"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let result = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: result, as: UTF8.self)
    }
}
