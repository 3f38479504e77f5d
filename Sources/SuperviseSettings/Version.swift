/// The version of this program.
public enum Version {
    /// By semantic versioning; the settings, the log's fields and the worker contract are its public
    /// interface.
    public static let current = "0.1.0"
}
