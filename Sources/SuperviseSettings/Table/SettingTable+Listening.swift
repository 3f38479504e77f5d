extension Setting {
    static let listening = [
        Setting(
            "bind", in: .listening, .pool(.list(\.binds, .bind)), reload: .live, short: "b",
            summary: "Listen on this address",
            details: """
                The master opens the socket once and every worker of the pool inherits it, the \
                first one as descriptor 3. HOST:PORT and [IPV6]:PORT are TCP; :PORT alone means \
                0.0.0.0; port 0 takes a free port and logs it. A name is bound on each of its \
                addresses: the first one listens, the others once a worker binds them too. unix:PATH is a unix socket, \
                unix:@NAME one in the abstract namespace. fd://N takes over a descriptor that the \
                master inherited, systemd:NAME the sockets that systemd passes under this name. \
                Without any bind the sockets that systemd passes are used; a pool that has none \
                runs plain workers. Examples: bind = 127.0.0.1:8000, bind = unix:/run/web.sock.
                """),
        Setting(
            "backlog", in: .listening,
            .pool(.value(\.backlog, .integer(1...1_000_000, allowed: "1 to 1000000"))),
            reload: .live,
            summary: "How many connections may wait to be accepted",
            details: """
                The length of each listener's accept queue. The kernel caps it at the sysctl \
                net.core.somaxconn. A worker that calls listen() with a smaller number shrinks \
                the queue for all; the master sets it again. Example: backlog = 512.
                """),
        Setting(
            "socket-mode", in: .listening, .pool(.value(\.socketMode, .mode)),
            reload: .newListeners,
            summary: "Permissions of unix socket files",
            details: """
                An octal mode, as chmod takes it. Clients need the write permission to connect. \
                Example: socket-mode = 0666, which lets every user connect.
                """),
        Setting(
            "socket-owner", in: .listening,
            .pool(.optional(\.socketOwner, .owner)), reload: .newListeners,
            summary: "Owner of unix socket files",
            details: """
                USER, USER:GROUP or :GROUP, by name or number. The master needs the right to give \
                files away, which usually means that it runs as root. \
                Example: socket-owner = www-data:www-data.
                """),
        Setting(
            "nonblocking", in: .listening, .pool(.value(\.nonblocking, .boolean)),
            reload: .newListeners,
            summary: "Make the listeners non-blocking",
            details: """
                Whether the listeners have O_NONBLOCK set. All who hold a socket share this mode, \
                so the master sets it once, when it opens the listener, and never changes it \
                later. Say yes for programs that wait for connections with epoll or poll and do \
                not set the mode themselves. Example: nonblocking = yes.
                """),
        Setting(
            "pass-listeners", in: .listening, .pool(.value(\.passListeners, .boolean)),
            reload: .newWorkers,
            summary: "Announce the listeners in the environment of workers",
            details: """
                Whether workers get LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, SERVER_STARTER_PORT, \
                SERVER_STARTER_GENERATION and EINHORN_FD_*. Say no for a program that misreads them: \
                uwsgi --http-socket takes passed sockets for ones that speak its own protocol. \
                Workers inherit the descriptors all the same, so that {fd} and adoption work. \
                Example: pass-listeners = no.
                """),
    ]
}
