/// The upgrade of the master in place.
extension Fact {
    /// The upgrade, one string per paragraph.
    static let upgrade = [
        """
        Install the new version in place of the old one, as a package does, or change a symbolic \
        link. Then run supervise upgrade, or send USR2 to the master. The master executes the program \
        at the path by which it was started. supervise upgrade waits for the result. Its exit code is \
        0 if the new version runs; otherwise it is 1 and the command prints the reason.
        """,
        """
        The process keeps its pid and executes the new program. Workers, listeners, waiting clients, \
        connections to the control socket, a reload in progress, limits, delays and counts are kept. \
        Workers and clients are not interrupted, and systemd sees the same main process. The \
        arguments and the environment are those of the original start.
        """,
        """
        Before that, the new program reads the whole state of the old one in a separate process, \
        within 30 s. If it cannot (an older version, a broken file, another program), the upgrade \
        fails: the old program keeps running and logs the reason (upgrade-failed). The same happens \
        if the kernel refuses to execute the new program.
        """,
        """
        New defaults and settings of the new version take effect at the next reload. Workers that \
        start after the upgrade load the preload library that is installed next to the new program.
        """,
    ]
}
