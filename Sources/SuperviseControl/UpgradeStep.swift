/// A step of an upgrade of the master, as reported to waiting clients.
public enum UpgradeStep: Equatable, Sendable {
    /// The new program reads the state.
    case trial
    /// The master runs the program of this version.
    case complete(version: String, from: String)
    /// The master keeps running the old program.
    case failed(reason: String)

    /// Whether it is the last step.
    public var isVerdict: Bool { self != .trial }

    /// One JSON object with a trailing line break.
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
