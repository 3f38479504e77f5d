import SuperviseCore

/// Checks combinations of settings that are valid individually.
struct Validation {
    let drafts: [PoolDraft]
    /// Whether the master inherits sockets that pools without a bind can use.
    var receivesSockets = false
    /// The config file, if there is one.
    var configPath: String?
    /// Keys with an invalid value. Problems that involve them are not reported.
    var faultyKeys: Set<String> = []
    /// Whether a command may be missing only because a line could not be parsed.
    var mayLackCommands = false
    private(set) var problems: [SettingsProblem] = []
    var warnings: [SettingsProblem] = []

    init(drafts: [PoolDraft]) {
        self.drafts = drafts
    }

    mutating func run() {
        for draft in drafts {
            checkCommand(draft)
            checkWordsAfterCommand(draft)
            checkBudget(draft)
            checkCaps(draft)
            checkCount(draft)
            checkMold(draft)
            checkRequestInfo(draft)
            checkJitter(draft)
            checkOutput(draft)
            checkSchedule(draft)
            checkScaling(draft)
        }
        checkBinds()
    }

    private mutating func checkCommand(_ draft: PoolDraft) {
        let pool = draft.settings
        if pool.command.isEmpty, !mayLackCommands, !faultyKeys.contains("command") {
            reportMissingCommand(draft)
        }
        guard let index = largestDescriptorPlaceholder(in: pool.command) else { return }
        let isSystemd = pool.binds.contains { if case .systemd = $0 { true } else { false } }
        // Only the master knows how many sockets systemd passes.
        guard !isSystemd, !(pool.binds.isEmpty && receivesSockets) else { return }
        if index >= pool.binds.count, !faultyKeys.contains("bind") {
            let written = index == 0 ? "{fd}" : "{fd:\(index)}"
            let count = pool.binds.count
            report(
                draft, ["command"],
                "\(written) refers to a listener that the pool does not have; the pool has "
                    + (count == 0 ? "no bind" : "\(count), numbered from 0"))
        }
    }

    /// Warns about options of supervise that follow the command: some programs accept options anywhere.
    private mutating func checkWordsAfterCommand(_ draft: PoolDraft) {
        let source = SettingSource.commandLine(option: "--")
        guard draft.sources["command"]?.last == source else { return }
        for key in ForeignName.settings(amongWords: draft.settings.command.dropFirst())
        where draft.sources[key] == nil {
            warnings.append(
                SettingsProblem(
                    source: source,
                    message: "--\(key) follows the command, so it is passed to "
                        + "\(draft.settings.command[0]); to set it for supervise, write it before --"
                ))
        }
    }

    private mutating func reportMissingCommand(_ draft: PoolDraft) {
        let isAlone = drafts.count == 1 && draft.settings.name == Configuration.defaultPoolName
        guard isAlone else {
            return report(
                draft, ["command"],
                "not set; write command = PROGRAM ARGUMENTS in the section of the pool")
        }
        let word = "after --, as in: supervise -- ./server --port 80"
        guard let configPath else {
            return report(draft, ["command"], "not set; write it \(word)")
        }
        problems.append(
            SettingsProblem(
                source: .file(path: configPath, line: 0), key: "command",
                message: "not set; write command = PROGRAM ARGUMENTS in the file, or the command "
                    + word))
    }

    private mutating func checkBudget(_ draft: PoolDraft) {
        let policy = draft.settings.policy
        guard isNone(policy.effectiveMaxSurge), isNone(policy.effectiveMaxUnavailable) else {
            return
        }
        let key = policy.maxUnavailable == nil ? "max-surge" : "max-unavailable"
        let other = key == "max-surge" ? "max-unavailable" : "max-surge"
        let remark =
            (other == "max-surge" ? policy.maxSurge : policy.maxUnavailable) == nil
            ? " (the default)" : ""
        report(
            draft, [key, other],
            "0 together with \(other) 0\(remark) allows no worker to be replaced; "
                + "set one of them to 1 or more")
    }

    private func isNone(_ amount: Amount) -> Bool {
        switch amount {
        case .count(let number), .percent(let number): number == 0
        }
    }

    private mutating func checkCaps(_ draft: PoolDraft) {
        let policy = draft.settings.policy
        if let soft = policy.maxRSS, let hard = policy.killRSS, hard.isLess(than: soft) {
            report(
                draft, ["kill-rss", "max-rss"],
                "\(Format.memoryCap.print(hard)) is below max-rss "
                    + "(\(Format.memoryCap.print(soft))); allowed: off, or max-rss or more")
        }
        if policy.backoffMax < policy.backoff {
            report(
                draft, ["backoff-max", "backoff"],
                "\(DurationText.print(policy.backoffMax)) is less than backoff "
                    + "(\(DurationText.print(policy.backoff)))")
        }
    }

