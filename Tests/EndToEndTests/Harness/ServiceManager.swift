import Foundation
import Testing

/// A receiver of sd_notify(3) that replaces systemd.
final class ServiceManager {
    /// A datagram.
    struct Message: Decodable {
        /// In seconds of CLOCK_MONOTONIC.
        let time: Double
        let pid: pid_t
        let text: String

        /// The value of a line `NAME=…`.
        subscript(name: String) -> String? {
            text.split(separator: "\n").first { $0.hasPrefix(name + "=") }
                .map { String($0.dropFirst(name.count + 1)) }
        }
    }

    /// The value for NOTIFY_SOCKET.
    let address: String
    private let folder: Folder
    private var cage: Cage?

    init(abstract: Bool = false) async throws {
        let folder = try Folder()
        self.folder = folder
        let name = folder.path.split(separator: "/").last ?? ""
        address = abstract ? "@\(name)" : folder["notify"]
        cage = try Cage(
            ["python3", Place.client("notified"), address], environment: baseEnvironment,
            output: folder["out"], errors: folder["err"])
        try await eventually("the receiver", context: { readFile(folder["err"]) ?? "" }) {
            !folder.lines("out").isEmpty
        }
    }

    /// Exits, and leaves the file of its socket behind.
    func vanish() { cage = nil }

    /// All messages so far, except for a last line that is still being written.
    var messages: [Message] {
        folder.lines("out").dropFirst().compactMap {
            try? JSONDecoder().decode(Message.self, from: Data($0.utf8))
        }
    }

    /// The changes of state, in order.
    var states: [String] {
        messages.flatMap { $0.text.split(separator: "\n").map(String.init) }
            .filter { ["READY=1", "RELOADING=1", "STOPPING=1"].contains($0) }
    }

    /// Waits until exactly these state changes were sent.
    func waitForStates(_ expected: [String]) async throws {
        try await eventually("\(expected)", context: { "\(self.messages)" }) {
            states.count >= expected.count
        }
        #expect(states == expected)
    }

    /// The first message with this line that satisfies the condition.
    @discardableResult
    func wait(
        for name: String, where fits: (String) -> Bool = { _ in true }
    ) async throws -> Message {
        try await eventually(name, context: { "\(self.messages)" }) {
            messages.first { $0[name].map(fits) ?? false }
        }
    }
}
