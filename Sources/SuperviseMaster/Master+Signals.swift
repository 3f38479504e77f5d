import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The signals that the master serves; all are blocked and read from one descriptor.
enum MasterSignal {
    static let hangup: Int32 = 1
    static let interrupt: Int32 = 2
    static let quit: Int32 = 3
    static let user1: Int32 = 10
    static let user2: Int32 = 12
    static let pipe: Int32 = 13
    static let terminate: Int32 = 15
    static let child: Int32 = 17
    static let terminalInput: Int32 = 21
    static let terminalOutput: Int32 = 22
    /// A file has reached RLIMIT_FSIZE; write(2) tells it too.
    static let fileSize: Int32 = 25
    static let windowSize: Int32 = 28

    static let all = [
        hangup, interrupt, quit, user1, user2, pipe, terminate, child, terminalInput,
        terminalOutput, fileSize, windowSize,
    ]
}

extension Master {
    func handle(_ signal: ReceivedSignal) {
        switch signal.number {
        case MasterSignal.child:
            reap()
        case MasterSignal.pipe, MasterSignal.fileSize:
            return
        default:
            log.write(
                LogLine(.info, "signal").with("name", Signal(number: signal.number).description)
                    .with("sender", signal.senderPID > 0 ? signal.senderPID : nil))
            obey(signal.number)
        }
    }

    private func obey(_ number: Int32) {
        switch number {
        case MasterSignal.terminate: stop(service.haste == nil ? .graceful : .quick)
        case MasterSignal.interrupt, MasterSignal.quit:
            stop((service.haste ?? .graceful) < .quick ? .quick : .immediate)
        case MasterSignal.hangup: reload()
        case MasterSignal.user1: reopen()
        case MasterSignal.user2:
            beginUpgrade()
        case MasterSignal.terminalInput: resizeFirstPool(by: 1)
        case MasterSignal.terminalOutput: resizeFirstPool(by: -1)
        case MasterSignal.windowSize: park()
        default: preconditionFailure("signal \(number) is not among those that are read")
        }
    }

    /// A reload that is still being read would open sockets that nobody needs.
    func stop(_ haste: Haste) {
        abandonLoader(because: nil)
        abandonUpgrade(because: "the master was told to stop")
        tellReload(reloadFollower.stop())
        tell(.stop(haste))
    }

    private func resizeFirstPool(by change: Int) {
        guard let first = service.members.first else { return }
        tell(.resize(pool: first.pool.number, by: change))
    }

    /// Resizing a terminal sends WINCH to everything in its foreground.
    private func park() {
        if Terminal.isControlling {
            log.write(
                LogLine(.info, "park-ignored").with(
                    "message", "WINCH comes from the terminal; detach the master to use it"))
        } else {
            tell(.park)
        }
    }

    /// Opens the log file anew, for log rotation, and tells the workers that asked for it.
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
