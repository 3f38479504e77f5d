extension Setting {
    /// The stdout and stderr of the workers.
    static let output = [
        Setting(
            "output", in: .workers, .pool(.value(\.output, .output)), reload: .newWorkers,
            summary: "Where the workers' stdout and stderr go",
            details: """
                inherit: to the stdout and stderr of the master, which the workers share. prefix: \
                through a pipe to the master, which writes each line to its own stderr as \
                [POOL/SLOT PID] LINE. A line that begins with { and ends with } passes unchanged. \
                Lines above 64K are divided. With prefix, the last 20 lines (8K) of a worker that \
                fails are part of its exited event, of the status and of the verdict of reload \
                --wait. The workers write to a pipe, so a program that calls isatty() finds no \
                terminal, and if the master is killed they get SIGPIPE. A path: each worker opens \
                the file as its own user and appends to it; {pool} and {slot} are replaced. none: \
                to /dev/null. Example: output = prefix.
                """),
        Setting(
            "output-overflow", in: .workers,
            .pool(.value(\.outputOverflow, .word("a choice", placeholder: "drop|block"))),
            reload: .newWorkers,
            summary: "What happens to prefixed output that stderr cannot take",
            details: """
                For output = prefix. The master keeps up to 1M while its stderr takes nothing. Then, \
                with drop, it drops lines, and counts them in the status and the metrics. With block, \
                it stops reading from the workers, which wait in their next write. If stderr takes \
                nothing for 10 s, lines are dropped in spite of block, so that no worker waits for \
                ever. Example: output-overflow = block.
                """),
        Setting(
            "output-max-size", in: .workers,
            .pool(.value(\.outputMaximumBytes, .size)), reload: .newWorkers,
            summary: "Begin a new output file at this size",
            details: """
                For an output file. A worker that starts when the file has reached this size renames \
                it to FILE.1 and begins a new file. Workers that run keep writing to the renamed file \
                until they are recycled, so combine it with max-lifetime or max-requests. off: never. \
                Example: output-max-size = 200M.
                """),
        Setting(
            "output-keep", in: .workers,
            .pool(.value(\.outputKeep, .integer(0...1000, allowed: "0 to 1000"))),
            reload: .newWorkers,
            summary: "Number of older output files to keep",
            details: """
                For an output file: FILE.1 is the newest of the older ones. With 0, a file that has \
                reached output-max-size is deleted. Example: output-keep = 20.
                """),
    ]
}
