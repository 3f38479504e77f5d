import SuperviseControl
import SuperviseCore
import SuperviseLinux

/// Molds and forked workers in the status.
extension Master {
    func moldReports() -> [StatusReport.Mold] {
        service.members.flatMap(\.pool.moldFacts).map { facts in
            let mold = molds[facts.id]
            return StatusReport.Mold(
                facts: facts, pid: mold?.process.pid, memoryBytes: mold?.residentBytes)
        }
    }
}

extension RunningWorker {
    /// The worker in the status. Its own memory is that of the last sample: the kernel walks the
    /// page tables for it, which a client of the status must not cause.
    func report(_ pid: Int32) -> StatusReport.Process {
        var report = StatusReport.Process(pid: pid, text: self.statusText)
        guard blueprint.settings.mold != .off, !hasExited, let bytes = memory?.lastExactBytes
        else { return report }
        do throws(SystemCallError) {
            if let resident = try ProcessMemory.residentBytes(of: pid) {
                let own = min(bytes, resident)
                report.forked = StatusReport.ForkedMemory(
                    ownBytes: own, sharedBytes: resident - own)
            }
        } catch {
            return report
        }
        return report
    }
}
