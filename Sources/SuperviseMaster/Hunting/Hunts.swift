import SuperviseCore
import SuperviseLinux

/// What the workers of hunts get: the files that measure in the programs, and the variables by
/// which the programs load them. The files are part of this program, so that it needs no other
/// ones.
final class Hunts {
    /// A hunt in progress.
    struct Running {
        let id: WorkerID
        let order: HuntOrder
        let begunAt: Instant
        /// The requests of the other workers when it began.
        let others: UInt64
    }

    /// The hunts in progress, by the number of their pools.
    var running: [Int: Running] = [:]
    private var folders: [WorkerID: SharedFolder] = [:]
    private var orders: [WorkerID: HuntOrder] = [:]

    private static let node = "supervise_hunt.js"
    private static let python = "sitecustomize.py"
    /// Folders for files that the workers' users can read.
    private static let parents = ["/tmp", "/dev/shm", "/var/tmp", "/run"]

    /// Writes the files for the worker of a hunt.
    func prepare(_ order: HuntOrder, for id: WorkerID) throws(StartError) {
        guard folders[id] == nil else { return }
        do throws(SystemCallError) {
            folders[id] = try SharedFolder(
                in: Hunts.parents, prefix: "supervise-hunt",
                files: [
                    (Hunts.python, PackageResources.supervise_hunt_py),
                    (Hunts.node, PackageResources.supervise_hunt_js),
                ])
            orders[id] = order
        } catch {
            throw StartError(resource: error)
        }
    }

    /// Removes the files of a worker that has ended.
    func forget(_ id: WorkerID) {
        folders.removeValue(forKey: id)?.remove()
        orders[id] = nil
    }

    /// Removes the files of all hunts.
    func removeFolders() {
        for folder in folders.values { folder.remove() }
        folders = [:]
        orders = [:]
    }

    /// Returns the environment of a worker with the variables of its hunt, if it is hunted. The
    /// programs restore the previous values when they have read them.
    func environment(of id: WorkerID, _ environment: [String]) -> [String] {
        guard let order = orders[id], let folder = folders[id]?.path else { return environment }
        func own(_ name: String) -> String? {
            environment.last { $0.utf8.starts(with: "\(name)=".utf8) }.map {
                String($0.utf8.dropFirst(name.utf8.count + 1)) ?? ""
            }
        }
        func joined(_ value: String?, _ separator: String, _ addition: String) -> String {
            guard let value, !value.isEmpty else { return addition }
            return value + separator + addition
        }
        let changes: [(name: String, value: String)] = [
            ("PYTHONPATH", own("PYTHONPATH").map { "\(folder):\($0)" } ?? folder),
            // Otherwise memory that is free in a cache counts as used (mallinfo(3)).
            (
                "GLIBC_TUNABLES",
                joined(own("GLIBC_TUNABLES"), ":", "glibc.malloc.tcache_count=0")
            ),
            (
                "NODE_OPTIONS",
                joined(own("NODE_OPTIONS"), " ", "--require \(folder)/\(Hunts.node)")
            ),
        ]
        let names = changes.map(\.name)
        let kept = environment.filter { entry in
            !names.contains { entry.utf8.starts(with: "\($0)=".utf8) }
        }
        let previous = names.compactMap { name in
            own(name).map { "SUPERVISE_HUNT_OWN_\(name)=\($0)" }
        }
        return kept + previous + changes.map { "\($0.name)=\($0.value)" }
            + ["SUPERVISE_HUNT_NAMES=\(names.joined(separator: ","))"]
            + (order.traces ? ["SUPERVISE_HUNT_TRACE=1"] : [])
    }
}

extension HuntRecord.Limits {
    init(_ order: HuntOrder) {
        self.init(
            requests: order.requests, nanoseconds: UInt64(max(0, order.time.nanoseconds)),
            begun: UInt64(clamping: MonotonicClock.nanoseconds()))
    }
}
