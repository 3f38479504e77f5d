import CSupervise
import Glibc
import Testing

@testable import SuperviseLinux

/// A process whose bind(2) calls are intercepted: a static C program that makes the given calls.
@Suite(.enabled(if: StaticProgram.canBeMade, "needs a C compiler that links statically"))
struct InterceptedBindsTests {
    @Test func ourAddressIsGivenAndOthersAreNot() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1)
        let port = listener.address.split(separator: ":")[1]
        for attributes in attributesOfBothKinds {
            let binds = try Binds(
                [
                    "2|127.0.0.1|\(port)|-", "2|0.0.0.0|\(port)|-", "10|::|\(port)|-",
                    "10|::ffff:127.0.0.1|\(port)|-", "2|127.0.0.1|\(port)|t",
                    // Only the other family.
                    "10|::|\(port)|6", "10|::1|\(port)|-",
                    // Not intercepted: datagrams, other hosts, any port, another port.
                    "2|127.0.0.1|\(port)|d", "2|127.0.0.2|\(port)|-", "2|127.0.0.1|0|-",
                    "10|::|0|6",
                ], [listener], attributes)
            #expect(binds.results.map(\.code) == Array(repeating: 0, count: 11))
            #expect(
                binds.results.map { $0.inode == listener.identity.inode }
                    == Array(repeating: true, count: 7) + Array(repeating: false, count: 4))
            let asked: [String?] = [nil, nil, nil, nil, nil, "[::]:\(port)", "[::1]:\(port)"]
            #expect(
                binds.answers
                    == asked.map {
                        .adopted(process: binds.pid, address: listener.address, asked: $0)
                    } + Array(repeating: .untouched, count: 4))
        }
    }

    @Test func theDescriptorKeepsItsCloseOnExec() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1)
        let port = listener.address.split(separator: ":")[1]
        let binds = try Binds(["2|0.0.0.0|\(port)|-", "2|0.0.0.0|\(port)|c"], [listener])
        #expect(binds.results.map(\.closesOnExec) == [false, true])
        #expect(binds.results.map(\.inode) == [listener.identity.inode, listener.identity.inode])
    }

    /// All holders share the mode: a blocking program must not get it set unnecessarily, and one
    /// that waits with epoll must get it.
    @Test func aNonblockingProgramMakesItNonblocking() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1)
        let port = listener.address.split(separator: ":")[1]
        let binds = try Binds(["2|0.0.0.0|\(port)|-", "2|0.0.0.0|\(port)|n"], [listener])
        #expect(binds.results.map(\.isNonblocking) == [false, true])
    }

    /// A registration in an epoll set that was made before the bind.
    @Test func registeredSocketsStayRegistered() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1)
        let address = listener.address.split(separator: ":")
        let port = address[1]
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(UInt16(port) ?? 0).bigEndian
        inet_pton(AF_INET, String(address[0]), &place.sin_addr)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, size) }
        }
        #expect(result == 0)
        // The program checks its own descriptor number and data in the event.
        let binds = try Binds(
            ["2|0.0.0.0|\(port)|e", "2|127.0.0.1|\(port)|ec", "2|0.0.0.0|\(port)|eo"], [listener])
        #expect(binds.results.map(\.code) == [0, 0, 0])
        #expect(binds.results.map(\.inode) == Array(repeating: listener.identity.inode, count: 3))
    }

    @Test func unixNamesAreGivenWhileTheyAreOurs() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/s"
        let file = try ListenSocket.unix(path: path, mode: 0o600, backlog: 1)
        let name = try ListenSocket.abstract(name: try Nonce().text, backlog: 1)
        let atName = String(name.address.dropFirst("unix:".count))
        let listeners = [file, name]
        let binds = try Binds(
            ["1|\(path)|0|-", "1|\(atName)|0|-", "1|\(atName)x|0|-", "1|\(path)|0|d"], listeners)
        #expect(binds.results.map(\.code) == [0, 0, 0, EADDRINUSE])
        #expect(
            binds.results.prefix(2).map(\.inode) == [file.identity.inode, name.identity.inode])
        // A program that removes the file creates a new one.
        let replaced = try Binds(["1|\(path)|0|r"], listeners)
        #expect(replaced.results.map(\.code) == [0])
        #expect(replaced.results[0].inode != file.identity.inode)
        unlink(path)
    }

    @Test func aBoundSocketKeepsItsAddress() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1)
        let port = listener.address.split(separator: ":")[1]
        // The second call is on the descriptor of the first.
        let other = try Binds(["2|127.0.0.1|0|-", "2|127.0.0.1|\(port)|a"], [listener])
        #expect(other.results.map(\.code) == [0, EINVAL])
        // This is the state if a signal interrupts a call after its response.
        let again = try Binds(["2|127.0.0.1|\(port)|-", "2|127.0.0.1|\(port)|a"], [listener])
        #expect(again.results.map(\.code) == [0, 0])
        #expect(again.results.map(\.inode) == [listener.identity.inode, listener.identity.inode])
    }

    @Test func nonsenseIsLeftToTheKernel() throws {
        let listener = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 1)
        let port = listener.address.split(separator: ":")[1]
        let binds = try Binds(
            [
                // A bad pointer, a bad descriptor, bad lengths, no socket.
                "2|127.0.0.1|\(port)|p", "2|127.0.0.1|\(port)|b", "2|127.0.0.1|\(port)|s",
                "2|127.0.0.1|\(port)|l", "2|127.0.0.1|\(port)|f",
            ], [listener])
        #expect(binds.results.map(\.code) == [EFAULT, EBADF, EINVAL, EINVAL, ENOTSOCK])
        #expect(binds.answers == Array(repeating: .untouched, count: 5))
    }

    /// The filter's descriptor is the only connection to the process.
    @Test func withoutAResponseTheCallFails() throws {
        let binds = try Binds(["2|127.0.0.1|0|-", "2|127.0.0.1|0|-"], [], closesAfter: 1)
        #expect(binds.results.map(\.code) == [0, ENOSYS])
    }

    @Test(.enabled(if: isRoot, "needs root"))
    func thePrivilegeDecidesOverNoNewPrivileges() throws {
        for attributes in attributesOfBothKinds {
            // The filter is installed before the change of user.
            #expect(try Binds([], [], attributes).setsNoNewPrivileges == false)
        }
    }

    @Test func theFilterHangsUpWithItsLastProcess() throws {
        let program = try StaticProgram("int main(void) { return 0; }")
        var attributes = SpawnAttributes()
        attributes.interceptsBinds = true
        let child = try TestChild([program.path], attributes: attributes)
        guard case .installed(let binds, _) = try child.spawned.filterChannel?.receive() else {
            Issue.record("no filter came")
            return
        }
        let poll = try EventPoll()
        try poll.add(binds.rawValue, .readable, token: 1)
        #expect(try child.exitStatus() == .exited(0))
        _ = try ChildProcesses.exited(child.pid, keep: true)
        var status: Int32 = 0
        waitpid(child.pid, &status, 0)
        let ready = try poll.wait(timeoutMilliseconds: 20_000)
        #expect(ready.first?.events.contains(Interest(rawValue: EPOLLHUP.rawValue)) == true)
        #expect(ready.first?.events.contains(.readable) == false)
    }

    @Test func aMissingProgramLeavesNoFilter() throws {
        var attributes = SpawnAttributes()
        attributes.interceptsBinds = true
        #expect(throws: SpawnFailure(step: .exec, code: ENOENT)) {
            _ = try TestChild(["no-such-program"], attributes: attributes)
        }
    }

    @Test func versionsOfTheKernelAreRead() {
        #expect(KernelRelease("6.1.0-18-amd64") == KernelRelease(major: 6, minor: 1))
        #expect(KernelRelease("5.9-rc1") == KernelRelease(major: 5, minor: 9))
        #expect(KernelRelease("5.10") ?? .init(major: 0, minor: 0) > .init(major: 5, minor: 9))
        for text in ["", "6", "x.y", "99999999999999999999.1"] {
            #expect(KernelRelease(text) == nil)
        }
    }

    private var attributesOfBothKinds: [SpawnAttributes] {
        var other = SpawnAttributes()
        other.credentials = Credentials(uid: 65534, gid: 65534, supplementaryGroups: [])
        return isRoot ? [SpawnAttributes(), other] : [SpawnAttributes()]
    }
}

