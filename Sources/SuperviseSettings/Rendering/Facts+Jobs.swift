/// Commands that run by a schedule.
extension Fact {
    /// The behaviour, one string per paragraph.
    static let jobs = [
        """
        A pool with a schedule runs its command at these times instead of all the time. It needs a \
        section of its own, without bind: schedule = */5 * * * *, max-lifetime = 60s, command = \
        python manage.py notify.
        """,
        """
        At most one run exists at any time. A run lasts from its start until the last process that \
        it started has ended. If the command ends and leaves processes behind, also in the \
        background, they receive the stop-signal, and KILL after graceful-timeout. If a run has not \
        ended at the next time, the next one is skipped, or waits with overlap = queue.
        """,
        """
        A run ends at max-lifetime: the command receives its stop-signal and, after \
        graceful-timeout, all its processes receive KILL. Without max-lifetime, a command that \
        hangs prevents all later runs, and check warns about that. X_HOLD does not postpone the end. \
        Memory caps, limits, user, env and output apply as to every worker. A failed run is not \
        repeated before the next time. restart, backoff and boot-attempts do not apply.
        """,
        """
        A reload does not affect a run in progress, not even if it changes or removes the pool; the \
        new settings apply to the next run. Neither does an upgrade. A stop of the master ends the \
        run. supervise run-now POOL starts a run at once, and supervise recycle 0 --pool POOL ends \
        one.
        """,
        """
        Runs that are due while the master is down are lost. Each host with this configuration runs \
        the command: to run it on one host only, set the schedule there, or let the command take a \
        lock. A run that is due while the machine is suspended takes place when it resumes, if its \
        time is fixed and the suspension is shorter than 3 hours.
        """,
        """
        Times are local (TZ or /etc/localtime), or UTC with schedule-timezone = UTC. A schedule \
        whose minute and hour do not begin with * runs once per day that it names, also if daylight \
        saving skips its time (then at the end of the skipped hour) or repeats it (then at the \
        first). Other schedules run whenever the local time matches, so that */5 and @hourly follow \
        elapsed time. If the clock is set, the next run is computed again. A change of less than \
        3 hours neither repeats nor drops a run at a fixed time; after a larger one, the new time \
        applies. every DURATION does not depend on the time of day.
        """,
        """
        As with cron, a day must match both day fields if one of them begins with *, otherwise one \
        of them is enough. Ranges do not continue at the start of a field: write 22-23,0-2. \
        A step needs * or a range and must not exceed the range of the field: for every 90 minutes, \
        write every 90m. There is no field for seconds, and no L, W, # or ?.
        """,
    ]

    /// The events.
    static let jobEvents = [
        Fact(
            "job-finished", "A run ended with status 0: duration, trigger (schedule or operator)."),
        Fact(
            "job-failed",
            "A run ended in another way: outcome (failure, timeout or stopped), cause, status or "
                + "signal, duration, trigger."),
        Fact(
            "job-skipped",
            "A run did not take place: reason (overlap or parked), pid and age of the run in "
                + "progress."),
        Fact("job-queued", "A run waits for the end of the last one, with overlap = queue."),
        Fact("clock-set", "The time of day was set, and the next runs were computed again."),
    ]
}
