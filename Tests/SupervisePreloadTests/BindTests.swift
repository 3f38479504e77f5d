import Glibc
import SuperviseLinux
import Testing

/// The binds that are replaced by a listener: those that the kernel would reject, and no others.
@Suite(.serialized) struct BindTests {
    struct Case: CustomTestStringConvertible {
        let listener: String
        let program: String
        let isV6Only: Bool
        let isAdopted: Bool
        /// Whether the kernel would allow it, because only the family differs.
        let isFree: Bool

        init(
            _ listener: String, _ program: String, v6Only: Bool = false, adopted: Bool,
            free: Bool? = nil
        ) {
            self.listener = listener
            self.program = program
            isV6Only = v6Only
            isAdopted = adopted
            isFree = free ?? !adopted
        }

        var testDescription: String {
            "\(program)\(isV6Only ? " (IPv6 alone)" : "") where \(listener) is held"
        }
    }

    private static let cases = [
        Case("127.0.0.1", "127.0.0.1", adopted: true),
        Case("127.0.0.1", "0.0.0.0", adopted: true),
        Case("127.0.0.1", "127.0.0.2", adopted: false),
        Case("127.0.0.1", "::ffff:127.0.0.1", adopted: true),
        Case("127.0.0.1", "::ffff:127.0.0.2", adopted: false),
        Case("127.0.0.1", "::ffff:0.0.0.0", adopted: true),
        Case("127.0.0.1", "::", adopted: true),
        Case("127.0.0.1", "::", v6Only: true, adopted: true, free: true),
        Case("127.0.0.1", "::1", adopted: true, free: true),
        Case("0.0.0.0", "127.0.0.1", adopted: true),
        Case("0.0.0.0", "::ffff:127.0.0.1", adopted: true),
        Case("0.0.0.0", "::", adopted: true),
        Case("0.0.0.0", "::", v6Only: true, adopted: true, free: true),
        Case("0.0.0.0", "::1", adopted: true, free: true),
        Case("::1", "::1", adopted: true),
        Case("::1", "::", adopted: true),
        Case("::1", "::", v6Only: true, adopted: true),
        Case("::1", "127.0.0.1", adopted: true, free: true),
        Case("::1", "0.0.0.0", adopted: true, free: true),
        Case("::1", "::ffff:127.0.0.1", adopted: true, free: true),
        Case("::", "::", adopted: true),
        Case("::", "::1", adopted: true),
        Case("::", "0.0.0.0", adopted: true, free: true),
        Case("::", "::ffff:127.0.0.1", adopted: true, free: true),
        Case("dual ::", "0.0.0.0", adopted: true),
        Case("dual ::", "127.0.0.1", adopted: true),
        Case("dual ::", "::ffff:127.0.0.1", adopted: true),
        Case("dual ::", "::1", adopted: true),
    ]

    @Test(.enabled(if: hasIPv6, "there is no IPv6 here"), arguments: cases)
    func anAddressThatIsHeldIsAdopted(_ item: Case) async throws {
        let listener =
            item.listener == "dual ::"
            ? try dualListener()
            : try ListenSocket.tcp(host: item.listener, port: 0, backlog: 5)
        let stage = try Stage([listener])
        let family = item.program.contains(":") ? "AF_INET6" : "AF_INET"
        let bind = """
            sock = socket.socket(socket.\(family))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if \(family == "AF_INET6" ? "True" : "False"):
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, \(item.isV6Only ? 1 : 0))
            number = inode(sock.fileno())
            code = failure(sock.bind, ('\(item.program)', \(stage.port)))
            """
        _ = try await stage.probe(
            """
            \(bind)
            assert code == 0, code
            assert inode(sock.fileno()) == \(item.isAdopted ? "OURS[0]" : "number")
            assert sock.getsockname()[1] == \(stage.port)
            """)
        // The result of the kernel without the library.
        _ = try await stage.probe(
            """
            \(bind)
            assert code == \(item.isFree ? "0" : "errno.EADDRINUSE"), code
            """, without: ["LD_PRELOAD"])
    }

