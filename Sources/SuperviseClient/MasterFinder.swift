import SuperviseControl
import SuperviseLinux
import SuperviseSettings

/// Finds the control socket of a running master.
struct MasterFinder {
    /// Why none was found.
    enum Failure: Error, Equatable {
        /// Nothing answers.
        case nothing(String)
        /// More than one could be meant.
        case several(String)
        /// Something may run, but not for this user.
        case refused(String)
    }

    /// A socket that answers.
    struct Found {
        let path: String
        let socket: StreamSocket
        /// The user of a master that root found among those of other users; nil for its own.
        var owner: UInt32?
        /// Connects once more.
        let connectAgain: () throws(SystemCallError) -> StreamSocket

        /// The master's name, from the socket's.
        var name: String {
            let file = path.split(separator: "/").last.map(String.init) ?? path
            return String(file.dropLast(ControlPath.suffix.count)).printable
        }

        /// The name, with the user where that is another.
        var title: String {
            owner.map { "\(name) (user \(MasterFinder.userName($0)))" } ?? name
        }
    }

    /// How often a socket is asked that has no room for another connection.
    static let attempts = 200
    static let gapMilliseconds: Int32 = 10

    /// `$XDG_RUNTIME_DIR`.
    let runtimeFolder: String?

    var folders: [String] { ControlPath.folders(runtimeFolder: runtimeFolder) }

    /// `actsOnMaster` is whether the master is to do something. Then root has to name the socket of
    /// another user's master: who can make a socket must not have root take it for another one.
    func find(
        _ target: MasterCommand.Target, actsOnMaster: Bool
    ) throws(Failure) -> (found: Found, others: [Found]) {
        if case .socket(let path) = target { return (try connect(path), []) }
        guard ThisProcess.effectiveUID == 0 else { return (try findOwn(target), []) }
        return try findAmongAll(target, actsOnMaster: actsOnMaster)
    }

    private func findOwn(_ target: MasterCommand.Target) throws(Failure) -> Found {
        switch target {
        case .socket(let path): return try connect(path)
        case .named(let name):
            let paths = folders.map { ["\($0)/\(ControlPath.fileName(name))"] }
            return try choose(paths, what: "no master named \(name) is running")
        case .only:
            let paths = folders.map { folder in
                Folder.names(folder).filter { $0.hasSuffix(ControlPath.suffix) }
                    .map { "\(folder)/\($0)" }
            }
            return try choose(paths, what: "no master is running")
        }
    }

    private func connect(_ path: String) throws(Failure) -> Found {
        do throws(SystemCallError) {
            let socket = try connectInTime(path)
            return Found(path: path, socket: socket) { () throws(SystemCallError) in
                try StreamSocket.connect(unix: path)
            }
        } catch {
            switch error.kind {
            case .notFound, .refused:
                throw .nothing("no master is running: nothing listens on \(path)")
            case .notNow: throw .refused(isStuck(path))
            default: throw .refused("\(path): \(error.message)")
            }
        }
    }

    /// As many as its queue holds may be waiting before us.
    private func connectInTime(_ path: String) throws(SystemCallError) -> StreamSocket {
        for _ in 0..<MasterFinder.attempts {
            do throws(SystemCallError) {
                return try StreamSocket.connect(unix: path)
            } catch  where error.kind == .notNow {
                _ = try Readiness.wait(
                    [], timeoutMilliseconds: MasterFinder.gapMilliseconds)
            }
        }
        return try StreamSocket.connect(unix: path)
    }

    func isStuck(_ path: String) -> String {
        "\(path) takes no connection: its master is stopped, or has more clients than it can serve"
    }

    /// The only one of the first folder in which any answers: a user's own masters come before those
    /// of the machine.
    private func choose(_ folders: [[String]], what: String) throws(Failure) -> Found {
        var refused: [String] = []
        for paths in folders {
            let found = answering(paths, refused: &refused)
            if let only = found.first, found.count == 1 { return only }
            guard found.isEmpty else {
                throw .several(severalText(found))
            }
        }
        if let reason = refused.first { throw .refused(reason) }
        throw .nothing(nothingText(what, in: self.folders))
    }

    func severalText(_ found: [Found]) -> String {
        let names = found.map(\.title).joined(separator: ", ")
        return "several masters are running: \(names); choose one with --name"
    }

    func nothingText(_ what: String, in folders: [String]) -> String {
        "\(what): nothing answers in \(folders.joined(separator: " or ")). "
            + "A control socket elsewhere is named by --control PATH"
    }

    private func answering(_ paths: [String], refused: inout [String]) -> [Found] {
        var found: [Found] = []
        for path in paths {
            do throws(SystemCallError) {
                let socket = try connectInTime(path)
                // Where others may make files, a socket may be theirs.
                guard isTrusted(socket) else { continue }
                found.append(
                    Found(path: path, socket: socket) { () throws(SystemCallError) in
                        try StreamSocket.connect(unix: path)
                    })
            } catch  where error.kind == .notPermitted {
                refused.append(
                    "\(path) is not for this user: only root and the user of the master may talk to "
                        + "it")
            } catch  where error.kind == .notNow {
                refused.append(isStuck(path))
            } catch {
                // A file that a killed master left behind.
                continue
            }
        }
        return found
    }

    private func isTrusted(_ socket: StreamSocket) -> Bool {
        do throws(SystemCallError) {
            return [0, ThisProcess.effectiveUID].contains(try socket.peer().uid)
        } catch {
            return false
        }
    }
}
