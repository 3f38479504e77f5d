import Glibc

/// Options from the environment that make the server behave like less well-behaved ones.
struct Options {
    /// `HELLO_BOOT_MS`: the duration of the start.
    var bootMilliseconds: UInt32
    /// `HELLO_IGNORE_TERM=1`: ignores the request to stop.
    var ignoresStop: Bool
    /// `HELLO_READY=0`: does not report readiness.
    var announcesReady: Bool
    /// `HELLO_COUNT=0`: does not count its requests.
    var countsRequests: Bool
    /// `HELLO_FIRST_REQUEST_MS`: how long a stopping worker waits for the first request on an accepted
    /// connection.
    var firstRequestMilliseconds: Int64
    /// `PORT`: the port on 127.0.0.1 if no socket is passed.
    var port: UInt16

    init() {
        func text(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        bootMilliseconds = text("HELLO_BOOT_MS").flatMap { UInt32($0) } ?? 0
        ignoresStop = text("HELLO_IGNORE_TERM") == "1"
        announcesReady = text("HELLO_READY") != "0"
        countsRequests = text("HELLO_COUNT") != "0"
        firstRequestMilliseconds = text("HELLO_FIRST_REQUEST_MS").flatMap { Int64($0) } ?? 2000
        port = text("PORT").flatMap { UInt16($0) } ?? 8000
    }
}
