import SuperviseLinux

/// A part of the master that has children of its own, which are no workers.
protocol ChildOwner: AnyObject {
    /// Returns whether this process is one of them.
    func owns(_ pid: Int32) -> Bool

    /// Handles the end of one of them, which is still to be reaped.
    func ended(_ pid: Int32, _ status: ChildStatus)
}

extension ChildOwner {
    /// Does nothing, for children whose answer ends with their output.
    func ended(_ pid: Int32, _ status: ChildStatus) {}
}
