/// Where control sockets are. A master makes its own in the first of these folders that it can, and
/// those who look for a master look in all of them.
public enum ControlPath {
    /// The folders, the preferred one first.
    public static func folders(runtimeFolder: String?) -> [String] {
        let own = runtimeFolder.flatMap { $0.hasPrefix("/") ? ["\($0)/supervise"] : nil } ?? []
        return own + ["/run/supervise"]
    }

    /// The socket of a master of this name; `pid` is given where another master has the name.
    public static func fileName(_ name: String, pid: Int32? = nil) -> String {
        pid.map { "\(name)-\($0)\(suffix)" } ?? name + suffix
    }

    /// What the names of sockets end with.
    public static let suffix = ".sock"
}
