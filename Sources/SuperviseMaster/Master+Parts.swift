import SuperviseCore
import SuperviseLinux

extension Master {
    /// Gives the parts what they need of each other.
    func connectParts() {
        starter.programRuns = { [unowned self] worker throws(SystemCallError) in
            try takeFilter(of: worker)
        }
        sampler.readCount = { [unowned self] in readCount(of: $0) }
        sampler.waitingRequests = { [unowned self] in waitingRequests(ofPool: $0) }
        sampler.load = { [unowned self] in load(ofPool: $0) }
        sampler.currentCount = { [unowned self] in currentCount(of: $0) }
        commands.commandEnded = { [unowned self] in commandEnded($0, $1) }
        reaper.readCount = { [unowned self] in readCount(of: $0) }
        reaper.willReportExit = { [unowned self] in reconsiderAdoption(after: $0) }
        reaper.release = { [unowned self] in release($0) }
        reaper.yieldToChild = { [unowned self] in spawnYield.yieldToChild() }
        reloader.willRead = { [unowned self] in notifyReloading() }
        reloader.roll = { [unowned self] resolved throws(PrepareError) in try roll(to: resolved) }
        upgrader.settle = { [unowned self] in performPending() }
        upgrader.handOver = { [unowned self] in handOver() }
        reloader.lastLine = { [unowned self] in lastLine(for: $0) }
        // A configuration that is being read would be lost, and so would a response that a worker
        // waits for. Samples of connections are taken again.
        upgrader.mustWait = { [unowned self] in
            reloader.isReading || preparation != nil || observer.owesAnswer
        }
        connectMolds()
        connectHunts()
        starter.release = { [unowned self] in release($0) }
    }
}
