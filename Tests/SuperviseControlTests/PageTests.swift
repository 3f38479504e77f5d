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
        // Neither accepts a parameter.
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

    /// Browsers run only what has this hash.
    @Test func thePolicyFitsTheScriptAndTheStyle() throws {
        #expect(try sha256(Page.script) == Page.scriptHash)
        #expect(try sha256(Page.style) == Page.styleHash)
        // The hash covers the text between the tags, so these must be the only ones.
        #expect(html.components(separatedBy: "<script>\(text(Page.script))</script>").count == 2)
        #expect(html.components(separatedBy: "<style>\(text(Page.style))</style>").count == 2)
        #expect(html.components(separatedBy: "<script").count == 2)
        #expect(html.components(separatedBy: "<style").count == 2)
        #expect(html.components(separatedBy: "</script>").count == 2)
    }

    @Test func thePageNeedsNothingElse() {
        for word in ["http:", "https:", "//cdn", "src=", "url(", "@import", "<link rel=\"style"] {
            #expect(!html.contains(word), "\(word)")
        }
    }

    /// Names from workers and configurations are inserted as text, never as markup.
    @Test func textsStayTexts() {
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            #expect(!text(Page.script).contains(word), "\(word)")
        }
    }

    /// Node reads a program from its standard input and, with `--check`, does not run it.
    @Test func theScriptIsValid() throws {
        let (status, output) = try run(["node", "--check", "-"], input: Page.script)
        if status == 127 { try Test.cancel("skipped: node absent") }
        #expect(status == 0, "\(output)")
    }

    private let html = String(decoding: Page.html, as: UTF8.self)

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func sha256(_ bytes: [UInt8]) throws -> String {
        let program =
            "import base64, hashlib, sys; print(base64.b64encode(hashlib.sha256("
            + "sys.stdin.buffer.read()).digest()).decode(), end='')"
        return try run(["python3", "-c", program], input: bytes).output
    }

    /// Runs a command with this input. env(1) exits with 127 if the command is not installed.
    private func run(
        _ command: [String], input bytes: [UInt8]
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try input.fileHandleForWriting.close()
        let result = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: result, as: UTF8.self))
    }
}
