import SuperviseControl
import SuperviseLinux
import SuperviseSettings

/// Root finds the masters of all users. Masters of root come first, and a master of another user is
/// only read: see `SocketFolder`.
extension MasterFinder {
    /// A limit above any real number of masters, so that a user with many sockets cannot keep root busy.
    private static let maxSockets = 64
    private static let folderName = "supervise"

    /// The name in the user database, or the number.
    static func userName(_ uid: UInt32) -> String {
        do throws(AccountFailure) {
            return try Accounts.user("\(uid)").name?.printable ?? "\(uid)"
        } catch {
            return "\(uid)"
        }
    }

    func findAmongAll(
        _ target: MasterCommand.Target, actsOnMaster: Bool
    ) throws(Failure) -> (found: Found, others: [Found]) {
        let folders = openFolders()
        var refused: [String] = []
        var own: [Found] = []
        var others: [Found] = []
        for folder in folders {
            let found = answering(in: folder, target, refused: &refused)
            others += found.filter { $0.owner != nil }
            // Masters in an earlier folder take precedence.
            if own.isEmpty { own = found.filter { $0.owner == nil } }
        }
        if own.count > 1 { throw .several(severalText(own + others)) }
        if let only = own.first { return (only, others) }
        if let reason = refused.first { throw .refused(reason) }
        guard let first = others.first else {
            let isNamed = if case .named(let name) = target { name } else { String?.none }
            throw .nothing(
                nothingText(
                    isNamed.map { "no master named \($0) is running" } ?? "no master is running",
                    in: self.folders + ["/run/user/*/\(Self.folderName)"]))
        }
        if actsOnMaster {
            throw .refused(
                "\(others.map(\.title).joined(separator: ", ")) runs as another user; to control it, "
                    + "pass --control \(first.path.printable)")
        }
        guard others.count == 1 else { throw .several(severalText(others)) }
        return (first, [])
    }

    private func openFolders() -> [SocketFolder] {
        var opened: [SocketFolder] = []
        for path in folders {
            do throws(SystemCallError) {
                let folder = try SocketFolder(path: path)
                opened.append(folder)
                // A unit has a directory of its own.
                opened += folder.folders(atMost: Self.maxSockets)
            } catch {
                continue
            }
        }
        let known = opened.map(\.path)
        return opened
            + SocketFolder.ofAllUsers(named: Self.folderName).filter { !known.contains($0.path) }
    }

    private func answering(
        in folder: SocketFolder, _ target: MasterCommand.Target, refused: inout [String]
    ) -> [Found] {
        let names =
            if case .named(let name) = target {
                [ControlPath.fileName(name)]
            } else {
                folder.names(atMost: Self.maxSockets).filter { $0.hasSuffix(ControlPath.suffix) }
            }
        let isOurs = [0, ThisProcess.effectiveUID].contains(folder.owner)
        var found: [Found] = []
        for name in names where !name.utf8.contains(UInt8(ascii: "/")) {
            let path = "\(folder.path)/\(name)"
            do throws(SystemCallError) {
                let (socket, uid) = try connect(name, in: folder, isOurs: isOurs)
                let isTrusted = [0, ThisProcess.effectiveUID].contains(uid)
                found.append(
                    Found(path: path, socket: socket, owner: isTrusted ? nil : uid) {
                        () throws(SystemCallError) in try folder.connect(name).socket
                    })
            } catch  where error.kind == .notNow && isOurs {
                refused.append(isStuck(path))
            } catch {
                // Left by a killed master, or not trusted.
                continue
            }
        }
        return found
    }

    /// Waits only for sockets of root, so that other users cannot block root.
    private func connect(
        _ name: String, in folder: SocketFolder, isOurs: Bool
    ) throws(SystemCallError) -> (socket: StreamSocket, uid: UInt32) {
        for _ in 0..<(isOurs ? MasterFinder.attempts : 0) {
            do throws(SystemCallError) {
                return try folder.connect(name)
            } catch  where error.kind == .notNow {
                _ = try Readiness.wait([], timeoutMilliseconds: MasterFinder.gapMilliseconds)
            }
        }
        return try folder.connect(name)
    }
}
