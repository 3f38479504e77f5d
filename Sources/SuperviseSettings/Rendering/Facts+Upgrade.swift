/// How the master becomes another version of its program, in words.
extension Fact {
    /// Paragraph by paragraph.
    static let upgrade = [
        """
        Install the new version in the place of the old one, as a package does or by changing a link, \
        and say supervise upgrade (or send USR2). The program is found by the very path by which this \
        one was started. supervise upgrade waits, and its exit code is 0 when the master goes on as \
        the new program, else 1, and it says why.
        """,
        """
        The process stays, with its pid, and executes the new program. Workers, listeners, clients \
        that wait to be accepted, the control socket and whoever follows it, a reload that is under \
        way, all limits, delays and counts stay as they are; no worker and no client notices. systemd \
        sees the same main process. The arguments and the environment are those of the start.
        """,
        """
        Before that, the new program reads the whole state of the old one in a process of its own, \
        for at most 30 s. What cannot do that (an older version, a broken file, another program) never \
        takes over: the old program goes on, and its log says why (upgrade-failed). The same happens \
        where the kernel refuses to execute it.
        """,
        """
        New defaults and settings of a version count from the next reload on. The preload library is \
        taken from beside the new program, by workers that start from then on.
        """,
    ]
}
