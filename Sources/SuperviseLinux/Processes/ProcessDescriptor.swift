import CSupervise
import Glibc

/// A pidfd (pidfd_open(2)): it refers to one process even after its ID is reused. Readable once the
/// process has exited.
public final class ProcessDescriptor: Sendable {
    private let descriptor: FileDescriptor

    /// Takes over a pidfd.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Opens the process that currently has this ID. Fails with ESRCH if there is none.
    public static func open(pid: Int32) throws(SystemCallError) -> ProcessDescriptor {
        let number = try systemCall("pidfd_open") { csupervise_pidfd_open(pid) }
        return ProcessDescriptor(FileDescriptor(owning: number))
    }

    /// Sends a signal to the process that currently has this ID if `isMeant` confirms it; returns
    /// the result of `isMeant`. Fails as `open` and `signal`.
    @discardableResult
    public static func signal(
        pid: Int32, _ number: Int32, if isMeant: () -> Bool = { true }
    ) throws(SystemCallError) -> Bool {
        try SpareDescriptors.lent { () throws(SystemCallError) in
            let process = try open(pid: pid)
            guard isMeant() else { return false }
            try process.signal(number)
            return true
        }
    }

    /// The descriptor's number.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Waits until the process has exited, at most for this time.
    public func waitForExit(milliseconds: Int32) {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, milliseconds)
    }

    /// Copies a descriptor of the process (pidfd_getfd(2)). Fails with EBADF if it does not exist,
    /// EPERM if it may not be copied.
    func copy(of number: Int32) throws(SystemCallError) -> OwnedDescriptor {
        let copy = csupervise_copy_descriptor(descriptor.rawValue, number)
        // The process can cause EBADF, so it is not a bug here.
        guard copy >= 0 else { throw SystemCallError(call: "pidfd_getfd", code: errno) }
        return OwnedDescriptor(FileDescriptor(owning: copy))
    }

    /// Sends a signal (pidfd_send_signal(2)). Fails with ESRCH if the process was reaped, EPERM if
    /// it runs as another user. A zombie accepts signals without effect.
    public func signal(_ number: Int32) throws(SystemCallError) {
        try systemCall("pidfd_send_signal") {
            csupervise_pidfd_send_signal(descriptor.rawValue, number)
        }
    }
}

/// Process groups (credentials(7)).
public enum ProcessGroup {
    /// Sends a signal to every process of the group (kill(2)). Fails with ESRCH if there is none,
    /// EPERM if none may be signalled. Zombies count as members.
    public static func signal(_ group: Int32, _ number: Int32) throws(SystemCallError) {
        precondition(group > 1, "0 and 1 would mean our own group, and everyone")
        try systemCall("kill") { kill(-group, number) }
    }
}
