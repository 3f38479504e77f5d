/// The decisions of a machine that were not returned yet. It is empty between two events, so it is
/// not encoded.
struct Outbox<Action: Equatable & Sendable>: Equatable, Sendable, Codable {
    private var actions: [Action] = []

    init() {}

    init(from decoder: any Decoder) {}

    func encode(to encoder: any Encoder) {}

    mutating func append(_ action: Action) { actions.append(action) }

    /// Inserts an action before those at the end that may follow it.
    mutating func insert(_ action: Action, beforeLast mayWait: (Action) -> Bool) {
        let end = actions.lastIndex { !mayWait($0) }.map { $0 + 1 } ?? 0
        actions.insert(action, at: end)
    }

    /// Returns and removes all actions.
    mutating func take() -> [Action] {
        defer { actions = [] }
        return actions
    }
}