    private mutating func checkCount(_ draft: PoolDraft) {
        let pool = draft.settings
        guard pool.count == .off else { return }
        if pool.policy.maxRequests > 0 {
            report(
                draft, ["count", "max-requests"],
                "off conflicts with max-requests (\(pool.policy.maxRequests)), which needs a count; "
                    + "allowed: auto, report or preload, or max-requests = 0")
        }
        if pool.policy.stallTimeout != nil {
            warnOfIdle(draft, "stall-timeout", "has no effect while count is off")
        }
    }

    private mutating func checkMold(_ draft: PoolDraft) {
        let pool = draft.settings
        guard pool.mold != .off else {
            if !pool.moldImports.isEmpty {
                warnOfIdle(draft, "mold-import", "has no effect while mold is off")
            }
            return
        }
        if case .file = pool.output {
            report(
                draft, ["output", "mold"],
                "a file conflicts with mold; allowed with mold: inherit, prefix or none")
        }
        if pool.adopt == .seccomp {
            report(
                draft, ["adopt", "mold"],
                "seccomp conflicts with mold: the filter is installed when a program is executed, and "
                    + "forked workers execute none; allowed with mold: auto, preload or off")
        }
    }

    /// Warns about settings that need information about requests, unless they are defaults shared by all
    /// pools.
    private mutating func checkRequestInfo(_ draft: PoolDraft) {
        guard draft.settings.requestInfo == .off else { return }
        if draft.sources["canary-check"] != nil, draft.settings.canaryCheck == .auto {
            warnOfIdle(draft, "canary-check", "has no effect while request-info is off")
        }
        if draft.settings.policy.requestTimeout != nil {
            warnOfIdle(draft, "request-timeout", "has no effect while request-info is off")
        }
    }

    /// Warns about a jitter without a limit, unless the jitter is a default shared by all pools.
    private mutating func checkJitter(_ draft: PoolDraft) {
        let policy = draft.settings.policy
        let idle = [
            ("max-requests", policy.maxRequests == 0 && policy.maxRequestsJitter > 0),
            ("max-lifetime", policy.maxLifetime == nil && policy.maxLifetimeJitter > .zero),
        ]
        for (limit, isIdle) in idle where isIdle {
            warnOfIdle(draft, limit + "-jitter", "has no effect while \(limit) is off")
        }
    }

    /// Warns about settings of another kind of output, unless they are defaults shared by all pools.
    private mutating func checkOutput(_ draft: PoolDraft) {
        let isFile = if case .file = draft.settings.output { true } else { false }
        for key in ["output-max-size", "output-keep"] where !isFile && draft.sources[key] != nil {
            warnOfIdle(draft, key, "has no effect because output is not a file")
        }
        let key = "output-overflow"
        if draft.settings.output != .prefix, draft.sources[key] != nil {
            warnOfIdle(draft, key, "has no effect because output is not prefix")
        }
    }

    mutating func warnOfIdle(_ draft: PoolDraft, _ key: String, _ message: String) {
        guard !draft.sharedKeys.contains(key) else { return }
        warnings.append(
            SettingsProblem(source: draft.source(of: key), key: key, message: message))
    }

    private mutating func checkBinds() {
        var taken: [(address: BindAddress, pool: String)] = []
        for draft in drafts {
            let sources = draft.sources["bind"] ?? []
            for (index, address) in draft.settings.binds.enumerated() {
                let source = sources.indices.contains(index) ? sources[index] : draft.source()
                if let other = taken.first(where: { $0.address.collides(with: address) }) {
                    problems.append(
                        SettingsProblem(
                            source: source, key: "bind",
                            message: other.pool == draft.settings.name
                                ? "\(address) is given twice"
                                : "\(address) is already used by pool \(other.pool)"))
                }
                taken.append((address, draft.settings.name))
            }
        }
    }

    mutating func report(_ draft: PoolDraft, _ keys: [String], _ message: String) {
        guard faultyKeys.isDisjoint(with: keys) else { return }
        let source: SettingSource
        if let first = keys.first, draft.sources[first] != nil || keys.count == 1 {
            source = draft.source(of: first)
        } else {
            source = draft.source(of: keys.last ?? "")
        }
        problems.append(SettingsProblem(source: source, key: keys.first, message: message))
    }
}

extension MemoryCap {
    /// Compares two caps of the same kind; caps of different kinds cannot be compared.
    fileprivate func isLess(than other: MemoryCap) -> Bool {
        switch (self, other) {
        case (.bytes(let own), .bytes(let other)): own < other
        case (.percent(let own), .percent(let other)): own < other
        case (.bytes, .percent), (.percent, .bytes): false
        }
    }
}
