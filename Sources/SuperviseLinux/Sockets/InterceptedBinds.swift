import CSupervise
import Glibc

/// The bind(2) calls of a process and its descendants, which wait for our response
/// (seccomp_unotify(2)). The kernel passes them to the reader of a descriptor, which hangs up when
/// the last of these processes has exited. Once the descriptor is closed, the calls fail with
/// ENOSYS.
///
/// If a call binds one of our addresses, the caller's socket is replaced by our listener. Any
/// other call is passed to the kernel. What is read from the caller can change immediately: another
/// thread can overwrite the address or replace the descriptor. Neither gains anything. The process
/// holds the listener anyway, and the kernel checks a passed call as if there were no filter. So
/// this is not a security boundary and does not need to be one.
///
/// (A bind by io_uring(7) is not a system call and is not intercepted.)
public final class InterceptedBinds: Sendable {
    /// The result of a call.
    public enum Answer: Hashable, Sendable, Codable {
        /// The caller now has the listener of this address. `asked` is the address that it
        /// requested, if it differs in its family only.
        case adopted(process: Int32, address: String, asked: String? = nil)
        /// The call was not for one of our listeners, or the caller has exited.
        case untouched
        /// The call was for one of our addresses and could not be answered: EPERM if the memory or
        /// the descriptors of the caller may not be accessed (ptrace(2), "access mode checking").
        case failed(SystemCallError)
    }

    /// A call that waits for its response.
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

    /// The maximum size of an address (`struct sockaddr_storage`).
    private static let longestAddressBytes: UInt32 = 128
    private let descriptor: FileDescriptor

    /// Takes over the descriptor of the filter.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The descriptor: readable while a call waits, hung up when no process is left that can make
    /// one.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Whether the kernel supports everything needed here (since Linux 5.9) on this architecture.
    public static var isSupported: Bool {
        #if arch(x86_64) || arch(arm64)
            return KernelRelease.current.map { $0 >= KernelRelease(major: 5, minor: 9) } ?? true
        #else
            return false
        #endif
    }

    /// Receives pending calls, at most `limit`. Each must be answered.
    public func take(limit: Int) -> [Call] {
        var calls: [Call] = []
        var call = csupervise_bind()
        while calls.count < limit, csupervise_next_bind(descriptor.rawValue, &call) == 1 {
            calls.append(Call(call))
        }
        return calls
    }

    /// Passes a call to the kernel. Never blocks.
    public func leave(_ call: Call) {
        csupervise_answer_bind(descriptor.rawValue, call.id, true)
    }

    /// Answers a call with one of these listeners. This reads the caller's memory, queries its
    /// socket and waits until the caller has taken the listener. Each of these can take as long as
    /// the caller likes.
    public func answer(_ call: Call, with listeners: [ListenSocket]) -> Answer {
        var proceeds = true
        defer { csupervise_answer_bind(descriptor.rawValue, call.id, proceeds) }
        do throws(SystemCallError) {
            guard let bytes = try address(of: call), let address = ListenAddress(bytes),
                // Most calls end here, before any lookup.
                listeners.contains(where: { $0.mayHold(address) }),
                let caller = try SpareDescriptors.lent({ () throws(SystemCallError) in
                    try CallingSocket(
                        thread: call.thread, descriptor: call.descriptor, family: address.family)
                }),
                let held = listeners.first(where: { $0.holds(address, for: caller) })
                    ?? listeners.first(where: { $0.holdsOtherFamily(of: address, for: caller) }),
                case let listener = inTurn(held, of: listeners, for: caller.process),
                !caller.isBound || caller.identity == listener.identity,
                // Up to here, the data may have been read from another process with the same ID.
                csupervise_bind_waits(descriptor.rawValue, call.id)
            else { return .untouched }
            try replace(caller, of: call, with: listener)
            proceeds = false
            return .adopted(
                process: caller.process, address: listener.address,
                asked: held.holds(address, for: caller)
                    ? nil : SocketAddress(bytes: bytes).text)
        } catch  where [ESRCH, ENOENT].contains(error.code) {
            // The caller exited, or a signal interrupted the call.
            return .untouched
        } catch {
            return .failed(error)
        }
    }

    /// Selects one of the listeners with the same name: first the one that listens from the start,
    /// which every worker must serve, then those that listen on demand.
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
        // The process inherited one of them.
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

    /// The second argument. Nil if it cannot be one of our addresses, or if the kernel cannot read
    /// it either.
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

    /// If a signal interrupts the call after this, the caller repeats it. It then already has the
    /// listener and gets the same response.
    private func replace(
        _ caller: CallingSocket, of call: Call, with listener: ListenSocket
    ) throws(SystemCallError) {
        guard caller.identity != listener.identity else { return }
        if caller.isNonblocking { try listener.becomeNonblocking() }
        let registrations = EpollRegistrations(
            of: caller.identity, as: call.descriptor, in: caller.process)
        // Waits only until the caller wakes up in the kernel and takes the descriptor. EBADF means
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
    /// Whether a socket can be bound to this address.
    fileprivate func mayHold(_ address: ListenAddress) -> Bool {
        guard let place else { return false }
        return address.collides(
            isIPv6Only: false, with: place, isOtherIPv6Only: isIPv6Only)
            || address.isOtherFamily(
                isIPv6Only: true, of: place, isOtherIPv6Only: isIPv6Only)
    }

    /// Whether this socket is the listener that the caller means by an address of another family.
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

    /// Whether this socket prevents the caller from binding the address.
    fileprivate func holds(_ address: ListenAddress, for caller: CallingSocket) -> Bool {
        guard let place,
            address.collides(
                isIPv6Only: caller.isIPv6Only, with: place, isOtherIPv6Only: isIPv6Only),
            isInNamespace(of: caller)
        else { return false }
        // A program that removes the file and binds it again would succeed, and clients would
        // connect only to the new file.
        return !address.isPath || file.map(\.isStillThere) ?? true
    }

    /// Sets O_NONBLOCK, which all holders of the socket share. If a program that waits with epoll
    /// and sets O_NONBLOCK on its own socket got a blocking listener, its accept would block
    /// forever once a sibling takes the connection first. Programs that expect accept to block
    /// would get EAGAIN, but a pool runs only one program.
    fileprivate func becomeNonblocking() throws(SystemCallError) {
        let flags = try systemCall("fcntl") { fcntl(rawValue, F_GETFL) }
        guard flags & O_NONBLOCK == 0 else { return }
        try systemCall("fcntl") { fcntl(rawValue, F_SETFL, flags | O_NONBLOCK) }
    }
}

extension ListenSocket.File {
    /// Whether the path still refers to the file that was created, or to what stands in for it.
    fileprivate var isStillThere: Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return false }
        return [identity, hiding?.standIn].contains(FileIdentity(status))
    }
}
