/// The paths of control sockets. A master creates its socket in the first possible of these folders;
/// clients search all of them.
public enum ControlPath {
    /// The folders, the preferred one first.
    public static func folders(runtimeFolder: String?) -> [String] {
        let own = runtimeFolder.flatMap { $0.hasPrefix("/") ? ["\($0)/supervise"] : nil } ?? []
        return own + ["/run/supervise"]
    }

    /// The socket name of a master; `pid` is given if another master already uses the name.
    public static func fileName(_ name: String, pid: Int32? = nil) -> String {
        pid.map { "\(name)-\($0)\(suffix)" } ?? name + suffix
    }

    /// The suffix of socket names.
    public static let suffix = ".sock"
}
