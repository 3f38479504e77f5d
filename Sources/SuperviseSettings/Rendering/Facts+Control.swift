/// How to look at a running master and steer it, in words.
extension Fact {
    /// What all commands for a running master have in common, paragraph by paragraph.
    static let commands = [
        """
        Without more they go to the only master that runs. They look for it in \
        $XDG_RUNTIME_DIR/supervise, and in /run/supervise where none answers there. Where there are \
        several, --name NAME chooses the one of that name (see: supervise help name), --control \
        PATH the one whose control socket that is.
        """,
        """
        recycle and scale act on the only pool, or on that of --pool. reload --wait follows the \
        reload until every worker is new, or until it is clear that this will not be soon, and says \
        why; --timeout gives up waiting, not the reload. stop --wait ends when the master has.
        """,
        """
        Colours are used on a terminal, unless NO_COLOR is set. top scrolls with the arrow keys and ends with q; \
        if its output is not a terminal it prints the status once.
        """,
    ]

    /// The exit codes of commands for a running master.
    static let commandExitCodes = [
        Fact("0", "Done; with reload --wait, every worker is new."),
        Fact(
            "1",
            "Refused, or it failed; with reload --wait, the reload was aborted, stalls, or took "
                + "longer than the timeout."),
        Fact("2", "The command line is wrong, or leaves open which master or pool is meant."),
        Fact("3", "No master is running."),
    ]

    /// The protocol, paragraph by paragraph.
    static let controlProtocol = [
        """
        The control socket and status-bind speak HTTP/1.1 (and 1.0) with JSON, so curl is a client: \
        curl --unix-socket /run/supervise/NAME.sock http://localhost/status. What changes something \
        is POST and on the control socket alone. Parameters stand in the query or in a form \
        (curl -d by=1). An error is {"error": "..."} with its status code.
        """,
        """
        A request has at most 8 KiB of head, 4 KiB of body and 10 seconds to arrive; a socket has \
        at most 64 clients, and the one that was quiet longest makes room for the next.
        """,
    ]

    /// The resources.
    static let resources = [
        Fact(
            "GET /",
            "For browsers, a page that shows the workers, their memory, requests and accept queues "
                + "as they live; for others a line of text."),
        Fact("GET /status", "Everything, as one JSON object: see supervise help schema."),
        Fact("GET /metrics", "The same figures for Prometheus."),
        Fact("GET /healthz", "200: the master lives."),
        Fact(
            "GET /readyz",
            "200 when every pool has the ready workers that it promises (workers less "
                + "max-unavailable), else or while stopping 503; the body says which do not."),
        Fact(
            "GET /events[?follow]",
            "The last 100 events, one JSON object a line; then those to come."),
        Fact(
            "POST /reload[?wait]",
            "Like HUP. With wait, one JSON object a line: stage is reading, trial, rolling (replaced, "
                + "of) and at last verdict, with result complete, aborted, stalled, failed (the "
                + "configuration has errors), superseded (by a newer reload) or stopped, and "
                + "reasons."),
        Fact(
            "POST /recycle?slot=N|all[&pool=NAME]", "Replace one worker or all, within the budget."),
        Fact(
            "POST /scale?to=N|by=N[&pool=NAME]",
            "Change the number of workers. The response has pool, from, to and, for caps that are "
                + "percentages, max_rss_bytes and kill_rss_bytes of a new worker."),
        Fact(
            "POST /stop[?quick][&wait]",
            "Like TERM, or INT. With wait, the answer ends with the master."),
        Fact("POST /reopen", "Like USR1."),
        Fact(
            "POST /upgrade[?wait]",
            "Like USR2. With wait, one JSON object a line: stage is trial, then verdict, with result "
                + "complete, version and from, or result failed and reason."),
    ]

    /// The schemas, paragraph by paragraph.
    static let schema = [
        """
        An event is a line of the log as a JSON object: schema (1), sequence (counts all events of \
        this master), time, level, event (its name), and facts such as pool, slot, pid, generation, \
        cause, age (seconds), requests with their unit (requests or connections), rss (bytes). \
        Commands of on-event get the same as \
        SUPERVISE_EVENT (the name), SUPERVISE_EVENT_SCHEMA, _SEQUENCE, _TIME, _LEVEL, _POOL, … and \
        SUPERVISE_EVENT_JSON. A reader that is too slow misses events and gets {"event":"dropped", \
        "events":N} in their place.
        """,
        """
        /status has schema ("supervise-status") and version (1). New fields may be added without a \
        new version; what has no value is left out. Its fields:
        """,
    ]

    /// The fields of `/status`.
    static let statusFields = [
        Fact(
            "master",
            "name, pid, version, state (running, reloading, parked, stopping, stopping-quickly), "
                + "ready, generation, started_at_seconds, uptime_seconds, memory_bytes, "
                + "processor_seconds, events_dropped, upgrades, upgrades_failed."),
        Fact(
            "reload",
            "The last one, if any: generation, state (trial, rolling, stalled, complete, aborted, "
                + "overtaken, failed, stopped), age_seconds, took_seconds, replaced, of, reasons."),
        Fact(
            "pools[]",
            "name, state, ready, generation, workers, serving, live, promised, max_surge, "
                + "max_unavailable."),
        Fact("pools[].listeners[]", "address, queue (connections that wait), queue_limit."),
        Fact(
            "pools[].slots[]",
            "A worker: slot, incarnation (counts the workers of a slot), pid, state ("
                + "starting, booting, ready, draining (with connections, the open ones), retiring, "
                + "left-processes), cause, "
                + "due, replacement, generation, age_seconds, requests, requests_unit (what is "
                + "counted: requests, or connections, each of which may carry many requests), "
                + "request_limit, requests_left, memory_bytes, memory_limit_bytes, boot_seconds, "
                + "lifetime_limit_seconds, growth_bytes_per_request, growth_bytes_per_hour, "
                + "memory_limit_in_seconds, status. Or a slot without one: state waiting, backoff "
                + "(failures, starts_in_seconds), done or failed."),
        Fact(
            "pools[].totals",
            "starts, start_failures, boots, boot_seconds, requests (of both units), connections "
                + "(those among them), kills, backoffs, memory_alarms, "
                + "exits (by cause)."),
        Fact(
            "pools[].exits[]",
            "The last 100, newest first: slot, incarnation, pid, ago_seconds, cause, status or "
                + "signal, generation, age_seconds, requests, requests_unit, memory_bytes, boot_seconds."
        ),
    ]
}
