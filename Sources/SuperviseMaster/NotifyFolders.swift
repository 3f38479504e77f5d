import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The directories of the workers' notify sockets: one for workers of the master's own user, which
/// no other user needs to reach, and one for those of other users, or of root, which may change
/// their user later. Each is created when it is first needed.
final class NotifyFolders {
    private enum Place {
        case unknown
        case none
        case folder(NotifyFolder)
    }

    private let candidates: [String]
    private var own = Place.unknown
    private var shared = Place.unknown

    /// Starts without directories.
    init(_ launch: Launch) {
        candidates = NotifyFolders.candidates(
            runtimeFolder: launch.variable("XDG_RUNTIME_DIR"),
            serviceFolders: launch.variable("RUNTIME_DIRECTORY"),
            temporaryFolder: launch.variable("TMPDIR"))
    }

    /// Returns the possible locations, best first: the directory of control sockets, the
    /// directories that the service manager has created for this service (RuntimeDirectory of
    /// systemd.exec(5)), and the directory for temporary files.
    static func candidates(
        runtimeFolder: String?, serviceFolders: String?, temporaryFolder: String?
    ) -> [String] {
        let runtime = ControlPath.folders(runtimeFolder: runtimeFolder)[0]
        let service = (serviceFolders ?? "").split(separator: ":").map(String.init)
        return [runtime] + service + [temporaryFolder ?? "/tmp"]
    }

    /// Returns a socket for the worker of this nonce that runs as this user; nil if there is no
    /// directory for it. Fails if a resource is short.
    func socket(
        nonce: String, uid: UInt32, gid: UInt32
    ) throws(SystemCallError) -> NotifySocket? {
        let isShared = uid == 0 || uid != ThisProcess.effectiveUID
        guard let folder = folder(isShared: isShared) else { return nil }
        do throws(SystemCallError) {
            return try NotifySocket(path: try folder.path(nonce: nonce, uid: uid, gid: gid))
        } catch {
            // The master may not create it (CAP_CHOWN, CAP_DAC_OVERRIDE), or another process
            // removed it.
            if error.shortage != nil { throw error }
            return nil
        }
    }

    private func folder(isShared: Bool) -> NotifyFolder? {
        switch isShared ? shared : own {
        case .none: return nil
        case .folder(let folder): return folder
        case .unknown: break
        }
        let made = make(isShared: isShared)
        let place = made.map { Place.folder($0) } ?? .none
        if isShared { shared = place } else { own = place }
        return made
    }

    private func make(isShared: Bool) -> NotifyFolder? {
        do throws(SystemCallError) {
            try Folder.make(candidates[0], mode: 0o755)
        } catch {
            // Another location may work.
            return NotifyFolder.make(in: Array(candidates.dropFirst()), isShared: isShared)
        }
        return NotifyFolder.make(in: candidates, isShared: isShared)
    }

    /// Removes the directories with all their files.
    func remove() {
        for case .folder(let folder) in [own, shared] { folder.remove() }
    }

    /// Continues with those of the previous program.
    func resume(_ folders: [MasterState.NotifyFolder]) throws(SystemCallError) {
        for folder in folders {
            let place = Place.folder(
                NotifyFolder(
                    resuming: try HandedDescriptors.take(folder.number), path: folder.path))
            if folder.isShared { shared = place } else { own = place }
        }
    }

    /// The state for another program of this process.
    var state: [MasterState.NotifyFolder] {
        [(own, false), (shared, true)].compactMap { place, isShared in
            guard case .folder(let folder) = place else { return nil }
            return .init(path: folder.path, number: folder.rawValue, isShared: isShared)
        }
    }
}

extension NotifyFolders {
    static let advice =
        "no directory can be created for the notify sockets of these workers, so the sockets have "
        + "abstract names and any local user can block messages to them. Give the master write access "
        + "to a runtime directory"
}
