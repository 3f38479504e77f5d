import Glibc

/// The listening sockets that a process inherited from its parent (sd_listen_fds(3)).
struct InheritedListeners: Sendable {
    /// The first descriptor (`SD_LISTEN_FDS_START`).
    static let firstDescriptor: Int32 = 3

    let descriptors: [Int32]
    let names: [String]

    /// Reads `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES`.
    ///
    /// `LISTEN_PID` is the process that the descriptors are for. Behind `sh start.sh` or `npm start` it is
    /// the wrapper; then `isOurWorker` decides: if the page with the nonce of the worker was inherited,
    /// so were the descriptors below it. In both cases each descriptor is checked to be a listening
    /// socket, because the number may have been closed and reused.
    init(
        environment: (String) -> String?, isOurWorker: Bool, first: Int32 = Self.firstDescriptor
    ) {
        let isAddressedToUs = environment("LISTEN_PID").flatMap { pid_t($0) } == getpid()
        let count = environment("LISTEN_FDS").flatMap { Int32($0) } ?? 0
        guard isAddressedToUs || isOurWorker, count > 0, count <= 65_536 else {
            descriptors = []
            names = []
            return
        }
        let inherited = Array(first..<first + count)
        guard inherited.allSatisfy(Self.isListening) else {
            descriptors = []
            names = []
            return
        }
        // A program that the worker starts does not need them, and would keep the port bound after the
        // worker exits.
        for descriptor in inherited {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        descriptors = inherited
        let given = environment("LISTEN_FDNAMES").map {
            $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
        names = inherited.indices.map { index in
            given.flatMap { index < $0.count ? $0[index] : nil } ?? "unknown"
        }
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let result = getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &length)
        return result == 0 && value != 0
    }
}
