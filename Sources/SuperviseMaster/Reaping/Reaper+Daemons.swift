import SuperviseLinux

/// Processes that left their worker, and what still connects them with it.
extension Reaper {
    /// A daemon that has overwritten its environment, as nginx does for its title, still holds the
    /// descriptors of its worker: the page, which no other worker has, or at least a listener.
    func holder(of pid: Int32, among ended: [RunningWorker]) -> RunningWorker? {
        let pages = RequestPage.inodes(heldBy: pid)
        if !pages.isEmpty {
            // A process with the page of a worker that has none yet will become that worker.
            return workers.bySerial.values.first {
                $0.process != nil && $0.page.map { pages.contains($0.inode) } ?? false
            }
        }
        // A new worker without a page has the same listeners.
        guard !starter.awaitsProcess else { return nil }
        do throws(SystemCallError) {
            let sockets = try ProcessSockets.inodes(of: pid)
            return ended.first { worker in
                worker.blueprint.listeners.contains {
                    sockets.contains($0.socket.identity.inode)
                }
            }
        } catch {
            return nil
        }
    }
}