/// One run of the program.
private struct Binds {
    struct Result {
        let code: Int32
        let inode: UInt64
        let closesOnExec: Bool
        let isNonblocking: Bool
    }

    var pid: Int32 = 0
    var setsNoNewPrivileges: Bool?
    var answers: [InterceptedBinds.Answer] = []
    var results: [Result] = []

    /// Each call is `FAMILY|HOST|PORT|FLAGS`, as parsed by the program below.
    init(
        _ calls: [String], _ listeners: [ListenSocket],
        _ attributes: SpawnAttributes = SpawnAttributes(), closesAfter limit: Int = .max
    ) throws {
        let program = try StaticProgram(bindProgram)
        // Its directory is private, and the program may run as another user.
        chmod(String(program.path.dropLast("/program".count)), 0o755)
        var attributes = attributes
        attributes.interceptsBinds = true
        let output = try TestPipe()
        let child = try TestChild(
            [program.path] + calls, attributes: attributes,
            descriptors: [output.writing.rawValue])
        pid = child.pid
        if let errorPipe = child.spawned.errorPipe {
            try #require(eventually { SpawnPlan.readFailure(from: errorPipe) == .running })
        }
        var binds = try take(from: try #require(child.spawned.filterChannel))
        var status: ChildStatus?
        try #require(
            try eventually {
                if let binds, let call = binds.take(limit: 1).first {
                    answers.append(binds.answer(call, with: listeners))
                }
                if answers.count >= limit { binds = nil }
                status = try ChildProcesses.exited(pid, keep: true)?.status
                return status != nil
            })
        #expect(status == .exited(0))
        let text = try TestPipe.text(from: output.reading.rawValue) { $0.hasSuffix("end\n") }
        results = text.split(separator: "\n").dropLast().map { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            return Result(
                code: Int32(numbers[0]), inode: numbers[1], closesOnExec: numbers[2] != 0,
                isNonblocking: numbers[3] != 0)
        }
    }

