/// Monitoring and control of a running master.
extension Fact {
    /// The behaviour that all commands for a running master share, one string per paragraph.
    static let commands = [
        """
        Without options, these commands address the only running master. They search \
        $XDG_RUNTIME_DIR/supervise and, if no master answers there, /run/supervise. If several \
        masters run, --name NAME selects one by its name (see: supervise help name) and --control \
        PATH selects one by its control socket.
        """,
        """
        recycle and scale address the only pool, or the pool given by --pool. reload --wait follows \
        the reload until every worker is new or until that cannot happen soon, and prints the \
        reason. --timeout ends the wait, not the reload. stop --wait returns when the master has \
        exited.
        """,
        """
        Output to a terminal is coloured unless NO_COLOR is set. top scrolls with the arrow keys \
        and quits with q. If its output is not a terminal, it prints the status once.
        """,
    ]

    /// The exit codes of commands for a running master.
    static let commandExitCodes = [
        Fact("0", "Success; with reload --wait, every worker is new."),
        Fact(
            "1",
            "The master rejected the command, or it failed. With reload --wait, the reload was "
                + "aborted, stalled, or took longer than the timeout."),
        Fact("2", "The command line is invalid, or several masters or pools match."),
        Fact("3", "No master is running."),
    ]

    /// The control protocol, one string per paragraph.
    static let controlProtocol = [
        """
        The control socket and status-bind serve HTTP/1.1 (and 1.0) with JSON, so curl is a client: \
        curl --unix-socket /run/supervise/NAME.sock http://localhost/status. Requests that change \
        something use POST and work only on the control socket. Parameters are passed in the query \
        or as a form (curl -d by=1). An error is {"error": "..."} with its status code.
        """,
        """
        A request is limited to 8 KiB of head and 4 KiB of body and must arrive within 10 seconds. \
        Each socket serves at most 64 clients. A further client replaces the one that has been \
        idle longest.
        """,
    ]

    /// The resources.
    static let resources = [
        Fact(
            "GET /",
            "For browsers, a live page with the workers, their memory, their requests and the "
                + "accept queues. For other clients, a line of text."),
        Fact("GET /status", "The whole status as one JSON object: see supervise help schema."),
        Fact(
            "GET /history[?since=SECONDS]",
            "Figures of each pool over the last hour, and the last changes, as one JSON object. With "
                + "since, only figures from when the master was older than that."),
        Fact(
            "GET /leaks[?pool=NAME]",
            "The routes that seem to retain memory: see supervise help schema. 403 where routes are "
                + "not named."),
        Fact("GET /metrics", "The same figures in the Prometheus text format."),
        Fact("GET /healthz", "200 while the master runs."),
        Fact(
            "GET /readyz",
            "200 if every pool has its minimum number of ready workers (workers minus "
                + "max-unavailable), otherwise or while stopping 503. The body lists the pools."),
        Fact(
            "GET /events[?follow]",
            "The last 100 events, one JSON object per line. With follow, new events as well."),
        Fact(
            "POST /reload[?wait]",
            "Like HUP. With wait, one JSON object per line. stage is reading, canary, rolling (with "
                + "replaced and of) and finally verdict. A verdict has reasons and a result: "
                + "complete, aborted, stalled, failed (the configuration has errors, or before-start "
                + "failed), superseded (by a newer reload) or stopped."),
        Fact(
            "POST /recycle?slot=N|all[&pool=NAME]",
            "Replace one worker, or all workers, within the budget."),
        Fact(
            "POST /scale?to=N|A..B|by=N[&pool=NAME]",
            "Change the number of workers. The response contains pool, from and to. If the memory "
                + "caps are percentages, it also contains max_rss_bytes and kill_rss_bytes of a new "
                + "worker."),
        Fact(
            "POST /run-now?pool=NAME",
            "Start a run of a pool with a schedule. The response contains pool and queued. 409 "
                + "while the last run has not ended."),
        Fact(
            "POST /hunt[?pool=NAME][&requests=N][&seconds=N][&exclusive=N][&trace]",
            "Measure which requests retain memory: see supervise help hunt. One JSON object per line. "
                + "stage is hunting (with requests and of), then verdict with the result."),
        Fact(
            "POST /stop[?quick][&wait]",
            "Like TERM; with quick, like INT. With wait, the response ends when the master exits."),
        Fact("POST /reopen", "Like USR1."),
        Fact(
            "POST /upgrade[?wait]",
            "Like USR2. With wait, one JSON object per line. stage is trial, then verdict. A verdict "
                + "has the result complete with version and from, or failed with reason."),
    ]

