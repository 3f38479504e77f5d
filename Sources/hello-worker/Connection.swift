import Glibc

/// The connection of a client and the state of its current request.
struct Connection {
    /// The state of a connection; times are milliseconds of the monotonic clock.
    enum State: Equatable {
        /// Waiting for a request, or for the rest of one.
        case reading
        /// Waiting to respond at a later time (`/slow`). Then: writing.
        case waiting(until: Int64, Response)
        /// Sending the output. Then: reading, or lingering.
        case writing
        /// The last response was sent. Further input is discarded until the client closes, because closing
        /// with unread input would reset the connection and lose the response.
        case lingering(until: Int64)
    }

    let descriptor: Int32
    var state = State.reading
    var input: [UInt8] = []
    var output: [UInt8] = []
    var isClosing = false
    var answered = 0
    let acceptedAt: Int64

    /// Whether no part of a request was received since the last response.
    var isIdle: Bool { state == .reading && input.isEmpty }

    /// The events for poll(2).
    var events: Int16 {
        switch state {
        case .reading, .lingering: Int16(POLLIN)
        // Only errors, which poll always reports.
        case .waiting: 0
        case .writing: Int16(POLLOUT)
        }
    }

    /// The next deadline that does not depend on the client.
    var deadline: Int64? {
        switch state {
        case .reading, .writing: nil
        case .waiting(let until, _), .lingering(let until): until
        }
    }

    /// Reads the available input; returns false if the client has disconnected.
    mutating func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let length = recv(descriptor, &chunk, chunk.count, 0)
            if length > 0 {
                if case .lingering = state { continue }
                input.append(contentsOf: chunk[..<length])
                // A short read means that the socket is empty.
                if length < chunk.count || input.count > 65_536 { return true }
            } else if length < 0 && errno == EINTR {
                continue
            } else {
                return length < 0 && errno == EAGAIN
            }
        }
    }

    /// Sends as much as possible; returns false if the client has disconnected.
    mutating func transmit() -> Bool {
        while !output.isEmpty {
            let length = send(descriptor, output, output.count, Int32(MSG_NOSIGNAL))
            if length >= 0 {
                output.removeFirst(length)
            } else if errno != EINTR {
                return errno == EAGAIN
            }
        }
        return true
    }
}

/// A response.
struct Response: Equatable {
    var status = 200
    var type = "text/plain; charset=utf-8"
    var body: String

    /// The bytes to send.
    func encoded(isClosing: Bool, hasBody: Bool) -> [UInt8] {
        let reasons = [
            200: "OK", 400: "Bad Request", 404: "Not Found", 411: "Length Required",
            413: "Content Too Large", 431: "Request Header Fields Too Large",
        ]
        var text = "HTTP/1.1 \(status) \(reasons[status] ?? "Error")\r\n"
        text += "Content-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
        text += "Connection: \(isClosing ? "close" : "keep-alive")\r\n\r\n"
        return Array((hasBody ? text + body : text).utf8)
    }
}
