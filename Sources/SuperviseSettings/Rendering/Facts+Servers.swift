/// Servers that do not work by themselves, in words.
extension Fact {
    /// When adoption is enough and when it is not.
    static let servers = [
        """
        A server that opens its own socket needs nothing but a bind on its address: its bind() is \
        answered with the master's listener (adopt). This works behind wrappers such as npm start, \
        sh, xargs, poetry run and bundle exec. The servers below need a setting of theirs or ours.
        """,
        """
        Some servers connect to their address before they bind it, to find out whether it is free. \
        They find the master's listener and give up. Turn the check off, or hand them the \
        descriptor as described below.
        """,
    ]

    /// The recipes.
    static let serverRecipes = [
        Fact(
            "uwsgi",
            "pass-listeners = no, and --http-socket or --socket with the address of bind. Otherwise "
                + "uwsgi takes the sockets in LISTEN_FDS for ones that speak its own protocol."),
        Fact(
            "lighttpd",
            "server.systemd-socket-activation = \"enable\". Without it, lighttpd connects to its unix "
                + "socket first."),
        Fact(
            "php-fpm",
            "--nodaemonize, and env = FPM_SOCKETS=PATH=3, where PATH is the listen of its pool and "
                + "the path of bind = unix:PATH. Without it, php-fpm connects to its socket first."),
        Fact("robyn", "app.start(_check_port=False)."),
        Fact("nginx", "daemon off, and master_process off or on."),
        Fact(
            "tornado, aiohttp",
            "They bind 0.0.0.0 and [::]. One bind is enough: both become its listener. Add "
                + "bind = [::]:PORT to serve both."),
        Fact(
            "localhost",
            "bind = localhost:PORT binds every address of the name and listens on the first. The others "
                + "listen from when a worker binds a second address of the name."),
    ]
}
