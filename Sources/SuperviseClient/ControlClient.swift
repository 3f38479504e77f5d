import SuperviseLinux

/// The reason that there is no response from a master.
enum ControlFailure: Error {
    /// The connection failed.
    case unreachable(SystemCallError)
    /// The master does not respond in time.
    case timedOut
    /// The response is invalid.
    case invalidResponse
}

/// A request to a control socket and its streamed response. Unlike the master, it blocks.
final class ControlClient {
    /// The timeout for each part of a response. It is generous, because the master never blocks.
    static let responseTimeoutMilliseconds: Int32 = 10_000

    /// Limits on the duration and size of a response: a master of another user is not trusted to end it.
    private static let responseTimeoutNanoseconds: Int64 = 30_000_000_000
    private static let maximumResponseBytes = 256 << 20

    private let socket: StreamSocket
    private var received: [UInt8] = []
    private var isAtEnd = false
    private var isChunked = false
    private var lengthLeft: Int?
    private var body: [UInt8] = []
    private var isComplete = false
    /// The status code.
    private(set) var status = 0

    /// Sends a request, such as `POST` and `/scale?by=1`, and waits for the head of the response.
    init(_ socket: StreamSocket, _ method: String, _ target: String) throws(ControlFailure) {
        self.socket = socket
        let request =
            "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        do throws(SystemCallError) {
            guard try socket.write(Array(request.utf8)[...]) == request.utf8.count else {
                throw SystemCallError(call: "send", code: 0)
            }
        } catch {
            // The master may already have responded and closed, for example to reject this user.
        }
        try readHead()
    }

    /// The descriptor that becomes readable when more of the response arrives.
    var descriptor: Int32 { socket.rawValue }

    /// Reads the whole response.
    func wholeBody() throws(ControlFailure) -> [UInt8] {
        let end = MonotonicClock.nanoseconds() + ControlClient.responseTimeoutNanoseconds
        while try readMore(timeoutMilliseconds: ControlClient.responseTimeoutMilliseconds) {
            guard MonotonicClock.nanoseconds() < end else { throw .timedOut }
        }
        return body
    }

    /// Reads the next line of a stream; nil at its end. `timeout` in milliseconds, or -1.
    func nextLine(timeoutMilliseconds timeout: Int32) throws(ControlFailure) -> [UInt8]? {
        while true {
            if let end = body.firstIndex(of: 0x0A) {
                let line = Array(body[..<end])
                body.removeSubrange(...end)
                return line
            }
            guard try readMore(timeoutMilliseconds: timeout) else { return nil }
        }
    }

    private func readHead() throws(ControlFailure) {
        while true {
            if let end = received.start(of: "\r\n\r\n") {
                let head = String(decoding: received[..<end], as: UTF8.self)
                received.removeFirst(end + 4)
                try read(head: head.split(separator: "\r\n").map(String.init))
                return
            }
            guard try receive(timeoutMilliseconds: ControlClient.responseTimeoutMilliseconds) else {
                throw .invalidResponse
            }
        }
    }

    private func read(head lines: [String]) throws(ControlFailure) {
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/1."), let code = Int(words[1]) else {
            throw .invalidResponse
        }
        status = code
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map {
                $0.drop { $0 == " " }.lowercased()
            }
            guard parts.count == 2 else { continue }
            if parts[0] == "transfer-encoding" { isChunked = parts[1] == "chunked" }
            if parts[0] == "content-length" {
                lengthLeft = Int(parts[1])
                guard lengthLeft.map({ $0 >= 0 }) ?? true else { throw .invalidResponse }
            }
        }
    }

    /// Reads more of the body; false at its end.
    private func readMore(timeoutMilliseconds: Int32) throws(ControlFailure) -> Bool {
        while !isComplete {
            if try decode() { return true }
            if isComplete { return false }
            guard try receive(timeoutMilliseconds: timeoutMilliseconds) else {
                isComplete = true
                return false
            }
        }
        return false
    }

    /// Decodes received bytes into the body; returns whether it decoded any.
    private func decode() throws(ControlFailure) -> Bool {
        guard isChunked else {
            let count = min(received.count, lengthLeft ?? received.count)
            body += received.prefix(count)
            received.removeFirst(count)
            lengthLeft = lengthLeft.map { $0 - count }
            if lengthLeft == 0 { isComplete = true }
            return count > 0
        }
        guard let lineEnd = received.start(of: "\r\n") else { return false }
        let size = String(decoding: received[..<lineEnd], as: UTF8.self)
        guard let length = Int(size, radix: 16), (0...(1 << 30)).contains(length) else {
            throw .invalidResponse
        }
        let start = lineEnd + 2
        guard received.count >= start + length + 2 else { return false }
        body += received[start..<start + length]
        received.removeFirst(start + length + 2)
        if length == 0 { isComplete = true }
        return length > 0
    }

    private func receive(timeoutMilliseconds: Int32) throws(ControlFailure) -> Bool {
        guard !isAtEnd else { return false }
        do throws(SystemCallError) {
            while true {
                if let bytes = try socket.read(atMost: 65_536) {
                    guard received.count + body.count < ControlClient.maximumResponseBytes else {
                        isAtEnd = true
                        return false
                    }
                    received += bytes
                    isAtEnd = bytes.isEmpty
                    return !isAtEnd
                }
                let ready = try Readiness.wait(
                    [socket.rawValue], timeoutMilliseconds: timeoutMilliseconds)
                if ready.isEmpty { break }
            }
        } catch {
            // The connection ended, for example because the master exited.
            isAtEnd = true
            return false
        }
        throw .timedOut
    }
}

extension [UInt8] {
    /// The index of the first occurrence of this text.
    fileprivate func start(of text: String) -> Int? {
        indices.first { self[$0...].starts(with: text.utf8) }
    }
}
