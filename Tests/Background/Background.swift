import Dispatch
import Glibc
import Synchronization
import Testing

extension Trait where Self == Background {
    /// Computes for seconds: runs on a thread of its own, behind everything else.
    ///
    /// The threads that all tests share are as many as the machine has processors, so tests that
    /// compute would keep those that wait for a running program from looking at it.
    public static var inBackground: Self { Background() }
}

/// Runs a test on a thread of low priority.
public struct Background: TestTrait, SuiteTrait, TestScoping {
    /// A suite hands it to its tests.
    public var isRecursive: Bool { true }

    /// Moves the test there.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await withTaskExecutorPreference(LowPriority.shared) { try await function() }
    }
}

/// As many threads as the machine has processors, which take one job after the other.
private final class LowPriority: TaskExecutor {
    static let shared = LowPriority()
    private static let niceness: Int32 = 10

    private let jobs = Mutex<[UnownedJob]>([])
    private let count = DispatchSemaphore(value: 0)

    private init() {
        for _ in 0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) {
            var thread = pthread_t()
            let this = Unmanaged.passRetained(self).toOpaque()
            pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<LowPriority>.fromOpaque(argument).takeUnretainedValue().run()
                    return nil
                }, this)
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        count.signal()
    }

    private func run() {
        // Of this thread alone, unlike what POSIX says (setpriority(2), "C library/kernel differences").
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
        while true {
            count.wait()
            let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            job?.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
