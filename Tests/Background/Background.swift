// A build of all targets with a static Swift runtime has no Testing.
#if canImport(Testing)
    import Testing

    extension Trait where Self == Background {
        /// Computes for seconds: runs on a separate thread with low priority.
        ///
        /// All tests share as many threads as the machine has processors, so tests that compute
        /// would block those that wait for a running program.
        public static var inBackground: Self { Background() }
    }

    /// Runs a test on a thread of low priority.
    public struct Background: TestTrait, SuiteTrait, TestScoping {
        /// A suite passes it to its tests.
        public var isRecursive: Bool { true }

        /// Moves the test there.
        public func provideScope(
            for test: Test, testCase: Test.Case?,
            performing function: @Sendable () async throws -> Void
        ) async throws {
            guard testCase != nil else { return try await function() }
            try await withTaskExecutorPreference(LowPriority.shared) { try await function() }
        }
    }
#endif
