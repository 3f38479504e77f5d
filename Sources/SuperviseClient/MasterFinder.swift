import SuperviseControl
import SuperviseLinux
import SuperviseSettings

/// Finds the control socket of a running master.
struct MasterFinder {
    /// The reason that no master was found.
    enum Failure: Error, Equatable {
        /// No master responds.
        case nothing(String)
        /// Several masters match.
        case several(String)
        /// A master may run, but this user cannot access it.
        case refused(String)
    }

    /// A socket of a running master.
    struct Found {
        let path: String
        let socket: StreamSocket
        /// The user of the master, if root found one of another user; otherwise nil.
        var owner: UInt32?
        /// Opens another connection.
        let connectAgain: () throws(SystemCallError) -> StreamSocket

        /// The name of the master, derived from the file name of the socket.
        var name: String {
            let file = path.split(separator: "/").last.map(String.init) ?? path
            return String(file.dropLast(ControlPath.suffix.count)).printable
        }

        /// The name, with the user if it is another one.
        var title: String {
            owner.map { "\(name) (user \(MasterFinder.userName($0)))" } ?? name
        }
    }

    /// The number of attempts to connect to a socket whose accept queue is full.
    static let attempts = 200
    static let gapMilliseconds: Int32 = 10

    /// `$XDG_RUNTIME_DIR`.
    let runtimeFolder: String?

    var folders: [String] { ControlPath.folders(runtimeFolder: runtimeFolder) }

    /// Finds the master. If `actsOnMaster`, root must name the socket of a master of another user,
    /// because any user can create a socket with a misleading name.
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
            let file = ControlPath.fileName(name)
            let paths = folders.map { files(in: $0).filter { $0.hasSuffix("/" + file) } }
            return try choose(paths, what: "no master named \(name) is running")
        case .only:
            return try choose(folders.map(files), what: "no master is running")
        }
    }

    /// The sockets in a directory, and in the directories below it that units have.
    private func files(in folder: String) -> [String] {
        Folder.names(folder).flatMap { name in
            let path = "\(folder)/\(name)"
            if name.hasSuffix(ControlPath.suffix) { return [path] }
            guard Folder.isThere(path) == true else { return [] }
            return Folder.names(path).filter { $0.hasSuffix(ControlPath.suffix) }
                .map { "\(path)/\($0)" }
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
                throw .nothing("no master is running: no process listens on \(path)")
            case .notNow: throw .refused(isStuck(path))
            default: throw .refused("\(path): \(error.message)")
            }
        }
    }

    /// Connects, and retries while the accept queue is full.
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
        "\(path) accepts no connections: its master is suspended or overloaded"
    }

    /// Returns the only master in the first folder that has one: the masters of a user take precedence
    /// over those of the machine.
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
        return "several masters are running: \(names); select one with --name NAME"
    }

    func nothingText(_ what: String, in folders: [String]) -> String {
        "\(what): no control socket responds in \(folders.joined(separator: " or ")). "
            + "For another control socket, pass --control PATH"
    }

    private func answering(_ paths: [String], refused: inout [String]) -> [Found] {
        var found: [Found] = []
        for path in paths {
            do throws(SystemCallError) {
                let socket = try connectInTime(path)
                // In a folder that others can write to, the socket may belong to another user.
                guard isTrusted(socket) else { continue }
                found.append(
                    Found(path: path, socket: socket) { () throws(SystemCallError) in
                        try StreamSocket.connect(unix: path)
                    })
            } catch  where error.kind == .notPermitted {
                refused.append(
                    "\(path): permission denied; only root, the master's user and the owner may use it"
                )
            } catch  where error.kind == .notNow {
                refused.append(isStuck(path))
            } catch {
                // Left by a killed master.
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
