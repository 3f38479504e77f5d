import SuperviseLinux
import SuperviseSettings

/// How the workers of one pool and generation get unrequested listeners, and how their requests are
/// counted. It depends on the program that the command runs, as it is on disk now.
struct Adoption {
    /// The mechanism that handles a worker's own bind(2).
    enum Way: String {
        /// The library, inside the worker.
        case preload
        /// The master, over a seccomp filter.
        case seccomp
        /// Nothing.
        case none
    }

    let way: Way
    /// The path of the preload library, if workers load it.
    let library: String?
    /// Whether reports of the worker count.
    let countsReports: Bool
    /// Whether the library counts.
    let countsConnections: Bool
    /// Whether the library observes requests.
    let observesRequests: Bool
    /// Whether the master may also handle binds if workers fail to boot with the library alone.
    let mayFilterToo: Bool
    /// The reasons for which configured features are not used.
    private(set) var warnings: [String] = []

    /// `account` is the user of the workers; nil is the master's.
    init(
        _ settings: PoolSettings, hasListeners: Bool, account: Credentials?, searchPath: String?,
        library: PreloadLibrary
    ) {
        guard hasListeners else {
            way = .none
            mayFilterToo = false
            self.library = nil
            countsReports = settings.count != .off
            countsConnections = false
            observesRequests = false
            return
        }
        let name = Blueprint.program(of: settings)
        let command =
            ExecutableFormat.path(
                of: name, searchPath: searchPath, folder: settings.workingDirectory) ?? name
        let (format, program) = ExecutableFormat.program(of: command)
        let isSecure = ExecutableFormat.isSecure(
            program, uid: account?.uid ?? ThisProcess.effectiveUID,
            gid: account?.gid ?? ThisProcess.effectiveGID)
        let available = library.path(for: format)
        let loads = format.loadsLibraries(available) && !isSecure
        let wanted = Adoption.way(for: settings.adopt, format, loads: loads)
        let wantsCount = settings.count == .preload || settings.count == .auto && loads
        let wantsDrain = settings.policy.drain == .observe && loads
        let wantsRequests =
            settings.policy.requestTimeout != nil && settings.requestInfo == .auto && loads
        let wantsLibrary = wanted == .preload || wantsCount || wantsDrain || wantsRequests
        let loaded = wantsLibrary && loads ? available : nil
        self.library = loaded
        countsReports = settings.count == .auto || settings.count == .report
        countsConnections = wantsCount && loaded != nil
        observesRequests = settings.requestInfo == .auto && loaded != nil
        let obstacle = Adoption.obstacleToSeccomp(settings.adopt, program)
        way =
            wanted == .seccomp && obstacle != nil || wanted == .preload && loaded == nil
            ? .none : wanted
        // Forked workers execute nothing, so no filter can be installed.
        mayFilterToo =
            settings.adopt == .auto && settings.mold == .off && way == .preload && obstacle == nil
        warnings = wanted == .seccomp ? obstacle.map { [$0] } ?? [] : []
        if settings.adopt != .off, let kind = format.foreignKind {
            warnings.append(Adoption.foreign(program, kind))
        } else if wantsLibrary, loaded == nil {
            let isMissing = loads ? library.problem : nil
            warnings.append(
                isMissing
                    ?? Adoption.warning(of: settings, format, isSecure: isSecure, program: program))
        }
    }

    /// The library without which a worker could not start, if it existed before and no longer does.
    var missingLibrary: String? {
        guard way == .preload, let library, !TextFile.isReadable(library) else { return nil }
        return library
    }

    private static func obstacleToSeccomp(_ rule: AdoptRule, _ program: String) -> String? {
        guard InterceptedBinds.isSupported else {
            return
                "adoption by seccomp requires Linux 5.9 on x86-64 or AArch64; programs that open "
                + "their own socket are not adopted"
        }
        guard rule == .auto, !ThisProcess.mayFilterFreely,
            ExecutableFormat.givesPrivileges(program)
        else { return nil }
        return
            "\(program) is setuid, setgid or has file capabilities. The filter for its adoption would "
            + "disable them, because the master lacks CAP_SYS_ADMIN. The program is adopted only if "
            + "adopt = seccomp is set"
    }

    private static func foreign(_ program: String, _ kind: String) -> String {
        "\(program) is \(kind). It cannot load the library, and the filter does not see its calls, so "
            + "its bind() is not adopted and its connections are not counted. Pass the descriptor with "
            + "{fd} or $LISTEN_FDS, use a 64-bit program for this architecture, or set adopt = off"
    }

    private static func way(
        for rule: AdoptRule, _ format: ExecutableFormat, loads: Bool
    ) -> Way {
        switch rule {
        case .preload: return .preload
        case .seccomp: return .seccomp
        case .off: return .none
        case .auto: break
        }
        switch format {
        // An unreadable program may be dynamic, and a static program ignores the variable.
        case .glibc, .unknown: return loads ? .preload : .seccomp
        case .musl: return loads ? .preload : .seccomp
        case .otherLoader, .withoutLoader, .go, .addressSanitized: return .seccomp
        // Its system call numbers differ from those in the filter.
        case .narrow, .otherMachine: return .none
        }
    }

    private static func warning(
        of settings: PoolSettings, _ format: ExecutableFormat, isSecure: Bool, program: String
    ) -> String {
        let asked = [
            settings.adopt == .preload ? "adopt = preload" : nil,
            settings.count == .preload ? "count = preload" : nil,
        ].compactMap { $0 }.joined(separator: " and ")
        let reason =
            switch format {
            case .withoutLoader: "is statically linked"
            case .go: "is written in Go and calls the kernel without libc"
            case .otherLoader(let path): "uses the loader \(path) instead of that of glibc or musl"
            case .narrow: "is a 32-bit program"
            case .otherMachine: "is built for another architecture"
            case .addressSanitized:
                "is linked with the address sanitizer, which must be loaded first"
            case .glibc where isSecure, .musl where isSecure, .unknown where isSecure:
                "is setuid, setgid or has file capabilities, so the loader ignores LD_PRELOAD"
            case .musl: "is linked with musl, and \(PreloadLibrary.muslName) is not installed"
            case .glibc, .unknown: "cannot be read"
            }
        return "\(asked) has no effect on \(program), which \(reason)"
    }
}

extension ExecutableFormat {
    /// Returns whether the library may be loaded into it; nil if none for its loader is installed.
    fileprivate func loadsLibraries(_ library: String?) -> Bool {
        switch self {
        case .glibc, .unknown: true
        case .musl: library != nil
        case .otherLoader, .withoutLoader, .go, .addressSanitized, .narrow, .otherMachine: false
        }
    }

    /// The kind of a program for which neither the library nor the filter works.
    fileprivate var foreignKind: String? {
        switch self {
        case .narrow: "a 32-bit program"
        case .otherMachine: "built for another architecture"
        case .glibc, .unknown, .musl, .otherLoader, .withoutLoader, .go, .addressSanitized: nil
        }
    }
}
