extension Fact {
    /// `supervise hunt`, one string per paragraph.
    static let hunt = [
        """
        Finds the requests that leak. It starts one worker more than the pool has, on the same \
        listeners, and measures it; the other workers serve as usual. Use it if supervise status \
        shows that workers grow. max-rss limits the growth; the hunt finds its cause. Run it on the \
        real service, under real load.
        """,
        """
        The hunted worker holds one connection at a time, so its requests run alone. At the head of \
        each request, live objects are measured after a garbage collection, and the difference is \
        charged to the previous request. RSS would blame the wrong route: memory that a request \
        allocates temporarily stays with the process.
        """,
        """
        The result has one row per route. RETAINED/REQUEST is the mean with its standard error, \
        after the first requests of the route. STEADY is yes if the last half of the requests \
        retains as much as the first: this route leaks. falling is a cache that fills. SHARE OF \
        GROWTH is the part of the worker's growth that the route explains. If no route is steady, \
        nothing leaks that was requested.
        """,
        """
        CPython and Node are measured exactly, without a change to the program. All other programs \
        are measured by the floor of their resident memory and regression, which finds large leaks \
        only. The program must load the preload library (see: supervise help request-info). Python \
        with -I, -E or -S ignores the hunt. Leaks below 256 bytes per request are not named.
        """,
        """
        --trace shows the lines of a Python program whose objects stay (tracemalloc). It measures in \
        the first half of the requests and traces in the second. A typical fix: \
        close what the line opens (plt.close, Image.close), bound a cache (lru_cache(maxsize=...)), \
        or do not keep the request or the response in a list or a closure.
        """,
        """
        The hunted worker never counts towards the pool's strength and has no max-requests and no \
        max-lifetime. It obeys the memory caps and is the first to stop if memory is short. A stop, \
        a reload or an upgrade ends the hunt, and so does the end of this command. If the other \
        workers take all requests, --exclusive-time makes them pause. The exit status is 0 if the \
        hunt ran to its end.
        """,
    ]

    /// Its options.
    static let huntOptions = [
        Fact("--pool NAME", "The pool, if there are several."),
        Fact("--requests N", "The number of requests to measure, from 10 to 10000; default 500."),
        Fact("--time TIME", "The longest time, up to 1d; default 5m."),
        Fact("--trace", "Show the lines whose objects stay (CPython). Requests take longer."),
        Fact(
            "--exclusive-time TIME",
            "Let the other workers accept no connections for this time, up to 60s."),
        Fact("--json", "Print the result as one JSON object."),
    ]
}