    /// The schemas, one string per paragraph.
    static let schema = [
        """
        An event is one log line as a JSON object. Its fields are schema (2), sequence (the number \
        of the event since the master started), time, level, event (the name), and details such as \
        pool, slot, pid, generation, cause, age, requests, unit (requests or connections) and rss. \
        units is an object with the unit of each field that has one: seconds, bytes, bytes/h. \
        exited has output (the last lines) if a worker with output = prefix has failed. on-event passes the same fields to its command as SUPERVISE_EVENT (the \
        name), SUPERVISE_EVENT_SCHEMA, _SEQUENCE, _TIME, _LEVEL, _POOL, … and SUPERVISE_EVENT_JSON. \
        A client that reads too slowly loses events and receives {"event":"dropped","events":N} in \
        their place.
        """,
        """
        Schema 2 renamed these events of schema 1: also-binds to bind-redirected, backlog to \
        backlog-failed, closed to listeners-closing, daemon to daemonized, done to slot-finished, \
        due to recycle-scheduled, ended to pool-stopped, giving-up to startup-failed, \
        killed-processes to orphans-killed, left-processes to orphans-found, memory-tight to \
        memory-low, notify-unguarded to notify-socket-unprotected, observer-failed to \
        sampler-failed, readmit-failed to listener-reopen-failed, stop-habit to drain-mode, stopped \
        to master-stopped, uncounted to requests-not-counted, unkillable to kill-failed, \
        unobservable to sampling-failed, upgrade to upgrade-rollback-unavailable, upgrade-begun to \
        upgrade-started, upgrade-tried to upgrade-trial-passed. It renamed the cause superseded to \
        generation-abandoned and the field haste to mode.
        """,
        """
        /history has schema ("supervise-history"), version (1), uptime_seconds, interval_seconds, \
        pools and changes. A pool has name, removed, and lists of the same length: at_seconds \
        (uptime), workers, ready (minimum), exits (so far), memory_bytes (sum of all workers), \
        largest_bytes (of the largest worker), requests (so far) and waiting (connections). null \
        is a figure that was not read. changes are the last 40 events about reloads, upgrades and \
        stops, and the last 40 about the number of workers. The master records at most one point per interval, and \
        only when it runs for another reason or a client reads the status: an idle master records \
        none.
        """,
        """
        /status has schema ("supervise-status") and version (2). New fields may appear without a \
        new version. A field without a value is omitted. Version 2 renamed the field promised to \
        min_ready, the reload states trial to canary and overtaken to superseded, the slot states \
        left-processes to stopping-orphans and done to finished, and the pool state ended to \
        stopped. The fields are:
        """,
    ]

    /// The fields of `/leaks`.
    static let leaksFields = [
        Fact(
            "/leaks pools[]",
            "name, state (suspects, unclear, without-requests, no-growth, gathering, short-lives, or the "
                + "reason for which there is no evidence: schedule, no-listeners, request-info-off, "
                + "not-observed, not-visible, not-sampled, memory-unreadable), message, generation, "
                + "age_seconds (of the evidence), growth_bytes_per_hour (of a worker), observations, "
                + "workers, requests and growth_bytes (of all workers in the evidence)."),
        Fact(
            "/leaks pools[].routes[]",
            "route (none for all routes without a row of their own), requests, bytes_per_request "
                + "(retained), error_bytes (its standard error), confidence (the standard errors by "
                + "which the route explains the growth better than any other), share (of the growth, "
                + "0 to 1), standing (suspect, unsure, falling or clear), rival (a route that explains "
                + "the growth almost as well)."),
    ]

    /// The fields of `/status`.
    static let statusFields = [
        Fact(
            "master",
            "name, pid, version, state (running, reloading, parked, stopping, stopping-quickly), "
                + "ready, generation, started_at_seconds, uptime_seconds, time_seconds (since the "
                + "Unix epoch), last_change (sequence of the newest change in /history), memory_bytes, "
                + "processor_seconds, names_routes (whether this address names routes of requests), "
                + "events_dropped, output_lines_dropped, upgrades, "
                + "upgrades_failed."),
        Fact(
            "reload",
            "The last reload, if any: generation, state (canary, rolling, stalled, complete, "
                + "aborted, superseded, failed, stopped), age_seconds, took_seconds, replaced, of, "
                + "reasons."),
        Fact(
            "pools[].molds[]",
            "generation, incarnation, state (booting, warm, leaving, given-up), pid, memory_bytes."),
        Fact(
            "pools[]",
            "name, state, ready, generation, workers, serving, live, min_ready, max_surge, "
                + "max_unavailable. Of an elastic pool also min_workers, max_workers, busy_workers, "
                + "demand_workers (that the load of the last second needed), scale_blocked (what "
                + "prevents more: workers, max-pool-rss or memory-limit)."),
        Fact("pools[].listeners[]", "address, queue (connections that wait), queue_limit."),
        Fact(
            "pools[].slots[]",
            "A worker: slot, incarnation (the number of the worker in its slot), pid, state "
                + "(starting, booting, ready, draining, retiring, stopping-orphans), connections "
                + "(open ones, while draining), cause, due (the cause of a scheduled recycle), "
                + "replacement, hunted (supervise hunt), generation, age_seconds, requests, requests_unit (requests, or "
                + "connections, each of which may carry many requests), request_limit, "
                + "requests_left, memory_bytes, own_bytes, shared_bytes, memory_limit_bytes, boot_seconds, "
                + "lifetime_limit_seconds, growth_bytes_per_request, growth_bytes_per_hour, "
                + "memory_limit_in_seconds, requests_visible (whether the requests that the worker "
                + "does not report are visible), current (requests in flight: route and "
                + "age_seconds of the oldest, count), status. Or a slot without a worker: state waiting, "
                + "backoff (with failures and starts_in_seconds), scheduled (until the next run), "
                + "finished or failed."),
        Fact(
            "pools[].runs",
            "Of a pool with a schedule: schedule, next_in_seconds, next_at_seconds (since the Unix "
                + "epoch), running, queued, skipped, duration_seconds (of all runs), outcomes (runs "
                + "that ended, by outcome: success, failure, timeout (max-lifetime), stopped), "
                + "last_success_at_seconds, last (outcome, cause, status or signal, trigger, "
                + "pid, ago_seconds, duration_seconds)."),
        Fact(
            "pools[].totals",
            "starts, start_failures, boots, boot_seconds, requests (of both units), connections "
                + "(the part counted in connections), kills, backoffs, memory_alarms, stuck_requests, exits (by "
                + "cause)."),
        Fact(
            "pools[].exits[]",
            "The last 100, newest first: slot, incarnation, pid, ago_seconds, cause, status or "
                + "signal, generation, age_seconds, requests, requests_unit, memory_bytes, boot_seconds, "
                + "during (as current, at the exit), output (the last lines, of a worker that failed, "
                + "with output = prefix)."
        ),
    ]
}
