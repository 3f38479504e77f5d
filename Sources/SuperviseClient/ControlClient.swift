import SuperviseLinux

/// Why a master gives no answer.
enum ControlFailure: Error {
    /// The socket cannot be talked to.
    case unreachable(SystemCallError)
    /// It does not answer in time.
    case silent
    /// What it says is no answer.
    case garbled
}

/// A request to a control socket and its answer, read as it comes. Waits, unlike the master.
final class ControlClient {
    /// How long a master may take to begin its answer, or to go on with it. Its loop waits for nobody,
    /// so this is very long.
    static let patienceMilliseconds: Int32 = 10_000

    /// How long all of an answer may take, and how large it may be: a master of another user is not
    /// trusted to end it.
    private static let longestAnswerNanoseconds: Int64 = 30_000_000_000
    private static let largestAnswerBytes = 256 << 20

    private let socket: StreamSocket
    private var received: [UInt8] = []
    private var isAtEnd = false
    private var isChunked = false
    private var lengthLeft: Int?
    private var body: [UInt8] = []
    private var isComplete = false
    /// The status code.
    private(set) var status = 0

    /// Sends a request, such as `POST` and `/scale?by=1`, and waits for the head of the answer.
    init(_ socket: StreamSocket, _ method: String, _ target: String) throws(ControlFailure) {
        self.socket = socket
        let request =
            "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        do throws(SystemCallError) {
            guard try socket.write(Array(request.utf8)[...]) == request.utf8.count else {
                throw SystemCallError(call: "send", code: 0)
            }
        } catch {
            // It may have answered and closed already, as to a user it does not know.
        }
        try readHead()
    }

    /// What becomes readable when there is more of the answer.
    var descriptor: Int32 { socket.rawValue }

    /// All of the answer.
    func wholeBody() throws(ControlFailure) -> [UInt8] {
        let end = MonotonicClock.nanoseconds() + ControlClient.longestAnswerNanoseconds
        while try readMore(patience: ControlClient.patienceMilliseconds) {
            guard MonotonicClock.nanoseconds() < end else { throw .silent }
        }
        return body
    }

    /// The next line of a stream; nil at its end. `timeout` in milliseconds, or -1.
    func nextLine(timeoutMilliseconds timeout: Int32) throws(ControlFailure) -> [UInt8]? {
        while true {
            if let end = body.firstIndex(of: 0x0A) {
                let line = Array(body[..<end])
                body.removeSubrange(...end)
                return line
            }
            guard try readMore(patience: timeout) else { return nil }
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
            guard try receive(patience: ControlClient.patienceMilliseconds) else {
                throw .garbled
            }
        }
    }

    private func read(head lines: [String]) throws(ControlFailure) {
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/1."), let code = Int(words[1]) else {
            throw .garbled
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
                guard lengthLeft.map({ $0 >= 0 }) ?? true else { throw .garbled }
            }
        }
    }

    /// Takes more of the body; false at its end.
    private func readMore(patience: Int32) throws(ControlFailure) -> Bool {
        while !isComplete {
            if try decode() { return true }
            if isComplete { return false }
            guard try receive(patience: patience) else {
                isComplete = true
                return false
            }
        }
        return false
    }

    /// Moves what was received to the body, as far as that can be told; whether there was any.
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
            throw .garbled
        }
        let start = lineEnd + 2
        guard received.count >= start + length + 2 else { return false }
        body += received[start..<start + length]
        received.removeFirst(start + length + 2)
        if length == 0 { isComplete = true }
        return length > 0
    }

    private func receive(patience: Int32) throws(ControlFailure) -> Bool {
        guard !isAtEnd else { return false }
        do throws(SystemCallError) {
            while true {
                if let bytes = try socket.read(atMost: 65_536) {
                    guard received.count + body.count < ControlClient.largestAnswerBytes else {
                        isAtEnd = true
                        return false
                    }
                    received += bytes
                    isAtEnd = bytes.isEmpty
                    return !isAtEnd
                }
                let ready = try Readiness.wait(
                    [socket.rawValue], timeoutMilliseconds: patience)
                if ready.isEmpty { break }
            }
        } catch {
            // It ended while we read, as a master that is gone does.
            isAtEnd = true
            return false
        }
        throw .silent
    }
}

extension [UInt8] {
    /// Where this text begins for the first time.
    fileprivate func start(of text: String) -> Int? {
        indices.first { self[$0...].starts(with: text.utf8) }
    }
}
