import SuperviseCore
import Testing

@testable import SuperviseSettings

@Suite struct ImportTests {
    private func imported(_ source: ServiceImport.Source, _ text: String) -> ServiceImport.Result {
        ServiceImport.convert(source, Array(text.utf8), path: "old")
    }

    private func pools(_ result: ServiceImport.Result) throws -> [PoolSettings] {
        try load(file: result.text).configuration.pools
    }

    /// The lines of the result without comments.
    private func lines(_ result: ServiceImport.Result) -> [String] {
        result.text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    @Test func gunicornsPrintedConfiguration() throws {
        let result = imported(
            .gunicorn,
            """
            access_log_format                  = %(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"
            accesslog                          = -
            backlog                            = 2048
            bind                               = ['127.0.0.1:8001', 'unix:/run/shop.sock']
            child_exit                         = <ChildExit.child_exit()>
            chdir                              = /srv/shop
            default_proc_name                  = shop.wsgi
            forwarded_allow_ips                = ['127.0.0.1', '::1']
            graceful_timeout                   = 30
            max_requests                       = 1000
            max_requests_jitter                = 100
            on_starting                        = <on_starting()>
            preload_app                        = True
            raw_env                            = ['A=b, c', "B='x'"]
            secure_scheme_headers              = {'X-FORWARDED-PROTO': 'https'}
            threads                            = 4
            timeout                            = 60
            umask                              = 18
            user                               = 0
            worker_class                       = gthread
            workers                            = 2
            wsgi_app                           = None
            """)
        #expect(
            lines(result) == [
                "bind = 127.0.0.1:8001", "bind = unix:/run/shop.sock", "chdir = /srv/shop",
                "max-requests = 1000", "max-requests-jitter = 100",
                #"env = A=b, c"#, #"env = B="'x'""#, "umask = 0022", "workers = 2",
                "command = gunicorn --access-logfile - --threads 4 --timeout 60 --worker-class "
                    + "gthread shop.wsgi",
            ])
        #expect(result.notes == 2)
        #expect(result.text.contains("# - on_starting = <on_starting()>: "))
        #expect(result.text.contains("# - preload_app = True: "))
        let pool = try #require(try pools(result).first)
        #expect(pool.environment.map(\.value) == ["b, c", "'x'"])
        #expect(pool.binds.count == 2)
    }

    @Test func gunicornWithUvicornsWorkers() throws {
        let result = imported(
            .gunicorn,
            "worker_class = uvicorn.workers.UvicornWorker\nworkers = 4\nwsgi_app = shop:app\n")
        let pool = try #require(try pools(result).first)
        #expect(pool.command == ["uvicorn", "--fd", "{fd}", "shop:app"])
        #expect(pool.workers == .count(4))
        #expect(result.text.contains("bind = 127.0.0.1:8000\n"))
    }

    @Test func aPythonFileIsNotRun() {
        let result = imported(.gunicorn, "import os\nworkers = os.cpu_count()\n")
        #expect(result.text.contains("gunicorn --print-config"))
        #expect(result.text.contains("workers = os.cpu_count(): workers does not accept it"))
        #expect(result.notes == 3)
    }

    @Test func uwsgisIniFile() throws {
        let result = imported(
            .uwsgi,
            """
            [uwsgi]
            ; the shop
            module = shop.wsgi
            callable = app
            master = true
            processes = 4
            threads = 2
            socket = /run/shop.sock
            chmod-socket = 660
            max_requests = 5000
            max-worker-lifetime = 3600
            reload-on-rss = 512
            evil-reload-on-rss = 1024
            harakiri = 60
            virtualenv = /srv/venv
            env = DJANGO_SETTINGS_MODULE=shop.settings
            attach-daemon = celery -A shop worker
            cheaper = 2
            vacuum = true
            unheard-of = 7
            [other]
            key = value
            """)
        let pools = try pools(result)
        #expect(pools.map(\.name) == ["web", "daemon-1"])
        #expect(
            pools[0].command == ["/srv/venv/bin/gunicorn", "--threads", "2", "shop.wsgi:app"])
        #expect(pools[0].workers == .count(4))
        #expect(pools[0].policy.maxRSS == .bytes(512 << 20))
        #expect(pools[0].policy.killRSS == .bytes(1024 << 20))
        #expect(pools[1].command == ["celery", "-A", "shop", "worker"])
        for note in ["socket = /run/shop.sock", "harakiri", "cheaper", "unheard-of", "[other]"] {
            #expect(result.text.contains("# - \(note)") || result.text.contains(note), "\(note)")
        }
        #expect(!result.text.contains("vacuum"))
    }

    @Test func aProcfile() throws {
        let result = imported(
            .procfile,
            """
            web: gunicorn shop.wsgi --bind 0.0.0.0:$PORT
            worker: python manage.py run_jobs --name 'a b'
            release: python manage.py migrate
            clock: sleep 1 && python clock.py
            nonsense
            """)
        let pools = try pools(result)
        #expect(pools.map(\.name) == ["web", "worker", "clock"])
        #expect(
            pools[0].command == ["sh", "-c", "exec gunicorn shop.wsgi --bind 0.0.0.0:$PORT"])
        #expect(pools[0].environment.map(\.name) == ["PORT"])
        #expect(pools[1].command == ["python", "manage.py", "run_jobs", "--name", "a b"])
        #expect(pools[2].command == ["sh", "-c", "sleep 1 && python clock.py"])
        #expect(result.notes == 3)
    }

    @Test func hostileTextsBecomeNotes() throws {
        let texts = [
            "", "=", "[uwsgi", "workers = 4\\", "bind = ['a\\\\\nb']", "web: \u{2028}x\\",
            "name = ]\n[pool x]", "raw_env = ['=']", "max_requests = -1\u{0}", "[uwsgi]\nenv = a",
            "chdir = \" \"\\", "web: 'unclosed", ": x", "web: a\nweb: b",
        ]
        for source in ServiceImport.Source.allCases {
            for text in texts {
                let result = imported(source, text)
                do {
                    _ = try load(file: result.text)
                } catch {
                    // A pool or a command may be missing, but every line is understood.
                    for problem in error.problems {
                        #expect(problem.message.contains("not set"), "\(problem) \(result.text)")
                    }
                }
            }
        }
    }
}
