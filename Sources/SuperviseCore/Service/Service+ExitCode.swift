extension Service {
    /// Exit codes of the master.
    enum ExitCode {
        static let stopped: Int32 = 0
        static let cannotBoot: Int32 = 13
        static let cannotStart: Int32 = 14
        static let finishedWithFailure: Int32 = 15
    }
}
