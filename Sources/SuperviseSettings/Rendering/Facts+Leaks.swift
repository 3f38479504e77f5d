/// Requests that retain memory, from the symptom to the fix.
extension Fact {
    /// One string per paragraph.
    static let leaks = [
        """
        If the workers' memory grows until they are recycled or killed, requests leave objects \
        behind. leaks compares the growth of each worker's lowest memory with the routes that it \
        has served, over all workers since the last reload, and names the routes that explain it.
        """,
        """
        1. Set max-rss or warn-rss, so that the memory is sampled, and reload. 2. Wait for real \
        requests: minutes for a large leak, an hour for a small one. 3. Read the table. sure: each \
        request of the route retains this much. unsure: wait, or run supervise hunt, which measures \
        each request. falls: a cache that fills.
        """,
        """
        4. In the code of the route, look for what outlives a request: lists and dicts of modules \
        and classes, lru_cache on methods, signal handlers that are connected per request, figures \
        that are not closed; in Django also DEBUG = True. supervise hunt --trace shows the \
        lines whose objects stay. 5. Deploy the fix and reload, which starts new evidence. Until then, \
        max-rss recycles workers in time.
        """,
    ]
}
