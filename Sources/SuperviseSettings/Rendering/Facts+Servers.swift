/// Servers that need a setting of their own or of supervise.
extension Fact {
    /// When adoption is enough and when it is not.
    static let servers = [
        """
        A server that opens its own socket needs only a bind with its address: the master's listener \
        replaces the server's socket (see: supervise help adopt). This also works behind wrappers \
        such as npm start, sh, xargs, poetry run and bundle exec. The servers below need a setting.
        """,
        """
        Some servers connect to their address before they bind it, to check whether it is free. \
        They reach the master's listener and exit. Disable the check, or pass the descriptor as \
        described below.
        """,
    ]

    /// The recipes.
    static let serverRecipes = [
        Fact(
            "uwsgi",
            "Set pass-listeners = no, and use --http-socket or --socket with the address of bind. "
                + "Otherwise uwsgi expects its own protocol on the sockets in LISTEN_FDS."),
        Fact(
            "lighttpd",
            "Set server.systemd-socket-activation = \"enable\". Otherwise lighttpd connects to its "
                + "unix socket first."),
        Fact(
            "php-fpm",
            "Use --nodaemonize and set env = FPM_SOCKETS=PATH=3, where PATH is both the listen of the "
                + "php-fpm pool and the path of bind = unix:PATH. Otherwise php-fpm connects to its "
                + "socket first."),
        Fact("robyn", "Call app.start(_check_port=False)."),
        Fact("nginx", "Set daemon off. master_process may be off or on."),
        Fact(
            "tornado, aiohttp",
            "They bind 0.0.0.0 and [::]. With a single bind, both become its listener. Add "
                + "bind = [::]:PORT to serve both."),
        Fact(
            "localhost",
            "bind = localhost:PORT binds every address of the name and listens on the first one. The "
                + "others start to listen when a worker binds a second address of the name."),
    ]
}
