import Testing

/// A condition did not hold in time.
struct Late: Error, CustomStringConvertible {
    let description: String
}

/// Waits until `condition` returns a value. It sleeps between polls without blocking a thread, so
/// that tests run in parallel.
func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(20), context: () -> String = { "" },
    _ condition: () throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try condition() { return value }
        guard ContinuousClock.now < deadline else {
            throw Late(description: "not within \(limit): \(what)\n\(context())")
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// Waits until `condition` holds.
func eventually(
    _ what: String, within limit: Duration = .seconds(20), context: () -> String = { "" },
    _ condition: () throws -> Bool
) async throws {
    let _: Bool = try await eventually(what, within: limit, context: context) {
        try condition() ? true : nil
    }
}
