import CSupervise
import Glibc

/// The previous program of this process, while it is uncertain whether the current one can continue
/// with its state. After any failure until then, including a fault and a hang, the previous program
/// is executed again (execve(2)).
public final class Fallback {
    /// The argument at this index is replaced by the reason.
    public static let reasonPlace = 3

    /// The time within which this program must take over. It usually takes milliseconds.
    private static let timeoutSeconds: UInt32 = 10

    private let arguments: CStringVector
    private let environment: CStringVector
    private var held: UnsafeMutableBufferPointer<Int32>?

    /// Falls back to the program behind this descriptor, which stays open.
    public init(program: Int32, arguments: [String], environment: [String]) {
        precondition(arguments.count > Fallback.reasonPlace, "there is room for the reason")
        self.arguments = CStringVector(arguments)
        self.environment = CStringVector(environment)
        csupervise_arm_fallback(
            program, UnsafeMutablePointer(mutating: self.arguments.pointers),
            Fallback.reasonPlace, self.environment.pointers, Fallback.timeoutSeconds)
    }

    /// Keeps these descriptors open until `end`, even if their owner closes them.
    public func hold(_ descriptors: [Int32]) {
        let sorted = Set(descriptors).sorted()
        let copy = UnsafeMutableBufferPointer<Int32>.allocate(capacity: sorted.count)
        _ = copy.initialize(from: sorted)
        held = copy
        csupervise_hold_descriptors(copy.baseAddress, copy.count)
    }

    /// Ends the fallback: this program continues.
    public func end() {
        csupervise_disarm_fallback()
        held?.deallocate()
        held = nil
    }

    /// Executes the previous program. Returns only if this fails.
    public func use(because reason: String) -> SystemCallError {
        csupervise_fall_back(reason)
        return SystemCallError(call: "execveat", code: errno)
    }
}
