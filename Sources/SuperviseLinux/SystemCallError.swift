import CSupervise
import Glibc

/// A system call that failed, by its name and errno(3).
public struct SystemCallError: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The call's name, as in its manual page.
    public let call: String
    /// The errno it left.
    public let code: Int32

    /// A failure of this call with this errno.
    public init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// What strerror(3) says of the code, never localised: `Address already in use`.
    public var message: String { Self.message(of: code) }

    /// Call and message: `bind: Address already in use`.
    public var description: String { "\(call): \(message)" }

    /// The text of an errno.
    public static func message(of code: Int32) -> String {
        guard let text = csupervise_error_text(code) else { return "errno \(code)" }
        return String(cString: text)
    }
}

/// Makes a system call that tells failure by -1, again while a signal interrupts it.
///
/// EBADF can only be a descriptor that this program lost count of, so it is not an error to handle.
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
