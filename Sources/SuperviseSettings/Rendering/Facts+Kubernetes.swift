/// supervise in pods of Kubernetes and tasks of Nomad.
extension Fact {
    /// The division of work, one string per paragraph.
    static let kubernetes = [
        """
        Kubernetes runs the pods, supervise the processes of one pod. A pod with several workers has \
        one address, one memory limit and one readiness. A worker that leaks or crashes is replaced \
        without a restart of the pod. conf/deploy/kubernetes.yaml is a complete example, \
        conf/deploy/nomad.hcl one for Nomad.
        """,
        """
        TERM is a graceful stop. The pod is not ready from then on, keeps serving for drain-delay \
        while its address is removed from load balancers, serves the accept queue, and then stops its \
        workers within graceful-timeout. A preStop sleep is not needed.
        """,
    ]

    /// The parts of a manifest.
    static let kubernetesParts = [
        Fact("readinessProbe", "GET /readyz on status-bind. Also use it as the startupProbe."),
        Fact("livenessProbe", "GET /healthz on status-bind. It fails only if the master hangs."),
        Fact(
            "drain-delay",
            "The time that endpoints need to change, such as 15s. Use it instead of preStop."),
        Fact(
            "terminationGracePeriodSeconds", "More than drain-delay plus graceful-timeout."),
        Fact(
            "resources.limits.memory",
            "The limit to which percentages refer, such as max-rss = 70%. They follow a resize in "
                + "place."),
        Fact(
            "readOnlyRootFilesystem",
            "Mount an emptyDir and set control = PATH in it. Otherwise there is no control socket, "
                + "and supervise only logs a warning."),
        Fact(
            "runAsNonRoot",
            "No capabilities and no privileges are needed (supervise help security)."
        ),
        Fact(
            "args", "supervise must be process 1, without a shell in between, so that it gets TERM."
        ),
        Fact(
            "PodMonitor", "GET /metrics on status-bind. conf/deploy/alerts.yml has alerts."),
    ]
}
