import Foundation
import Testing

/// The file itself, which is loaded into programs in any language.
@Suite(.serialized) struct LibraryTests {
    @Test(.enabled(if: isInstalled("readelf"), "readelf is not installed"))
    func itNeedsNothingButTheCLibrary() async throws {
        let needed = try await output("readelf -d \"$0\"").filter { $0.contains("(NEEDED)") }
        #expect(needed.count == 1)
        #expect(needed.allSatisfy { $0.contains("[libc.so.6]") }, "\(needed)")
    }

    @Test(.enabled(if: isInstalled("nm"), "nm is not installed"))
    func itShowsNothingButTheFunctionsThatItStandsInFrontOf() async throws {
        let names = try await output("nm -D --defined-only \"$0\"")
            .compactMap { $0.split(separator: " ").last.map(String.init) }
        let functions = [
            "__poll_chk", "__ppoll_chk", "__read_chk", "__recv_chk", "__recvfrom_chk",
            "__sysv_signal", "accept", "accept4", "bind", "bsd_signal", "chmod", "chown", "close",
            "close_range", "closefrom", "connect", "dup2", "dup3", "epoll_ctl", "fchmod",
            "fchmodat", "fchown", "fchownat", "fcntl", "fcntl64", "getsockname", "ioctl", "lchmod",
            "lchown", "listen", "poll", "ppoll", "pselect", "read", "readv", "recv", "recvfrom",
            "recvmmsg",
            "recvmsg", "remove", "rename", "renameat", "renameat2", "select", "send", "sendfile",
            "sendfile64", "sendmmsg", "sendmsg", "sendto", "shutdown", "sigaction", "signal",
            "sigset", "splice", "ssignal", "supervise_hunt_begin",
            "supervise_hunt_trace", "supervise_worker_begin", "syscall", "sysv_signal",
            "unlink", "unlinkat", "write", "writev",
        ]
        // Some linkers export the ends of the segments.
        #expect(Set(names).subtracting(["__bss_start", "_edata", "_end"]) == Set(functions))
    }

    /// The oldest glibc that it is to be loaded by has nothing newer than 2.17. Ld.so ends a program that
    /// preloads a library with a version that its libc does not define.
    @Test(.enabled(if: isInstalled("readelf"), "readelf is not installed"))
    func itNeedsNoNewVersionOfTheCLibrary() async throws {
        let needed = try await output("readelf -V \"$0\"").compactMap {
            $0.firstMatch(of: /Name: GLIBC_(\d+)\.(\d+)/)
        }
        #expect(!needed.isEmpty)
        for version in needed {
            let (major, minor) = (Int(version.1) ?? .max, Int(version.2) ?? .max)
            #expect((major, minor) <= (2, 17), "GLIBC_\(version.1).\(version.2)")
        }
    }

    /// Before glibc 2.34 a program that does not use libdl.so has no dlsym().
    @Test(.enabled(if: Compiled.isPossible, "needs a C compiler"), arguments: ["both", "sysv"])
    func functionsAreFoundWithoutDlsym(hash: String) async throws {
        let program = try await Compiled("resolve", ["-Wl,--hash-style=\(hash)"])
        let names = [
            "bind", "accept4", "fcntl64", "ioctl", "renameat2", "lchmod", "epoll_ctl", "pselect",
            "__ppoll_chk", "syscall", "sigaction", "sysv_signal", "sigset", "no_such_function", "",
        ]
        let child = try Child([program.path] + names, environment: [])
        #expect(try await child.end() == .exited(0))
    }

    private func output(_ script: String) async throws -> [String] {
        let folder = try Folder()
        let child = try Child(
            ["sh", "-c", "\(script) > \"$1\"", Place.library, folder["output"]], environment: [])
        #expect(try await child.end() == .exited(0))
        return try String(contentsOfFile: folder["output"], encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }
}
