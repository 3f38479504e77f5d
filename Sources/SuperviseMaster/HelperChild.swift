import SuperviseCore
import SuperviseLinux

/// A child of the master that runs a program for one answer, which comes back over a pipe. Whatever
/// takes long or fails there does no harm to the master.
final class HelperChild {
    /// The output of a child.
    enum Answer {
        /// Everything that it wrote until it closed the pipe.
        case complete([UInt8])
        /// More than was expected. The child was killed.
        case tooLong
        case unreadable(SystemCallError)
    }

    /// A child that could not be started.
    struct Failure: Error {
        let error: SystemCallError
        /// Whether a step of the child failed, such as exec.
        let isInChild: Bool
    }

    let pid: Int32
    let deadline: Instant
    private let process: ProcessDescriptor
    private let pipe: Pipe.Reader
    private let poll: EventPoll
    private let longestAnswer: Int
    private var text: [UInt8] = []

    /// Starts a child, and watches its answer under a token of the epoll set. It finds the
    /// descriptors of `passed` open, from 3 on; the function receives the one that the child writes
    /// to.
    init(
        _ arguments: [String], environment: [String], passing passed: (Int32) -> [Int32],
        longestAnswer: Int, until deadline: Instant, in poll: EventPoll, token: UInt64
    ) throws(Failure) {
        self.deadline = deadline
        self.poll = poll
        self.longestAnswer = longestAnswer
        let writer: OwnedDescriptor
        let plan: SpawnPlan
        do throws(SystemCallError) {
            (pipe, writer) = try Pipe.make()
            var attributes = SpawnAttributes()
            attributes.deathSignal = Signal.kill.number
            plan = try SpawnPlan(arguments: arguments, searchPath: nil, attributes: attributes)
        } catch {
            throw Failure(error: error, isInChild: false)
        }
        do throws(SpawnFailure) {
            let spawned = try plan.spawn(
                environment: environment, descriptors: passed(writer.rawValue))
            pid = spawned.pid
            process = spawned.process
        } catch {
            throw Failure(
                error: SystemCallError(call: "\(error.step)", code: error.code), isInChild: true)
        }
        do throws(SystemCallError) {
            try poll.add(pipe.rawValue, .readable, token: token)
        } catch {
            kill()
            throw Failure(error: error, isInChild: false)
        }
    }

    /// Reads its answer; nil while more follows. After that it is no longer watched.
    func read() -> Answer? {
        guard let answer = readAll() else { return nil }
        poll.unwatch(pipe.rawValue)
        return answer
    }

    private func readAll() -> Answer? {
        do throws(SystemCallError) {
            while let piece = try pipe.read() {
                if piece.isEmpty { return .complete(text) }
                text += piece
                if text.count > longestAnswer {
                    kill()
                    return .tooLong
                }
            }
            return nil
        } catch {
            return .unreadable(error)
        }
    }

    /// Kills a child whose answer is not complete.
    func end() {
        poll.unwatch(pipe.rawValue)
        kill()
    }

    /// ESRCH: it has exited.
    private func kill() {
        do throws(SystemCallError) {
            try process.signal(Signal.kill.number)
        } catch {
            return
        }
    }
}
