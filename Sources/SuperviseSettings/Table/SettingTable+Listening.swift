extension Setting {
    static let listening = [
        Setting(
            "bind", in: .listening, .pool(.list(\.binds, .bind)), reload: .live, short: "b",
            summary: "Listen on this address",
            details: """
                The master opens each socket once. Every worker of the pool inherits it; the \
                first socket is descriptor 3. HOST:PORT and [IPV6]:PORT are TCP addresses. :PORT \
                means 0.0.0.0:PORT. Port 0 selects a free port, which the master logs. A host \
                name is bound on each of its addresses: the first one listens, and the others \
                listen once a worker binds them too. unix:PATH is a unix socket. unix:@NAME is a \
                unix socket in the abstract namespace. fd://N is a descriptor that the master \
                inherited. systemd:NAME is the socket that systemd passes under this name. \
                Without a bind, the pool uses the sockets that systemd passes. A pool without \
                any socket runs plain workers. Examples: bind = 127.0.0.1:8000, bind = \
                unix:/run/web.sock.
                """),
        Setting(
            "backlog", in: .listening,
            .pool(.value(\.backlog, .integer(1...1_000_000, allowed: "1 to 1000000"))),
            reload: .live,
            summary: "Length of the accept queue",
            details: """
                The maximum number of connections that wait to be accepted on each listener. The \
                kernel caps it at the sysctl net.core.somaxconn. A worker that calls listen() \
                with a smaller number shrinks the queue for all workers; the master then \
                restores it. Example: backlog = 512.
                """),
        Setting(
            "socket-mode", in: .listening, .pool(.value(\.socketMode, .mode)),
            reload: .newListeners,
            summary: "Permissions of unix socket files",
            details: """
                An octal mode, as for chmod. Clients need write permission to connect. Example: \
                socket-mode = 0666, which lets every user connect.
                """),
        Setting(
            "socket-owner", in: .listening,
            .pool(.optional(\.socketOwner, .owner)), reload: .newListeners,
            summary: "Owner of unix socket files",
            details: """
                USER, USER:GROUP or :GROUP, by name or number. Changing the owner usually \
                requires that the master runs as root. Example: socket-owner = \
                www-data:www-data.
                """),
        Setting(
            "nonblocking", in: .listening, .pool(.value(\.nonblocking, .boolean)),
            reload: .newListeners,
            summary: "Make the listeners non-blocking",
            details: """
                Sets O_NONBLOCK on the listeners. All processes that hold a socket share this \
                mode, so the master sets it when it opens the listener and never changes it \
                later. Use yes for programs that wait for connections with epoll or poll and do \
                not set the mode themselves. Example: nonblocking = yes.
                """),
        Setting(
            "pass-listeners", in: .listening, .pool(.value(\.passListeners, .boolean)),
            reload: .newWorkers,
            summary: "Announce the listeners in the environment of workers",
            details: """
                With yes, the environment of the workers contains LISTEN_FDS, LISTEN_PID, \
                LISTEN_FDNAMES, SERVER_STARTER_PORT, SERVER_STARTER_GENERATION and EINHORN_FD_*. \
                Use no for a program that misinterprets them: uwsgi --http-socket expects its \
                own protocol on passed sockets. Workers inherit the descriptors either way, so \
                {fd} and adoption work. Example: pass-listeners = no.
                """),
    ]
}
