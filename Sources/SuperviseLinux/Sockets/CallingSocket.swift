import CSupervise
import Glibc

/// The socket that another process binds, as observed from outside.
struct CallingSocket {
    private static let multipathTCP: Int32 = 262

    /// The process of the calling thread.
    let process: Int32
    /// A copy of the descriptor.
    let copy: OwnedDescriptor
    /// The identity of the socket.
    let identity: FileIdentity
    /// Whether it is already bound.
    let isBound: Bool
    /// O_NONBLOCK.
    let isNonblocking: Bool
    /// Whether the descriptor is closed on exec.
    let closesOnExec: Bool
    /// IPV6_V6ONLY.
    let isIPv6Only: Bool
    /// The network namespace, if the kernel reports it.
    let namespace: UInt64?

    /// Inspects a descriptor of the process of this thread. Nil if it is not a stream socket of
    /// this family that shares its addresses with TCP or unix listeners. Fails with EPERM if it may
    /// not be inspected (pidfd_getfd(2)), ESRCH if the thread has exited.
    init?(thread: Int32, descriptor: Int32, family: Int32) throws(SystemCallError) {
        guard let process = ThreadGroup.leader(of: thread) else {
            throw SystemCallError(call: "open", code: ESRCH)
        }
        self.process = process
        let target = try ProcessDescriptor.open(pid: process)
        let copy: OwnedDescriptor
        do throws(SystemCallError) {
            copy = try target.copy(of: descriptor)
        } catch  where error.code == EBADF {
            // A mistake of the caller, which the kernel reports to it.
            return nil
        }
        guard SocketOption.int(copy.rawValue, SOL_SOCKET, SO_TYPE) == streamType,
            SocketOption.int(copy.rawValue, SOL_SOCKET, SO_DOMAIN) == family,
            let protocolNumber = SocketOption.int(copy.rawValue, SOL_SOCKET, SO_PROTOCOL),
            // Other protocols, such as SCTP, have separate ports. Go requests multipath TCP.
            family == AF_UNIX
                || [Int32(IPPROTO_TCP), Self.multipathTCP].contains(protocolNumber)
        else { return nil }
        self.copy = copy
        var status = stat()
        try systemCall("fstat") { fstat(copy.rawValue, &status) }
        identity = FileIdentity(status)
        let bound = try SocketAddress(boundBy: copy.rawValue)
        isBound = ListenAddress(bound.bytes)?.isDefinite ?? false
        isNonblocking = try systemCall("fcntl") { fcntl(copy.rawValue, F_GETFL) } & O_NONBLOCK != 0
        isIPv6Only =
            family == AF_INET6
            && SocketOption.int(copy.rawValue, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == 1
        namespace = SocketOption.namespace(copy.rawValue)
        closesOnExec = Self.closesOnExec(process, descriptor)
    }

    /// `flags: 02000002`, octal (proc_pid_fdinfo(5)). The flag belongs to the descriptor, so our
    /// copy does not have it.
    private static func closesOnExec(_ process: Int32, _ descriptor: Int32) -> Bool {
        let text = Procfs.text("/proc/\(process)/fdinfo/\(descriptor)") ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags:") }
        let digits = line?.split(whereSeparator: \.isWhitespace).last
        return digits.flatMap { Int32($0, radix: 8) }.map { $0 & O_CLOEXEC != 0 } ?? false
    }
}

/// Threads of a process; a pidfd represents the whole process.
enum ThreadGroup {
    /// The process of a thread (`Tgid` of proc_pid_status(5)); nil if the thread has exited.
    static func leader(of thread: Int32) -> Int32? {
        let text = Procfs.text("/proc/\(thread)/status") ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Tgid:") }
        return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0) }
    }
}
