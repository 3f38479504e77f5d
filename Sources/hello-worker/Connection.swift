import Glibc

/// One client's connection and how far its current request is.
struct Connection {
    /// Where a connection stands; times are milliseconds of the monotonic clock.
    enum State: Equatable {
        /// Waiting for a request, or for the rest of one.
        case reading
        /// Answering at a later time (`/slow`). Then: writing.
        case waiting(until: Int64, Response)
        /// Sending the output. Then: reading, or lingering.
        case writing
        /// The last answer is out; what the client still sends is thrown away until it closes too,
        /// since closing with unread input would reset the connection and lose the answer.
        case lingering(until: Int64)
    }

    let descriptor: Int32
    var state = State.reading
    var input: [UInt8] = []
    var output: [UInt8] = []
    var isClosing = false
    var answered = 0
    let acceptedAt: Int64

    /// Whether nothing of a request has come since the last answer.
    var isIdle: Bool { state == .reading && input.isEmpty }

    /// What poll(2) should wait for.
    var events: Int16 {
        switch state {
        case .reading, .lingering: Int16(POLLIN)
        // Only an error, which poll reports unasked.
        case .waiting: 0
        case .writing: Int16(POLLOUT)
        }
    }

    /// When something is due without the client's doing.
    var deadline: Int64? {
        switch state {
        case .reading, .writing: nil
        case .waiting(let until, _), .lingering(let until): until
        }
    }

    /// Reads what there is; false when the client is gone.
    mutating func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let length = recv(descriptor, &chunk, chunk.count, 0)
            if length > 0 {
                if case .lingering = state { continue }
                input.append(contentsOf: chunk[..<length])
                // A short read has emptied the socket.
                if length < chunk.count || input.count > 65_536 { return true }
            } else if length < 0 && errno == EINTR {
                continue
            } else {
                return length < 0 && errno == EAGAIN
            }
        }
    }

    /// Sends what it can; false when the client is gone.
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

/// An answer.
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
