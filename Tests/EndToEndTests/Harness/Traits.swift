import Glibc
import Testing

extension Trait where Self == ConditionTrait {
    /// The test changes users or namespaces.
    static var needsRoot: Self { .enabled(if: getuid() == 0, "needs root") }
}

extension Trait where Self == Turn {
    /// Limits the number of tests that run in parallel: all at once would starve each other.
    static var takesTurn: Self { Turn(weight: 1) }
    /// The same, for a test that puts a load on the machine.
    static var takesLongTurn: Self { Turn(weight: 2) }
}

/// A share of the tests that run at the same time.
struct Turn: TestTrait, SuiteTrait, TestScoping {
    let weight: Int
    var isRecursive: Bool { true }

    /// The weight that the running test already holds by another trait, such as that of its suite.
    @TaskLocal private static var held = 0

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        // Holding one share while waiting for another would deadlock with other tests.
        let held = Turn.held
        await Places.shared.leave(held)
        await Places.shared.take(weight)
        let result: Result<Void, any Error>
        do {
            result = .success(try await Turn.$held.withValue(weight) { try await function() })
        } catch {
            result = .failure(error)
        }
        await Places.shared.leave(weight)
        await Places.shared.take(held)
        try result.get()
    }
}

private actor Places {
    static let shared = Places()
    private var free = 8
    private var waiting: [(weight: Int, go: CheckedContinuation<Void, Never>)] = []

    func take(_ weight: Int) async {
        guard weight > 0 else { return }
        if waiting.isEmpty && free >= weight {
            free -= weight
        } else {
            await withCheckedContinuation { waiting.append((weight, $0)) }
        }
    }

    func leave(_ weight: Int) {
        free += weight
        while let next = waiting.first, free >= next.weight {
            free -= next.weight
            waiting.removeFirst()
            next.go.resume()
        }
    }
}
