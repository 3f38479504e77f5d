# A Nomad job whose task is supervise with two workers. Nomad checks readiness and restarts the task if the
# master hangs; supervise replaces workers.
job "shop" {
  type = "service"

  update {
    max_parallel     = 1
    health_check     = "checks"
    min_healthy_time = "10s"
    healthy_deadline = "3m"
    auto_revert      = true
  }

  group "web" {
    count = 2

    network {
      port "http" {}
      port "status" {}
    }

    service {
      name = "shop"
      port = "http"

      check {
        type     = "http"
        port     = "status"
        path     = "/readyz"
        interval = "5s"
        timeout  = "3s"
      }
    }

    task "supervise" {
      driver = "docker"

      config {
        image = "example.org/shop:1"
        ports = ["http", "status"]
        args = [
          "--bind", "0.0.0.0:${NOMAD_PORT_http}",
          "--status-bind", "0.0.0.0:${NOMAD_PORT_status}",
          "--workers", "2", "--max-rss", "70%", "--drain-delay", "10s",
          "--", "gunicorn", "shop.wsgi",
        ]
      }

      # TERM is a graceful stop. More than drain-delay plus graceful-timeout.
      kill_signal  = "SIGTERM"
      kill_timeout = "60s"

      resources {
        cpu    = 1000
        memory = 1024
      }
    }
  }
}
