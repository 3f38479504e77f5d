import CSupervise
import Glibc

/// The bind(2) calls of a process and all its descendants, which wait for our answer
/// (seccomp_unotify(2)). The kernel hands them to the reader of a descriptor that hangs up when the
/// last of these processes is gone; once it is closed the calls fail with ENOSYS.
///
/// A call that asks for an address of ours is answered with our listener in the place of the caller's
/// socket, any other is left to the kernel. What is read of the caller may change right after: another
/// thread of it can write over the address or exchange the descriptor. Neither gains anything. The
/// process holds the listener anyway, and a call that is left to the kernel is checked there, address
/// and all, as if nobody had asked. So this is no security boundary and needs none.
///
/// (A bind by io_uring(7) is no system call and is not seen.)
public final class InterceptedBinds: Sendable {
    /// What a call came to.
    public enum Answer: Hashable, Sendable, Codable {
        /// The caller has the listener of this address now. `asked` is what it asked for where that
        /// differs in its family alone.
        case adopted(process: Int32, address: String, asked: String? = nil)
        /// The caller meant something else, or is gone.
        case untouched
        /// It asked for an address of ours and could not be helped: EPERM where its memory or its
        /// descriptors are not ours to look at (ptrace(2), "access mode checking").
        case failed(SystemCallError)
    }

    /// A call that waits for its answer.
    public struct Call: Hashable, Sendable, Codable {
        fileprivate let id: UInt64
        fileprivate let thread: Int32
        fileprivate let descriptor: Int32
        fileprivate let address: UInt64
        fileprivate let length: UInt32

        fileprivate init(_ call: csupervise_bind) {
            id = call.id
            thread = call.thread
            descriptor = call.descriptor
            address = call.address
            length = call.length
        }
    }

    /// Longer than any address (`struct sockaddr_storage`).
    private static let longestAddressBytes: UInt32 = 128
    private let descriptor: FileDescriptor

    /// Takes over the filter's descriptor.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The descriptor: readable while a call waits, hung up when nobody is left to make one.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Whether the kernel can do all that is needed here (since Linux 5.9) on this architecture.
    public static var isSupported: Bool {
        #if arch(x86_64) || arch(arm64)
            return KernelRelease.current.map { $0 >= KernelRelease(major: 5, minor: 9) } ?? true
        #else
            return false
        #endif
    }

    /// Takes what waits, at most `limit` calls, each of which has to be answered.
    public func take(limit: Int) -> [Call] {
        var calls: [Call] = []
        var call = csupervise_bind()
        while calls.count < limit, csupervise_next_bind(descriptor.rawValue, &call) == 1 {
            calls.append(Call(call))
        }
        return calls
    }

    /// Leaves a call to the kernel. Never waits.
    public func leave(_ call: Call) {
        csupervise_answer_bind(descriptor.rawValue, call.id, true)
    }

    /// Answers a call by these listeners. This reads the caller's memory, asks its socket and waits until
    /// the caller has taken the listener, each of which can take as long as the caller likes.
    public func answer(_ call: Call, with listeners: [ListenSocket]) -> Answer {
        var proceeds = true
        defer { csupervise_answer_bind(descriptor.rawValue, call.id, proceeds) }
        do throws(SystemCallError) {
            guard let bytes = try address(of: call), let address = ListenAddress(bytes),
                // Most calls end here, before anything is looked up.
                listeners.contains(where: { $0.mayHold(address) }),
                let caller = try SpareDescriptors.lent({ () throws(SystemCallError) in
                    try CallingSocket(
                        thread: call.thread, descriptor: call.descriptor, family: address.family)
                }),
                let held = listeners.first(where: { $0.holds(address, for: caller) })
                    ?? listeners.first(where: { $0.holdsOtherFamily(of: address, for: caller) }),
                case let listener = inTurn(held, of: listeners, for: caller.process),
                !caller.isBound || caller.identity == listener.identity,
                // Until here all could have been read of another process with the same number.
                csupervise_bind_waits(descriptor.rawValue, call.id)
            else { return .untouched }
            try replace(caller, of: call, with: listener)
            proceeds = false
            return .adopted(
                process: caller.process, address: listener.address,
                asked: held.holds(address, for: caller)
                    ? nil : SocketAddress(bytes: bytes).text)
        } catch  where [ESRCH, ENOENT].contains(error.code) {
            // It ended, or a signal took it out of the call.
            return .untouched
        } catch {
            return .failed(error)
        }
    }

