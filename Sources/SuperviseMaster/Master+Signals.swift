import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The signals that the master handles. All signals are blocked and read from one descriptor;
/// unhandled ones are logged and ignored.
enum MasterSignal {
    static let hangup: Int32 = 1
    static let interrupt: Int32 = 2
    static let quit: Int32 = 3
    static let user1: Int32 = 10
    static let user2: Int32 = 12
    static let pipe: Int32 = 13
    static let terminate: Int32 = 15
    static let child: Int32 = 17
    /// The kernel resumes the process even if the signal is blocked.
    static let `continue`: Int32 = 18
    static let terminalInput: Int32 = 21
    static let terminalOutput: Int32 = 22
    /// A file has reached RLIMIT_FSIZE, which write(2) reports as well.
    static let fileSize: Int32 = 25
    static let windowSize: Int32 = 28

    static let served = [
        hangup, interrupt, quit, user1, user2, pipe, terminate, child, terminalInput,
        terminalOutput, fileSize, windowSize,
    ]
}

extension Master {
    func handle(_ signal: ReceivedSignal) {
        switch signal.number {
        case MasterSignal.child:
            reaper.reap()
        case MasterSignal.pipe, MasterSignal.fileSize, MasterSignal.continue:
            return
        case let number where !MasterSignal.served.contains(number):
            ignore(signal)
        default:
            log.write(
                LogLine(.info, "signal").with("name", Signal(number: signal.number).description)
                    .with("sender", signal.senderPID > 0 ? signal.senderPID : nil))
            obey(signal.number)
        }
    }

    private func obey(_ number: Int32) {
        switch number {
        case MasterSignal.terminate: stop(.stopSignal(.terminate))
        case MasterSignal.interrupt: stop(.stopSignal(.interrupt))
        case MasterSignal.quit: stop(.stopSignal(.quit))
        case MasterSignal.hangup: reload()
        case MasterSignal.user1: reopen()
        case MasterSignal.user2:
            upgrader.begin()
        case MasterSignal.terminalInput: resizeFirstPool(by: 1)
        case MasterSignal.terminalOutput: resizeFirstPool(by: -1)
        case MasterSignal.windowSize: park()
        default: preconditionFailure("signal \(number) is not among those that are served")
        }
    }

    /// A timer may send the same signal many times per second, so only the first one is a warning.
    private func ignore(_ signal: ReceivedSignal) {
        let isNew = log.isNew(.signalIgnored(signal.number))
        log.write(
            LogLine(isNew ? .warning : .debug, "signal-ignored")
                .with("name", Signal(number: signal.number).description)
                .with("sender", signal.senderPID > 0 ? signal.senderPID : nil)
                .with("message", "the master does not use this signal"))
    }

    /// A reload that is still being read would open unused sockets.
    func stop(_ request: Service.Event) {
        upgrader.abandon(because: "the master was stopped")
        reloader.stop()
        if stopPreparation(request) { return }
        enqueue(request)
    }

    private func resizeFirstPool(by change: Int) {
        guard let first = service.members.first else { return }
        enqueue(.resize(pool: first.pool.number, by: change))
    }

    /// Resizing a terminal sends WINCH to all processes in its foreground.
    private func park() {
        if Terminal.isControlling {
            log.write(
                LogLine(.info, "park-ignored").with(
                    "message",
                    "the terminal sends WINCH when it is resized; detach the master from the terminal to use it"
                ))
        } else {
            enqueue(.park)
        }
    }

    /// Reopens the log file for log rotation, and signals the workers that requested it.
    func reopen() {
        log.reopen()
        reopenMemoryLogs()
        for worker in workers.bySerial.values.sorted(by: { $0.serial < $1.serial })
        where !worker.hasExited {
            guard let signal = worker.blueprint.settings.reopenSignal else { continue }
            signalIgnoringExit(worker, signal.number)
        }
    }
}