    @Test(.enabled(if: hasIPv6, "there is no IPv6 here"))
    func ofSeveralTheClosestIsTaken() async throws {
        let first = try ListenSocket.tcp(host: "127.0.0.1", port: 0, backlog: 5)
        let port = try #require(UInt16(first.address.split(separator: ":").last ?? ""))
        let stage = try Stage([
            first, ListenSocket.tcp(host: "::1", port: port, backlog: 5),
            ListenSocket.tcp(host: "127.0.0.2", port: port, backlog: 5),
        ])
        _ = try await stage.probe(
            """
            def taken(host, family):
                return ours(bound((host, \(port)), family=family))
            assert taken('127.0.0.1', socket.AF_INET) == 0
            assert taken('127.0.0.2', socket.AF_INET) == 2
            assert taken('0.0.0.0', socket.AF_INET) == 0
            assert taken('::1', socket.AF_INET6) == 1
            assert taken('::', socket.AF_INET6) == 1
            assert taken('::ffff:127.0.0.2', socket.AF_INET6) == 2
            """)
    }

    @Test func otherBindsAreTheKernels() async throws {
        _ = try await Stage().probe(
            """
            host, port = address()
            udp = bound((host, port), socket.SOCK_DGRAM)
            assert ours(udp) is None and udp.getsockname() == (host, port)
            free = bound((host, 0))
            assert ours(free) is None and free.getsockname()[1] not in (0, port)
            # Bound already, by itself or by us.
            assert failure(free.bind, (host, port)) == errno.EINVAL
            mine = bound((host, port))
            assert ours(mine) == 0
            assert failure(mine.bind, (host, port)) == errno.EINVAL
            # Of another family than the socket.
            inet6 = socket.socket(socket.AF_INET6)
            address4 = struct.pack('=H', socket.AF_INET) + struct.pack('!H', port) + socket.inet_aton(host) + bytes(20)
            assert libc.bind(inet6.fileno(), address4, 28) == -1
            assert libc.bind(2, address4, 16) == -1 and ctypes.get_errno() == errno.ENOTSOCK
            assert libc.bind(-1, address4, 16) == -1 and ctypes.get_errno() == errno.EBADF
            fresh = socket.socket()
            assert libc.bind(fresh.fileno(), address4, 3) == -1
            assert libc.bind(fresh.fileno(), None, 0) == -1
            # As long as any address may be.
            assert libc.bind(fresh.fileno(), address4 + bytes(200), 129) == -1
            assert libc.bind(fresh.fileno(), address4 + bytes(200), 128) == 0
            assert ours(fresh) == 0
            """)
    }

    @Test func theDescriptorKeepsItsFlags() async throws {
        _ = try await Stage().probe(
            """
            kept = bound()
            assert not os.get_inheritable(kept.fileno())
            passed = socket.socket()
            passed.set_inheritable(True)
            passed.bind(address())
            assert ours(passed) == 0 and os.get_inheritable(passed.fileno())
            """)
    }

    @Test func aBindByNumberIsAdoptedToo() async throws {
        _ = try await Stage().probe(
            """
            SYS = {'x86_64': (49, 50, 48), 'aarch64': (200, 201, 210)}[os.uname().machine]
            host, port = address()
            sock = socket.socket()
            where = struct.pack('=H', socket.AF_INET) + struct.pack('!H', port) + bytes(12)
            assert libc.syscall(SYS[0], sock.fileno(), where, 16) == 0
            assert ours(sock) == 0
            assert libc.syscall(SYS[1], sock.fileno(), 1) == 0
            assert libc.syscall(SYS[2], sock.fileno(), 2) == 0
            assert libc.syscall(ctypes.c_long(-1)) == -1 and ctypes.get_errno() == errno.ENOSYS
            """)
    }

    private static let hasIPv6 = (try? ListenSocket.tcp(host: "::1", port: 0, backlog: 1)) != nil

    /// A `::` that includes IPv4, such as another master may pass.
    private func dualListener() throws -> ListenSocket {
        let number = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        try #require(number >= 0)
        var off: Int32 = 0
        setsockopt(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, 4)
        try #require(listen(number, 5) == 0)
        return try ListenSocket.adopt(number)
    }
}
