/// What a machine has decided and not handed out yet. Between two events nothing is in it, so there is
/// nothing of it to keep.
struct Outbox<Action: Equatable & Sendable>: Equatable, Sendable, Codable {
    private var actions: [Action] = []

    init() {}

    init(from decoder: any Decoder) {}

    func encode(to encoder: any Encoder) {}

    mutating func append(_ action: Action) { actions.append(action) }

    /// Puts an action before those at the end that may as well come after it.
    mutating func insert(_ action: Action, beforeLast mayWait: (Action) -> Bool) {
        let end = actions.lastIndex { !mayWait($0) }.map { $0 + 1 } ?? 0
        actions.insert(action, at: end)
    }

    /// All of it, once.
    mutating func take() -> [Action] {
        defer { actions = [] }
        return actions
    }
}
