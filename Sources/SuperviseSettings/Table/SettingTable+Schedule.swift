extension Setting {
    /// When the command of a pool runs.
    static let schedule = [
        Setting(
            "schedule", in: .workers, .pool(.optional(\.schedule, .schedule)), reload: .live,
            summary: "Run the command at these times instead of all the time",
            details: """
                Five fields as in crontab(5): minute, hour, day of month, month, day of week, with \
                names, lists, ranges and steps. If a day field begins with *, a day must match both \
                day fields, otherwise one is enough. Or @hourly, @daily, @weekly, @monthly or \
                @yearly; or every and a duration of at least 1s, counted from the start of the \
                master. The pool has at most one run at a time (see overlap), a run ends at \
                max-lifetime, and a failed run is not repeated before the next time. The master \
                runs the command itself, so runs that are due while it is down are lost, and each \
                host with this configuration runs the command. See supervise help jobs. \
                Example: schedule = */5 * * * *.
                """),
        Setting(
            "schedule-timezone", in: .workers,
            .pool(.value(\.scheduleTimeZone, .scheduleTimeZone)), reload: .live,
            summary: "Time zone of schedule",
            details: """
                local: the time zone of the master, from TZ or /etc/localtime. With daylight \
                saving, a schedule whose minute and hour do not begin with * runs once per day: if \
                its time is skipped, at the end of the skipped hour; if its time occurs twice, at \
                the first of them. All other schedules follow elapsed time. UTC has no daylight \
                saving. Example: schedule-timezone = UTC.
                """),
        Setting(
            "overlap", in: .workers,
            .pool(.value(\.overlap, .word("a choice", placeholder: "skip|queue"))), reload: .live,
            summary: "What to do if the last run has not ended at the next time",
            details: """
                For a pool with a schedule. skip: the new run does not start, and a job-skipped \
                event reports it. queue: one run waits until the last one and all its processes \
                have ended; further ones are skipped. Two runs never run at the same time. \
                Example: overlap = queue.
                """),
    ]
}
