import Glibc

/// The listening sockets of processes, from their descriptors (/proc/PID/fd, proc_pid_fd(5)) and
/// the kernel's socket tables (/proc/PID/net/tcp, tcp6 and unix, proc_pid_net(5)).
public struct HeldListeners: Hashable, Sendable {
    /// Whether any process holds one of the given sockets.
    public let includeKnown: Bool
    /// The addresses of all other listeners, each once, sorted: `0.0.0.0:3000`, `unix:/run/app.sock`.
    public let others: [String]

    /// Inspects these processes. Nil if the descriptors of any of them may not be read (ptrace(2),
    /// "access mode checking") or are too many, or if this process lacks descriptors.
    public static func inspect(_ pids: [Int32], known: [FileIdentity]) -> HeldListeners? {
        var sockets: Set<UInt64> = []
        var witnesses: [String: Int32] = [:]
        let budget = SampleBudget.onLoop()
        for pid in pids {
            do throws(SystemCallError) {
                sockets.formUnion(try ProcessSockets.inodes(of: pid, within: budget))
                // The table of one process covers all processes in the same network namespace.
                witnesses[try Procfs.link("/proc/\(pid)/ns/net")] = pid
            } catch
                where error.kind == .notPermitted || error.isShortage
                || SampleBudget.isExceeded(error)
            {
                return nil
            } catch {
                // It exited after it was listed.
                continue
            }
        }
        let known = Set(known.map(\.inode))
        var others: Set<String> = []
        for pid in witnesses.values {
            for (inode, address) in listeners(seenBy: pid)
            where sockets.contains(inode) && !known.contains(inode) {
                others.insert(address)
            }
        }
        return HeldListeners(
            includeKnown: !known.isDisjoint(with: sockets), others: others.sorted())
    }

    private static func listeners(seenBy pid: Int32) -> [UInt64: String] {
        var found: [UInt64: String] = [:]
        for table in ["tcp", "tcp6"] {
            // The listeners come first and may be followed by thousands of connections.
            Procfs.eachLine("/proc/\(pid)/net/\(table)") { words in
                guard words.count > 9, words[3] == "0A" else { return words.first == "sl" }
                if let inode = UInt64(words[9]), let address = SocketAddress(tableEntry: words[1]) {
                    found[inode] = address.text
                }
                return true
            }
        }
        Procfs.eachLine("/proc/\(pid)/net/unix") { words in
            // __SO_ACCEPTCON.
            if words.count > 7, words[3] == "00010000", let inode = UInt64(words[6]) {
                found[inode] = "unix:\(words[7])"
            }
            return true
        }
        return found
    }
}

extension SocketAddress {
    /// An address in the format of the tables: the words of the host in the byte order of this
    /// machine and the port, all hexadecimal. `0100007F:1F40` is 127.0.0.1:8000 here.
    init?(tableEntry text: Substring) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16) else { return nil }
        var host: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard rest.count >= 8, let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { host.append(contentsOf: $0) }
            rest = rest.dropFirst(8)
        }
        let portBytes = [UInt8(port >> 8), UInt8(port & 0xFF)]
        let padding: (flow: Int, tail: Int, family: Int32)
        switch host.count {
        case 4: padding = (0, 8, AF_INET)
        case 16: padding = (4, 4, AF_INET6)
        default: return nil
        }
        var bytes: [UInt8] = []
        withUnsafeBytes(of: sa_family_t(padding.family)) { bytes.append(contentsOf: $0) }
        bytes += portBytes + [UInt8](repeating: 0, count: padding.flow) + host
        bytes += [UInt8](repeating: 0, count: padding.tail)
        self.init(bytes: bytes)
    }
}
