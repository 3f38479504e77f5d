/// The messages of a worker on its notify socket: lines of an sd_notify(3) datagram, `KEY=VALUE`,
/// and keys of this program, which begin with `X_`. Unknown keys are ignored, because they belong
/// to other programs.
public enum WorkerMessage: Equatable, Sendable {
    /// `READY=1`.
    case ready
    /// `STOPPING=1`.
    case stopping
    /// `STATUS=…`, free text.
    case status(String)
    /// `ERRNO=…`, the error because of which the worker ends.
    case errno(Int32)
    /// `X_REQUESTS=123`: the total of requests served so far.
    case requests(UInt64)
    /// `X_REQUESTS=+1`: a number of additional requests.
    case moreRequests(UInt64)
    /// `X_RESPONSES=123`: the total of responses that the preload library observed.
    case responses(UInt64)
    /// `X_CONNECTIONS=123`: the total of accepted connections that the preload library counted.
    case connections(UInt64)
    /// `X_LISTENING=1`: the preload library saw the worker wait for connections.
    case listening
    /// `X_RECYCLE=1`.
    case recycle
    /// `WATCHDOG=1`.
    case watchdog
    /// `WATCHDOG=trigger`.
    case watchdogTriggered
    /// `EXTEND_TIMEOUT_USEC=…`, in microseconds.
    case extendTimeout(TimeSpan)
    /// `X_HOLD=30`, in seconds.
    case hold(TimeSpan)
    /// `X_LISTENER=123`: a process of the worker lacks the listener whose socket has this inode.
    case listener(inode: UInt64)
    /// `X_NOT_ADOPTED=123`: the process could not get that listener.
    case notAdopted(inode: UInt64)
    /// `X_ALSO_BINDS=[::]:8000`: a process of the worker binds an address that differs from a
    /// listener only in its family, and got that listener.
    case alsoBinds(address: String)
    /// A key of this program with an invalid value.
    case malformed(key: String, value: String)

    /// The longest part of a value that is kept, in bytes.
    static let longestText = 512

    /// Parses a datagram. Accepts any bytes, and ignores lines without a key and a value.
    public static func parse(_ datagram: some Collection<UInt8>) -> [WorkerMessage] {
        datagram.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let key = String(decoding: line[..<equals].prefix(longestText), as: UTF8.self)
            let value = String(
                decoding: line[line.index(after: equals)...].prefix(longestText), as: UTF8.self)
            return read(key, value)
        }
    }

    private static func read(_ key: String, _ value: String) -> WorkerMessage? {
        switch (key, value) {
        case ("READY", "1"): return .ready
        case ("STOPPING", "1"): return .stopping
        case ("X_RECYCLE", "1"): return .recycle
        case ("X_LISTENING", "1"): return .listening
        case ("WATCHDOG", "1"): return .watchdog
        case ("WATCHDOG", "trigger"): return .watchdogTriggered
        case ("EXTEND_TIMEOUT_USEC", _):
            return Int64(value).flatMap { $0 > 0 ? .extendTimeout(.microseconds($0)) : nil }
                ?? .malformed(key: key, value: value)
        case ("STATUS", _): return .status(value)
        case ("ERRNO", _): return Int32(value).map { .errno($0) }
        case ("X_REQUESTS", _):
            let isIncrease = value.hasPrefix("+")
            // A single sign is consumed here, and the rest must not have another, or `++1` would be
            // valid.
            guard let count = UInt64(value) else {
                return .malformed(key: key, value: value)
            }
            return isIncrease ? .moreRequests(count) : .requests(count)
        case ("X_CONNECTIONS", _), ("X_RESPONSES", _):
            // The library counts on the page, so it sends only totals.
            guard !value.hasPrefix("+"), let count = UInt64(value) else {
                return .malformed(key: key, value: value)
            }
            return key == "X_RESPONSES" ? .responses(count) : .connections(count)
        case ("X_LISTENER", _), ("X_NOT_ADOPTED", _):
            guard !value.hasPrefix("+"), let inode = UInt64(value) else {
                return .malformed(key: key, value: value)
            }
            return key == "X_LISTENER" ? .listener(inode: inode) : .notAdopted(inode: inode)
        case ("X_ALSO_BINDS", _): return .alsoBinds(address: value)
        case ("X_HOLD", _):
            guard let seconds = Int64(value), seconds >= 0 else {
                return .malformed(key: key, value: value)
            }
            return .hold(.seconds(seconds))
        case ("X_RECYCLE", _): return .malformed(key: key, value: value)
        default: return nil
        }
    }
}
