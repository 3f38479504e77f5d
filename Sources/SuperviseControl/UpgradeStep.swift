/// What those are told who wait for an upgrade of the master.
public enum UpgradeStep: Equatable, Sendable {
    /// The program that is to follow reads the state.
    case trial
    /// The master goes on as the program of this version.
    case complete(version: String, from: String)
    /// The master goes on as before.
    case failed(reason: String)

    /// Whether nothing comes after it.
    public var isVerdict: Bool { self != .trial }

    /// One JSON object, ending with a line break.
    public var line: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("stage", isVerdict ? "verdict" : "trial")
            switch self {
            case .trial: break
            case .complete(let version, let from):
                json.field("result", "complete")
                json.field("version", version)
                json.field("from", from)
            case .failed(let reason):
                json.field("result", "failed")
                json.field("reason", reason)
            }
        }
        return json.bytes + [0x0A]
    }
}