    /// Which of the listeners of one name a process gets where it could have this one: the one that
    /// listens from the beginning, which every worker has to serve, and one on demand only after that.
    private func inTurn(
        _ listener: ListenSocket, of listeners: [ListenSocket], for process: Int32
    ) -> ListenSocket {
        let others = listeners.filter { $0.listensOnDemand && $0.port == listener.port }
        guard !others.isEmpty,
            let first = listeners.first(where: {
                !$0.listensOnDemand && $0.port == listener.port
            }), listener.listensOnDemand || listener === first
        else { return listener }
        let held = sockets(of: process)
        // One is that which it inherited.
        func isTaken(_ socket: ListenSocket) -> Bool {
            held.count { $0 == socket.identity.inode } > 1
        }
        return isTaken(first) ? others.first { !isTaken($0) } ?? listener : first
    }

    private func sockets(of process: Int32) -> [UInt64] {
        do throws(SystemCallError) {
            return Array(try ProcessSockets.descriptors(of: process).values)
        } catch {
            return []
        }
    }

    /// The second argument. Nil where it is none that could be ours, or can't be read for the kernel
    /// either.
    private func address(of call: Call) throws(SystemCallError) -> [UInt8]? {
        guard (2...Self.longestAddressBytes).contains(call.length), call.thread > 0 else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: Int(call.length))
        let size = csupervise_read_memory(call.thread, call.address, &bytes, bytes.count)
        if size < 0, errno != EFAULT {
            throw SystemCallError(call: "process_vm_readv", code: errno)
        }
        return size == bytes.count ? bytes : nil
    }

    /// A call that a signal interrupted after this is made again, by a caller who has the listener
    /// already, and is answered alike.
    private func replace(
        _ caller: CallingSocket, of call: Call, with listener: ListenSocket
    ) throws(SystemCallError) {
        guard caller.identity != listener.identity else { return }
        if caller.isNonblocking { try listener.becomeNonblocking() }
        let registrations = EpollRegistrations(
            of: caller.identity, as: call.descriptor, in: caller.process)
        // It waits for the caller to wake up in the kernel and do it, and for nothing else. EBADF is
        // the caller's limit of open files.
        let result = csupervise_replace_descriptor(
            descriptor.rawValue, call.id, listener.rawValue, call.descriptor,
            caller.closesOnExec)
        guard result == 0 else {
            throw SystemCallError(call: "SECCOMP_IOCTL_NOTIF_ADDFD", code: errno)
        }
        registrations.move(from: caller.copy, to: listener.rawValue)
    }
}

extension ListenSocket {
    /// Whether a socket may want this address of it, whatever else that socket is.
    fileprivate func mayHold(_ address: ListenAddress) -> Bool {
        guard let place else { return false }
        return address.collides(
            isIPv6Only: false, with: place, isOtherIPv6Only: isIPv6Only)
            || address.isOtherFamily(
                isIPv6Only: true, of: place, isOtherIPv6Only: isIPv6Only)
    }

    /// Whether this socket is what the caller means by an address of another family.
    fileprivate func holdsOtherFamily(
        of address: ListenAddress, for caller: CallingSocket
    ) -> Bool {
        guard let place,
            address.isOtherFamily(
                isIPv6Only: caller.isIPv6Only, of: place, isOtherIPv6Only: isIPv6Only)
        else { return false }
        return isInNamespace(of: caller)
    }

    private func isInNamespace(of caller: CallingSocket) -> Bool {
        caller.namespace == nil || namespace == nil || caller.namespace == namespace
    }

    /// Whether this socket is what keeps the caller from the address.
    fileprivate func holds(_ address: ListenAddress, for caller: CallingSocket) -> Bool {
        guard let place,
            address.collides(
                isIPv6Only: caller.isIPv6Only, with: place, isOtherIPv6Only: isIPv6Only),
            isInNamespace(of: caller)
        else { return false }
        // A program that removes the file and binds anew would get through, and its clients would
        // come by the new file alone.
        return !address.isPath || file.map(\.isStillThere) ?? true
    }

    /// Sets O_NONBLOCK, which all holders of the socket share. A program whose own socket has it waits
    /// by epoll and would be stuck in accept, for good, when a sibling took the connection first; with
    /// a descriptor that it was passed it does the same. Programs that want to wait in accept and get
    /// EAGAIN would suffer, but are other programs than this pool runs.
    fileprivate func becomeNonblocking() throws(SystemCallError) {
        let flags = try systemCall("fcntl") { fcntl(rawValue, F_GETFL) }
        guard flags & O_NONBLOCK == 0 else { return }
        try systemCall("fcntl") { fcntl(rawValue, F_SETFL, flags | O_NONBLOCK) }
    }
}

extension ListenSocket.File {
    /// Whether the path still leads to the file that was made.
    fileprivate var isStillThere: Bool {
        var status = stat()
        return lstat(path, &status) == 0 && FileIdentity(status) == identity
    }
}
