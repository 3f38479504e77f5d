import SuperviseCore

/// The failure, as a predicate.
extension CanaryFailure {
    var text: String {
        switch self {
        case .ended(let status): status.text
        case .bootTimeout: "was not ready in time"
        case .notStarted(let failure): failure.text
        case .mold(let failure): "has a mold that \(failure.text)"
        case .left(let cause): "was stopped: \(cause.name)"
        case .responses(let responses): responses.text
        }
    }
}

extension StartFailure {
    fileprivate var text: String { "could not be started: \(step): \(message)" }
}

extension MoldFailure {
    /// The failure, as a predicate.
    public var text: String {
        switch self {
        case .ended(let status): status.text
        case .bootTimeout: "was not ready in time"
        case .notStarted(let failure): failure.text
        case .unusable(let reason): "is unusable: \(reason)"
        case .forksFail: "forks no workers"
        case .workersFail: "forks workers that do not become ready"
        }
    }
}

extension CanaryResponses {
    fileprivate var text: String {
        "responded with 5xx to \(canary.errors) of \(canary.responses) requests "
            + "(\(canary.errorPercentage) %), the old workers to \(others.errors) of "
            + "\(others.responses) (\(others.errorPercentage) %)"
    }
}

extension ExitStatus {
    var text: String {
        switch self {
        case .code(let code): "exited with status \(code)"
        case .signal(let signal): "was terminated by signal \(signal)"
        case .outOfMemory: "was killed by the kernel: out of memory"
        }
    }
}
