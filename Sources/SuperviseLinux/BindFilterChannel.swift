import CSupervise
import Glibc

/// What became of the filter on a process's bind(2).
public enum BindFilterOutcome {
    /// Its calls wait for our answers. `setsNoNewPrivileges`: it had to renounce setuid programs for
    /// it (PR_SET_NO_NEW_PRIVS(2const)), as we have no CAP_SYS_ADMIN.
    case installed(InterceptedBinds, setsNoNewPrivileges: Bool)
    /// The kernel refused it, and the process runs without (seccomp(2)): EBUSY where we run under such
    /// a filter ourselves, EINVAL or ENOSYS where the kernel has none.
    case refused(SystemCallError)
    /// The process did not get as far as that.
    case none
}

/// The way on which the filter on a process's bind(2) comes to us.
public final class BindFilterChannel: Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor, valid while this object lives.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Takes over our end, as another program of this process made it.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Our end, and the child's. The want of a descriptor is one of the start.
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

    /// What the process sent before it ran its program. Fails with EMFILE when there was no room for
    /// the filter: then nobody answers the process, and its calls fail with ENOSYS.
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
