import CSupervise
import Glibc

/// The registrations of a socket in the epoll sets of another process (epoll(7)). The kernel drops
/// them with the socket, so a replacement must be registered again.
struct EpollRegistrations {
    private struct Registration {
        let set: OwnedDescriptor
        let key: csupervise_registration
    }

    private let registrations: [Registration]

    /// The registrations of the socket behind this descriptor of a process; empty if they cannot be
    /// read. Reading an epoll set can block, so this must run in a separate process.
    init(of socket: FileIdentity, as number: Int32, in process: Int32) {
        do throws(SystemCallError) {
            registrations = try Self.read(socket, number, process)
        } catch {
            registrations = []
        }
    }

    private static func read(
        _ socket: FileIdentity, _ number: Int32, _ process: Int32
    ) throws(SystemCallError) -> [Registration] {
        let budget = SampleBudget.besideLoop()
        var found: [Registration] = []
        for name in try Directory.names("/proc/\(process)/fd", within: budget) {
            guard let set = Int32(name), isEpollSet("/proc/\(process)/fd/\(name)") else {
                continue
            }
            let bytes = try Procfs.read("/proc/\(process)/fdinfo/\(name)", within: budget)
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                guard let item = EpollItem(line), item.number == number,
                    item.inode == socket.inode, item.device == socket.kernelDevice
                else { continue }
                found.append(
                    Registration(
                        set: try ProcessDescriptor.open(pid: process).copy(of: set),
                        key: csupervise_registration(
                            number: number, events: item.events, data: item.data)))
            }
        }
        return found
    }

    private static func isEpollSet(_ path: String) -> Bool {
        do throws(SystemCallError) {
            return try Procfs.link(path) == "anon_inode:[eventpoll]"
        } catch {
            return false
        }
    }

    /// Transfers them to `listener`; `socket` is a copy of the socket that they belonged to.
    func move(from socket: borrowing OwnedDescriptor, to listener: Int32) {
        for registration in registrations {
            var key = registration.key
            // A failed registration has the same effect as without adoption: the program receives
            // no events.
            _ = csupervise_move_registration(
                &key, registration.set.rawValue, socket.rawValue, listener)
        }
    }
}

/// A line of an epoll set's /proc/PID/fdinfo (proc_pid_fdinfo(5)):
/// `tfd: 5 events: 19 data: 5 pos:0 ino:1f3a sdev:8`, all but the descriptor hexadecimal.
struct EpollItem {
    let number: Int32
    let events: UInt32
    let data: UInt64
    let inode: UInt64
    let device: UInt64

    init?(_ line: Substring) {
        guard line.hasPrefix("tfd:") else { return nil }
        var fields: [Substring: Substring] = [:]
        var label: Substring?
        for word in line.split(whereSeparator: { $0 == " " || $0 == ":" }) {
            if let name = label {
                fields[name] = word
                label = nil
            } else {
                label = word
            }
        }
        func hexadecimal(_ name: Substring) -> UInt64? {
            fields[name].flatMap { UInt64($0, radix: 16) }
        }
        guard let number = fields["tfd"].flatMap({ Int32($0) }),
            let events = hexadecimal("events").map({ UInt32(truncatingIfNeeded: $0) }),
            let data = hexadecimal("data"), let inode = hexadecimal("ino"),
            let device = hexadecimal("sdev")
        else { return nil }
        self.number = number
        self.events = events
        self.data = data
        self.inode = inode
        self.device = device
    }
}
