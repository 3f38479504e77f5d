import Glibc

/// The connection of a standard stream to systemd's journal.
public enum JournalStream {
    /// Whether standard error is the stream that systemd connected to the journal. `JOURNAL_STREAM`
    /// names it by device and inode (systemd.exec(5)).
    public static let isStandardError: Bool = {
        guard let variable = getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        return String(cString: variable) == "\(status.st_dev):\(status.st_ino)"
    }()
}
