/// The version of this program.
public enum Version {
    /// The version, by semantic versioning. The settings, the fields of the log and the worker contract
    /// are the public interface.
    public static let current = "0.1.0"
}
