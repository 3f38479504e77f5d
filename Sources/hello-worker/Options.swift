import Glibc

/// What the environment changes in the server's behaviour, to stand in for less well-behaved ones.
struct Options {
    /// `HELLO_BOOT_MS`: how long it takes to start.
    var bootMilliseconds: UInt32
    /// `HELLO_IGNORE_TERM=1`: the request to stop is not heeded.
    var ignoresStop: Bool
    /// `HELLO_READY=0`: it does not tell when it is ready.
    var announcesReady: Bool
    /// `HELLO_COUNT=0`: it does not count its requests.
    var countsRequests: Bool
    /// `HELLO_FIRST_REQUEST_MS`: how long a stopping worker waits for the first request of a
    /// connection that it has already accepted.
    var firstRequestMilliseconds: Int64
    /// `PORT`: where to listen on 127.0.0.1 when no socket is passed.
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
