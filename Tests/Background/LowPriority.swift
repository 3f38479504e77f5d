import Dispatch
import Glibc
import Synchronization

/// As many threads as the machine has processors, which run jobs one after the other.
final class LowPriority: TaskExecutor {
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
        // Only this thread, unlike POSIX (setpriority(2), "C library/kernel differences").
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
        while true {
            count.wait()
            let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            job?.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
