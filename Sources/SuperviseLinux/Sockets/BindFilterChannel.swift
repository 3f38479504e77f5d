import CSupervise
import Glibc

/// The result of installing the filter on the bind(2) calls of a process.
public enum BindFilterOutcome {
    /// The filter is installed, and its calls wait for our responses. `setsNoNewPrivileges`: it
    /// required PR_SET_NO_NEW_PRIVS(2const), because this process lacks CAP_SYS_ADMIN, so setuid
    /// programs lose their privileges.
    case installed(InterceptedBinds, setsNoNewPrivileges: Bool)
    /// The kernel rejected the filter, and the process runs without one (seccomp(2)): EBUSY if this
    /// process runs under such a filter itself, EINVAL or ENOSYS if the kernel does not support it.
    case refused(SystemCallError)
    /// The process ended before it installed the filter.
    case none
}

/// The channel over which the filter on the bind(2) calls of a process arrives.
public final class BindFilterChannel: Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Takes over our end, created by another program of this process.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Our end and the child's end. A shortage of descriptors fails the start.
    static func make() throws(SpawnFailure) -> (
        receiving: BindFilterChannel, sending: OwnedDescriptor
    ) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_SEQPACKET.rawValue) | closeOnExec
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw SpawnFailure(step: .fork, code: errno)
        }
        return (
            BindFilterChannel(FileDescriptor(owning: ends[0])),
            OwnedDescriptor(FileDescriptor(owning: ends[1]))
        )
    }

    /// Reads what the process sent before it executed its program. Fails with EMFILE if no
    /// descriptor was available for the filter; the calls of the process then fail with ENOSYS.
    public func receive() throws(SystemCallError) -> BindFilterOutcome {
        var report = csupervise_filter_report()
        var number: Int32 = -1
        switch csupervise_receive_filter(descriptor.rawValue, &report, &number) {
        case 0: return .none
        case 1 where number >= 0:
            return .installed(
                InterceptedBinds(FileDescriptor(owning: number)),
                setsNoNewPrivileges: report.sets_no_new_privileges != 0)
        case 1: return .refused(SystemCallError(call: "seccomp", code: report.code))
        default: throw SystemCallError(call: "recvmsg", code: errno)
        }
    }
}