    private mutating func take(from channel: BindFilterChannel) throws -> InterceptedBinds? {
        guard case .installed(let binds, let sets) = try channel.receive() else {
            Issue.record("no filter came")
            return nil
        }
        setsNoNewPrivileges = sets
        return binds
    }
}

/// Makes the calls in its arguments and reports on descriptor 3 for each: errno, the descriptor's
/// inode, whether it is close-on-exec, whether it is non-blocking. Flags: `d` datagram, `6`
/// IPv6-only, `c` close-on-exec, `n` non-blocking, `t` from a thread, `r` removes the file first,
/// `a` uses the socket of the previous call. Mistakes: `p` a bad pointer, `b` a bad descriptor, `s`
/// and `l` a length that is too short or too long, `f` a file. `e` registers the socket in an epoll
/// set first and expects an event for a connection; `o` opens another descriptor of it.
private let bindProgram = """
    #define _GNU_SOURCE
    #include <arpa/inet.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <pthread.h>
    #include <stddef.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    #include <sys/stat.h>
    #include <sys/un.h>
    #include <unistd.h>

    static struct sockaddr_storage place;
    static socklen_t size;
    static int number, last, code;

    static void *make(void *unused) {
        code = bind(number, (struct sockaddr *)&place, size) == 0 ? 0 : errno;
        return unused;
    }

    int main(int count, char **words) {
        for (int i = 1; i < count; i++) {
            char host[200], flags[20];
            int family, port, on = 1;
            if (sscanf(words[i], "%d|%199[^|]|%d|%19s", &family, host, &port, flags) != 4)
                return 2;
            memset(&place, 0, sizeof place);
            place.ss_family = family;
            if (family == AF_UNIX) {
                char *path = ((struct sockaddr_un *)&place)->sun_path;
                strcpy(path, host);
                size = offsetof(struct sockaddr_un, sun_path) + strlen(host);
                if (host[0] == '@')
                    path[0] = 0;
                else
                    size++;
            } else if (family == AF_INET) {
                struct sockaddr_in *address = (struct sockaddr_in *)&place;
                inet_pton(AF_INET, host, &address->sin_addr);
                address->sin_port = htons(port);
                size = sizeof *address;
            } else {
                struct sockaddr_in6 *address = (struct sockaddr_in6 *)&place;
                inet_pton(AF_INET6, host, &address->sin6_addr);
                address->sin6_port = htons(port);
                size = sizeof *address;
            }
            int type = strchr(flags, 'd') ? SOCK_DGRAM : SOCK_STREAM;
            if (strchr(flags, 'c')) type |= SOCK_CLOEXEC;
            if (strchr(flags, 'n')) type |= SOCK_NONBLOCK;
            number = strchr(flags, 'a') ? last : socket(family, type, 0);
            last = number;
            if (strchr(flags, '6')) setsockopt(number, IPPROTO_IPV6, IPV6_V6ONLY, &on, 4);
            if (strchr(flags, 'r')) unlink(host);
            if (strchr(flags, 's')) size = 3;
            if (strchr(flags, 'l')) size = 4000;
            int own = number;
            if (strchr(flags, 'b')) number = 999;
            if (strchr(flags, 'f')) number = open("/dev/null", O_RDONLY);
            int set = epoll_create1(0);
            struct epoll_event event = {EPOLLIN, {.u64 = 0x1122334455667788}}, found[4];
            if (strchr(flags, 'e')) epoll_ctl(set, EPOLL_CTL_ADD, number, &event);
            if (strchr(flags, 'o')) dup(number);
            pthread_t thread;
            if (strchr(flags, 'p'))
                code = bind(number, (struct sockaddr *)8, size) == 0 ? 0 : errno;
            else if (strchr(flags, 't')) {
                pthread_create(&thread, NULL, make, NULL);
                pthread_join(thread, NULL);
            } else
                make(NULL);
            if (strchr(flags, 'e')
                && (epoll_wait(set, found, 4, 5000) != 1 || found[0].events != EPOLLIN
                    || found[0].data.u64 != event.data.u64
                    || epoll_ctl(set, EPOLL_CTL_MOD, number, &event)
                    || epoll_ctl(set, EPOLL_CTL_DEL, number, &event)))
                code = 1000;
            struct stat status;
            fstat(own, &status);
            dprintf(3, "%d %lu %d %d\\n", code, (unsigned long)status.st_ino,
                    fcntl(own, F_GETFD) & FD_CLOEXEC, fcntl(own, F_GETFL) & O_NONBLOCK);
        }
        dprintf(3, "end\\n");
        return 0;
    }
    """
