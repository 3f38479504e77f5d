import CSupervise
import Glibc

/// A failed system call, with its name and errno(3).
public struct SystemCallError: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The name of the call, as in its manual page.
    public let call: String
    /// The errno.
    public let code: Int32

    /// Creates a failure.
    public init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The text of strerror(3), never localised: `Address already in use`.
    public var message: String { Self.message(of: code) }

    /// Call and message: `bind: Address already in use`.
    public var description: String { "\(call): \(message)" }

    /// The text of an errno.
    public static func message(of code: Int32) -> String {
        guard let text = csupervise_error_text(code) else { return "errno \(code)" }
        return String(cString: text)
    }
}

/// Makes a system call that returns -1 on failure, and repeats it while a signal interrupts it.
///
/// EBADF can only be a bug of this program, so it is not an error to handle.
@discardableResult
func systemCall<Result: FixedWidthInteger & SignedInteger>(
    _ name: StaticString, _ call: () -> Result
) throws(SystemCallError) -> Result {
    while true {
        let result = call()
        if result != -1 { return result }
        let code = errno
        if code == EINTR { continue }
        precondition(code != EBADF, "\(name) was called with a descriptor that is not open")
        throw SystemCallError(call: "\(name)", code: code)
    }
}
