import CSupervise
import Glibc

/// The program that this process ran before, as long as it is not certain that this one can go on with
/// its state: whatever goes wrong until then, a fault included, that one is run again (execve(2)).
public final class Fallback {
    /// The word at this place among the arguments is replaced by the reason.
    public static let reasonPlace = 3

    private let arguments: CStringVector
    private let environment: CStringVector
    private var held: UnsafeMutableBufferPointer<Int32>?

    /// Falls back to the program behind this descriptor, which stays open meanwhile.
    public init(program: Int32, arguments: [String], environment: [String]) {
        precondition(arguments.count > Fallback.reasonPlace, "there is room for the reason")
        self.arguments = CStringVector(arguments)
        self.environment = CStringVector(environment)
        csupervise_arm_fallback(
            program, UnsafeMutablePointer(mutating: self.arguments.pointers),
            Fallback.reasonPlace, self.environment.pointers)
    }

    /// These descriptors are not closed by whoever owns them before `end`.
    public func hold(_ descriptors: [Int32]) {
        let sorted = Set(descriptors).sorted()
        let copy = UnsafeMutableBufferPointer<Int32>.allocate(capacity: sorted.count)
        _ = copy.initialize(from: sorted)
        held = copy
        csupervise_hold_descriptors(copy.baseAddress, copy.count)
    }

    /// This program goes on.
    public func end() {
        csupervise_disarm_fallback()
        held?.deallocate()
        held = nil
    }

    /// Runs the earlier program; comes back only where that fails.
    public func use(because reason: String) -> SystemCallError {
        csupervise_fall_back(reason)
        return SystemCallError(call: "execveat", code: errno)
    }
}
